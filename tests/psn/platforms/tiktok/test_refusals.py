"""Every word with which TikTok refuses, and what else may come instead of an answer."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from psn.errors import (
    CameToNothing,
    NeedsReconnect,
    PlatformError,
    QuotaSpent,
    RateLimited,
    Rejected,
    Unavailable,
    UnknownOutcome,
)
from psn.http import Reply
from psn.platforms.tiktok import refusals

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)

# Pages: tiktok-api-v2-error-handling and the reference pages of the Content Posting API
WORDS: list[tuple[int, str, type[PlatformError], str]] = [
    (401, "access_token_invalid", NeedsReconnect, "account.needs_reconnect"),
    (401, "scope_not_authorized", NeedsReconnect, "tiktok.no_scope"),
    (400, "scope_permission_missed", NeedsReconnect, "tiktok.no_scope"),
    (400, "invalid_param", Rejected, "tiktok.invalid_request"),
    (400, "invalid_params", Rejected, "tiktok.invalid_request"),
    (400, "invalid_file_upload", Rejected, "tiktok.file_refused"),
    (400, "app_version_check_failed", Rejected, "tiktok.app_too_old"),
    (403, "spam_risk_too_many_posts", QuotaSpent, "tiktok.too_many_posts"),
    (403, "spam_risk_user_banned_from_posting", Rejected, "tiktok.banned"),
    (403, "spam_risk_too_many_pending_share", QuotaSpent, "tiktok.too_many_drafts"),
    (403, "spam_risk_text", Rejected, "tiktok.spam"),
    (403, "spam_risk", Rejected, "tiktok.spam"),
    (403, "spam_risk_of_a_new_kind", Rejected, "tiktok.spam"),
    (403, "reached_active_user_cap", QuotaSpent, "tiktok.user_cap"),
    (403, "unaudited_client_can_only_post_to_private_accounts", Rejected, "tiktok.unaudited"),
    (403, "url_ownership_unverified", Rejected, "tiktok.url_unverified"),
    (403, "privacy_level_option_mismatch", Rejected, "tiktok.visibility"),
    (400, "invalid_publish_id", Rejected, "tiktok.unknown_publish_id"),
    (400, "token_not_authorized_for_specified_publish_id", Rejected, "tiktok.unknown_publish_id"),
    (429, "rate_limit_exceeded", RateLimited, "platform.rate_limited"),
    (500, "internal_error", Unavailable, "platform.unavailable"),
    (400, "a_word_of_tomorrow", Rejected, "tiktok.refused"),
    (401, "a_word_of_tomorrow", NeedsReconnect, "account.needs_reconnect"),
    (429, "a_word_of_tomorrow", RateLimited, "platform.rate_limited"),
]


def refuse(status: int, code: str, message: str = "Their own words.", **headers: str) -> Reply:
    body = {"data": {}, "error": {"code": code, "message": message, "log_id": "2026112012"}}
    return Reply(status, headers, json.dumps(body).encode())


def read(reply: Reply, *, commit: bool = False) -> PlatformError:
    with pytest.raises(PlatformError) as caught:
        refusals.check_reply(reply, now=NOW, commit=commit)
    return caught.value


class TestCheckReply:
    @pytest.mark.parametrize(("status", "word", "kind", "code"), WORDS)
    def test_knows_every_word(self, status: int, word: str, kind: type[PlatformError], code: str) -> None:
        error = read(refuse(status, word))
        assert (type(error), error.error_code) == (kind, code)
        assert (error.http_status, error.request_id) == (status, "2026112012")
        assert '"Their own words."' in error.message

    @pytest.mark.parametrize(
        ("word", "kind"), [(word, kind) for status, word, kind, _ in WORDS if word != "a_word_of_tomorrow"]
    )
    def test_believes_the_word_and_not_the_status(self, word: str, kind: type[PlatformError]) -> None:
        assert type(read(refuse(200, word))) is kind

    @pytest.mark.parametrize(("status", "word", "kind", "code"), WORDS)
    def test_means_the_same_after_the_one_call_but_for_trouble_of_its_own(
        self, status: int, word: str, kind: type[PlatformError], code: str
    ) -> None:
        expected = UnknownOutcome if kind is Unavailable else kind
        assert type(read(refuse(status, word), commit=True)) is expected

    def test_refuses_an_unknown_word_with_200(self) -> None:
        assert read(refuse(200, "a_word_of_tomorrow")).error_code == "tiktok.refused"

    def test_knows_every_word_of_the_table(self) -> None:
        assert {word for _, word, _, _ in WORDS} >= set(refusals.REFUSALS)

    def test_lets_a_yes_pass(self) -> None:
        reply = refuse(200, "ok", "")
        assert refusals.check_reply(reply, now=NOW) is reply
        assert refusals.read_log_id(reply) == "2026112012"

    def test_waits_a_minute_or_as_long_as_it_is_told(self) -> None:
        told, untold = read(refuse(429, "x", **{"retry-after": "120"})), read(refuse(429, "x"))
        assert isinstance(told, RateLimited)
        assert isinstance(untold, RateLimited)
        assert (told.retry_at - NOW, untold.retry_at - NOW) == (timedelta(minutes=2), timedelta(minutes=1))

    @pytest.mark.parametrize("span", ["soon", "-5", "", "٣"])
    def test_waits_a_minute_when_it_is_told_nonsense(self, span: str) -> None:
        error = read(refuse(429, "x", **{"retry-after": span}))
        assert isinstance(error, RateLimited)
        assert error.retry_at == NOW + timedelta(minutes=1)

    @pytest.mark.parametrize(
        "reply",
        [
            Reply(200, {}, b""),
            Reply(200, {}, b"<html>a proxy</html>"),
            Reply(200, {}, b"[]"),
            Reply(200, {}, b'{"data":{"publish_id":"x"}}'),
            Reply(200, {}, b'{"error":"ok"}'),
            Reply(200, {}, b'{"error":{"code":7}}'),
            Reply(200, {}, b'{"data":' * 5000),
            Reply(204, {}, b""),
            Reply(302, {"location": "http://10.0.0.1/"}, b""),
            Reply(301, {}, refuse(200, "ok").body),
        ],
        ids=["empty", "html", "list", "no-error", "word", "number", "deep", "204", "302", "301-ok"],
    )
    def test_doubts_what_tiktok_never_promised(self, reply: Reply) -> None:
        assert type(read(reply)) is Unavailable
        assert type(read(reply, commit=True)) is UnknownOutcome

    @pytest.mark.parametrize("status", [400, 403, 404, 413, 418])
    def test_is_rejected_without_a_word(self, status: int) -> None:
        assert read(Reply(status, {}, b"Unsupported path(Janus)"), commit=True).error_code == "tiktok.refused"

    def test_keeps_their_words_short(self) -> None:
        assert len(read(refuse(400, "invalid_params", "x" * 9999)).message) < 500

    def test_takes_the_id_from_the_header_when_the_body_has_none(self) -> None:
        assert read(Reply(403, {"x-request-id": "7"}, b"")).request_id == "7"


# From the page content-posting-api-reference-get-video-status.
REASONS = {
    "file_format_check_failed": "tiktok.file_format",
    "duration_check_failed": "tiktok.duration",
    "frame_rate_check_failed": "tiktok.frame_rate",
    "picture_size_check_failed": "tiktok.picture_size",
    "publish_cancelled": "tiktok.cancelled",
    "auth_removed": "tiktok.auth_removed",
    "spam_risk_too_many_posts": "tiktok.too_many_posts",
    "spam_risk_user_banned_from_posting": "tiktok.banned",
    "spam_risk_text": "tiktok.spam",
    "spam_risk": "tiktok.spam",
    "of_tomorrow": "tiktok.failed",
    "": "tiktok.failed",
}
PASSING = {
    "video_pull_failed": "tiktok.pull_failed",
    "photo_pull_failed": "tiktok.pull_failed",
    "internal": "tiktok.internal",
}


class TestBuildFailure:
    @pytest.mark.parametrize(("reason", "code"), REASONS.items())
    def test_comes_to_nothing(self, reason: str, code: str) -> None:
        error = refusals.build_failure(reason)
        assert (type(error), error.error_code) == (CameToNothing, code)
        assert reason in error.message

    @pytest.mark.parametrize(("reason", "code"), PASSING.items())
    def test_may_go_well_another_time(self, reason: str, code: str) -> None:
        error = refusals.build_failure(reason)
        assert (type(error), error.error_code) == (Unavailable, code)

    def test_knows_every_reason_of_the_table(self) -> None:
        assert set(refusals.FAILURES) <= set(REASONS) | set(PASSING)


# From the page content-posting-api-media-transfer-guide.
PIECES: list[tuple[int, type[PlatformError], type[PlatformError]]] = [
    (400, Rejected, Rejected),
    (401, Unavailable, Unavailable),
    (403, Unavailable, Unavailable),
    (404, Unavailable, UnknownOutcome),
    (410, Unavailable, Unavailable),
    (411, Rejected, Rejected),
    (413, Rejected, Rejected),
    (415, Rejected, Rejected),
    (416, Unavailable, UnknownOutcome),
    (429, RateLimited, RateLimited),
    (302, Unavailable, UnknownOutcome),
    (418, Unavailable, UnknownOutcome),
]


class TestCheckPiece:
    @pytest.mark.parametrize("status", [200, 201, 206])
    def test_takes_any_yes(self, status: int) -> None:
        refusals.check_piece(Reply(status, {}, b""), now=NOW)
        refusals.check_piece(Reply(status, {}, b"<html>"), now=NOW, last=True)

    @pytest.mark.parametrize(("status", "before", "last"), PIECES)
    def test_knows_every_no(self, status: int, before: type[PlatformError], last: type[PlatformError]) -> None:
        for is_last, kind in ((False, before), (True, last)):
            with pytest.raises(PlatformError) as caught:
                refusals.check_piece(Reply(status, {}, b""), now=NOW, last=is_last)
            assert (type(caught.value), caught.value.http_status) == (kind, status)
