"""Mastodon's refusals: `{"error": "…"}`, with the words it has for each. docs.joinmastodon.org/entities/Error."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse, JsonResponse

LIMIT = 300  # calls of an account in five minutes. docs.joinmastodon.org/api/rate-limits


class Refusal(Exception):
    """A call that the instance refuses: HTTP status, its words, and for OAuth its longer words."""

    def __init__(self, status: int, words: str, *, description: str = "") -> None:
        super().__init__(words)
        self.status = status
        self.words = words
        self.description = description

    def to_response(self) -> JsonResponse:
        """Give the answer as Mastodon sends it."""
        body = {"error": self.words}
        if self.description:
            body["error_description"] = self.description
        return JsonResponse(body, status=self.status)


def invalid(words: str) -> Refusal:
    """Refuse what does not pass the checks (422)."""
    return Refusal(422, f"Validation failed: {words}")


def not_found() -> Refusal:
    """Refuse a call about what is not there, or not for this account (404)."""
    return Refusal(404, "Record not found")


def no_such_path(_request: HttpRequest) -> HttpResponse:
    """Answer for a path that the API does not have."""
    return Refusal(404, "Not Found").to_response()


def canned(status: int, *, retry_after: int | None, now: datetime) -> HttpResponse:
    """Give any refusal on order.

    Args:
        retry_after: seconds; on 429 the window ends then (60 s when left out), on others it becomes `Retry-After`.
    """
    response = Refusal(status, _WORDS.get(status, "This action is not allowed")).to_response()
    if status == 429:
        response["X-RateLimit-Limit"] = str(LIMIT)
        response["X-RateLimit-Remaining"] = "0"
        response["X-RateLimit-Reset"] = write_instant(now + timedelta(seconds=retry_after or 60))
    elif retry_after:
        response["Retry-After"] = str(retry_after)
    return response


def write_instant(at: datetime) -> str:
    """Write an instant as the rate headers have it."""
    return at.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


_WORDS = {
    401: "The access token is invalid",
    404: "Record not found",
    410: "Gone",
    422: "Validation failed: Text can't be blank",
    429: "Too many requests",
    500: "We're sorry, but something went wrong on our end.",
    503: "Remote SSL certificate could not be verified",
}
