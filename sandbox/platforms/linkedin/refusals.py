"""LinkedIn's refusals: `{"status", "code", "serviceErrorCode", "message"}`, with `errorDetails` where a field is wrong. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpResponse, JsonResponse

_CANNED = {
    400: ("ILLEGAL_ARGUMENT", "Invalid request"),
    401: ("EXPIRED_ACCESS_TOKEN", "The token used in the request has expired"),
    403: ("ACCESS_DENIED", "Not enough permissions to access: posts.CREATE"),
    404: ("NOT_FOUND", "Could not find entity"),
    409: ("CONFLICT", "Request would create conflict"),
    426: ("NONEXISTENT_VERSION", "Requested version 20250101 is not active"),
    429: ("TOO_MANY_REQUESTS", "Resource level throttle limit for calls to this resource is reached."),
    500: ("INTERNAL_SERVER_ERROR", "Internal Server Error"),
    503: ("SERVICE_UNAVAILABLE", "Service Unavailable"),
    504: ("GATEWAY_TIMEOUT", "A gateway timeout occurred"),
}
_SERVICE_CODES = {
    "EMPTY_ACCESS_TOKEN": 65604,
    "INVALID_ACCESS_TOKEN": 65600,
    "EXPIRED_ACCESS_TOKEN": 65601,
    "ACCESS_DENIED": 100,
    "TOO_MANY_REQUESTS": 101,
}


class Refusal(Exception):
    """A call that LinkedIn refuses.

    Args:
        details: `errorDetails.inputErrors`.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        details: list[dict[str, Any]] | None = None,
        with_code: bool = True,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"message": message, "status": status}
        if with_code:
            self.body["code"] = code
        if code in _SERVICE_CODES:
            self.body["serviceErrorCode"] = _SERVICE_CODES[code]
        if details is not None:
            self.body["errorDetails"] = {"inputErrors": details}
            self.body["errorDetailType"] = "com.linkedin.common.error.BadRequest"

    def to_response(self) -> HttpResponse:
        """Give the answer."""
        return JsonResponse(self.body, status=self.status)


def wrong_field(code: str, message: str, *, field: str) -> Refusal:
    """Refuse a field's value (400)."""
    details = [{"description": message, "input": {"inputPath": {"fieldPath": field}}, "code": code}]
    return Refusal(400, code, message, details=details)


def access_denied(what: str) -> Refusal:
    """Refuse what the token does not allow (403); `posts.CREATE` is what."""
    return Refusal(403, "ACCESS_DENIED", f"Not enough permissions to access: {what}")


def not_found(what: str) -> Refusal:
    """Refuse a call about something that is not there (404)."""
    return Refusal(404, "NOT_FOUND", f"Could not find entity {what}")


def duplicate(urn: str) -> Refusal:
    """Refuse a post that is there already (422). It names the post, and no code beside its message."""
    return Refusal(
        422,
        "DUPLICATE_POST",
        f"com.linkedin.content.common.exception.BadRequestResponseException: Content is a duplicate of {urn}",
        details=[{"description": "Duplicate post is detected", "input": {}, "code": "DUPLICATE_POST"}],
        with_code=False,
    )


def canned(status: int, *, retry_after: int | None, now: datetime) -> HttpResponse:  # noqa: ARG001 (of the interface)
    """Give any refusal on order.

    Args:
        retry_after: seconds; LinkedIn itself names none, so the header is there only when somebody orders it.
    """
    code, message = _CANNED.get(status, ("ERROR", "Error"))
    response = Refusal(status, code, message).to_response()
    if retry_after:
        response["Retry-After"] = str(retry_after)
    return response
