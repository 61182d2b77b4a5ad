"""Threads' login. Source: developers.facebook.com/documentation/threads, get-started, and Meta's Postman collection (2026-01-02)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse

from sandbox import accounts, oauth
from sandbox.ids import numeric_id
from sandbox.meta.oauth import CODE_LIFE, DENIED, REDIRECT_URIS, TokenPages
from sandbox.meta.refusals import Refused
from sandbox.models import Account

NAME = "threads"
BASIC, PUBLISH, DELETE = "threads_basic", "threads_content_publish", "threads_delete"
REPLY, READ_REPLIES, INSIGHTS = "threads_manage_replies", "threads_read_replies", "threads_manage_insights"

# by reason: code, subcode and words
_REFUSALS = {
    "client": (101, None, "Error validating application. Cannot get application info due to a system error."),
    "secret": (1, None, "Error validating client secret."),
    "redirect_uri": (191, None, "Error validating verification code. Please make sure your redirect_uri is identical."),
    "grant_type": (100, None, "Invalid grant_type"),
    "expired": (100, 36007, "This authorization code has expired."),
}


def make_account(handle: str) -> Account:
    """Give the account of a handle."""
    return accounts.get_account(NAME, handle, account_id=numeric_id(f"threads {handle}"))


PAGE = oauth.AuthPage(
    platform=NAME,
    scopes={
        BASIC: "See your profile and your posts",
        PUBLISH: "Publish posts for you",
        REPLY: "Reply for you, and hide replies",
        READ_REPLIES: "Read replies",
        INSIGHTS: "See how your posts do",
        DELETE: "Delete your posts",
    },
    make_account=make_account,
    redirect_uris=REDIRECT_URIS,
    scope_separator=",",
    pkce="none",
    code_life=CODE_LIFE,
    denied=DENIED,
    suffix="#_",
)
PAGES = TokenPages(PAGE, "th")


def authorize(request: HttpRequest) -> HttpResponse:
    """Show the consent page, or take the answer."""
    return oauth.authorize(request, PAGE)


def token(request: HttpRequest) -> HttpResponse:
    """Trade a code for a token of an hour."""
    try:
        tokens = PAGES.exchange(request)
    except oauth.OAuthRefused as refused:
        unknown = (100, 36009, "This authorization code has been used.")
        code, subcode, words = _REFUSALS.get(refused.reason, unknown)
        raise Refused(code, words, subcode=subcode) from None
    return JsonResponse({"access_token": tokens.access, "user_id": tokens.grant.account.platform_account_id})
