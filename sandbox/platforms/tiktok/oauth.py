"""TikTok's OAuth: comma scopes, `client_key`, a challenge in hex, and the redirects that a Desktop app may have.

Source: developers.tiktok.com, login-kit-desktop and oauth-user-access-token-management (2026-11).
"""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import SplitResult, urlsplit

from django.http import HttpRequest, HttpResponse, JsonResponse

from sandbox import clock, journal, oauth
from sandbox.accounts import get_account
from sandbox.models import Account, ConsentPage
from sandbox.oauth import AuthPage, OAuthRefused
from sandbox.tokens import Tokens, hash_secret, issue_tokens, revoke_token, rotate_tokens

ACCESS_LIFE = timedelta(hours=2)
REFRESH_LIFE = timedelta(days=180)
SCOPES = {
    "user.info.basic": "See your name and picture",
    "user.info.profile": "See your profile's address and text",
    "user.info.stats": "See how many followers, likes and videos you have",
    "video.list": "See your public videos",
    "video.upload": "Put drafts into your inbox",
    "video.publish": "Post for you",
}
ERRORS = {  # our reason: TikTok's word and sentence
    "client": ("invalid_client", "Client key or secret is incorrect."),
    "secret": ("invalid_client", "Client key or secret is incorrect."),
    "code": ("invalid_grant", "Authorization code is expired or used."),
    "expired": ("invalid_grant", "Authorization code is expired."),
    "redirect_uri": ("invalid_grant", "Redirect_uri is not matched with the uri when requesting code."),
    "verifier": ("invalid_grant", "Code verifier or code challenge is invalid."),
    "refresh": ("invalid_grant", "Refresh token is invalid or expired."),
    "grant_type": ("unsupported_grant_type", "The authorization grant type is not supported."),
    "scope": ("invalid_scope", "The requested scope is invalid."),
}


def make_account(handle: str) -> Account:
    """Give the account of a handle; its id is one that TikTok makes for this app."""
    return get_account("tiktok", handle, account_id=f"-000{hash_secret(f'tiktok {handle}')[:32]}")


def accepts_redirect(uri: str, registered: tuple[str, ...]) -> bool:
    """Say whether a Desktop app may be led back there: this machine, any port, the registered path, nothing behind it."""
    try:
        asked, known = _split(uri), [_split(one) for one in registered]
    except ValueError:
        return False
    return asked.hostname in ("127.0.0.1", "localhost") and any(
        (asked.scheme, asked.hostname, asked.path) == (one.scheme, one.hostname, one.path) for one in known
    )


def add_scopes(page: ConsentPage) -> dict[str, str]:
    """Say in the redirect what was granted."""
    return {"scopes": page.scope.replace(" ", ",")}


PAGE = AuthPage(
    platform="tiktok",
    scopes=SCOPES,
    make_account=make_account,
    redirect_uris=("http://127.0.0.1:8765/callback", "http://localhost:8765/callback"),
    accepts_redirect=accepts_redirect,
    client_id_name="client_key",
    scope_separator=",",
    pkce="required",
    challenge="s256_hex",
    denied={"error": "access_denied", "error_description": "User cancelled"},
    more=add_scopes,
)


def authorize(request: HttpRequest) -> HttpResponse:
    """Show the consent page, or take its answer."""
    return oauth.authorize(request, PAGE)


def token(request: HttpRequest) -> HttpResponse:
    """Trade a code, or a refresh token, for tokens."""
    try:
        return _describe(_grant(request))
    except OAuthRefused as refused:
        return _refuse(request, refused)


def revoke(request: HttpRequest) -> HttpResponse:
    """Take a grant back."""
    client = oauth.read_client(request, id_name="client_key")
    try:
        oauth.check_client(client, page=PAGE, secret="required")
    except OAuthRefused as refused:
        return _refuse(request, refused)
    revoke_token(request.POST.get("token", ""), platform="tiktok", client_id=client.id)
    return JsonResponse({})


def _grant(request: HttpRequest) -> Tokens:
    now, client = clock.now(), oauth.read_client(request, id_name="client_key")
    oauth.check_client(client, page=PAGE, secret="required")
    kind = request.POST.get("grant_type")
    if kind == "refresh_token":
        spent = request.POST.get("refresh_token", "")
        tokens = rotate_tokens(
            spent, platform="tiktok", client_id=client.id, now=now, life=ACCESS_LIFE, refresh_life=REFRESH_LIFE
        )
        if tokens is None:
            raise OAuthRefused("refresh")
        return tokens
    if kind != "authorization_code":
        raise OAuthRefused("grant_type")
    code = oauth.take_code(request.POST, page=PAGE, client_id=client.id, now=now)
    return issue_tokens(
        code.account, client_id=client.id, scope=code.scope, now=now, life=ACCESS_LIFE, refresh_life=REFRESH_LIFE
    )


def _describe(tokens: Tokens) -> HttpResponse:
    return JsonResponse(
        {
            "open_id": tokens.grant.account.platform_account_id,
            "scope": tokens.scope.replace(" ", ","),
            "access_token": tokens.access,
            "expires_in": int(ACCESS_LIFE.total_seconds()),
            "refresh_token": tokens.refresh,
            "refresh_expires_in": int(REFRESH_LIFE.total_seconds()),
            "token_type": "Bearer",
        }
    )


def _refuse(request: HttpRequest, refused: OAuthRefused) -> HttpResponse:
    error, description = ERRORS[refused.reason]
    body = {"error": error, "error_description": description, "log_id": journal.request_id(request)}
    return JsonResponse(body, status=400)


def _split(uri: str) -> SplitResult:
    parts = urlsplit(uri)
    if parts.query or parts.fragment or parts.username or (parts.port is None and ":" in parts.netloc):
        raise ValueError(uri)
    return parts
