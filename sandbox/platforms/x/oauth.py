"""X's OAuth 2.0: the consent page, the token endpoint with PKCE and rotation, revocation.

Source: docs.x.com OAuth 2.0 authorization code with PKCE (2026-11): a code lives 30 s, a refresh token serves once.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict

from sandbox import clock, oauth
from sandbox.accounts import get_account
from sandbox.models import Account
from sandbox.platforms.x import ids, problems
from sandbox.platforms.x.access import ACCESS_LIFE
from sandbox.tokens import NO_REFRESH, Tokens, issue_tokens, revoke_token, rotate_tokens


def make_account(handle: str) -> Account:
    """Give the account with this handle."""
    return get_account("x", handle, account_id=ids.account_id(handle))


PAGE = oauth.AuthPage(
    platform="x",
    scopes={
        "tweet.read": "See your posts and those of people you follow",
        "tweet.write": "Post and delete posts for you",
        "users.read": "See your profile",
        "media.write": "Upload photos and videos for you",
        "offline.access": "Stay connected until you take it back",
    },
    make_account=make_account,
    code_life=timedelta(seconds=30),
    max_state=500,
    reserved_handles=frozenset({"i", "2", "media"}),
)


def authorize(request: HttpRequest) -> HttpResponse:
    """Show the consent page, or take the person's decision from it."""
    return oauth.authorize(request, PAGE)


def token(request: HttpRequest) -> JsonResponse:
    """Trade a code or a refresh token for a new pair of tokens."""
    try:
        client_id = _check_client(request)
        match request.POST.get("grant_type"):
            case "authorization_code":
                tokens = _exchange(request.POST, client_id=client_id, now=clock.now())
            case "refresh_token":
                tokens = _rotate(request.POST, client_id=client_id, now=clock.now())
            case _:
                raise oauth.OAuthRefused("grant_type")
    except oauth.OAuthRefused as refused:
        return _refuse(refused.reason)
    return _token_answer(tokens)


def revoke(request: HttpRequest) -> JsonResponse:
    """End the grant a token belongs to; an unknown token is no error (RFC 7009)."""
    try:
        client_id = _check_client(request)
    except oauth.OAuthRefused as refused:
        return _refuse(refused.reason)
    revoke_token(request.POST.get("token", ""), platform="x", client_id=client_id)
    return JsonResponse({"revoked": True})


def _check_client(request: HttpRequest) -> str:
    return oauth.check_client(oauth.read_client(request), page=PAGE, secret="ignored").client_id


def _exchange(form: QueryDict, *, client_id: str, now: datetime) -> Tokens:
    code = oauth.take_code(form, page=PAGE, client_id=client_id, now=now)
    refresh_life = None if "offline.access" in code.scope.split() else NO_REFRESH
    return issue_tokens(
        code.account, client_id=client_id, scope=code.scope, now=now, life=ACCESS_LIFE, refresh_life=refresh_life
    )


def _rotate(form: QueryDict, *, client_id: str, now: datetime) -> Tokens:
    refresh = form.get("refresh_token", "")
    tokens = rotate_tokens(refresh, platform="x", client_id=client_id, now=now, life=ACCESS_LIFE)
    if tokens is None:
        raise oauth.OAuthRefused("refresh")
    return tokens


def _token_answer(tokens: Tokens) -> JsonResponse:
    document: dict[str, Any] = {
        "token_type": "bearer",
        "expires_in": int(ACCESS_LIFE.total_seconds()),
        "access_token": tokens.access,
        "scope": tokens.scope,
    }
    if tokens.refresh:
        document["refresh_token"] = tokens.refresh
    return JsonResponse(document, headers={"Cache-Control": "no-store"})


def _refuse(reason: oauth.Reason) -> JsonResponse:
    status, error, description = {
        "client": (401, "unauthorized_client", "Missing valid authorization header"),
        "grant_type": (400, "unsupported_grant_type", "Value passed for the grant_type was invalid."),
    }.get(reason, (400, "invalid_request", "Value passed for the token was invalid."))
    return problems.Refusal(status, {"error": error, "error_description": description}).to_response()
