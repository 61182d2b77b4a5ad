"""Refusals as the AT Protocol's servers send them: `{"error", "message"}`.

atproto.com/specs/xrpc; names and words as the reference server has them (bluesky-social/atproto, 2026-11).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.http import HttpResponse, JsonResponse
from django.utils.http import http_date

_NAMES = {
    400: "InvalidRequest",
    401: "AuthenticationRequired",
    403: "Forbidden",
    404: "XRPCNotSupported",
    405: "InvalidRequest",
    408: "RequestTimeout",
    413: "PayloadTooLarge",
    429: "RateLimitExceeded",
    500: "InternalServerError",
    501: "MethodNotImplemented",
    502: "UpstreamFailure",
    503: "NotEnoughResources",
    504: "UpstreamTimeout",
}
_WORDS = {
    401: "Authentication Required",
    413: "request entity too large",
    429: "Rate Limit Exceeded",
    500: "Internal Server Error",
    501: "Method Not Implemented",
}


class Refusal(Exception):
    """A call that is refused: HTTP status, name and words."""

    def __init__(self, status: int, error: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error = error

    def to_response(self) -> JsonResponse:
        """Give the answer."""
        return JsonResponse({"error": self.error, "message": str(self)}, status=self.status)


def refuse(message: str, error: str = "InvalidRequest", *, status: int = 400) -> Refusal:
    """Refuse a call; 400 is what servers use for nearly everything, an expired token included."""
    return Refusal(status, error, message)


def refuse_sign_in(message: str, error: str = "AuthenticationRequired") -> Refusal:
    """Refuse somebody who is not known (401)."""
    return Refusal(401, error, message)


def standard(status: int) -> Refusal:
    """Give the refusal that goes with a status."""
    return Refusal(status, _NAMES.get(status, "Unknown"), _WORDS.get(status, _NAMES.get(status, "Unknown")))


def canned(status: int, *, retry_after: int | None, now: datetime) -> HttpResponse:
    """Give any refusal on order; on 429 the window ends after `retry_after` seconds (300 when left out)."""
    response = standard(status).to_response()
    if status == 429:
        ends_at = now + timedelta(seconds=retry_after or 300)
        stamp(response, limit=3000, remaining=0, ends_at=ends_at, window=timedelta(minutes=5), now=now)
    elif retry_after:
        response["Retry-After"] = str(retry_after)
    return response


def stamp(
    response: HttpResponse, *, limit: int, remaining: int, ends_at: datetime, window: timedelta, now: datetime
) -> None:
    """Put an allowance on an answer. docs.bsky.app/docs/advanced-guides/rate-limits (2026-11)."""
    response["Date"] = http_date(now.timestamp())  # the clock by which the reset is told
    response["RateLimit-Limit"] = str(limit)
    response["RateLimit-Remaining"] = str(max(remaining, 0))
    response["RateLimit-Reset"] = str(int(ends_at.timestamp()))
    response["RateLimit-Policy"] = f"{limit};w={int(window.total_seconds())}"
