"""Who calls: the token of a request, and the grant behind it."""

from __future__ import annotations

from typing import Literal

from django.http import HttpRequest

from sandbox import clock, journal
from sandbox.models import Grant
from sandbox.tokens import hash_secret

Reason = Literal["missing", "unknown", "expired", "scope"]
PARAMETER = "access_token"


class NoAccess(Exception):
    """A call that nobody, or the wrong one, may make.

    Attributes:
        reason: `missing` no token at all, `unknown` never given or revoked, `expired`, `scope` not granted.
        detail: the absent scope.
        grant: of an expired token, or of one without the scope.
    """

    def __init__(self, reason: Reason, *, detail: str = "", grant: Grant | None = None) -> None:
        super().__init__(f"{reason} {detail}".strip())
        self.reason = reason
        self.detail = detail
        self.grant = grant


def get_grant(
    request: HttpRequest,
    *,
    platform: str,
    scopes: tuple[str, ...] = (),
    schemes: tuple[str, ...] = ("Bearer",),
    parameter: str = "",
) -> Grant:
    """Give the grant that a call is made with, and note its handle in the journal.

    Args:
        schemes: of the Authorization header.
        parameter: the token may also stand in the query, or in a form, under this name.

    Raises:
        NoAccess: there is no living token of this platform, or it lacks one of the scopes.
    """
    token = read_token(request, schemes=schemes, parameter=parameter)
    if not token:
        raise NoAccess("missing")
    grant = find_grant(token, platform=platform)
    if grant is None:
        raise NoAccess("unknown")
    if grant.access_expires_at is not None and grant.access_expires_at <= clock.now():
        raise NoAccess("expired", grant=grant)
    journal.note(request, handle=grant.account.handle)
    absent = [scope for scope in scopes if scope not in grant.scope.split()]
    if absent:
        raise NoAccess("scope", detail=absent[0], grant=grant)
    return grant


def read_token(request: HttpRequest, *, schemes: tuple[str, ...] = ("Bearer",), parameter: str = "") -> str:
    """Give a call's access token; empty when it has none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() in {one.lower() for one in schemes} and token.strip():
        return token.strip()
    if not parameter:
        return ""
    if parameter in request.GET:
        return request.GET[parameter]
    return str(request.POST.get(parameter, "")) if _is_form(request) else ""


def find_grant(token: str, *, platform: str) -> Grant | None:
    """Give the grant of an access token, living or expired."""
    grants = Grant.objects.select_related("account").filter(account__platform=platform)
    return grants.filter(access_sha256=hash_secret(token)).first()


def expire_token(request: HttpRequest) -> None:
    """End a call's access token now, wherever it stands, as if its time were over."""
    token = read_token(request, schemes=("Bearer", "OAuth"), parameter=PARAMETER)
    Grant.objects.filter(access_sha256=hash_secret(token)).update(access_expires_at=clock.now())


def _is_form(request: HttpRequest) -> bool:
    return request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data")
