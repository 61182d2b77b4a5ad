"""The adapter against the sandbox, over real HTTP (PLAT-4)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from psn.deadline import Deadline
from psn.errors import (
    Duplicate,
    InvalidInput,
    NeedsReconnect,
    NotAllowed,
    PlatformError,
    RateLimited,
    Rejected,
    Unavailable,
    UnknownOutcome,
)
from psn.oauth import flow
from psn.oauth.spec import OAuthSpec
from psn.oauth.unattended import approve_unattended
from psn.platforms.base import MediaFile, Part
from psn.platforms.instagram import PLATFORM
from psn.platforms.instagram.adapter import InstagramAdapter
from psn.platforms.instagram.oauth import OAUTH
from tests.psn.platforms.meta.stage import (
    CLIENT_ID,
    commit,
    count_posts,
    grant,
    make_video,
    prepare,
    publish,
    put_file,
    put_image,
    refresh,
    use_up,
)
from tests.sandbox.meta.files import draw
from tests.sandbox.process import Sandbox

PUBLISH = "POST /*/*/media_publish"
CREATE = "POST /*/*/media"


@pytest.fixture
def image(sandbox: Sandbox, tmp_path: Path) -> MediaFile:
    return put_image(sandbox, tmp_path, alt_text="A red square")


def shown(sandbox: Sandbox, handle: str) -> list[dict[str, Any]]:
    """Give what people would see, newest first."""
    posts: list[dict[str, Any]] = sandbox.ask("posts", platform="instagram", handle=handle)
    return posts


def fail(sandbox: Sandbox, kind: str, match: str, **order: Any) -> None:
    sandbox.fail(kind, match, platform="instagram", **order)


def ago(seconds: float = 60) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)


class TestConnect:
    def test_gets_a_token_of_sixty_days(self, sandbox: Sandbox, handle: str) -> None:
        token = grant(sandbox, "instagram", handle)
        assert token.access_expires_at is not None
        assert token.access_expires_at - token.obtained_at == timedelta(days=60)
        assert set(token.scopes) == set(OAUTH.scopes)

    def test_renews_it_with_itself(
        self, sandbox: Sandbox, connect: Callable[..., InstagramAdapter], handle: str
    ) -> None:
        old = grant(sandbox, "instagram", handle)
        sandbox.move_clock(2 * 86400)
        new = refresh(sandbox, "instagram", old, now=datetime.now(UTC) + timedelta(days=2))
        for token in (old, new):
            assert connect(token.access_token).fetch_profile().handle == handle

    def test_hears_a_no(self, sandbox: Sandbox, handle: str) -> None:
        assert isinstance(PLATFORM.sign_in, OAuthSpec)
        base = sandbox.base("instagram")
        started = flow.start_authorization(PLATFORM.sign_in, web_base_url=base, client_id=CLIENT_ID)
        with pytest.raises(NotAllowed):
            flow.read_redirect(approve_unattended(started, handle=handle, decision="deny"), state=started.state)

    def test_says_who_it_is(self, adapter: InstagramAdapter, sandbox: Sandbox, handle: str) -> None:
        profile = adapter.fetch_profile()
        assert (profile.handle, profile.url) == (handle, f"{sandbox.base('instagram')}/{handle}/")
        assert profile.platform_account_id.startswith("178414")

    def test_asks_for_a_person_when_the_token_is_not_known(self, connect: Callable[..., InstagramAdapter]) -> None:
        with pytest.raises(NeedsReconnect):
            connect("no-such-token").fetch_profile()

    def test_refuses_to_talk_in_the_clear(self) -> None:
        with pytest.raises(InvalidInput):
            PLATFORM.connect("http://graph.example.com", "token")

    def test_takes_another_version(self, sandbox: Sandbox, handle: str) -> None:
        token = grant(sandbox, "instagram", handle).access_token
        adapter = PLATFORM.connect(sandbox.base("instagram"), token, settings={"version": "v26.0"})
        assert adapter.fetch_profile().handle == handle
        assert sandbox.last_call()["path"] == "/v26.0/me"
        adapter.close()

    def test_shows_no_token(self, adapter: InstagramAdapter) -> None:
        assert adapter._token not in repr(adapter)


class TestCapabilities:
    def test_tell_what_is_left_of_the_day(self, adapter: InstagramAdapter, image: MediaFile) -> None:
        publish(adapter, Part(0, "one", (image,)))
        assert adapter.fetch_capabilities() == {"quota_left": 99, "quota_total": 100}
        assert adapter.rate_limits["publish"].remaining == 99
        assert adapter.rate_limits["calls"].limit == 100

    def test_count_followers(self, adapter: InstagramAdapter) -> None:
        assert set(adapter.fetch_account_metrics()) == {"followers", "following", "posts"}


class TestUploadMedia:
    def test_gives_the_address_of_an_image(self, adapter: InstagramAdapter, image: MediaFile) -> None:
        assert adapter.upload_media(image) == image.public_url

    def test_refuses_an_image_without_one(self, adapter: InstagramAdapter, sandbox: Sandbox, tmp_path: Path) -> None:
        hidden = put_file(sandbox, tmp_path, draw(), "image/jpeg", public=False)
        for act in (
            lambda: adapter.upload_media(hidden),
            lambda: adapter.prepare_post(Part(0, "x", (hidden,)), media_ids=[], reply_to=None, former=""),
        ):
            with pytest.raises(Rejected) as caught:
                act()
            assert caught.value.error_code == "media.address"


class TestPublish:
    def test_shows_an_image(self, adapter: InstagramAdapter, sandbox: Sandbox, handle: str, image: MediaFile) -> None:
        published = publish(adapter, Part(0, "Hello #red\n\nand 👋", (image,), options={"ai": "yes"}))
        (post,) = shown(sandbox, handle)
        assert (post["id"], post["text"]) == (published.platform_post_id, "Hello #red\n\nand 👋")
        assert (post["url"], post["made_with_ai"]) == (published.url, True)
        assert [media["alt_text"] for media in post["media"]] == ["A red square"]
        assert (published.http_status, bool(published.request_id)) == (200, True)

    def test_shows_a_carousel_in_order(
        self, adapter: InstagramAdapter, sandbox: Sandbox, handle: str, tmp_path: Path
    ) -> None:
        images = [put_image(sandbox, tmp_path, alt_text=f"picture {number}") for number in range(3)]
        video = make_video(sandbox, tmp_path)
        publish(adapter, Part(0, "many", (*images, video), options={"format": "carousel"}))
        (post,) = shown(sandbox, handle)
        assert post["kind"] == "carousel"
        assert [media["alt_text"] for media in post["media"]] == ["picture 0", "picture 1", "picture 2", ""]
        assert [media["mime_type"] for media in post["media"]][-1] == "video/mp4"

    def test_uploads_a_reel(self, adapter: InstagramAdapter, sandbox: Sandbox, handle: str, tmp_path: Path) -> None:
        video = make_video(sandbox, tmp_path, size_bytes=3_000_000)
        options = {"format": "reel", "share_to_feed": "no", "cover_at_ms": "0"}
        published = publish(adapter, Part(0, "moving", (video,), options=options))
        (post,) = shown(sandbox, handle)
        assert (post["kind"], post["text"]) == ("reel", "moving")
        assert "/reel/" in published.url

    def test_has_a_video_fetched_where_it_has_an_address(
        self, adapter: InstagramAdapter, sandbox: Sandbox, tmp_path: Path
    ) -> None:
        video = make_video(sandbox, tmp_path, public=True)
        publish(adapter, Part(0, "moving", (video,)))
        fetched = sandbox.ask("calls", platform="_storage", path=video.public_url.partition("/_storage")[2])
        assert [call["caller"] for call in fetched if call["method"] == "GET"] == ["instagram"]

    @pytest.mark.parametrize("moving", [False, True], ids=["image", "video"])
    def test_shows_a_story(
        self, adapter: InstagramAdapter, sandbox: Sandbox, handle: str, tmp_path: Path, moving: bool
    ) -> None:
        media = make_video(sandbox, tmp_path) if moving else put_image(sandbox, tmp_path, size=(90, 160))
        published = publish(adapter, Part(0, "", (media,), options={"format": "story"}))
        (post,) = shown(sandbox, handle)
        assert post["kind"] == "story"
        assert PLATFORM.read_post_url(published.url) == published.platform_post_id

    def test_adds_the_first_comment(
        self, adapter: InstagramAdapter, sandbox: Sandbox, handle: str, image: MediaFile
    ) -> None:
        post = publish(adapter, Part(0, "post", (image,)))
        comment = publish(adapter, Part(1, "#tags", kind="comment"), reply_to=post.platform_post_id)
        (below, _) = shown(sandbox, handle)
        assert (below["kind"], below["in_reply_to"]) == ("comment", post.platform_post_id)
        assert comment.url == post.url

    def test_comments_on_a_post_known_by_its_address(
        self, adapter: InstagramAdapter, sandbox: Sandbox, handle: str, image: MediaFile
    ) -> None:
        post = publish(adapter, Part(0, "post", (image,)))
        publish(adapter, Part(1, "#tags", kind="comment"), reply_to=PLATFORM.read_post_url(post.url))
        assert shown(sandbox, handle)[0]["in_reply_to"] == post.platform_post_id

    def test_is_known_though_its_address_is_not(
        self, adapter: InstagramAdapter, sandbox: Sandbox, image: MediaFile
    ) -> None:
        part = Part(0, "post", (image,))
        prepared = prepare(adapter, part)
        fail(sandbox, "status", "GET /*/*", status=500)
        published = commit(adapter, part, prepared)
        assert published.platform_post_id.isdigit()
        assert published.url == f"{sandbox.base('instagram')}/"

    def test_sends_nothing_after_the_deadline(
        self, adapter: InstagramAdapter, sandbox: Sandbox, handle: str, image: MediaFile
    ) -> None:
        part = Part(0, "late", (image,))
        prepared = prepare(adapter, part)
        with pytest.raises(Unavailable):
            commit(adapter, part, prepared, send_before=Deadline(-1))
        assert count_posts(sandbox, "instagram", handle) == 0


class TestPrepare:
    def test_waits_until_the_video_is_ready(self, adapter: InstagramAdapter, sandbox: Sandbox, tmp_path: Path) -> None:
        fail(sandbox, "slow_processing", "POST /ig-api-upload/*/*", seconds=100)
        assert publish(adapter, Part(0, "slow", (make_video(sandbox, tmp_path),))).platform_post_id

    def test_gives_up_on_a_video_that_is_never_ready(
        self, adapter: InstagramAdapter, sandbox: Sandbox, tmp_path: Path
    ) -> None:
        fail(sandbox, "slow_processing", "POST /ig-api-upload/*/*", seconds=590)
        with pytest.raises(Unavailable) as caught:
            prepare(adapter, Part(0, "slow", (make_video(sandbox, tmp_path),)))
        assert caught.value.error_code == "instagram.media_not_ready"

    def test_says_what_is_wrong_with_a_file(self, adapter: InstagramAdapter, sandbox: Sandbox, tmp_path: Path) -> None:
        cases = [
            (put_file(sandbox, tmp_path, draw(kind="PNG"), "image/png"), "instagram.media_format"),
            (put_image(sandbox, tmp_path, size=(100, 300)), "instagram.media_ratio"),
            (put_file(sandbox, tmp_path, b"\xff\xd8\xff" + b"\0" * 9_000_000, "image/jpeg"), "instagram.media_size"),
        ]
        for media, code in cases:
            with pytest.raises(Rejected) as caught:
                prepare(adapter, Part(0, "x", (media,)))
            assert caught.value.error_code == code

    def test_may_be_tried_again_when_the_address_does_not_answer(
        self, adapter: InstagramAdapter, image: MediaFile
    ) -> None:
        absent = MediaFile(image.path, image.mime_type, image.size_bytes, public_url=f"{image.public_url}x")
        with pytest.raises(Unavailable) as caught:
            prepare(adapter, Part(0, "x", (absent,)))
        assert caught.value.error_code == "instagram.media_fetch"

    def test_is_refused_a_file_that_is_no_video(
        self, adapter: InstagramAdapter, sandbox: Sandbox, tmp_path: Path
    ) -> None:
        with pytest.raises(Rejected) as caught:
            prepare(adapter, Part(0, "x", (put_file(sandbox, tmp_path, b"text", "video/mp4", public=False),)))
        assert caught.value.error_code == "instagram.upload_failed"

    def test_notices_a_failed_processing(self, adapter: InstagramAdapter, sandbox: Sandbox, tmp_path: Path) -> None:
        fail(sandbox, "fail_processing", "POST /ig-api-upload/*/*")
        with pytest.raises(Unavailable) as caught:
            prepare(adapter, Part(0, "x", (make_video(sandbox, tmp_path),)))
        assert caught.value.error_code == "instagram.media_again"

    def test_waits_when_the_day_is_used_up(
        self, adapter: InstagramAdapter, sandbox: Sandbox, handle: str, image: MediaFile
    ) -> None:
        part = Part(0, "again", (image,))
        publish(adapter, part)
        prepared = prepare(adapter, part)
        use_up(sandbox, handle, "media_publish")
        for act in (lambda: prepare(adapter, part), lambda: commit(adapter, part, prepared)):
            with pytest.raises(RateLimited) as caught:
                act()
            assert caught.value.retry_at > datetime.now(UTC) + timedelta(minutes=50)
        assert count_posts(sandbox, "instagram", handle) == 1

    def test_uses_the_container_of_an_earlier_call_again(
        self, adapter: InstagramAdapter, sandbox: Sandbox, handle: str, image: MediaFile
    ) -> None:
        part = Part(0, "once", (image,))
        first = prepare(adapter, part)
        again = prepare(adapter, part, former=first.reference)
        assert again == first
        commit(adapter, part, again)
        assert count_posts(sandbox, "instagram", handle) == 1

    def test_makes_a_new_one_for_one_that_is_too_old(
        self, adapter: InstagramAdapter, sandbox: Sandbox, image: MediaFile
    ) -> None:
        part = Part(0, "once", (image,))
        first = prepare(adapter, part)
        sandbox.move_clock(86400)
        assert prepare(adapter, part, former=first.reference) != first

    def test_never_publishes_twice_what_an_earlier_call_published(
        self, adapter: InstagramAdapter, sandbox: Sandbox, handle: str, image: MediaFile
    ) -> None:
        part = Part(0, "once", (image,))
        first = prepare(adapter, part)
        published = commit(adapter, part, first)
        again = prepare(adapter, part, former=first.reference)
        with pytest.raises(Duplicate) as caught:
            commit(adapter, part, again)
        assert caught.value.platform_post_id == published.platform_post_id
        assert count_posts(sandbox, "instagram", handle) == 1


class TestDoubt:
    @pytest.mark.parametrize("kind", ["drop_after", "garbage", "html", "huge", "redirect"])
    def test_ends_when_the_container_was_published(
        self, adapter: InstagramAdapter, sandbox: Sandbox, handle: str, image: MediaFile, kind: str
    ) -> None:
        part, began = Part(0, "did it land?", (image,)), datetime.now(UTC)
        publish(adapter, Part(0, "something else", (image,)))
        prepared = prepare(adapter, part)
        fail(sandbox, kind, PUBLISH)
        with pytest.raises(UnknownOutcome):
            commit(adapter, part, prepared)
        found = adapter.find_published(part, reference=prepared.reference, since=began, reply_to=None, known_ids=())
        assert found is not None
        assert (found.platform_post_id, found.url) == (
            shown(sandbox, handle)[0]["id"],
            shown(sandbox, handle)[0]["url"],
        )

    @pytest.mark.parametrize("status", [408, 500, 504])
    def test_ends_when_the_container_was_not(
        self, adapter: InstagramAdapter, sandbox: Sandbox, image: MediaFile, status: int
    ) -> None:
        part = Part(0, "did it land?", (image,))
        prepared = prepare(adapter, part)
        fail(sandbox, "status", PUBLISH, status=status)
        with pytest.raises(UnknownOutcome):
            commit(adapter, part, prepared)
        given = {"reference": prepared.reference, "since": ago(), "reply_to": None, "known_ids": ()}
        assert adapter.find_published(part, **given) is None  # type: ignore[arg-type]

    def test_stays_while_the_post_does_not_show(
        self, adapter: InstagramAdapter, sandbox: Sandbox, image: MediaFile
    ) -> None:
        part = Part(0, "did it land?", (image,))
        prepared = prepare(adapter, part)
        fail(sandbox, "invisible", PUBLISH, seconds=300)
        fail(sandbox, "drop_after", PUBLISH)
        with pytest.raises(UnknownOutcome):
            commit(adapter, part, prepared)
        given = {"reference": prepared.reference, "since": ago(), "reply_to": None, "known_ids": ()}
        with pytest.raises(Unavailable):
            adapter.find_published(part, **given)  # type: ignore[arg-type]
        with pytest.raises(UnknownOutcome):
            prepare(adapter, part, former=prepared.reference)
        sandbox.move_clock(301)
        assert adapter.find_published(part, **given) is not None  # type: ignore[arg-type]

    def test_ends_for_a_story_without_words(
        self, adapter: InstagramAdapter, sandbox: Sandbox, image: MediaFile, tmp_path: Path
    ) -> None:
        part = Part(0, "", (image,), options={"format": "story"})
        publish(adapter, Part(0, "", (make_video(sandbox, tmp_path),), options={"format": "story"}))
        prepared = prepare(adapter, part)
        published = commit(adapter, part, prepared)
        given = {"reference": prepared.reference, "since": ago(), "reply_to": None}
        found = adapter.find_published(part, known_ids=(), **given)  # type: ignore[arg-type]
        assert found is not None
        assert found.platform_post_id == published.platform_post_id
        with pytest.raises(Unavailable):
            adapter.find_published(part, known_ids={published.platform_post_id}, **given)  # type: ignore[arg-type]

    def test_ends_for_a_comment(self, adapter: InstagramAdapter, sandbox: Sandbox, image: MediaFile) -> None:
        post = publish(adapter, Part(0, "post", (image,)))
        comment = Part(1, "#tags", kind="comment")
        given = {"reference": "", "since": ago(), "reply_to": post.platform_post_id, "known_ids": ()}
        for kind, is_there in (("drop_before", False), ("drop_after", True)):
            fail(sandbox, kind, "POST /*/*/comments")
            with pytest.raises(UnknownOutcome):
                publish(adapter, comment, reply_to=post.platform_post_id)
            assert (adapter.find_published(comment, **given) is not None) is is_there  # type: ignore[arg-type]

    def test_is_not_ended_by_a_refusal(self, adapter: InstagramAdapter, sandbox: Sandbox, image: MediaFile) -> None:
        fail(sandbox, "status", "GET /*/*", status=403)
        with pytest.raises(Unavailable):
            adapter.find_published(Part(0, "x", (image,)), reference="7", since=ago(), reply_to=None, known_ids=())


class TestRefusals:
    @pytest.mark.parametrize(
        ("status", "kind"),
        [(400, Rejected), (401, NeedsReconnect), (403, Rejected), (404, Rejected), (429, RateLimited)],
    )
    def test_are_understood(
        self, adapter: InstagramAdapter, sandbox: Sandbox, image: MediaFile, status: int, kind: type[PlatformError]
    ) -> None:
        part = Part(0, "x", (image,))
        prepared = prepare(adapter, part)
        fail(sandbox, "status", PUBLISH, status=status)
        with pytest.raises(kind):
            commit(adapter, part, prepared)

    @pytest.mark.parametrize("kind", ["garbage", "html", "huge", "redirect", "drop_after"])
    def test_of_a_container_are_harmless(
        self, adapter: InstagramAdapter, sandbox: Sandbox, handle: str, image: MediaFile, kind: str
    ) -> None:
        fail(sandbox, kind, CREATE)
        with pytest.raises(Unavailable):
            prepare(adapter, Part(0, "x", (image,)))
        publish(adapter, Part(0, "x", (image,)))
        assert count_posts(sandbox, "instagram", handle) == 1

    def test_say_when_to_come_back(self, adapter: InstagramAdapter, sandbox: Sandbox, image: MediaFile) -> None:
        fail(sandbox, "status", CREATE, status=429, retry_after=120)
        with pytest.raises(RateLimited) as caught:
            prepare(adapter, Part(0, "x", (image,)))
        assert timedelta(seconds=100) < caught.value.retry_at - datetime.now(UTC) < timedelta(seconds=125)

    def test_of_a_dead_token_ask_for_a_person(
        self, adapter: InstagramAdapter, sandbox: Sandbox, image: MediaFile
    ) -> None:
        fail(sandbox, "expired_token", CREATE)
        with pytest.raises(NeedsReconnect) as caught:
            prepare(adapter, Part(0, "x", (image,)))
        assert caught.value.request_id


class TestMeasure:
    @pytest.mark.parametrize(
        ("options", "moving", "names"),
        [
            ({}, False, {"reach", "views", "likes", "comments", "saves", "shares", "profile_visits", "follows"}),
            ({}, True, {"reach", "views", "likes", "saves", "shares", "avg_watch_time_ms", "watch_time_ms"}),
            ({"format": "story"}, False, {"reach", "views", "replies", "shares", "navigation"}),
        ],
        ids=["post", "reel", "story"],
    )
    def test_asks_only_for_what_there_is(
        self,
        adapter: InstagramAdapter,
        sandbox: Sandbox,
        tmp_path: Path,
        image: MediaFile,
        options: dict[str, str],
        moving: bool,
        names: set[str],
    ) -> None:
        media = make_video(sandbox, tmp_path) if moving else image
        published = publish(adapter, Part(0, "" if options else "x", (media,), options=options))
        sandbox.move_clock(7200)
        (post,) = adapter.fetch_posts([published.platform_post_id])
        assert names <= set(post.metrics)
        assert post.metrics["views"] > 0
        assert post.url == published.url

    def test_knows_nothing_of_a_story_that_few_saw(self, adapter: InstagramAdapter, image: MediaFile) -> None:
        published = publish(adapter, Part(0, "", (image,), options={"format": "story"}))
        (post,) = adapter.fetch_posts([published.platform_post_id])
        assert set(post.metrics) <= {"likes", "comments"}

    def test_leaves_out_what_is_not_there(self, adapter: InstagramAdapter, image: MediaFile) -> None:
        post = publish(adapter, Part(0, "x", (image,)))
        comment = publish(adapter, Part(1, "y", kind="comment"), reply_to=post.platform_post_id)
        asked = ["17900000000000000", comment.platform_post_id, "NoSuchCode", post.platform_post_id]
        assert [found.platform_post_id for found in adapter.fetch_posts(asked)] == [post.platform_post_id]

    def test_answers_under_the_name_it_was_asked_with(self, adapter: InstagramAdapter, image: MediaFile) -> None:
        published = publish(adapter, Part(0, "x", (image,)))
        code = PLATFORM.read_post_url(published.url)
        assert [post.platform_post_id for post in adapter.fetch_posts([code])] == [code]

    def test_reads_own_posts_newest_first(self, adapter: InstagramAdapter, image: MediaFile) -> None:
        for text in ("one", "two", "three"):
            publish(adapter, Part(0, text, (image,)))
        assert [post.text for post in adapter.fetch_recent_posts(limit=2)] == ["three", "two"]
        assert [post.text for post in adapter.fetch_recent_posts(since=ago())] == ["three", "two", "one"]

    def test_reads_page_after_page(self, adapter: InstagramAdapter, image: MediaFile) -> None:
        for number in range(5):
            publish(adapter, Part(0, f"post {number}", (image,)))
        pages = adapter._turn_posts("media", since=None, size=2)
        assert [seen.text for seen, _ in pages] == [f"post {number}" for number in (4, 3, 2, 1, 0)]


class TestDelete:
    def test_says_how_to_do_it_by_hand(self, adapter: InstagramAdapter, image: MediaFile) -> None:
        published = publish(adapter, Part(0, "x", (image,)))
        with pytest.raises(Rejected) as caught:
            adapter.delete_post(published.platform_post_id)
        assert "Delete" in caught.value.message
        assert "delete" not in PLATFORM.abilities
