"""X's refusals, in the shapes it sends them.

Source: the published spec v2.167 for the `…/2/problems/…` types; answers seen in the wild for those that X sends as
`about:blank` and the spec does not have (401, 402, 403, 429). Read 2026-11.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.http import JsonResponse

PROBLEMS = "https://api.x.com/2/problems"
Body = dict[str, Any]


class Refusal(Exception):
    """A call that X refuses: HTTP status, body and extra headers of the answer."""

    def __init__(self, status: int, body: Body, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(body.get("detail", ""))
        self.status = status
        self.body = body
        self.headers = headers or {}

    def to_response(self) -> JsonResponse:
        """Give the answer as X sends it."""
        content_type = "application/problem+json" if "title" in self.body else "application/json"
        return JsonResponse(self.body, status=self.status, headers=self.headers, content_type=content_type)


def invalid_request(message: str, *, parameter: str, value: object) -> Refusal:
    """Refuse a request that is itself wrong (400)."""
    body = {
        "errors": [{"parameters": {parameter: [str(value)]}, "message": message}],
        "title": "Invalid Request",
        "detail": "One or more parameters to your request was invalid.",
        "type": f"{PROBLEMS}/invalid-request",
    }
    return Refusal(400, body)


def unauthorized() -> Refusal:
    """Refuse a call without a token, or with a wrong or expired one (401); X does not say which."""
    return _blank(401, title="Unauthorized", detail="Unauthorized")


def forbidden(detail: str) -> Refusal:
    """Refuse what was understood (403)."""
    return _blank(403, title="Forbidden", detail=detail)


def duplicate() -> Refusal:
    """Refuse what the account said a short while ago already (403)."""
    return forbidden("You are not allowed to create a Tweet with duplicate content.")


def missing(resource_type: str, *, parameter: str, value: str) -> Body:
    """Give the entry of `errors[]` for something that is not there."""
    return {
        "value": value,
        "detail": f"Could not find {resource_type} with {parameter}: [{value}].",
        "title": "Not Found Error",
        "resource_type": resource_type,
        "parameter": parameter,
        "resource_id": value,
        "type": f"{PROBLEMS}/resource-not-found",
    }


def not_found(resource_type: str, *, parameter: str, value: str) -> Refusal:
    """Refuse a call about one thing that is not there (404)."""
    problem = missing(resource_type, parameter=parameter, value=value)
    return Refusal(404, {**problem, "errors": [problem]})


def no_such_path() -> Refusal:
    """Refuse a path that X does not have (404)."""
    return _blank(404, title="Not Found", detail="Not Found")


def too_many_requests(*, headers: dict[str, str] | None = None) -> Refusal:
    """Refuse a call beyond the allowance (429)."""
    return _blank(429, title="Too Many Requests", detail="Too Many Requests", headers=headers)


def canned(status: int, *, retry_after: int | None, now: datetime) -> JsonResponse:
    """Give the answer of any refusal on order.

    Args:
        retry_after: seconds; on 429 the window ends then (60 s when left out), on others it becomes `Retry-After`.
    """
    return _order(status, retry_after=retry_after, now=now).to_response()


def _order(status: int, *, retry_after: int | None, now: datetime) -> Refusal:
    if status == 429:
        reset = int((now + timedelta(seconds=retry_after or 60)).timestamp())
        return too_many_requests(headers=_spent(reset))
    headers = {"Retry-After": str(retry_after)} if retry_after else {}
    title = _TITLES.get(status, "Error")
    if status == 402:
        detail = "Your enrolled account does not have any credits to fulfill this request."
        return Refusal(402, {"title": title, "detail": detail, "type": f"{PROBLEMS}/credits"}, headers=headers)
    return _blank(status, title=title, detail=title, headers=headers)


def _spent(reset: int) -> dict[str, str]:
    return {"x-rate-limit-limit": "100", "x-rate-limit-remaining": "0", "x-rate-limit-reset": str(reset)}


_TITLES = {
    400: "Invalid Request",
    401: "Unauthorized",
    402: "CreditsDepleted",
    403: "Forbidden",
    404: "Not Found",
    408: "Request Timeout",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


def _blank(status: int, *, title: str, detail: str, headers: dict[str, str] | None = None) -> Refusal:
    body = {"detail": detail, "type": "about:blank", "title": title, "status": status}
    return Refusal(status, body, headers=headers)
