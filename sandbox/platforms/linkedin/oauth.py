"""LinkedIn's OAuth: the consent page, tokens of 60 days, and refresh tokens for partners only."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse, JsonResponse

from sandbox import access, clock, oauth
from sandbox.models import Grant
from sandbox.oauth import SANDBOX_APP, App, AuthPage, OAuthRefused
from sandbox.platforms.linkedin.members import make_account
from sandbox.tokens import NO_REFRESH, Tokens, issue_tokens, rotate_tokens

ACCESS_LIFE = timedelta(days=60)
REFRESH_LIFE = timedelta(days=365)  # from the first consent on; a renewal does not prolong it
PARTNER_APP = App("psn-sandbox-partner", SANDBOX_APP.secret)  # an app that LinkedIn approved for refresh tokens

_ERRORS = {
    "client": ("invalid_client_id", "The passed in client_id is invalid", 401),
    "secret": ("invalid_client", "Client authentication failed", 401),
    "grant_type": ("invalid_request", "A required parameter \"grant_type\" is missing or not supported", 400),
    "refresh": ("invalid_request", "The provided authorization grant or refresh token is invalid, expired or revoked", 400),
}  # fmt: skip
_BAD_CODE = (
    "invalid_request",
    "Unable to retrieve access token: appid/redirect uri/code verifier does not match authorization code. "
    "Or authorization code expired.",
    400,
)


def find_app(client_id: str) -> App | None:
    """Give the app with a client id."""
    return next((app for app in (SANDBOX_APP, PARTNER_APP) if app.client_id == client_id), None)


PAGE = AuthPage(
    platform="linkedin",
    scopes={
        "openid": "Know who you are",
        "profile": "See your name and photo",
        "email": "See your e-mail address",
        "w_member_social": "Post, comment and react for you",
        "w_organization_social": "Post, comment and react for your pages",
        "r_organization_social": "Read your pages' posts",
        "rw_organization_admin": "Manage your pages and see their numbers",
        "r_member_postAnalytics": "See the numbers of your posts",
    },
    make_account=make_account,
    find_app=find_app,
    pkce="none",
    code_life=timedelta(minutes=30),
    denied={"error": "user_cancelled_authorize", "error_description": "The user cancelled the authorization"},
)


def authorize(request: HttpRequest) -> HttpResponse:
    """Ask the member."""
    return oauth.authorize(request, PAGE)


def token(request: HttpRequest) -> HttpResponse:
    """Give tokens for a code, or for a partner's refresh token."""
    now, client = clock.now(), oauth.read_client(request)
    try:
        if client.is_basic:  # LinkedIn looks for the app in the form alone
            raise OAuthRefused("client")
        oauth.check_client(client, page=PAGE, secret="required")
        if request.POST.get("grant_type") == "authorization_code":
            return _answer(_exchange(request, client_id=client.id, now=now), now=now)
        if request.POST.get("grant_type") != "refresh_token":
            raise OAuthRefused("grant_type")
        tokens = rotate_tokens(
            request.POST.get("refresh_token", ""),
            platform="linkedin",
            client_id=client.id,
            now=now,
            life=ACCESS_LIFE,
            keep_refresh=True,
        )
        if tokens is None:
            raise OAuthRefused("refresh")
        return _answer(_cap(tokens), now=now)
    except OAuthRefused as refused:
        error, description, status = _ERRORS.get(refused.reason, _BAD_CODE)
        return JsonResponse({"error": error, "error_description": description}, status=status)


def introspect(request: HttpRequest) -> HttpResponse:
    """Say whether a token lives."""
    try:
        oauth.check_client(oauth.read_client(request), page=PAGE, secret="required")
    except OAuthRefused:
        return JsonResponse(
            {"error": "invalid_client", "error_description": "Client authentication failed"}, status=401
        )
    grant = access.find_grant(request.POST.get("token", ""), platform="linkedin")
    if grant is None or grant.access_expires_at is None:
        return JsonResponse({"active": False})
    lives = grant.access_expires_at > clock.now()
    times = {"created_at": grant.issued_at, "expires_at": grant.access_expires_at}
    return JsonResponse(
        {
            "active": lives,
            "status": "active" if lives else "expired",
            "client_id": grant.client_id,
            "scope": grant.scope.replace(" ", ","),
            "auth_type": "3L",
            **{name: int(instant.timestamp()) for name, instant in times.items() if instant},
        }
    )


def _exchange(request: HttpRequest, *, client_id: str, now: datetime) -> Tokens:
    code = oauth.take_code(request.POST, page=PAGE, client_id=client_id, now=now)
    # Another set of scopes ends the older tokens of the same member and app.
    Grant.objects.filter(account=code.account, client_id=client_id).exclude(scope=code.scope).delete()
    is_partner = client_id == PARTNER_APP.client_id
    return issue_tokens(
        code.account,
        client_id=client_id,
        scope=code.scope,
        now=now,
        life=ACCESS_LIFE,
        refresh_life=REFRESH_LIFE if is_partner else NO_REFRESH,
    )


def _cap(tokens: Tokens) -> Tokens:
    """Let the access token end with the refresh token at the latest."""
    grant = tokens.grant
    ends = [instant for instant in (grant.access_expires_at, grant.refresh_expires_at) if instant]
    Grant.objects.filter(id=grant.pk).update(access_expires_at=min(ends))
    grant.access_expires_at = min(ends)
    return tokens


def _answer(tokens: Tokens, *, now: datetime) -> HttpResponse:
    grant = tokens.grant
    answer: dict[str, object] = {
        "access_token": tokens.access,
        "expires_in": _seconds(grant.access_expires_at, now=now),
        "scope": tokens.scope.replace(" ", ","),  # asked for with blanks, told with commas
        "token_type": "Bearer",
    }
    if tokens.refresh:
        answer |= {
            "refresh_token": tokens.refresh,
            "refresh_token_expires_in": _seconds(grant.refresh_expires_at, now=now),
        }
    return JsonResponse(answer)


def _seconds(ends: datetime | None, *, now: datetime) -> int:
    return max(int((ends - now).total_seconds()), 0) if ends else 0
