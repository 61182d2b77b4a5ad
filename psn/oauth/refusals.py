"""What a refusal of a token endpoint means (AUTH-3): only one that names the grant ends the grant.

Three shapes are in use: RFC 6749 §5.2 (`{"error": "invalid_grant"}`; TikTok sends it with 200 as well), Meta's Graph
(`{"error": {"code": 190, …}}`, developers.facebook.com/docs/graph-api/guides/error-handling) and the older one of Instagram's
login (`{"error_type", "code", "error_message"}`). Their words stay out of our messages: they may quote what was sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from psn.errors import NeedsReconnect, RateLimited, Rejected, Unavailable
from psn.http import Reply

RETRY_AFTER = timedelta(minutes=1)  # when a platform asks to wait and does not say how long

# X says `invalid_request` for a refresh token that is dead or already spent, LinkedIn for one that was revoked.
_GRANT_REFUSED = frozenset(
    {
        "invalid_grant",
        "invalid_request",
        "invalid_token",
        "access_denied",
        "access_token_invalid",
        "ExpiredToken",
        "InvalidToken",
    }
)
_APP_REFUSED = frozenset(
    {"invalid_client", "unauthorized_client", "unsupported_grant_type", "invalid_scope", "redirect_uri_mismatch"}
)
_TOO_OFTEN = frozenset({"rate_limit_exceeded"})
# Meta: never by `type`, which is OAuthException nearly always. 190 is the token; the subcodes are of codes that are used up or too
# old; 4, 17, 32, 613 are limits; 1 and 2 pass by themselves.
_META_GRANT = frozenset({190})
_META_CODE = frozenset({36007, 36009})
_META_LIMITS = frozenset({4, 17, 32, 613})
_META_PASSING = frozenset({1, 2})

Meaning = Literal["grant", "app", "limit", "other"]


@dataclass(frozen=True, slots=True)
class _Refusal:
    """A refusal, read.

    Args:
        name: the platform's name or number of it, when it is one of the known ones.
        request_id: from the body; TikTok and Meta put it there.
    """

    meaning: Meaning
    name: str = ""
    request_id: str | None = None


def check_token_reply(reply: Reply, *, now: datetime, refused: str) -> None:
    """Give nothing when the answer grants something.

    Args:
        refused: what the person is told when the grant, or what was asked with, is no longer good.

    Raises:
        NeedsReconnect: it is not.
        Rejected: the app is not accepted (`oauth.app_refused`).
        RateLimited: later.
        Unavailable: anything else; nothing happened.
    """
    body = _read_body(reply)
    if 200 <= reply.status < 300 and not ("error" in body and "access_token" not in body and _is_error(body["error"])):
        return
    refusal = _read_refusal(reply, body)
    request_id = reply.request_id or refusal.request_id
    if reply.status == 429 or refusal.meaning == "limit":
        raise RateLimited(
            "The platform asks to wait.",
            retry_at=_read_retry_at(reply, now=now),
            http_status=reply.status,
            request_id=request_id,
        )
    if refusal.meaning == "app":
        raise Rejected(
            f"The platform refuses the app ({refusal.name}). Check its client id, secret, redirect address and permissions there.",
            code="oauth.app_refused",
            http_status=reply.status,
            request_id=request_id,
        )
    if refusal.meaning == "grant":
        raise NeedsReconnect(refused, http_status=reply.status, request_id=request_id)
    raise Unavailable(
        f"The platform answered {reply.status} where a token was expected. Try again later.",
        code="oauth.unexpected",
        http_status=reply.status,
        request_id=request_id,
    )


def _read_refusal(reply: Reply, body: dict[str, Any]) -> _Refusal:
    error = body.get("error")
    if isinstance(error, dict) and isinstance(error.get("code"), int):
        return _read_graph_error(error)
    if isinstance(error, dict):  # TikTok's other endpoints
        body, error = body | error, error.get("code")
    if "error_type" in body and "error_message" in body:
        return _read_instagram_error(body)
    request_id = body.get("log_id")
    name = error if isinstance(error, str) else ""
    return _Refusal(_meaning_of(name, reply.status), name, request_id if isinstance(request_id, str) else None)


def _meaning_of(name: str, status: int) -> Meaning:
    if name in _APP_REFUSED:
        return "app"
    if name in _TOO_OFTEN:
        return "limit"
    return "grant" if name in _GRANT_REFUSED and (status in (400, 401) or status < 300) else "other"


def _read_graph_error(error: dict[str, Any]) -> _Refusal:
    code, subcode, trace = error["code"], error.get("error_subcode"), error.get("fbtrace_id")
    request_id = trace if isinstance(trace, str) else None
    name = f"{code}/{subcode}" if isinstance(subcode, int) else f"{code}"
    if code in _META_GRANT or subcode in _META_CODE:
        return _Refusal("grant", name, request_id)
    if code in _META_LIMITS:
        return _Refusal("limit", name, request_id)
    if code in _META_PASSING or error.get("is_transient") is True:
        return _Refusal("other", name, request_id)
    return _Refusal("app", name, request_id)


def _read_instagram_error(body: dict[str, Any]) -> _Refusal:
    """Instagram's login tells a spent code from a wrong app by its words alone."""
    words = str(body["error_message"]).lower()
    of_code = "authorization code" in words or "matching code" in words
    return _Refusal("grant" if of_code else "app", "OAuthException")


def _read_body(reply: Reply) -> dict[str, Any]:
    try:
        body = reply.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _is_error(error: object) -> bool:
    """TikTok's `{"code": "ok"}` is none."""
    return bool(error) and not (isinstance(error, dict) and error.get("code") == "ok")


def _read_retry_at(reply: Reply, *, now: datetime) -> datetime:
    try:
        if "x-rate-limit-reset" in reply.headers:
            return max(datetime.fromtimestamp(int(reply.headers["x-rate-limit-reset"]), tz=UTC), now)
        return now + timedelta(seconds=max(int(reply.headers["retry-after"]), 1))
    except (KeyError, ValueError, OverflowError, OSError):
        return now + RETRY_AFTER
