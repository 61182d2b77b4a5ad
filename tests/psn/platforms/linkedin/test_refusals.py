"""What LinkedIn means by a refusal."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from psn.errors import Duplicate, NeedsReconnect, PlatformError, RateLimited, Rejected, Unavailable, UnknownOutcome
from psn.http import Reply
from psn.platforms.linkedin import PLATFORM
from psn.platforms.linkedin.refusals import check_reply

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
SITE = "https://www.linkedin.com"
URN = "urn:li:share:7141138937766391808"


def refusal(
    status: int, body: bytes | dict[str, Any] = b"", *, commit: bool = True, headers: dict[str, str] | None = None
) -> PlatformError:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    reply = Reply(status, {"x-li-uuid": "abc", **(headers or {})}, content)
    with pytest.raises(PlatformError) as caught:
        check_reply(reply, now=NOW, web_base_url=SITE, commit=commit)
    return caught.value


def body(status: int, code: str = "", message: str = "Nope") -> dict[str, Any]:
    return {"status": status, "message": message, **({"code": code} if code else {})}


def wrong_field(code: str, status: int = 400) -> dict[str, Any]:
    faults = [{"description": "Nope", "input": {"inputPath": {"fieldPath": "/commentary"}}, "code": code}]
    return {
        **body(status),
        "errorDetailType": "com.linkedin.common.error.BadRequest",
        "errorDetails": {"inputErrors": faults},
    }


# As a client met it in December 2023.
DUPLICATE = {
    "errorDetailType": "com.linkedin.common.error.BadRequest",
    "message": f"com.linkedin.content.common.exception.BadRequestResponseException: Content is a duplicate of {URN}",
    "errorDetails": {
        "inputErrors": [{"description": "Duplicate post is detected", "input": {}, "code": "DUPLICATE_POST"}]
    },
    "status": 422,
}
NAMELESS = {**DUPLICATE, "message": "Duplicate post is detected"}
MOVED = "Resource level throttle limit for calls to this resource is reached."
ENDED = "Requested version 20250101 is not active"

TABLE: dict[str, tuple[int, Any, type[PlatformError], str]] = {
    "empty-token": (401, body(401, "EMPTY_ACCESS_TOKEN"), NeedsReconnect, "account.needs_reconnect"),
    "expired-token": (401, body(401, message="Expired access token"), NeedsReconnect, "account.needs_reconnect"),
    "revoked-token": (
        401,
        body(401, "REVOKED_ACCESS_TOKEN", "The token has been revoked"),
        NeedsReconnect,
        "account.needs_reconnect",
    ),
    "oauth-shape": (
        401,
        {"error": "invalid_token", "error_description": "x"},
        NeedsReconnect,
        "account.needs_reconnect",
    ),
    "denied": (403, body(403, "ACCESS_DENIED"), Rejected, "linkedin.access_denied"),
    "denied-page": (403, b"<html>", Rejected, "linkedin.access_denied"),
    "too-long": (400, body(400, "FIELD_LENGTH_TOO_LONG"), Rejected, "linkedin.too_long"),
    "too-long-inside": (400, wrong_field("FIELD_LENGTH_TOO_LONG"), Rejected, "linkedin.too_long"),
    "too-long-422": (422, wrong_field("FIELD_LENGTH_TOO_LONG", 422), Rejected, "linkedin.too_long"),
    "urn": (400, wrong_field("INVALID_URN_ID"), Rejected, "linkedin.invalid_reference"),
    "value": (400, wrong_field("INVALID_VALUE_FOR_FIELD"), Rejected, "linkedin.invalid_value"),
    "waiting": (400, wrong_field("MEDIA_ASSET_WAITING_UPLOAD"), Unavailable, "linkedin.media_not_ready"),
    "waiting-in-words": (
        400,
        body(400, message="MEDIA_ASSET_WAITING_UPLOAD: not yet"),
        Unavailable,
        "linkedin.media_not_ready",
    ),
    "broken": (400, wrong_field("MEDIA_ASSET_PROCESSING_FAILED"), Rejected, "linkedin.media_failed"),
    "upload-over": (400, body(400, "EXPIRED_UPLOAD_URL"), Unavailable, "linkedin.upload_expired"),
    "no-version": (400, body(400, "VERSION_MISSING"), Rejected, "linkedin.version_missing"),
    "bad": (400, body(400), Rejected, "linkedin.invalid_request"),
    "sunset": (426, body(426, "NONEXISTENT_VERSION", ENDED), Rejected, "linkedin.version_sunset"),
    "sunset-page": (426, b"", Rejected, "linkedin.version_sunset"),
    "conflict": (409, body(409, "CONFLICT"), Unavailable, "linkedin.conflict"),
    "duplicate": (422, DUPLICATE, Duplicate, "platform.duplicate"),
    "duplicate-no-code": (422, {**DUPLICATE, "errorDetails": {}}, Duplicate, "platform.duplicate"),
    "duplicate-400": (400, {**DUPLICATE, "status": 400}, Duplicate, "platform.duplicate"),
    "duplicate-nameless": (422, NAMELESS, Rejected, "linkedin.duplicate"),
    "unprocessable": (422, body(422), Rejected, "linkedin.invalid_request"),
    "gone": (404, body(404, "NOT_FOUND"), Rejected, "linkedin.not_found"),
    "too-large": (413, b"", Rejected, "linkedin.too_large"),
    "teapot": (418, b"[]", Rejected, "linkedin.refused"),
    "limited": (429, body(429, "TOO_MANY_REQUESTS", MOVED), RateLimited, "platform.rate_limited"),
    "limited-page": (429, b"<html>", RateLimited, "platform.rate_limited"),
    "yes-but-no": (200, body(403, "ACCESS_DENIED"), Rejected, "linkedin.access_denied"),
    "created-but-no": (201, DUPLICATE, Duplicate, "platform.duplicate"),
}


class TestCheckReply:
    @pytest.mark.parametrize(("status", "body", "kind", "code"), TABLE.values(), ids=TABLE.keys())
    def test_knows_what_a_refusal_asks_for(self, status: int, body: Any, kind: type[PlatformError], code: str) -> None:
        for commit in (True, False):
            error = refusal(status, body, commit=commit)
            assert (type(error), error.error_code, error.request_id) == (kind, code, "abc")

    @pytest.mark.parametrize("status", [101, 302, 308, 500, 503, 504])
    def test_calls_what_nobody_can_explain_unknown_after_a_commit_only(self, status: int) -> None:
        assert type(refusal(status, commit=True)) is UnknownOutcome
        assert type(refusal(status, commit=False)) is Unavailable

    def test_calls_a_failure_inside_of_a_yes_unknown_after_a_commit(self) -> None:
        assert type(refusal(200, body(500), commit=True)) is UnknownOutcome

    @pytest.mark.parametrize("content", [b"", b"<html>", b'{"status": "PUBLISHED"}', b'{"status": 404}', b"[]"])
    def test_lets_success_pass(self, content: bytes) -> None:
        reply = Reply(201, {}, content)
        assert check_reply(reply, now=NOW, web_base_url=SITE, commit=True) is reply

    def test_believes_a_name_more_than_what_is_said_beside_it(self) -> None:
        reply = Reply(201, {"x-restli-id": URN}, json.dumps(body(400)).encode())
        assert check_reply(reply, now=NOW, web_base_url=SITE, commit=True) is reply

    def test_gives_the_name_and_the_address_of_what_is_there(self) -> None:
        error = refusal(422, DUPLICATE)
        assert isinstance(error, Duplicate)
        assert (error.platform_post_id, error.url) == (URN, f"{SITE}/feed/update/{URN}")

    def test_counts_a_nameless_duplicate_as_evidence(self) -> None:
        assert refusal(422, NAMELESS).error_code in PLATFORM.witness.duplicate_codes

    def test_names_the_setting_to_change(self) -> None:
        assert f"`{next(iter(PLATFORM.settings))}`" in refusal(426, body(426, "NONEXISTENT_VERSION", ENDED)).message

    def test_quotes_linkedin_but_not_at_length(self) -> None:
        assert '"Nope"' in refusal(400, body(400)).message
        assert len(refusal(400, body(400, message="x" * 10_000)).message) < 500

    @settings(max_examples=40, deadline=None)
    @given(
        st.integers(100, 599).filter(lambda status: not 200 <= status < 300),
        st.binary()
        | st.recursive(
            st.none() | st.text() | st.integers(),
            lambda v: (
                st.lists(v)
                | st.dictionaries(st.sampled_from(["errorDetails", "inputErrors", "code", "message", "status"]), v)
            ),
        ).map(lambda v: json.dumps(v).encode()),
    )
    def test_finds_a_class_for_anything(self, status: int, body: bytes) -> None:
        refusal(status, body, commit=True)


class TestRetryAt:
    @pytest.mark.parametrize(
        ("headers", "wait"),
        [
            ({}, timedelta(hours=16)),
            ({"date": format_datetime(NOW + timedelta(hours=1), usegmt=True)}, timedelta(hours=15)),
            ({"date": "yesterday"}, timedelta(hours=16)),
            ({"retry-after": "90"}, timedelta(seconds=90)),
            ({"retry-after": "soon"}, timedelta(hours=16)),
            ({"retry-after": "0"}, timedelta(hours=16)),
            ({"retry-after": "9" * 30}, timedelta(hours=16)),
            ({"retry-after": "-5"}, timedelta(hours=16)),
        ],
        ids=["midnight", "their-midnight", "no-date", "named", "words", "zero", "for-ever", "negative"],
    )
    def test_waits_for_linkedin_s_midnight(self, headers: dict[str, str], wait: timedelta) -> None:
        error = refusal(429, body(429, "TOO_MANY_REQUESTS", MOVED), headers=headers)
        assert isinstance(error, RateLimited)
        assert error.retry_at == NOW + wait
