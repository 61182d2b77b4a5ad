"""What all endpoints have in common: the token, the allowance, the shape of refusals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Concatenate, TypeVar

from django.http import HttpRequest, HttpResponse, JsonResponse
from pydantic import BaseModel, ConfigDict, ValidationError

from sandbox import clock
from sandbox.limits import spend
from sandbox.models import Account
from sandbox.platforms.x import access, limits, problems

View = Callable[..., HttpResponse]


class Body(BaseModel):
    """A JSON body as X takes it: no other keys, no guessing of types."""

    model_config = ConfigDict(extra="forbid", strict=True)


BodyT = TypeVar("BodyT", bound=Body)

Handler = Callable[Concatenate[HttpRequest, Account, ...], HttpResponse]


def endpoint(name: str, *, scopes: tuple[str, ...], per_window: int) -> Callable[[Handler], View]:
    """Make a view of a function that gets the request and the calling account.

    Args:
        name: method and path, as the documentation writes it.
        per_window: calls per account and 15 minutes.
    """

    def decorate(handler: Handler) -> View:
        @wraps(handler)
        def view(request: HttpRequest, **path: str) -> HttpResponse:
            now = clock.now()
            allowance = limits.untouched(limit=per_window, now=now)
            try:
                account = access.get_account(request, scopes=scopes)
                allowance = spend(account, endpoint=name, limit=per_window, window=limits.WINDOW, now=now)
                if allowance.is_spent:
                    raise problems.too_many_requests()
                response = handler(request, account, **path)
            except problems.Refusal as refusal:
                response = refusal.to_response()
            limits.stamp(response, allowance)
            return response

        return view

    return decorate


def by_method(**views: View) -> View:
    """Make one view of several, one per HTTP method."""

    def view(request: HttpRequest, **path: str) -> HttpResponse:
        chosen = views.get(request.method or "")
        return chosen(request, **path) if chosen else problems.no_such_path().to_response()

    return view


def read_body(request: HttpRequest, model: type[BodyT]) -> BodyT:
    """Read a JSON body strictly.

    Raises:
        Refusal: 400 that names the first wrong key.
    """
    if request.content_type != "application/json":
        raise problems.invalid_request("Content-Type must be application/json.", parameter="body", value="")
    try:
        return model.model_validate_json(request.body)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(step) for step in first["loc"]) or "body"
        raise problems.invalid_request(f"{where}: {first['msg']}", parameter=where, value=first["input"]) from None


def read_choices(request: HttpRequest, name: str, *, allowed: frozenset[str]) -> list[str]:
    """Read a comma separated parameter.

    Raises:
        Refusal: 400 for a value X does not know.
    """
    values = [value for value in request.GET.get(name, "").split(",") if value]
    for value in values:
        if value not in allowed:
            raise problems.invalid_request(f"[{value}] is not a value of {name}.", parameter=name, value=value)
    return values


def check_parameters(request: HttpRequest, *, allowed: frozenset[str]) -> None:
    """Refuse a query parameter the endpoint does not have (400)."""
    for name, value in request.GET.items():
        if name not in allowed:
            raise problems.invalid_request(f"There is no query parameter [{name}].", parameter=name, value=value)


def answer(body: Mapping[str, Any], *, status: int = 200) -> JsonResponse:
    """Give an answer with what is in it, leaving empty parts out."""
    return JsonResponse({key: value for key, value in body.items() if value not in ([], {})}, status=status)
