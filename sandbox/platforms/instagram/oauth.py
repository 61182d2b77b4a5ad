"""Instagram's Business Login.

Source: developers.facebook.com/documentation/instagram-platform, business-login (read 2026-11-20): the redirect ends in `#_`, and the
answer to a code is wrapped in `data`.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse

from sandbox import accounts, oauth
from sandbox.ids import numeric_id
from sandbox.meta.oauth import CODE_LIFE, DENIED, REDIRECT_URIS, TokenPages
from sandbox.models import Account

NAME = "instagram"
BASIC, PUBLISH = "instagram_business_basic", "instagram_business_content_publish"
COMMENTS, INSIGHTS = "instagram_business_manage_comments", "instagram_business_manage_insights"


def make_account(handle: str) -> Account:
    """Give the account of a handle. Its id in the API begins as all of Instagram's do."""
    data = {"scoped_id": numeric_id(f"instagram scoped {handle}")}
    return accounts.get_account(
        NAME, handle, account_id=f"178414{numeric_id(f'instagram {handle}', digits=11)}", data=data
    )


PAGE = oauth.AuthPage(
    platform=NAME,
    scopes={
        BASIC: "See your profile and your media",
        PUBLISH: "Publish photos, Reels, carousels and Stories for you",
        COMMENTS: "Write and read comments on your media",
        INSIGHTS: "See how your media do",
    },
    make_account=make_account,
    redirect_uris=REDIRECT_URIS,
    scope_separator=",",
    pkce="none",
    code_life=CODE_LIFE,
    denied=DENIED,
    suffix="#_",
    reserved_handles=frozenset({"p", "reel", "stories", "oauth", "access_token", "refresh_access_token"}),
)
PAGES = TokenPages(PAGE, "ig")

_WORDS = {
    "client": "Invalid platform app",
    "secret": "Error validating client secret",
    "redirect_uri": "Error validating verification code. Please make sure your redirect_uri is identical to the one you used",
    "grant_type": "Invalid grant_type",
}


def authorize(request: HttpRequest) -> HttpResponse:
    """Show the consent page, or take the answer."""
    return oauth.authorize(request, PAGE)


def token(request: HttpRequest) -> HttpResponse:
    """Trade a code for a token of an hour."""
    try:
        tokens = PAGES.exchange(request)
    except oauth.OAuthRefused as refused:
        words = _WORDS.get(
            refused.reason, "Invalid authorization code: matching code was not found or was already used"
        )
        return JsonResponse({"error_type": "OAuthException", "code": 400, "error_message": words}, status=400)
    granted = {
        "access_token": tokens.access,
        "user_id": tokens.grant.account.platform_account_id,
        "permissions": ",".join(tokens.scope.split()),
    }
    return JsonResponse({"data": [granted]})
