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
    NeedsReconnect,
    PlatformError,
    RateLimited,
    Rejected,
    Unavailable,
    UnknownOutcome,
)
from psn.platforms.base import MediaFile, Part, Published
from psn.platforms.threads import PLATFORM
from psn.platforms.threads.adapter import ThreadsAdapter
from psn.platforms.threads.oauth import OAUTH
from tests.psn.platforms.meta.stage import (
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

PUBLISH = "POST /*/*/threads_publish"
CREATE = "POST /*/*/threads"


def shown(sandbox: Sandbox, handle: str) -> list[dict[str, Any]]:
    """Give what people would see, newest first."""
    posts: list[dict[str, Any]] = sandbox.ask("posts", platform="threads", handle=handle)
    return posts


def fail(sandbox: Sandbox, kind: str, match: str, **order: Any) -> None:
    sandbox.fail(kind, match, platform="threads", **order)


def look(adapter: ThreadsAdapter, part: Part, reference: str, **options: Any) -> Published | None:
    since = datetime.now(UTC) - timedelta(seconds=60)
    given = {"since": since, "reply_to": None, "known_ids": (), **options}
    return adapter.find_published(part, reference=reference, **given)


class TestConnect:
    def test_gets_a_token_of_sixty_days(self, sandbox: Sandbox, handle: str) -> None:
        token = grant(sandbox, "threads", handle)
        assert token.access_expires_at is not None
        assert token.access_expires_at - token.obtained_at == timedelta(days=60)
        assert set(token.scopes) == set(OAUTH.scopes)

    def test_renews_it_with_itself(self, sandbox: Sandbox, connect: Callable[..., ThreadsAdapter], handle: str) -> None:
        old = grant(sandbox, "threads", handle)
        sandbox.move_clock(2 * 86400)
        new = refresh(sandbox, "threads", old, now=datetime.now(UTC) + timedelta(days=2))
        for token in (old, new):
            assert connect(token.access_token).fetch_profile().handle == handle

    def test_says_who_it_is(self, adapter: ThreadsAdapter, sandbox: Sandbox, handle: str) -> None:
        profile = adapter.fetch_profile()
        assert (profile.handle, profile.url) == (handle, f"{sandbox.base('threads')}/@{handle}")

    def test_takes_the_declared_version(self, sandbox: Sandbox, handle: str) -> None:
        adapter = PLATFORM.connect(sandbox.base("threads"), grant(sandbox, "threads", handle).access_token)
        assert adapter.fetch_profile().handle == handle
        assert sandbox.last_call()["path"] == "/v1.0/me"
        adapter.close()

    def test_asks_for_a_person_when_the_token_is_not_known(self, connect: Callable[..., ThreadsAdapter]) -> None:
        with pytest.raises(NeedsReconnect):
            connect("no-such-token").fetch_profile()


class TestCapabilities:
    def test_tell_what_is_left_of_the_day(self, adapter: ThreadsAdapter) -> None:
        publish(adapter, Part(0, "one"))
        known = {"quota_left": 249, "quota_total": 250, "replies_left": 1000, "replies_total": 1000}
        assert adapter.fetch_capabilities() == known
        assert (adapter.rate_limits["posts"].remaining, adapter.rate_limits["calls"].limit) == (249, 100)

    def test_count_followers(self, adapter: ThreadsAdapter) -> None:
        assert set(adapter.fetch_account_metrics()) == {"followers"}


class TestPublish:
    def test_shows_a_text(self, adapter: ThreadsAdapter, sandbox: Sandbox, handle: str) -> None:
        options = {"link": "https://example.com/", "topic": "python", "reply_control": "mentioned_only"}
        published = publish(adapter, Part(0, "Hello 👋\n\nthere", options=options))
        (post,) = shown(sandbox, handle)
        assert (post["id"], post["text"], post["url"]) == (
            published.platform_post_id,
            "Hello 👋\n\nthere",
            published.url,
        )
        assert (post["data"]["link"]["url"], post["data"]["topic_tag"]) == ("https://example.com/", "python")
        assert post["data"]["reply_control"] == "mentioned_only"
        assert (published.http_status, bool(published.request_id)) == (200, True)

    def test_shows_files(self, adapter: ThreadsAdapter, sandbox: Sandbox, handle: str, tmp_path: Path) -> None:
        image, video = put_image(sandbox, tmp_path, alt_text="red"), make_video(sandbox, tmp_path, public=True)
        publish(adapter, Part(0, "one", (image,)))
        publish(adapter, Part(0, "", (video,)))
        publish(adapter, Part(0, "both", (video, image)))
        kinds = [(post["kind"], [media["mime_type"] for media in post["media"]]) for post in shown(sandbox, handle)]
        assert kinds == [
            ("carousel", ["video/mp4", "image/jpeg"]),
            ("post", ["video/mp4"]),
            ("post", ["image/jpeg"]),
        ]
        assert shown(sandbox, handle)[0]["media"][1]["alt_text"] == "red"

    def test_links_the_parts_of_a_thread(
        self, adapter: ThreadsAdapter, sandbox: Sandbox, handle: str, tmp_path: Path
    ) -> None:
        options = {"link": "https://example.com/", "topic": "python"}
        first = publish(adapter, Part(0, "one", options=options))
        second = publish(
            adapter, Part(1, "two", (put_image(sandbox, tmp_path),), options=options), reply_to=first.platform_post_id
        )
        third = publish(adapter, Part(2, "three", options=options), reply_to=PLATFORM.read_post_url(second.url))
        chain = {post["id"]: post["in_reply_to"] for post in shown(sandbox, handle)}
        assert chain == {
            first.platform_post_id: None,
            second.platform_post_id: first.platform_post_id,
            third.platform_post_id: second.platform_post_id,
        }
        assert adapter.rate_limits["replies"].limit == 1000

    def test_needs_an_address_for_each_file(self, adapter: ThreadsAdapter, sandbox: Sandbox, tmp_path: Path) -> None:
        for hidden in (put_file(sandbox, tmp_path, draw(), "image/jpeg", public=False), make_video(sandbox, tmp_path)):
            for act in (
                lambda media=hidden: adapter.upload_media(media),
                lambda media=hidden: adapter.prepare_post(
                    Part(0, "x", (media,)), media_ids=[], reply_to=None, former=""
                ),
            ):
                with pytest.raises(Rejected) as caught:
                    act()
                assert caught.value.error_code == "media.address"

    def test_sends_nothing_after_the_deadline(self, adapter: ThreadsAdapter, sandbox: Sandbox, handle: str) -> None:
        prepared = prepare(adapter, Part(0, "late"))
        with pytest.raises(Unavailable):
            commit(adapter, Part(0, "late"), prepared, send_before=Deadline(-1))
        assert count_posts(sandbox, "threads", handle) == 0

    def test_is_known_though_its_address_is_not(self, adapter: ThreadsAdapter, sandbox: Sandbox) -> None:
        prepared = prepare(adapter, Part(0, "x"))
        fail(sandbox, "html", "GET /*/*")
        published = commit(adapter, Part(0, "x"), prepared)
        assert (published.platform_post_id.isdigit(), published.url) == (True, f"{sandbox.base('threads')}/")


class TestPrepare:
    @pytest.mark.parametrize(
        ("content", "mime_type", "code"),
        [(b"GIF89a.....", "image/jpeg", "threads.media_format"), (b"%PDF-1.4", "video/mp4", "threads.video_format")],
    )
    def test_says_what_is_wrong_with_a_file(
        self, adapter: ThreadsAdapter, sandbox: Sandbox, tmp_path: Path, content: bytes, mime_type: str, code: str
    ) -> None:
        with pytest.raises(Rejected) as caught:
            prepare(adapter, Part(0, "x", (put_file(sandbox, tmp_path, content, mime_type),)))
        assert caught.value.error_code == code

    def test_may_be_tried_again_when_the_address_does_not_answer(
        self, adapter: ThreadsAdapter, sandbox: Sandbox
    ) -> None:
        for mime_type in ("image/jpeg", "video/mp4"):
            absent = MediaFile(Path("a"), mime_type, 10, public_url=f"{sandbox.url}/_storage/absent")
            with pytest.raises(Unavailable) as caught:
                prepare(adapter, Part(0, "x", (absent,)))
            assert caught.value.error_code == "threads.media_fetch"

    def test_waits_until_a_video_is_ready(self, adapter: ThreadsAdapter, sandbox: Sandbox, tmp_path: Path) -> None:
        fail(sandbox, "slow_processing", CREATE, seconds=100)
        assert publish(adapter, Part(0, "", (make_video(sandbox, tmp_path, public=True),))).platform_post_id

    def test_is_told_what_the_checks_let_pass(self, adapter: ThreadsAdapter) -> None:
        with pytest.raises(Rejected) as caught:
            prepare(adapter, Part(0, "a" * 501))
        assert "500 characters" in caught.value.message

    @pytest.mark.parametrize("reply", [False, True], ids=["posts", "replies"])
    def test_waits_when_the_day_is_used_up(
        self, adapter: ThreadsAdapter, sandbox: Sandbox, handle: str, reply: bool
    ) -> None:
        first = publish(adapter, Part(0, "one"))
        part, reply_to = (Part(1, "two"), first.platform_post_id) if reply else (Part(0, "two"), None)
        publish(adapter, part, reply_to=reply_to)
        prepared = prepare(adapter, part, reply_to=reply_to)
        use_up(sandbox, handle, "replies" if reply else "posts")
        for act in (
            lambda: prepare(adapter, part, reply_to=reply_to),
            lambda: commit(adapter, part, prepared, reply_to=reply_to),
        ):
            with pytest.raises(RateLimited):
                act()
        assert count_posts(sandbox, "threads", handle) == 2

    def test_uses_the_container_of_an_earlier_call_again(
        self, adapter: ThreadsAdapter, sandbox: Sandbox, handle: str
    ) -> None:
        part = Part(0, "once")
        first = prepare(adapter, part)
        again = prepare(adapter, part, former=first.reference)
        assert again == first
        published = commit(adapter, part, again)
        with pytest.raises(Duplicate) as caught:
            commit(adapter, part, prepare(adapter, part, former=first.reference))
        assert caught.value.platform_post_id == published.platform_post_id
        assert count_posts(sandbox, "threads", handle) == 1

    def test_makes_a_new_one_for_one_that_is_too_old(self, adapter: ThreadsAdapter, sandbox: Sandbox) -> None:
        first = prepare(adapter, Part(0, "once"))
        sandbox.move_clock(86400)
        assert prepare(adapter, Part(0, "once"), former=first.reference) != first


class TestDoubt:
    @pytest.mark.parametrize("kind", ["drop_after", "garbage", "html", "huge", "redirect"])
    def test_ends_when_the_container_was_published(
        self, adapter: ThreadsAdapter, sandbox: Sandbox, handle: str, kind: str
    ) -> None:
        part = Part(0, "did it land?")
        publish(adapter, Part(0, "did it land!"))
        prepared = prepare(adapter, part)
        fail(sandbox, kind, PUBLISH)
        with pytest.raises(UnknownOutcome):
            commit(adapter, part, prepared)
        found = look(adapter, part, prepared.reference)
        newest = shown(sandbox, handle)[0]
        assert found is not None
        assert (found.platform_post_id, found.url) == (newest["id"], newest["url"])

    def test_ends_for_a_part_of_a_thread(self, adapter: ThreadsAdapter, sandbox: Sandbox, handle: str) -> None:
        parents = [publish(adapter, Part(0, f"root {number}")).platform_post_id for number in range(2)]
        publish(adapter, Part(1, "same words"), reply_to=parents[0])
        part = Part(1, "same words")
        prepared = prepare(adapter, part, reply_to=parents[1])
        fail(sandbox, "drop_after", PUBLISH)
        with pytest.raises(UnknownOutcome):
            commit(adapter, part, prepared, reply_to=parents[1])
        found = look(adapter, part, prepared.reference, reply_to=parents[1])
        assert found is not None
        assert found.platform_post_id == shown(sandbox, handle)[0]["id"]

    @pytest.mark.parametrize("status", [408, 500, 504])
    def test_ends_when_the_container_was_not(self, adapter: ThreadsAdapter, sandbox: Sandbox, status: int) -> None:
        part = Part(0, "did it land?")
        prepared = prepare(adapter, part)
        fail(sandbox, "status", PUBLISH, status=status)
        with pytest.raises(UnknownOutcome):
            commit(adapter, part, prepared)
        assert look(adapter, part, prepared.reference) is None

    def test_stays_while_the_post_does_not_show(self, adapter: ThreadsAdapter, sandbox: Sandbox) -> None:
        part = Part(0, "did it land?")
        prepared = prepare(adapter, part)
        fail(sandbox, "invisible", PUBLISH, seconds=300)
        commit(adapter, part, prepared)
        with pytest.raises(Unavailable):
            look(adapter, part, prepared.reference)
        sandbox.move_clock(301)
        assert look(adapter, part, prepared.reference) is not None

    def test_is_not_ended_by_a_refusal(
        self, sandbox: Sandbox, handle: str, connect: Callable[..., ThreadsAdapter]
    ) -> None:
        """Without the permission to read replies nobody can tell where a part of a thread is."""
        scopes = [scope for scope in OAUTH.scopes if scope != "threads_read_replies"]
        adapter = connect(grant(sandbox, "threads", handle, scopes=scopes).access_token)
        parent = publish(adapter, Part(0, "one")).platform_post_id
        prepared = prepare(adapter, Part(1, "two"), reply_to=parent)
        commit(adapter, Part(1, "two"), prepared, reply_to=parent)
        with pytest.raises(Unavailable) as caught:
            look(adapter, Part(1, "two"), prepared.reference, reply_to=parent)
        assert caught.value.error_code == "threads.permission"


class TestRefusals:
    @pytest.mark.parametrize(
        ("status", "kind"),
        [(400, Rejected), (401, NeedsReconnect), (403, Rejected), (404, Rejected), (429, RateLimited)],
    )
    def test_are_understood(
        self, adapter: ThreadsAdapter, sandbox: Sandbox, status: int, kind: type[PlatformError]
    ) -> None:
        prepared = prepare(adapter, Part(0, "x"))
        fail(sandbox, "status", PUBLISH, status=status)
        with pytest.raises(kind):
            commit(adapter, Part(0, "x"), prepared)

    @pytest.mark.parametrize("kind", ["garbage", "html", "huge", "redirect", "drop_after"])
    def test_of_a_container_are_harmless(
        self, adapter: ThreadsAdapter, sandbox: Sandbox, handle: str, kind: str
    ) -> None:
        fail(sandbox, kind, CREATE)
        with pytest.raises(Unavailable):
            prepare(adapter, Part(0, "x"))
        publish(adapter, Part(0, "x"))
        assert count_posts(sandbox, "threads", handle) == 1

    def test_of_a_dead_token_ask_for_a_person(self, adapter: ThreadsAdapter, sandbox: Sandbox) -> None:
        fail(sandbox, "expired_token", CREATE)
        with pytest.raises(NeedsReconnect) as caught:
            prepare(adapter, Part(0, "x"))
        assert caught.value.request_id


class TestMeasure:
    def test_reads_what_became_of_a_post(self, adapter: ThreadsAdapter, sandbox: Sandbox) -> None:
        first = publish(adapter, Part(0, "one"))
        second = publish(adapter, Part(1, "two"), reply_to=first.platform_post_id)
        sandbox.move_clock(7200)
        asked = [second.platform_post_id, "18000000000000000", PLATFORM.read_post_url(first.url), "NoSuchCode"]
        reply, root = adapter.fetch_posts(asked)
        assert (reply.text, reply.in_reply_to) == ("two", first.platform_post_id)
        assert (root.platform_post_id, root.text) == (PLATFORM.read_post_url(first.url), "one")
        assert set(root.metrics) == {"views", "likes", "replies", "reposts", "quotes", "shares"}
        assert root.metrics["views"] > 0

    def test_reads_own_posts_newest_first(self, adapter: ThreadsAdapter) -> None:
        for number in range(5):
            publish(adapter, Part(0, f"post {number}"))
        assert [post.text for post in adapter.fetch_recent_posts(limit=2)] == ["post 4", "post 3"]
        pages = adapter._turn_posts("threads", since=None, size=2)
        assert [seen.text for seen in pages] == [f"post {number}" for number in (4, 3, 2, 1, 0)]


class TestDelete:
    def test_takes_a_post_away_once_and_for_all(self, adapter: ThreadsAdapter, sandbox: Sandbox, handle: str) -> None:
        first, second = (publish(adapter, Part(0, text)) for text in ("one", "two"))
        for _ in range(2):
            adapter.delete_post(first.platform_post_id)
        adapter.delete_post(PLATFORM.read_post_url(second.url))
        adapter.delete_post("NoSuchCode")
        assert count_posts(sandbox, "threads", handle) == 0
        assert "delete" in PLATFORM.abilities

    def test_needs_permission(self, sandbox: Sandbox, handle: str, connect: Callable[..., ThreadsAdapter]) -> None:
        scopes = [scope for scope in OAUTH.scopes if scope != "threads_delete"]
        adapter = connect(grant(sandbox, "threads", handle, scopes=scopes).access_token)
        published = publish(adapter, Part(0, "one"))
        with pytest.raises(Rejected) as caught:
            adapter.delete_post(published.platform_post_id)
        assert caught.value.error_code == "threads.permission"
        assert count_posts(sandbox, "threads", handle) == 1
