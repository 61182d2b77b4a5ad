"""TikTok's refusals: a word that says why, in the envelope that every answer has.

Source: developers.tiktok.com, tiktok-api-v2-error-handling and the reference pages of the Content Posting API (2026-11).
"""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest, HttpResponse, JsonResponse

REFUSALS = {  # word: status, sentence
    "access_token_invalid": (401, "The access token is invalid or not found in the request."),
    "scope_not_authorized": (401, "The user did not authorize the scope required for completing this request."),
    "invalid_param": (400, "The request body is malformed."),
    "invalid_params": (400, "One or more fields in request is invalid."),
    "invalid_file_upload": (400, "The uploaded file does not meet API specifications."),
    "invalid_publish_id": (400, "The publish_id does not exist."),
    "token_not_authorized_for_specified_publish_id": (400, "The access_token does not match this publish_id."),
    "spam_risk_too_many_posts": (403, "The daily post cap from the API is reached for the current user."),
    "spam_risk_user_banned_from_posting": (403, "The user is banned from making new posts."),
    "spam_risk_too_many_pending_share": (403, "There may be at most 5 pending shares within any 24-hour period."),
    "reached_active_user_cap": (403, "The daily quota for active publishing users from your client is reached."),
    "unaudited_client_can_only_post_to_private_accounts": (
        403,
        "Unaudited clients can only post to a private account.",
    ),
    "url_ownership_unverified": (403, "The URL property's ownership is not verified."),
    "privacy_level_option_mismatch": (403, "privacy_level is not among the options of the creator."),
    "rate_limit_exceeded": (429, "The API rate limit was exceeded."),
    "internal_error": (500, "Something went wrong on our side."),
}
# Which of them stands for a status that somebody ordered.
ORDERED = {
    400: "invalid_params",
    401: "access_token_invalid",
    403: "unaudited_client_can_only_post_to_private_accounts",
    429: "rate_limit_exceeded",
}


class Refusal(Exception):
    """A call that is refused.

    Args:
        code: TikTok's word.
        message: TikTok's own sentence for it when left out.
        status: the word's own when left out.
    """

    def __init__(self, code: str, message: str = "", *, status: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.message = message or REFUSALS[code][1]
        self.status = status or REFUSALS[code][0]

    def to_response(self, log_id: str) -> HttpResponse:
        """Write it down."""
        return answer({}, log_id=log_id, code=self.code, message=self.message, status=self.status)


def answer(
    data: dict[str, object], *, log_id: str, code: str = "ok", message: str = "", status: int = 200
) -> HttpResponse:
    """Make an answer of the Open API."""
    return JsonResponse({"data": data, "error": {"code": code, "message": message, "log_id": log_id}}, status=status)


def canned(status: int, *, retry_after: int | None, now: datetime) -> HttpResponse:
    """Make a refusal that somebody ordered."""
    code = ORDERED.get(status, "internal_error" if status >= 500 else "invalid_params")
    response = Refusal(code, status=status).to_response(now.strftime("%Y%m%d%H%M%S") + "SANDBOX")
    if retry_after is not None:
        response["Retry-After"] = str(retry_after)
    return response


def no_such_path(_request: HttpRequest) -> HttpResponse:
    """Answer as TikTok does where it has nothing: without its envelope."""
    return HttpResponse("Unsupported path(Janus)", status=404, content_type="text/plain")
