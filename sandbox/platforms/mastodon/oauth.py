"""Apps that register themselves, and their OAuth. docs.joinmastodon.org/methods/apps, /methods/oauth (read 2026-11-20).

An app has the redirect addresses and scopes it registered with. Tokens never expire and cannot be renewed.
"""

from __future__ import annotations

import secrets
from typing import Any

from django.http import HttpRequest, HttpResponse

from sandbox import accounts, clock, jobs, oauth, tokens
from sandbox.ids import next_number, numeric_id
from sandbox.models import Account, Job
from sandbox.oauth import OUT_OF_BAND, SANDBOX_APP, App, AuthPage
from sandbox.platforms.mastodon.endpoint import answer, read_body
from sandbox.platforms.mastodon.entities import PLATFORM
from sandbox.platforms.mastodon.refusals import Refusal, invalid

SCOPES = {
    "read": "See everything of your account",
    "read:accounts": "See your profile",
    "read:statuses": "See your posts",
    "write": "Change everything of your account",
    "write:statuses": "Post and delete posts for you",
    "write:media": "Upload files for you",
    "profile": "See your name and picture",
    "follow": "Follow accounts for you",
    "push": "Send notifications",
}

_REFUSED = {
    "client": (401, "invalid_client", "Client authentication failed due to unknown client."),
    "secret": (401, "invalid_client", "Client authentication failed due to a wrong secret."),
    "grant_type": (400, "unsupported_grant_type", "The authorization grant type is not supported."),
}
_INVALID_GRANT = (
    400,
    "invalid_grant",
    "The provided authorization grant is invalid, expired, revoked, or of another client.",
)


def make_account(handle: str) -> Account:
    """Give the account of a handle."""
    return accounts.get_account(PLATFORM, handle, account_id=numeric_id(f"{PLATFORM} {handle}", digits=18))


def find_app(client_id: str) -> App | None:
    """Give the app that registered under this id, or the one every platform knows."""
    if client_id == SANDBOX_APP.client_id:
        return SANDBOX_APP
    job = jobs.find_job(PLATFORM, "app", client_id) if client_id else None
    return App(client_id, job.data["secret"], tuple(job.data["redirect_uris"]), job.data["name"]) if job else None


PAGE = AuthPage(
    platform=PLATFORM,
    scopes=SCOPES,
    make_account=make_account,
    redirect_uris=("http://127.0.0.1:8765/callback", OUT_OF_BAND),
    find_app=find_app,
    needs_scope=False,
    default_scope="read",
    pkce="optional",
    denied={
        "error": "access_denied",
        "error_description": "The resource owner or authorization server denied the request.",
    },
)


def register_app(request: HttpRequest) -> HttpResponse:
    """Register an app with this instance."""
    try:
        job = _register(request, read_body(request))
    except Refusal as refusal:
        return refusal.to_response()
    redirect_uris = job.data["redirect_uris"]
    return answer(
        {
            "id": str(job.pk),
            "name": job.data["name"],
            "website": job.data["website"],
            "scopes": job.data["scopes"],
            "redirect_uri": "\n".join(redirect_uris),
            "redirect_uris": redirect_uris,
            "client_id": job.remote_id,
            "client_secret": job.data["secret"],
            "client_secret_expires_at": 0,
            "vapid_key": "",
        }
    )


def authorize(request: HttpRequest) -> HttpResponse:
    """Show the consent page, or take the person's decision; an app gets no scope it did not register."""
    if request.method == "GET":
        job = jobs.find_job(PLATFORM, "app", request.GET.get("client_id", ""))
        registered = set(job.data["scopes"]) if job else set(SCOPES)
        beyond = [one for one in request.GET.get("scope", "").split() if not {one, one.partition(":")[0]} & registered]
        if beyond:
            return Refusal(400, "invalid_scope", description=f"The app did not register {beyond[0]}.").to_response()
    return oauth.authorize(request, PAGE)


def token(request: HttpRequest) -> HttpResponse:
    """Trade a code for a token."""
    client, now = oauth.read_client(request), clock.now()
    try:
        oauth.check_client(client, page=PAGE, secret="required")
        if request.POST.get("grant_type") != "authorization_code":
            raise oauth.OAuthRefused("grant_type")
        code = oauth.take_code(request.POST, page=PAGE, client_id=client.id, now=now)
    except oauth.OAuthRefused as refused:
        status, error, description = _REFUSED.get(refused.reason, _INVALID_GRANT)
        return Refusal(status, error, description=description).to_response()
    made = tokens.issue_tokens(
        code.account, client_id=client.id, scope=code.scope, now=now, life=None, refresh_life=tokens.NO_REFRESH
    )
    body = {
        "access_token": made.access,
        "token_type": "Bearer",
        "scope": made.scope,
        "created_at": int(now.timestamp()),
    }
    return answer(body)


def revoke(request: HttpRequest) -> HttpResponse:
    """End a token of the app that asks; one that is gone is no error."""
    client = oauth.read_client(request)
    try:
        oauth.check_client(client, page=PAGE, secret="required")
    except oauth.OAuthRefused:
        words = "You are not authorized to revoke this token"
        return Refusal(403, "unauthorized_client", description=words).to_response()
    tokens.revoke_token(request.POST.get("token", ""), platform=PLATFORM, client_id=client.id)
    return answer({})


def _register(request: HttpRequest, body: dict[str, Any]) -> Job:
    name, given = str(body.get("client_name") or "").strip(), body.get("redirect_uris") or ""
    redirect_uris = [str(one) for one in given] if isinstance(given, list) else str(given).split()
    if not name:
        raise invalid("Application name can't be blank")
    if not redirect_uris:
        raise invalid("Redirect URI can't be blank")
    scopes = str(body.get("scopes") or "read").split()
    if any(scope not in SCOPES for scope in scopes):
        raise invalid("Scopes doesn't match configured on the server.")
    data = {
        "name": name,
        "website": body.get("website") or None,
        "redirect_uris": redirect_uris,
        "scopes": scopes,
        "secret": secrets.token_urlsafe(32),
    }
    remote_id = f"{next_number()}-{secrets.token_urlsafe(24)}"
    return jobs.open_job(request, None, platform=PLATFORM, kind="app", remote_id=remote_id, data=data)
