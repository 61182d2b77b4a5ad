"""Meta's refusals, in the envelope it sends them in: `{"error": {"message", "type", "code", "error_subcode", "fbtrace_id", …}}`.

Source: developers.facebook.com/documentation/instagram-platform/instagram-graph-api/reference/error-codes (2026-06-02). `type` says
`OAuthException` to nearly everything, so nobody can use it.
"""

from __future__ import annotations

import json
import secrets
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

MISSING_OBJECT = (
    "Unsupported {method} request. Object with ID '{node}' does not exist, cannot be loaded due to missing permissions, "
    "or does not support this operation"
)


class Refused(Exception):
    """A call that Meta refuses.

    Args:
        title, advice: for the app's users, where there is such a text.
    """

    def __init__(
        self,
        code: int,
        message: str,
        *,
        subcode: int | None = None,
        status: int = 400,
        title: str = "",
        advice: str = "",
        is_transient: bool = False,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}
        self.error: dict[str, Any] = {"message": message, "type": "OAuthException", "code": code}
        if subcode is not None:
            self.error |= {"error_subcode": subcode, "is_transient": is_transient}
        if title:
            self.error |= {"error_user_title": title, "error_user_msg": advice}

    def to_response(self, trace_id: str = "") -> JsonResponse:
        """Give the answer as Meta sends it."""
        error = {**self.error, "fbtrace_id": trace_id or secrets.token_urlsafe(12)}
        return JsonResponse({"error": error}, status=self.status, headers=self.headers)


def no_such_object(node: str, *, method: str = "get") -> Refused:
    """Refuse what is not there, or is somebody else's; Meta does not say which."""
    error = Refused(100, MISSING_OBJECT.format(method=method.lower(), node=node), subcode=33)
    error.error["type"] = "GraphMethodException"
    return error


def no_such_field(field: str, *, node_type: str) -> Refused:
    """Refuse a field that an object of this kind does not have."""
    return Refused(100, f"(#100) Tried accessing nonexisting field ({field}) on node type ({node_type})")


def invalid(message: str) -> Refused:
    """Refuse a wrong parameter."""
    return Refused(100, f"(#100) {message}")


def no_permission(message: str = "Application does not have permission for this action") -> Refused:
    """Refuse what the person did not allow."""
    return Refused(10, f"(#10) {message}", status=403)


def dead_token(reason: str) -> Refused:
    """Refuse a token: `missing`, `unknown`, `expired`."""
    if reason == "expired":
        return Refused(190, "Error validating access token: Session has expired.", subcode=463, status=401)
    if reason == "missing":
        return Refused(190, "An access token is required to request this resource.", status=401)
    return Refused(190, "Invalid OAuth access token - Cannot parse access token", subcode=467, status=401)


def canned(status: int, *, retry_after: int | None, now: datetime) -> HttpResponse:  # noqa: ARG001 (what the registry asks for)
    """Give any refusal on order; on 429 the usage header says how long it takes."""
    if status == 429:
        minutes = max(1, -(-(retry_after or 60) // 60))
        usage = [{"type": "platform", "call_count": 100, "estimated_time_to_regain_access": minutes}]
        headers = {"X-Business-Use-Case-Usage": json.dumps({"17841400000000000": usage})}
        headers |= {"Retry-After": str(retry_after)} if retry_after else {}
        return Refused(4, "(#4) Application request limit reached", status=429, headers=headers).to_response()
    headers = {"Retry-After": str(retry_after)} if retry_after else {}
    return _make(status, headers=headers).to_response()


def _make(status: int, *, headers: dict[str, str]) -> Refused:
    match status:
        case 401:
            refused = dead_token("unknown")
        case 403:
            refused = no_permission()
        case 404:
            refused = no_such_object("0")
        case _ if status == 408 or status >= 500:
            refused = Refused(
                2, "An unexpected error has occurred. Please retry your request later.", is_transient=True
            )
        case _:
            refused = invalid("Invalid parameter")
    refused.status, refused.headers = status, headers
    return refused


def no_such_path(request: HttpRequest, **_: str) -> HttpResponse:
    """Answer as Meta does where it has nothing."""
    path = request.path.split("/", 2)[2]
    return Refused(2500, f"Unknown path components: /{path}", status=404).to_response()
