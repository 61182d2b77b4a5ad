"""What every endpoint of the Open API has: who calls, how often a minute, a JSON body, the envelope."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import TypeVar

from django.http import HttpRequest, HttpResponse
from pydantic import BaseModel, ConfigDict, ValidationError

from sandbox import access, clock, journal, limits
from sandbox.models import Account, Grant
from sandbox.platforms.tiktok.refusals import Refusal, answer, no_such_path

MINUTE = timedelta(minutes=1)

Endpoint = Callable[[HttpRequest, Grant], dict[str, object]]
View = Callable[..., HttpResponse]
BodyT = TypeVar("BodyT", bound="Body")


class Body(BaseModel):
    """What a call says; TikTok looks past what it does not know."""

    model_config = ConfigDict(extra="ignore", strict=True)


def endpoint(*, method: str, scopes: tuple[str, ...], per_minute: int) -> Callable[[Endpoint], View]:
    """Make a view of a function that gives `data` of the answer, or raises `Refusal`.

    Args:
        scopes: any of them will do.
        per_minute: calls of one account.
    """

    def make(function: Endpoint) -> View:
        @wraps(function)
        def view(request: HttpRequest) -> HttpResponse:
            if request.method != method:
                return no_such_path(request)
            try:
                grant = _get_grant(request, scopes=scopes)
                _spend(grant.account, function.__name__, per_minute=per_minute)
                return answer(function(request, grant), log_id=journal.request_id(request))
            except Refusal as refusal:
                return refusal.to_response(journal.request_id(request))

        return view

    return make


def read_body(request: HttpRequest, model: type[BodyT]) -> BodyT:
    """Read a JSON body.

    Raises:
        Refusal: it is not one, or not what this call needs.
    """
    if request.content_type != "application/json":
        raise Refusal("invalid_params", "Content-Type must be application/json.")
    try:
        return model.model_validate_json(request.body or b"{}")
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(step) for step in first["loc"]) or "body"
        raise Refusal("invalid_params", f"{where}: {first['msg']}") from None


def read_fields(request: HttpRequest, allowed: frozenset[str]) -> list[str]:
    """Read which fields are wanted; TikTok gives none unasked.

    Raises:
        Refusal: none is named, or one that there is not.
    """
    fields = [name for name in request.GET.get("fields", "").split(",") if name]
    if not fields or not allowed.issuperset(fields):
        raise Refusal("invalid_params", "Fields must be specified and valid.")
    return fields


def _get_grant(request: HttpRequest, *, scopes: tuple[str, ...]) -> Grant:
    try:
        grant = access.get_grant(request, platform="tiktok")
    except access.NoAccess:
        raise Refusal("access_token_invalid") from None
    if not set(scopes) & set(grant.scope.split()):
        raise Refusal("scope_not_authorized")
    return grant


def _spend(account: Account, name: str, *, per_minute: int) -> None:
    spent = limits.spend(account, endpoint=f"tiktok {name}", limit=per_minute, window=MINUTE, now=clock.now())
    if spent.is_spent:
        raise Refusal("rate_limit_exceeded")
