"""X's OAuth 2.0: the consent page, the token endpoint with PKCE and rotation, revocation.

Source: docs.x.com OAuth 2.0 authorization code with PKCE (2026-11): a code lives 30 s, a refresh token serves once.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.shortcuts import render

from sandbox import clock, journal
from sandbox.models import Account, AuthorizationCode, ConsentPage
from sandbox.platforms.x import access, ids, problems

APPS = {"psn-sandbox": ("http://127.0.0.1:8765/callback",)}  # client id: its registered redirect URIs
SCOPES = {
    "tweet.read": "See your posts and those of people you follow",
    "tweet.write": "Post and delete posts for you",
    "users.read": "See your profile",
    "media.write": "Upload photos and videos for you",
    "offline.access": "Stay connected until you take it back",
}
CODE_LIFE = timedelta(seconds=30)
PAGE_LIFE = timedelta(minutes=10)
RESERVED_HANDLES = frozenset({"i", "2", "media"})  # first parts of other paths
HANDLE = re.compile(r"[A-Za-z0-9_]{1,15}")
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")  # base64url of a SHA-256, RFC 7636 §4.2


class BadRequest(Exception):
    """An authorize request that must not be answered by a redirect; the message is for the person."""


def authorize(request: HttpRequest) -> HttpResponse:
    """Show the consent page, or take the person's decision from it."""
    try:
        return _decide(request) if request.method == "POST" else _ask(request)
    except BadRequest as problem:
        return render(request, "x_consent_problem.html", {"problem": str(problem)}, status=400)


def token(request: HttpRequest) -> JsonResponse:
    """Trade a code or a refresh token for a new pair of tokens."""
    client_id = _client_of(request)
    if client_id not in APPS:
        return _refuse("unauthorized_client", "Missing valid authorization header", status=401)
    match request.POST.get("grant_type"):
        case "authorization_code":
            tokens = _exchange(request.POST, client_id=client_id, now=clock.now())
        case "refresh_token":
            refresh = request.POST.get("refresh_token", "")
            tokens = access.rotate_tokens(refresh, client_id=client_id, now=clock.now()) if refresh else None
        case _:
            return _refuse("unsupported_grant_type", "Value passed for the grant_type was invalid.")
    return _token_answer(tokens) if tokens else _refuse("invalid_request", "Value passed for the token was invalid.")


def revoke(request: HttpRequest) -> JsonResponse:
    """End the grant a token belongs to."""
    client_id = _client_of(request)
    if client_id not in APPS:
        return _refuse("unauthorized_client", "Missing valid authorization header", status=401)
    access.revoke_token(request.POST.get("token", ""), client_id=client_id)
    return JsonResponse({"revoked": True})


def _ask(request: HttpRequest) -> HttpResponse:
    query = request.GET
    _check_authorize(query)
    page = ConsentPage.objects.create(
        nonce=secrets.token_urlsafe(32),
        client_id=query["client_id"],
        redirect_uri=query["redirect_uri"],
        scope=" ".join(query.get("scope", "").split()),
        state=query.get("state", ""),
        code_challenge=query["code_challenge"],
        shown_at=clock.now(),
    )
    wishes = [(scope, SCOPES[scope]) for scope in page.scope.split()]
    return render(request, "x_consent.html", {"page": page, "wishes": wishes, "handle": "sandbox"})


def _check_authorize(query: QueryDict) -> None:
    client_id, redirect_uri = query.get("client_id", ""), query.get("redirect_uri", "")
    if client_id not in APPS:
        raise BadRequest(
            f"There is no app with the client id “{client_id}” here. The sandbox knows: {', '.join(APPS)}."
        )
    if redirect_uri not in APPS[client_id]:
        known = ", ".join(APPS[client_id])
        raise BadRequest(f"“{redirect_uri}” is not registered for this app. It must be exactly: {known}.")
    if query.get("response_type") != "code":
        raise BadRequest("response_type must be code.")
    if query.get("code_challenge_method") != "S256" or not CHALLENGE.fullmatch(query.get("code_challenge", "")):
        raise BadRequest("PKCE is missing: code_challenge (43 characters) with code_challenge_method=S256.")
    if len(query.get("state", "")) > 500:
        raise BadRequest("state is longer than 500 characters.")
    unknown = [scope for scope in query.get("scope", "").split() if scope not in SCOPES]
    if unknown or not query.get("scope", "").split():
        raise BadRequest(f"Unknown scope: {unknown[0]}." if unknown else "scope is missing.")


def _decide(request: HttpRequest) -> HttpResponse:
    page = _take_page(request.POST.get("nonce", ""))
    state = {"state": page.state} if page.state else {}
    if request.POST.get("decision") != "allow":
        return _redirect(page, {"error": "access_denied", **state})
    account = _get_account(request.POST.get("handle", ""))
    journal.note(request, handle=account.handle)
    code = secrets.token_urlsafe(48)
    AuthorizationCode.objects.create(
        code_sha256=access.hash_secret(code),
        account=account,
        client_id=page.client_id,
        redirect_uri=page.redirect_uri,
        scope=page.scope,
        code_challenge=page.code_challenge,
        expires_at=clock.now() + CODE_LIFE,
    )
    return _redirect(page, {"code": code, **state})


def _take_page(nonce: str) -> ConsentPage:
    page = ConsentPage.objects.filter(nonce=nonce, shown_at__gt=clock.now() - PAGE_LIFE).first()
    if page is None or not ConsentPage.objects.filter(nonce=nonce).delete()[0]:
        raise BadRequest("This page was answered already, or is too old. Start connecting again.")
    return page


def _get_account(text: str) -> Account:
    handle = text.strip().removeprefix("@").lower()
    if not HANDLE.fullmatch(handle) or handle in RESERVED_HANDLES:
        raise BadRequest("A handle has 1 to 15 letters, digits or underscores. Go back and choose another.")
    account, _ = Account.objects.get_or_create(
        platform="x",
        handle=handle,
        defaults={
            "name": handle.replace("_", " ").title(),
            "platform_account_id": ids.account_id(handle),
            "created_at": clock.now(),
        },
    )
    return account


def _redirect(page: ConsentPage, answer: dict[str, str]) -> HttpResponse:
    return HttpResponseRedirect(f"{page.redirect_uri}?{urlencode(answer)}")


def _client_of(request: HttpRequest) -> str:
    """Give the app's id: in the form for a public client, in the Basic header for a confidential one."""
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return request.POST.get("client_id", "")
    try:
        return base64.b64decode(credentials, validate=True).decode().partition(":")[0]
    except ValueError:
        return ""


def _exchange(form: QueryDict, *, client_id: str, now: datetime) -> access.Tokens | None:
    codes = AuthorizationCode.objects.filter(code_sha256=access.hash_secret(form.get("code", "")))
    code = codes.select_related("account").first()
    if code is None or not codes.delete()[0]:  # single use: whoever deletes it has it, right or wrong
        return None
    fits = (
        code.client_id == client_id
        and code.redirect_uri == form.get("redirect_uri")
        and code.code_challenge == _challenge_of(form.get("code_verifier", ""))
        and now < code.expires_at
    )
    return access.issue_tokens(code.account, client_id=client_id, scope=code.scope, now=now) if fits else None


def _challenge_of(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _token_answer(tokens: access.Tokens) -> JsonResponse:
    document: dict[str, Any] = {
        "token_type": "bearer",
        "expires_in": int(access.ACCESS_LIFE.total_seconds()),
        "access_token": tokens.access,
        "scope": tokens.scope,
    }
    if tokens.refresh:
        document["refresh_token"] = tokens.refresh
    return JsonResponse(document, headers={"Cache-Control": "no-store"})


def _refuse(error: str, description: str, *, status: int = 400) -> JsonResponse:
    return problems.Refusal(status, {"error": error, "error_description": description}).to_response()
