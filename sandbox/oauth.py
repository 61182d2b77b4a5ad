"""OAuth 2.0 as all platforms have it: the page where a person says yes, and the code that becomes tokens.

What differs is declared (`AuthPage`); what the token endpoint answers is written by the platform's own module.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render

from sandbox import clock, journal
from sandbox.models import Account, AuthorizationCode, ConsentPage
from sandbox.platforms.registry import get_platform
from sandbox.tokens import hash_secret

PAGE_LIFE = timedelta(minutes=10)
OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"  # the code is shown to the person
CHALLENGES = {"s256": re.compile(r"[A-Za-z0-9_-]{43}"), "s256_hex": re.compile(r"[0-9a-fA-F]{64}")}

Reason = Literal[
    "client", "secret", "code", "expired", "redirect_uri", "verifier", "grant_type", "refresh", "scope"
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class App:
    """An app as the platform's portal knows it. `redirect_uris` are its own; a page's are used when it has none."""

    client_id: str
    secret: str = field(repr=False)
    redirect_uris: tuple[str, ...] = ()
    name: str = "PSN"


SANDBOX_APP = App("psn-sandbox", "psn-sandbox-secret")


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks the token endpoint: in the form for a public client, in the Basic header for a confidential one."""

    id: str
    secret: str = field(repr=False)
    is_basic: bool


class OAuthRefused(Exception):
    """A token request that cannot be granted; the platform's module puts `reason` into its own words."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


class BadRequest(Exception):
    """An authorize request that must not be answered by a redirect; the message is for the person."""


def find_sandbox_app(client_id: str) -> App | None:
    """Give the app that every platform of the sandbox knows."""
    return SANDBOX_APP if client_id == SANDBOX_APP.client_id else None


def same_uri(uri: str, registered: tuple[str, ...]) -> bool:
    """Accept exactly what is registered: the rule nearly everywhere."""
    return uri in registered


def no_more(_page: ConsentPage) -> Mapping[str, str]:
    """Add nothing to the redirect."""
    return {}


@dataclass(frozen=True, slots=True)
class AuthPage:
    """A platform's authorize page.

    Args:
        platform: its name; title and handle rules are taken from its declaration.
        scopes: all that may be asked for, each with what it means to a person.
        make_account: gives the account of a handle that was typed (checked, in lower case), made if it is new.
        redirect_uris: registered for `SANDBOX_APP`.
        accepts_redirect: the platform's rule for (URI, registered ones); `same_uri` unless it has another.
        find_app: gives the app with a client id.
        client_id_name: TikTok calls it `client_key`.
        scope_separator: between scopes in the query: a blank, or a comma.
        needs_scope: a request without a scope is wrong; otherwise it gets `default_scope`.
        pkce: `required`, `optional` (checked when it is there), or `none` (ignored).
        challenge: `s256` in base64url, or TikTok's `s256_hex`.
        code_life: how long a code may be exchanged.
        max_state: longest `state`.
        denied: the redirect's fields when a person says no.
        more: further fields of the redirect when a person says yes.
        suffix: appended to the redirect (Meta's `#_`).
        reserved_handles: not to be had, as they are first parts of other paths.
    """

    platform: str
    scopes: Mapping[str, str]
    make_account: Callable[[str], Account]
    redirect_uris: tuple[str, ...] = ("http://127.0.0.1:8765/callback",)
    accepts_redirect: Callable[[str, tuple[str, ...]], bool] = same_uri
    find_app: Callable[[str], App | None] = find_sandbox_app
    client_id_name: str = "client_id"
    scope_separator: str = " "
    needs_scope: bool = True
    default_scope: str = ""
    pkce: Literal["required", "optional", "none"] = "required"
    challenge: Literal["s256", "s256_hex"] = "s256"
    code_life: timedelta = timedelta(minutes=10)
    max_state: int = 2000
    denied: Mapping[str, str] = field(default_factory=lambda: {"error": "access_denied"})
    more: Callable[[ConsentPage], Mapping[str, str]] = no_more
    suffix: str = ""
    reserved_handles: frozenset[str] = frozenset()


def authorize(request: HttpRequest, page: AuthPage) -> HttpResponse:
    """Show the consent page, or take the person's decision from it.

    The first form of the page holds all it needs in hidden fields; a person adds `handle` and `decision` (`allow`, `deny`).
    """
    try:
        return _decide(request, page) if request.method == "POST" else _ask(request, page)
    except BadRequest as problem:
        return _show(request, "consent_problem.html", page, {"problem": str(problem)}, status=400)


def read_client(request: HttpRequest, *, id_name: str = "client_id") -> Client:
    """Give who asks a token endpoint; an empty id where nobody says."""
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        fields = request.POST if request.method == "POST" else request.GET
        return Client(fields.get(id_name, ""), fields.get("client_secret", ""), is_basic=False)
    try:
        name, _, secret = base64.b64decode(credentials, validate=True).decode().partition(":")
    except ValueError:
        return Client("", "", is_basic=True)
    return Client(name, secret, is_basic=True)


def check_client(client: Client, *, page: AuthPage, secret: Literal["required", "optional", "ignored"]) -> App:
    """Give the app that asks.

    Args:
        secret: `optional` is checked when one is given.

    Raises:
        OAuthRefused: `client` for an unknown one, `secret` for a wrong or absent secret.
    """
    app = page.find_app(client.id)
    if app is None:
        raise OAuthRefused("client")
    asked = secret == "required" or (secret == "optional" and bool(client.secret))
    if asked and not secrets.compare_digest(client.secret.encode(), app.secret.encode()):
        raise OAuthRefused("secret")
    return app


def take_code(
    form: Mapping[str, Any] | QueryDict, *, page: AuthPage, client_id: str, now: datetime
) -> AuthorizationCode:
    """Take a code for its only use: whoever takes it has it, right or wrong.

    Args:
        form: with `code`, `redirect_uri`, and `code_verifier` if there was a challenge.

    Raises:
        OAuthRefused: `code` unknown, spent, or of another app; `expired`, `redirect_uri`, `verifier`.
    """
    codes = AuthorizationCode.objects.filter(code_sha256=hash_secret(str(form.get("code", ""))), platform=page.platform)
    code = codes.select_related("account").first()
    if code is None or not codes.delete()[0] or code.client_id != client_id:
        raise OAuthRefused("code")
    if code.redirect_uri != form.get("redirect_uri"):
        raise OAuthRefused("redirect_uri")
    if code.code_challenge and code.code_challenge != make_challenge(str(form.get("code_verifier", "")), page=page):
        raise OAuthRefused("verifier")
    if now >= code.expires_at:
        raise OAuthRefused("expired")
    return code


def make_challenge(verifier: str, *, page: AuthPage) -> str:
    """Give the challenge that belongs to a verifier at this platform."""
    digest = hashlib.sha256(verifier.encode())
    if page.challenge == "s256_hex":
        return digest.hexdigest()
    return base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()


def _ask(request: HttpRequest, page: AuthPage) -> HttpResponse:
    query = request.GET
    app = _check_authorize(query, page)
    scopes = _read_scopes(query, page) or page.default_scope.split()
    shown = ConsentPage.objects.create(
        nonce=secrets.token_urlsafe(32),
        platform=page.platform,
        client_id=app.client_id,
        redirect_uri=query["redirect_uri"],
        scope=" ".join(scopes),
        state=query.get("state", ""),
        code_challenge=_read_challenge(query, page),
        shown_at=clock.now(),
    )
    wishes = [(scope, page.scopes[scope]) for scope in scopes]
    return _show(request, "consent.html", page, {"page": shown, "app": app, "wishes": wishes, "handle": "sandbox"})


def _check_authorize(query: QueryDict, page: AuthPage) -> App:
    client_id, redirect_uri = query.get(page.client_id_name, ""), query.get("redirect_uri", "")
    app = page.find_app(client_id)
    if app is None:
        known = SANDBOX_APP.client_id
        raise BadRequest(f"There is no app with the client id “{client_id}” here. The sandbox knows: {known}.")
    registered = app.redirect_uris or page.redirect_uris
    if not page.accepts_redirect(redirect_uri, registered):
        known = ", ".join(registered)
        raise BadRequest(f"“{redirect_uri}” is not registered for this app. It must be exactly: {known}.")
    if query.get("response_type") != "code":
        raise BadRequest("response_type must be code.")
    if len(query.get("state", "")) > page.max_state:
        raise BadRequest(f"state is longer than {page.max_state} characters.")
    unknown = [scope for scope in _read_scopes(query, page) if scope not in page.scopes]
    if unknown:
        raise BadRequest(f"Unknown scope: {unknown[0]}.")
    if page.needs_scope and not _read_scopes(query, page):
        raise BadRequest("scope is missing.")
    return app


def _read_scopes(query: QueryDict, page: AuthPage) -> list[str]:
    parts = (part.strip() for part in query.get("scope", "").split(page.scope_separator))
    return list(dict.fromkeys(part for part in parts if part))


def _read_challenge(query: QueryDict, page: AuthPage) -> str:
    challenge = query.get("code_challenge", "")
    if page.pkce == "none" or (page.pkce == "optional" and not challenge):
        return ""
    if query.get("code_challenge_method") != "S256" or not CHALLENGES[page.challenge].fullmatch(challenge):
        size = "43 characters" if page.challenge == "s256" else "64 hexadecimal digits"
        raise BadRequest(f"PKCE is missing: code_challenge ({size}) with code_challenge_method=S256.")
    return challenge.lower() if page.challenge == "s256_hex" else challenge


def _decide(request: HttpRequest, page: AuthPage) -> HttpResponse:
    shown = _take_page(request.POST.get("nonce", ""), page)
    state = {"state": shown.state} if shown.state else {}
    if request.POST.get("decision") != "allow":
        return _redirect(request, page, shown, {**page.denied, **state})
    account = page.make_account(_read_handle(request.POST.get("handle", ""), page))
    journal.note(request, handle=account.handle)
    code = secrets.token_urlsafe(48)
    AuthorizationCode.objects.create(
        code_sha256=hash_secret(code),
        platform=page.platform,
        account=account,
        client_id=shown.client_id,
        redirect_uri=shown.redirect_uri,
        scope=shown.scope,
        code_challenge=shown.code_challenge,
        expires_at=clock.now() + page.code_life,
        data=shown.data,
    )
    return _redirect(request, page, shown, {"code": code, **page.more(shown), **state})


def _take_page(nonce: str, page: AuthPage) -> ConsentPage:
    pages = ConsentPage.objects.filter(nonce=nonce, platform=page.platform)
    shown = pages.filter(shown_at__gt=clock.now() - PAGE_LIFE).first()
    if shown is None or not pages.delete()[0]:
        raise BadRequest("This page was answered already, or is too old. Start connecting again.")
    return shown


def _read_handle(text: str, page: AuthPage) -> str:
    platform = get_platform(page.platform)
    handle = text.strip().removeprefix("@").lower()
    if not re.fullmatch(platform.handle_pattern, handle) or handle in page.reserved_handles:
        raise BadRequest(f"A handle has {platform.handle_hint}. Go back and choose another.")
    return handle


def _redirect(request: HttpRequest, page: AuthPage, shown: ConsentPage, answer: dict[str, str]) -> HttpResponse:
    if shown.redirect_uri == OUT_OF_BAND:
        return _show(request, "consent_code.html", page, {"page": shown, "code": answer.get("code", "")})
    joint = "&" if "?" in shown.redirect_uri else "?"
    location = f"{shown.redirect_uri}{joint}{urlencode(answer)}{page.suffix}"
    response = HttpResponse(status=302)
    response["Location"] = location
    return response


def _show(
    request: HttpRequest, template: str, page: AuthPage, context: Mapping[str, object], *, status: int = 200
) -> HttpResponse:
    return render(request, template, {"platform": get_platform(page.platform), **context}, status=status)
