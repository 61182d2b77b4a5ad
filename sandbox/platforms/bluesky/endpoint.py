"""What all calls have in common: method, session, allowance, and the shape of refusals. atproto.com/specs/xrpc (2026-11)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse, JsonResponse
from pydantic import BaseModel, ConfigDict, ValidationError

from sandbox import access, clock, limits
from sandbox.models import Account
from sandbox.platforms.bluesky import problems

PLATFORM = "bluesky"

View = Callable[[HttpRequest], HttpResponse]
AccountHandler = Callable[[HttpRequest, Account], HttpResponse]


class Body(BaseModel):
    """A JSON body: the right types, and what else is in it does not matter."""

    model_config = ConfigDict(extra="ignore", strict=True)


BodyT = TypeVar("BodyT", bound=Body)


@dataclass(frozen=True, slots=True)
class Window:
    """An allowance. docs.bsky.app/docs/advanced-guides/rate-limits (2026-11)."""

    name: str
    limit: int
    window: timedelta


CALLS = Window("calls", 3000, timedelta(minutes=5))  # there by address, here by account
WRITES = (Window("writes-hour", 5000, timedelta(hours=1)), Window("writes-day", 35_000, timedelta(days=1)))
SIGN_INS = (Window("sign-ins", 30, timedelta(minutes=5)), Window("sign-ins-day", 300, timedelta(days=1)))


def open_to_all(*, method: str) -> Callable[[View], View]:
    """Make a call that needs no session."""

    def decorate(handler: View) -> View:
        @wraps(handler)
        def view(request: HttpRequest) -> HttpResponse:
            try:
                _check_method(request, method)
                return handler(request)
            except problems.Refusal as refusal:
                return refusal.to_response()

        return view

    return decorate


def signed_in(*, method: str, points: int = 0) -> Callable[[AccountHandler], View]:
    """Make a call that somebody makes.

    Args:
        points: of the allowance for writing: 3 to create, 2 to update, 1 to delete.
    """

    def decorate(handler: AccountHandler) -> View:
        @wraps(handler)
        def view(request: HttpRequest) -> HttpResponse:
            spent = _Spent()
            try:
                _check_method(request, method)
                account = get_caller(request)
                spent.take(account, CALLS, points=1)
                for window in WRITES if points else ():
                    spent.take(account, window, points=points)
                response = handler(request, account)
            except problems.Refusal as refusal:
                response = refusal.to_response()
            spent.stamp(response)
            return response

        return view

    return decorate


def get_caller(request: HttpRequest) -> Account:
    """Say who calls.

    Raises:
        Refusal: without a session that lives.
    """
    try:
        return access.get_grant(request, platform=PLATFORM).account
    except access.NoAccess as no:
        if no.reason == "missing":
            raise problems.refuse_sign_in("Authentication Required", "AuthMissing") from None
        if no.reason == "expired":
            raise problems.refuse("Token has expired", "ExpiredToken") from None
        raise problems.refuse("Token could not be verified", "InvalidToken") from None


def spend(account: Account, windows: tuple[Window, ...], response: Callable[[], HttpResponse]) -> HttpResponse:
    """Answer a call for which somebody without a session has to pay."""
    spent = _Spent()
    try:
        for window in windows:
            spent.take(account, window, points=1)
        answered = response()
    except problems.Refusal as refusal:
        answered = refusal.to_response()
    spent.stamp(answered)
    return answered


def read_body(request: HttpRequest, model: type[BodyT]) -> BodyT:
    """Read a JSON body.

    Raises:
        Refusal: 400 that names the first wrong key.
    """
    if request.content_type != "application/json":
        raise problems.refuse("Request encoding (Content-Type) required but not provided")
    try:
        return model.model_validate_json(request.body)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise problems.refuse(f"Input/{'/'.join(str(step) for step in first['loc'])} {first['msg']}") from None


def read_parameter(request: HttpRequest, name: str) -> str:
    """Read a parameter that must be there.

    Raises:
        Refusal: 400.
    """
    value = request.GET.get(name, "")
    if not value:
        raise problems.refuse(f'Error: Params must have the property "{name}"')
    return value


def answer(body: dict[str, Any]) -> HttpResponse:
    """Give an answer without what is None."""
    return JsonResponse({name: value for name, value in body.items() if value is not None})


class _Spent:
    """The allowances that a call has taken from; the one with least left is told."""

    def __init__(self) -> None:
        self._taken: list[tuple[Window, limits.Allowance]] = []

    def take(self, account: Account, window: Window, *, points: int) -> None:
        allowance = limits.spend(
            account,
            endpoint=f"{PLATFORM} {window.name}",
            limit=window.limit,
            window=window.window,
            now=clock.now(),
            points=points,
        )
        self._taken.append((window, allowance))
        if allowance.is_spent:
            raise problems.standard(429)

    def stamp(self, response: HttpResponse) -> None:
        if not self._taken or response.has_header("RateLimit-Limit"):
            return
        window, allowance = min(self._taken, key=lambda taken: taken[1].remaining)
        problems.stamp(
            response,
            limit=allowance.limit,
            remaining=allowance.remaining,
            ends_at=allowance.ends_at,
            window=window.window,
            now=clock.now(),
        )


def _check_method(request: HttpRequest, method: str) -> None:
    if request.method != method:
        raise problems.refuse(f"Incorrect HTTP method ({request.method}) expected {method}", status=405)
