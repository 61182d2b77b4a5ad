"""What all endpoints have in common: the token, the allowance, the shape of refusals, bodies as JSON or as a form."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, Concatenate

from django.http import HttpRequest, HttpResponse, JsonResponse

from sandbox import access, clock, limits
from sandbox.models import Account
from sandbox.platforms.mastodon.refusals import LIMIT, Refusal, no_such_path, write_instant

WINDOW = timedelta(minutes=5)
HALF_HOUR = timedelta(minutes=30)

View = Callable[..., HttpResponse]
Handler = Callable[Concatenate[HttpRequest, Account, ...], HttpResponse]

_NO_ACCESS = {
    "missing": (401, "This method requires an authenticated user"),
    "unknown": (401, "The access token is invalid"),
    "expired": (401, "The access token expired"),
    "scope": (403, "This action is outside the authorized scopes"),
}


def endpoint(
    *, scope: str, family: str = "api", limit: int = LIMIT, window: timedelta = WINDOW
) -> Callable[[Handler], View]:
    """Make a view of a function that gets the request and the calling account.

    Args:
        scope: `read:statuses` is covered by `read`, too.
        family: calls that share an allowance.
    """

    def decorate(handler: Handler) -> View:
        @wraps(handler)
        def view(request: HttpRequest, **path: str) -> HttpResponse:
            try:
                account = get_account(request, scope=scope)
            except Refusal as refusal:
                return refusal.to_response()
            allowance = limits.spend(account, endpoint=family, limit=limit, window=window, now=clock.now())
            try:
                if allowance.is_spent:
                    raise Refusal(429, "Too many requests")
                response = handler(request, account, **path)
            except Refusal as refusal:
                response = refusal.to_response()
            _stamp(response, allowance)
            return response

        return view

    return decorate


def by_method(**views: View) -> View:
    """Make one view of several, one per HTTP method."""

    def view(request: HttpRequest, **path: str) -> HttpResponse:
        chosen = views.get(request.method or "")
        return chosen(request, **path) if chosen else no_such_path(request)

    return view


def get_account(request: HttpRequest, *, scope: str) -> Account:
    """Say who calls.

    Raises:
        Refusal: 401 without a living token, 403 when the grant does not cover the scope.
    """
    try:
        grant = access.get_grant(request, platform="mastodon")
    except access.NoAccess as no:
        raise Refusal(*_NO_ACCESS[no.reason]) from None
    if not {scope, scope.partition(":")[0]} & set(grant.scope.split()):
        raise Refusal(*_NO_ACCESS["scope"])
    return grant.account


def read_body(request: HttpRequest) -> dict[str, Any]:
    """Read a body that is JSON or a form; `name[]` of a form is a list called `name`.

    Raises:
        Refusal: 400 for JSON that is none, or no object.
    """
    if request.content_type == "application/json":
        try:
            body = json.loads(request.body)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise Refusal(400, "Error occurred while parsing request parameters")
        return body
    fields = request.POST
    return {name.removesuffix("[]"): fields.getlist(name) if name.endswith("[]") else fields[name] for name in fields}


def answer(body: object, *, status: int = 200) -> JsonResponse:
    """Give an answer."""
    return JsonResponse(body, status=status, safe=False)


def _stamp(response: HttpResponse, allowance: limits.Allowance) -> None:
    response["X-RateLimit-Limit"] = str(allowance.limit)
    response["X-RateLimit-Remaining"] = str(max(allowance.remaining, 0))
    response["X-RateLimit-Reset"] = write_instant(allowance.ends_at)
