"""The adapter against the sandbox, over real HTTP (PLAT-4)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from psn.deadline import Deadline
from psn.errors import (
    InvalidInput,
    NeedsReconnect,
    NotAllowed,
    QuotaSpent,
    RateLimited,
    Rejected,
    Unavailable,
    UnknownOutcome,
)
from psn.oauth import flow
from psn.oauth.unattended import approve_unattended
from psn.platforms.base import MediaFile, Part, Prepared, Published
from psn.platforms.registry import get_platform
from psn.platforms.x import PLATFORM
from psn.platforms.x.adapter import XAdapter
from psn.platforms.x.oauth import OAUTH
from tests.psn.platforms.x.accounts import APP, count_posts, exchange, grant
from tests.sandbox.process import Sandbox


def publish(adapter: XAdapter, text: str = "hello", **options: object) -> Published:
    given = {"media_ids": [], "reply_to": None, "prepared": Prepared(), "send_before": None, **options}
    return adapter.create_post(Part(0, text), **given)  # type: ignore[arg-type]


def make_png(path: Path, *, padding_bytes: int = 0) -> MediaFile:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    content += chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"teXt", b"\0" * padding_bytes) + chunk(b"IEND", b"")
    path.write_bytes(content)
    return MediaFile(path=path, mime_type="image/png", size_bytes=len(content), alt_text="one pixel")


def make_mp4(path: Path, *, size_bytes: int = 5000) -> MediaFile:
    head = struct.pack(">I", 24) + b"ftypisom" + struct.pack(">I", 512) + b"isommp42"
    path.write_bytes(head + struct.pack(">I", size_bytes - 24) + b"mdat" + b"\0" * (size_bytes - 32))
    return MediaFile(path=path, mime_type="video/mp4", size_bytes=size_bytes)


class TestConnect:
    def test_gives_up_when_it_is_told_to(self, sandbox: Sandbox, handle: str) -> None:
        adapter = PLATFORM.connect(sandbox.x, grant(sandbox, handle).access_token, 0.3)
        sandbox.fail("latency", "POST /2/tweets", seconds=1)
        with pytest.raises(UnknownOutcome):
            publish(adapter)  # type: ignore[arg-type]
        adapter.close()

    def test_says_who_it_is(self, adapter: XAdapter, sandbox: Sandbox, handle: str) -> None:
        profile = adapter.fetch_profile()
        assert (profile.handle, profile.url) == (handle, f"{sandbox.x}/{handle}")
        assert profile.platform_account_id.isdigit()

    def test_counts_its_own(self, adapter: XAdapter) -> None:
        publish(adapter)
        counts = adapter.fetch_account_metrics()
        assert counts["posts"] == 1
        assert counts.keys() >= {"followers", "following"}

    def test_asks_which_tier_it_has(self, adapter: XAdapter) -> None:
        assert adapter.fetch_capabilities().keys() == {"subscription_type"}

    def test_refuses_to_talk_in_the_clear(self) -> None:
        with pytest.raises(InvalidInput):
            get_platform("x").connect("http://api.example.com", "token")

    def test_asks_for_a_person_when_the_token_is_not_known(self, connect: Callable[..., XAdapter]) -> None:
        with pytest.raises(NeedsReconnect):
            connect("no-such-token").fetch_profile()

    def test_goes_on_with_a_refreshed_token_and_not_with_the_spent_one(
        self, sandbox: Sandbox, connect: Callable[..., XAdapter], handle: str
    ) -> None:
        old = grant(sandbox, handle)
        options = {"api_base_url": sandbox.x, "client_id": APP, "now": datetime.now(UTC)}
        new = flow.refresh_token(OAUTH, token=old, **options)  # type: ignore[arg-type]
        assert connect(new.access_token).fetch_profile().handle == handle
        assert new.refresh_token != old.refresh_token
        with pytest.raises(NeedsReconnect):
            flow.refresh_token(OAUTH, token=old, **options)  # type: ignore[arg-type]

    def test_is_gone_once_the_grant_is_given_back(
        self, sandbox: Sandbox, connect: Callable[..., XAdapter], handle: str
    ) -> None:
        token = grant(sandbox, handle)
        for _ in range(2):
            flow.revoke_token(OAUTH, api_base_url=sandbox.x, client_id=APP, token=token, now=datetime.now(UTC))
        with pytest.raises(NeedsReconnect):
            connect(token.access_token).fetch_profile()

    def test_hears_a_no(self, sandbox: Sandbox, handle: str) -> None:
        started = flow.start_authorization(OAUTH, web_base_url=sandbox.x, client_id=APP)
        back = approve_unattended(started, handle=handle, decision="deny")
        with pytest.raises(NotAllowed):
            flow.read_redirect(back, state=started.state)

    def test_gets_nothing_for_a_stolen_or_spent_code(self, sandbox: Sandbox, handle: str) -> None:
        started = flow.start_authorization(OAUTH, web_base_url=sandbox.x, client_id=APP)
        code = flow.read_redirect(approve_unattended(started, handle=handle), state=started.state)
        with pytest.raises(NeedsReconnect):
            exchange(sandbox, code=code, code_verifier="another-verifier-" + "x" * 40)
        with pytest.raises(NeedsReconnect):
            exchange(sandbox, code=code, code_verifier=started.code_verifier)

    def test_shows_no_token(self, adapter: XAdapter) -> None:
        assert adapter._http._token not in repr(adapter)


class TestCreatePost:
    def test_makes_one_post_that_people_can_see(self, adapter: XAdapter, sandbox: Sandbox, handle: str) -> None:
        published = publish(adapter, "hello & <you>, see https://example.com/a?b=1&c=2")
        (post,) = adapter.fetch_posts([published.platform_post_id])
        assert post.text == "hello & <you>, see https://example.com/a?b=1&c=2"
        assert published.url == f"{sandbox.x}/i/web/status/{published.platform_post_id}"
        assert (published.http_status, count_posts(sandbox, handle)) == (201, 1)
        assert published.request_id

    def test_links_the_parts_of_a_thread(self, adapter: XAdapter) -> None:
        first = publish(adapter, "one")
        second = publish(adapter, "two", reply_to=first.platform_post_id)
        (post,) = adapter.fetch_posts([second.platform_post_id])
        assert post.in_reply_to == first.platform_post_id

    def test_says_that_it_is_a_duplicate(self, adapter: XAdapter, sandbox: Sandbox, handle: str) -> None:
        publish(adapter, "again")
        with pytest.raises(Rejected) as caught:
            publish(adapter, "again")
        assert (caught.value.error_code, count_posts(sandbox, handle)) == ("x.duplicate", 1)

    def test_is_rejected_when_it_is_too_long(self, adapter: XAdapter) -> None:
        with pytest.raises(Rejected):
            publish(adapter, "a" * 281)

    def test_sends_nothing_after_the_deadline(self, adapter: XAdapter, sandbox: Sandbox, handle: str) -> None:
        with pytest.raises(Unavailable):
            publish(adapter, send_before=Deadline(-1))
        assert count_posts(sandbox, handle) == 0

    def test_is_unknown_when_the_answer_is_lost_and_then_found(
        self, adapter: XAdapter, sandbox: Sandbox, handle: str
    ) -> None:
        began = datetime.now(UTC)
        sandbox.fail("drop_after", "POST /2/tweets", times=1)
        with pytest.raises(UnknownOutcome):
            publish(adapter, "did it land?")
        assert [post.text for post in adapter.fetch_recent_posts(since=began)] == ["did it land?"]
        assert count_posts(sandbox, handle) == 1

    def test_is_unknown_when_the_request_is_lost_and_then_not_found(self, adapter: XAdapter, sandbox: Sandbox) -> None:
        sandbox.fail("drop_before", "POST /2/tweets", times=1)
        with pytest.raises(UnknownOutcome):
            publish(adapter, "did it land?")
        assert adapter.fetch_recent_posts() == []

    def test_is_unknown_when_the_answer_is_garbage(self, adapter: XAdapter, sandbox: Sandbox, handle: str) -> None:
        sandbox.fail("garbage", "POST /2/tweets", times=1)
        with pytest.raises(UnknownOutcome):
            publish(adapter)
        assert count_posts(sandbox, handle) == 1

    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            *[(status, UnknownOutcome) for status in (500, 503, 504, 408)],
            (429, RateLimited),
            (402, QuotaSpent),
            (401, NeedsReconnect),
            (403, Rejected),
            (400, Rejected),
        ],
    )
    def test_knows_what_a_refusal_means(
        self, adapter: XAdapter, sandbox: Sandbox, status: int, kind: type[Exception]
    ) -> None:
        sandbox.fail("status", "POST /2/tweets", times=1, status=status)
        with pytest.raises(kind):
            publish(adapter)

    def test_waits_until_the_platform_says(self, adapter: XAdapter, sandbox: Sandbox) -> None:
        sandbox.fail("status", "POST /2/tweets", times=1, status=429, retry_after=120)
        with pytest.raises(RateLimited) as caught:
            publish(adapter)
        assert timedelta(seconds=100) < caught.value.retry_at - datetime.now(UTC) < timedelta(seconds=125)

    def test_remembers_what_is_left_of_the_limit(self, adapter: XAdapter) -> None:
        publish(adapter, "one")
        publish(adapter, "two")
        limit = adapter.rate_limits["POST /2/tweets"]
        assert (limit.limit, limit.remaining) == (100, 98)
        assert limit.resets_at > datetime.now(UTC)

    def test_sends_one_request_over_a_slow_line(self, adapter: XAdapter, sandbox: Sandbox, handle: str) -> None:
        sandbox.fail("latency", "POST /2/tweets", times=1, seconds=0.5)
        assert publish(adapter).http_status == 201
        assert count_posts(sandbox, handle) == 1


def look(adapter: XAdapter, text: str, **options: object) -> str | None:
    """Look for a post of the last minute."""
    since = datetime.now(UTC) - timedelta(seconds=60)
    given = {"reference": "", "since": since, "reply_to": None, "known_ids": (), **options}
    found = adapter.find_published(Part(0, text), **given)  # type: ignore[arg-type]
    return found.platform_post_id if found else None


WRITTEN = {
    "escapes": "a & b <c> &amp; &lt;i&gt; \"q\" 'q'",
    "links": "see https://example.com/a?b=1&c=2, http://example.org/ and example.com (or x.org/a).",
    "only-a-link": "https://example.com",
    "not-nfc": "cafe\u0301 Å ﬁ",
    "blanks-around": " \n hi \u3000\n",
    "line-ends": "one\r\ntwo\n\nthree",
    "emoji": "👨‍👩‍👧 ❤️ 🇩🇪 字",
    "a-link-of-x-itself": "https://t.co/abc and https://x.com/ann/status/1/photo/1",
    "mentions": "@ann #tag $ABC ann@example.com",
}


class TestFindPublished:
    @pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN.keys())
    def test_finds_what_x_has_changed(self, adapter: XAdapter, sandbox: Sandbox, text: str) -> None:
        began = datetime.now(UTC)
        sandbox.fail("drop_after", "POST /2/tweets", times=1)
        with pytest.raises(UnknownOutcome):
            publish(adapter, text)
        publish(adapter, f"{text} q")
        found = adapter.find_published(Part(0, text), reference="", since=began, reply_to=None, known_ids=())
        assert found is not None
        first = adapter.fetch_recent_posts()[-1]
        assert found == Published(first.platform_post_id, f"{sandbox.x}/i/web/status/{first.platform_post_id}")

    def test_finds_nothing_when_the_request_was_lost(self, adapter: XAdapter, sandbox: Sandbox) -> None:
        publish(adapter, "did it land!")
        sandbox.fail("drop_before", "POST /2/tweets", times=1)
        with pytest.raises(UnknownOutcome):
            publish(adapter, "did it land?")
        assert look(adapter, "did it land?") is None

    @pytest.mark.parametrize("text", ["look", "look https://example.com", "", "  "])
    def test_finds_a_post_with_media(self, adapter: XAdapter, tmp_path: Path, text: str) -> None:
        image = make_png(tmp_path / "a.png")
        publish(adapter, "something else", media_ids=[adapter.upload_media(image)])
        ids = [adapter.upload_media(image) for _ in range(2)]
        published = publish(adapter, text, media_ids=ids).platform_post_id
        since = datetime.now(UTC) - timedelta(seconds=60)
        found = adapter.find_published(
            Part(0, text, media=(image, image)), reference="", since=since, reply_to=None, known_ids=()
        )
        assert found is not None
        assert found.platform_post_id == published
        assert adapter.fetch_posts([published])[0].text == text.strip()

    def test_tells_a_picture_from_a_video_where_there_are_no_words(self, adapter: XAdapter, tmp_path: Path) -> None:
        image, video = make_png(tmp_path / "a.png"), make_mp4(tmp_path / "a.mp4")
        for media in (video, image):
            publish(adapter, "", media_ids=[adapter.upload_media(media)])
        since = datetime.now(UTC) - timedelta(seconds=60)
        ids = [post.platform_post_id for post in adapter.fetch_recent_posts()]
        for media, post_id in zip((image, video), ids, strict=True):
            found = adapter.find_published(
                Part(0, "", media=(media,)), reference="", since=since, reply_to=None, known_ids=()
            )
            assert found is not None
            assert found.platform_post_id == post_id

    def test_keeps_the_parts_of_a_thread_apart(self, adapter: XAdapter) -> None:
        first = publish(adapter, "one").platform_post_id
        second = publish(adapter, "two", reply_to=first).platform_post_id
        assert look(adapter, "two", reply_to=first) == second
        assert look(adapter, "two", reply_to=second) is None
        assert look(adapter, "two") is None
        assert look(adapter, "one", reply_to=first) is None

    def test_never_takes_what_is_linked_already(self, adapter: XAdapter) -> None:
        assert look(adapter, "hello", known_ids={publish(adapter).platform_post_id}) is None

    def test_leaves_out_what_is_older_but_for_the_clocks(self, adapter: XAdapter) -> None:
        published = publish(adapter).platform_post_id
        now = datetime.now(UTC)
        assert look(adapter, "hello", since=now + timedelta(seconds=5)) == published
        assert look(adapter, "hello", since=now + timedelta(seconds=15)) is None

    def test_looks_at_every_page(self, adapter: XAdapter, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("psn.platforms.x.wire.MAX_IDS", 5)
        ids = [publish(adapter, f"number {number}").platform_post_id for number in range(12)]
        assert [look(adapter, f"number {number}") for number in (0, 6, 11)] == [ids[0], ids[6], ids[11]]

    def test_does_not_see_what_the_timeline_does_not_show_yet(self, adapter: XAdapter, sandbox: Sandbox) -> None:
        sandbox.fail("invisible", "POST /2/tweets", seconds=30)
        sandbox.fail("drop_after", "POST /2/tweets")
        with pytest.raises(UnknownOutcome):
            publish(adapter)
        assert look(adapter, "hello") is None
        with pytest.raises(Rejected) as caught:
            publish(adapter)
        assert caught.value.error_code in PLATFORM.witness.duplicate_codes
        sandbox.move_clock(31)
        assert look(adapter, "hello") is not None

    @pytest.mark.parametrize("order", [{"kind": "status", "status": 503}, {"kind": "garbage"}], ids=["503", "garbage"])
    def test_says_when_it_could_not_look(self, adapter: XAdapter, sandbox: Sandbox, order: dict[str, Any]) -> None:
        sandbox.fail(match="GET /2/users/{id}/tweets", **order)
        with pytest.raises(Unavailable):
            look(adapter, "hello")


class TestFetchPosts:
    def test_gives_the_newest_first_and_no_more_than_asked(self, adapter: XAdapter) -> None:
        ids = [publish(adapter, f"number {number}").platform_post_id for number in range(7)]
        found = adapter.fetch_recent_posts(limit=3)
        assert [post.platform_post_id for post in found] == ids[:-4:-1]
        assert all(post.created_at.tzinfo is UTC for post in found)

    def test_turns_pages(self, adapter: XAdapter, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("psn.platforms.x.wire.MAX_IDS", 5)
        ids = [publish(adapter, f"number {number}").platform_post_id for number in range(12)]
        assert [post.platform_post_id for post in adapter.fetch_recent_posts(limit=50)] == ids[::-1]
        assert [post.platform_post_id for post in adapter.fetch_posts(ids)] == ids

    def test_leaves_out_what_is_older(self, adapter: XAdapter) -> None:
        publish(adapter, "old")
        (old,) = adapter.fetch_recent_posts()
        assert adapter.fetch_recent_posts(since=old.created_at + timedelta(seconds=2)) == []

    def test_leaves_out_ids_nobody_knows(self, adapter: XAdapter) -> None:
        known = publish(adapter).platform_post_id
        assert [post.platform_post_id for post in adapter.fetch_posts([known, "1", known])] == [known]
        assert adapter.fetch_posts([]) == []

    def test_gives_metrics(self, adapter: XAdapter) -> None:
        (post,) = adapter.fetch_posts([publish(adapter).platform_post_id])
        seen_by_all = {"impressions", "likes", "replies", "reposts", "quotes", "bookmarks"}
        assert set(post.metrics) == seen_by_all | {"clicks", "profile_clicks", "engagements"}

    def test_is_unavailable_when_the_server_gives_up(self, adapter: XAdapter, sandbox: Sandbox) -> None:
        sandbox.fail("status", "GET /2/tweets", times=1, status=503)
        with pytest.raises(Unavailable):
            adapter.fetch_posts(["1"])


class TestDeletePost:
    def test_takes_it_away_and_does_not_mind_that_it_is_gone(
        self, adapter: XAdapter, sandbox: Sandbox, handle: str
    ) -> None:
        post_id = publish(adapter).platform_post_id
        adapter.delete_post(post_id)
        adapter.delete_post(post_id)
        assert (adapter.fetch_posts([post_id]), count_posts(sandbox, handle)) == ([], 0)

    def test_is_rejected_for_the_post_of_another(
        self, adapter: XAdapter, sandbox: Sandbox, connect: Callable[..., XAdapter], handle: str
    ) -> None:
        other = publish(connect(grant(sandbox, f"{handle}b").access_token)).platform_post_id
        with pytest.raises(Rejected):
            adapter.delete_post(other)


class TestUploadMedia:
    def test_sends_a_small_image_whole(self, adapter: XAdapter, sandbox: Sandbox, tmp_path: Path) -> None:
        media_id = adapter.upload_media(make_png(tmp_path / "a.png"))
        assert publish(adapter, "with image", media_ids=[media_id]).http_status == 201
        assert "POST /2/media/upload" in adapter.rate_limits
        assert "POST /2/media/upload/initialize" not in adapter.rate_limits

    def test_sends_a_big_image_in_parts(self, adapter: XAdapter, tmp_path: Path) -> None:
        media_id = adapter.upload_media(make_png(tmp_path / "a.png", padding_bytes=4_500_000))
        assert publish(adapter, "", media_ids=[media_id]).http_status == 201
        appends = adapter.rate_limits["POST /2/media/upload/{id}/append"]
        assert appends.limit - appends.remaining == 2

    def test_waits_until_a_video_is_ready(self, adapter: XAdapter, tmp_path: Path) -> None:
        media_id = adapter.upload_media(make_mp4(tmp_path / "a.mp4"))
        assert publish(adapter, "with video", media_ids=[media_id]).http_status == 201
        assert "GET /2/media/upload" in adapter.rate_limits
        assert "POST /2/media/upload" not in adapter.rate_limits, "X takes only images whole"

    def test_does_not_wait_for_ever(
        self, sandbox: Sandbox, connect: Callable[..., XAdapter], handle: str, tmp_path: Path
    ) -> None:
        adapter = connect(grant(sandbox, handle).access_token, processing_seconds=0.2)
        with pytest.raises(Unavailable) as caught:
            adapter.upload_media(make_mp4(tmp_path / "a.mp4"))
        assert caught.value.error_code == "x.media_not_ready"

    def test_refuses_a_file_that_is_not_there(self, adapter: XAdapter, tmp_path: Path) -> None:
        with pytest.raises(Rejected) as caught:
            adapter.upload_media(MediaFile(tmp_path / "gone.png", "image/png", 10))
        assert caught.value.error_code == "media.unreadable"

    def test_refuses_what_x_has_no_name_for(self, adapter: XAdapter, tmp_path: Path) -> None:
        with pytest.raises(Rejected) as caught:
            adapter.upload_media(MediaFile(tmp_path / "a.tiff", "image/tiff", 10))
        assert caught.value.error_code == "media.type"

    def test_may_be_repeated(self, adapter: XAdapter, sandbox: Sandbox, tmp_path: Path) -> None:
        sandbox.fail("drop_after", "POST /2/media/upload", times=1)
        with pytest.raises(Unavailable):
            adapter.upload_media(make_png(tmp_path / "a.png"))
        assert adapter.upload_media(make_png(tmp_path / "a.png"))
