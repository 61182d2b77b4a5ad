"""What all calls below `/rest/` have in common: version, protocol, token, allowance, the shape of refusals."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Concatenate, TypeVar
from urllib.parse import unquote

from django.http import HttpRequest, HttpResponse
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from sandbox import access, clock, limits
from sandbox.models import Grant
from sandbox.platforms.linkedin.refusals import Refusal, access_denied, not_found, wrong_field

# What LinkedIn had switched off when this was written (2026-11-20). It is a date and not an age: an old checkout must go on
# rehearsing with the version it was written for.
OLDEST_VERSION = "202512"

View = Callable[..., HttpResponse]
Handler = Callable[Concatenate[HttpRequest, Grant, ...], HttpResponse]


class Body(BaseModel):
    """A JSON body as LinkedIn takes it: names in camel case, no other keys, no guessing of types."""

    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel)


BodyT = TypeVar("BodyT", bound=Body)


def endpoint(name: str, *, scopes: tuple[str, ...] = (), per_day: int = 500) -> Callable[[Handler], View]:
    """Make a view of a function that gets the request and the grant it is made with.

    Args:
        name: resource and method, as LinkedIn's own refusals write it: `posts.CREATE`.
        scopes: one of them is enough; none for any token.
        per_day: calls per member until 00:00 UTC.
    """

    def decorate(handler: Handler) -> View:
        @wraps(handler)
        def view(request: HttpRequest, **path: str) -> HttpResponse:
            try:
                check_version(request)
                grant = get_grant(request, name=name, scopes=scopes)
                _spend(grant, name=name, per_day=per_day)
                return handler(request, grant, **path)
            except Refusal as refusal:
                return refusal.to_response()

        return view

    return decorate


def by_method(**views: View) -> View:
    """Make one view of several, one per HTTP method."""

    def view(request: HttpRequest, **path: str) -> HttpResponse:
        chosen = views.get(request.method or "")
        if chosen is None:
            return Refusal(405, "METHOD_NOT_ALLOWED", f"{request.method} is not allowed here").to_response()
        return chosen(request, **path)

    return view


def no_such_path(_request: HttpRequest) -> HttpResponse:
    """Answer where LinkedIn has nothing."""
    return not_found("resource").to_response()


def check_version(request: HttpRequest) -> str:
    """Give the version that a call names.

    Raises:
        Refusal: it names none (400), or one that is over or has not begun (426); or it speaks another protocol (400).
    """
    version = request.headers.get("LinkedIn-Version", "")
    if not version:
        raise Refusal(
            400,
            "VERSION_MISSING",
            "A version must be present. Please specify a version by adding the LinkedIn-Version header.",
        )
    if not re.fullmatch(r"20[0-9]{2}(0[1-9]|1[0-2])", version) or not OLDEST_VERSION <= version <= clock.now().strftime(
        "%Y%m"
    ):
        raise Refusal(426, "NONEXISTENT_VERSION", f"Requested version {version} is not active")
    if request.headers.get("X-Restli-Protocol-Version") != "2.0.0":
        raise Refusal(400, "ILLEGAL_ARGUMENT", "X-RestLi-Protocol-Version must be 2.0.0")
    return version


def get_grant(request: HttpRequest, *, name: str, scopes: tuple[str, ...] = ()) -> Grant:
    """Say with which grant a call is made.

    Raises:
        Refusal: 401 without a living token, 403 when the grant has none of the scopes.
    """
    try:
        grant = access.get_grant(request, platform="linkedin")
    except access.NoAccess as no:
        raise _REFUSED.get(no.reason, _UNKNOWN)() from None
    if scopes and not has_scope(grant, *scopes):
        raise access_denied(f"{name}.{request.headers.get('LinkedIn-Version', '')}01")
    return grant


def has_scope(grant: Grant, *scopes: str) -> bool:
    """Say whether a grant has one of these scopes."""
    return not set(scopes).isdisjoint(grant.scope.split())


def read_body(request: HttpRequest, model: type[BodyT]) -> BodyT:
    """Read a JSON body strictly.

    Raises:
        Refusal: 400 that names the first wrong field, 415 for anything but JSON.
    """
    if request.content_type != "application/json":
        raise Refusal(415, "UNSUPPORTED_MEDIA_TYPE", "Content-Type must be application/json")
    try:
        return model.model_validate_json(request.body)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = "/" + "/".join(str(step) for step in first["loc"])
        code = "FIELD_LENGTH_TOO_LONG" if first["type"] == "string_too_long" else "INVALID_VALUE_FOR_FIELD"
        raise wrong_field(code, f"{where} :: {first['msg']}", field=where) from None


def read_urns(request: HttpRequest, name: str) -> list[str]:
    """Read a Rest.li list of names out of the query: brackets and commas as they are, the names themselves encoded.

    Raises:
        Refusal: 400 for any other way of writing it.
    """
    found = re.search(rf"(?:^|&){name}=([^&]*)", request.META.get("QUERY_STRING", ""))
    if found is None:
        return []
    inside = re.fullmatch(r"List\(([^():]*)\)", found[1])
    if inside is None:
        raise Refusal(400, "ILLEGAL_ARGUMENT", f"Invalid query parameters passed to request: {name}")
    return [unquote(urn) for urn in inside[1].split(",") if urn]


def read_page(request: HttpRequest) -> tuple[int, int]:
    """Read `start` and `count` (10, at most 100).

    Raises:
        Refusal: 400 for anything that is no number.
    """
    values = [request.GET.get("start", "0"), request.GET.get("count", "10")]
    if not all(value.isascii() and value.isdigit() for value in values):
        raise Refusal(400, "ILLEGAL_ARGUMENT", "start and count must be numbers")
    return int(values[0]), min(int(values[1]), 100)


def _spend(grant: Grant, *, name: str, per_day: int) -> None:
    now = clock.now()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    left = limits.spend(grant.account, endpoint=name, limit=per_day, window=midnight - now, now=now)
    if left.is_spent:
        raise Refusal(429, "TOO_MANY_REQUESTS", "Resource level throttle limit for calls to this resource is reached.")


def _UNKNOWN() -> Refusal:  # noqa: N802 (it stands beside a table of such)
    return Refusal(401, "INVALID_ACCESS_TOKEN", "Invalid access token")


_REFUSED: dict[str, Callable[[], Refusal]] = {
    "missing": lambda: Refusal(401, "EMPTY_ACCESS_TOKEN", "Empty oauth2 access token"),
    "expired": lambda: Refusal(401, "EXPIRED_ACCESS_TOKEN", "The token used in the request has expired"),
}
