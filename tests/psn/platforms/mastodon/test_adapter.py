"""The adapter against the sandbox's instance, over real HTTP (PLAT-4)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from psn.deadline import Deadline
from psn.errors import InvalidInput, NeedsReconnect, PlatformError, RateLimited, Rejected, Unavailable, UnknownOutcome
from psn.oauth import flow
from psn.oauth.unattended import approve_unattended
from psn.platforms.base import AccountFacts, Adapter, MediaFile, Part, Published
from psn.platforms.mastodon import PLATFORM
from psn.platforms.mastodon.adapter import MastodonAdapter
from psn.platforms.mastodon.rules import check_parts, count_text
from tests.psn.platforms.mastodon.accounts import SPEC, grant, list_posts, register
from tests.sandbox.files import GIF, MP4, make_png
from tests.sandbox.process import Sandbox

CREATE = "POST /api/v1/statuses"
TEXT = (
    "Hello @someone@elsewhere.example & <everyone>!\nSee https://www.example.com/a/long/path/that/is/cut?x=1&y=2#end.\n\n"
    'It\'s "fine" #Testing https://example.org'
)


def publish(adapter: Adapter, text: str = "hello", *, former: str = "", **more: Any) -> Published:
    reply_to, media_ids = more.pop("reply_to", None), more.pop("media_ids", ())
    part = Part(0, text, options=more.pop("options", {}))
    prepared = adapter.prepare_post(part, media_ids=media_ids, reply_to=reply_to, former=former)
    return adapter.create_post(
        part, media_ids=media_ids, reply_to=reply_to, prepared=prepared, send_before=more.pop("send_before", None)
    )


def find(adapter: MastodonAdapter, part: Part, *, since: datetime | None = None, **more: Any) -> Published | None:
    since = since or datetime.now(UTC) - timedelta(seconds=5)
    asked: dict[str, Any] = {"reference": "", "reply_to": None, "known_ids": (), **more}
    return adapter.find_published(part, since=since, **asked)


def make_file(
    folder: Path, content: bytes | None = None, mime_type: str = "image/png", alt_text: str = ""
) -> MediaFile:
    content = make_png() if content is None else content
    path = folder / "file"
    path.write_bytes(content)
    return MediaFile(path, mime_type, len(content), alt_text)


def fail(sandbox: Sandbox, kind: str, match: str = CREATE, **order: Any) -> None:
    sandbox.fail(kind, match, platform="mastodon", **order)


class TestConnect:
    def test_makes_an_account_that_publishes_and_reads_back(self, base_url: str, handle: str) -> None:
        adapter = PLATFORM.connect(base_url, grant(base_url, handle).access_token)
        published = publish(adapter, TEXT)
        assert adapter.fetch_profile().handle == handle
        assert [post.text for post in adapter.fetch_recent_posts()] == [TEXT]
        assert PLATFORM.read_post_url(published.url) == published.platform_post_id
        adapter.close()

    def test_asks_for_the_instance(self) -> None:
        with pytest.raises(InvalidInput, match="--base-url"):
            PLATFORM.connect("", "token")

    def test_gives_up_when_it_is_told_to(self, sandbox: Sandbox, base_url: str, handle: str) -> None:
        adapter = PLATFORM.connect(base_url, grant(base_url, handle).access_token, 0.3)
        fail(sandbox, "latency", "GET /api/v1/accounts/verify_credentials", seconds=1)
        started = time.monotonic()
        with pytest.raises(Unavailable):
            adapter.fetch_profile()
        assert time.monotonic() - started < 0.9
        adapter.close()

    def test_never_ends(self, base_url: str, handle: str) -> None:
        token = grant(base_url, handle)
        assert (token.refresh_token, token.access_expires_at) == ("", None)

    def test_ends_when_it_is_given_back(
        self, base_url: str, connect: Callable[..., MastodonAdapter], handle: str
    ) -> None:
        app = register(base_url)
        started = flow.start_authorization(SPEC, web_base_url=base_url, client_id=app.client_id)
        code = flow.read_redirect(approve_unattended(started, handle=handle), state=started.state)
        asked = {"api_base_url": base_url, "client_id": app.client_id, "client_secret": app.client_secret}
        token = flow.exchange_code(SPEC, code=code, code_verifier=started.code_verifier, now=datetime.now(UTC), **asked)
        flow.revoke_token(SPEC, token=token, now=datetime.now(UTC), **asked)
        with pytest.raises(NeedsReconnect):
            connect(token.access_token).fetch_profile()


class TestCreatePost:
    def test_sends_what_was_chosen(self, adapter: MastodonAdapter, sandbox: Sandbox, handle: str) -> None:
        options = {"visibility": "unlisted", "spoiler": "Spoilers", "sensitive": "yes", "language": "es"}
        published = publish(adapter, options=options)
        (post,) = list_posts(sandbox, handle)
        assert (post["id"], post["text"]) == (published.platform_post_id, "hello")
        kept = {name: post["data"][name] for name in ("visibility", "spoiler", "sensitive", "language")}
        assert kept == {"visibility": "unlisted", "spoiler": "Spoilers", "sensitive": True, "language": "es"}

    def test_keeps_the_call_s_id(self, adapter: MastodonAdapter, sandbox: Sandbox) -> None:
        published = publish(adapter)
        call = next(one for one in sandbox.ask("calls", limit="10") if one["post_id"] == published.platform_post_id)
        assert (published.request_id, published.http_status) == (call["request_id"], 200)

    def test_makes_a_thread(self, adapter: MastodonAdapter) -> None:
        first = publish(adapter, "one")
        second = publish(adapter, "two", reply_to=first.platform_post_id)
        third = publish(adapter, "three", reply_to=second.platform_post_id)
        replies = {post.platform_post_id: post.in_reply_to for post in adapter.fetch_recent_posts()}
        assert replies == {
            first.platform_post_id: None,
            second.platform_post_id: first.platform_post_id,
            third.platform_post_id: second.platform_post_id,
        }

    def test_repeats_the_same_call_without_a_second_post(
        self, adapter: MastodonAdapter, sandbox: Sandbox, handle: str
    ) -> None:
        prepared = adapter.prepare_post(Part(0, "once"), media_ids=(), reply_to=None, former="")
        ids = {publish(adapter, "once", former=prepared.reference).platform_post_id for _ in range(3)}
        assert len(ids) == 1
        assert len(list_posts(sandbox, handle)) == 1

    def test_makes_another_call_of_each_preparation(self, adapter: MastodonAdapter) -> None:
        assert publish(adapter, "twice").platform_post_id != publish(adapter, "twice").platform_post_id

    def test_ends_a_doubt_by_repeating(self, adapter: MastodonAdapter, sandbox: Sandbox, handle: str) -> None:
        prepared = adapter.prepare_post(Part(0, "lost"), media_ids=(), reply_to=None, former="")
        fail(sandbox, "drop_after")
        with pytest.raises(UnknownOutcome):
            publish(adapter, "lost", former=prepared.reference)
        found = publish(adapter, "lost", former=prepared.reference)
        assert [post["id"] for post in list_posts(sandbox, handle)] == [found.platform_post_id]

    @pytest.mark.parametrize("kind", ["drop_after", "garbage", "html", "huge", "redirect", "drop_before"])
    def test_never_takes_a_lost_answer_for_a_no(self, adapter: MastodonAdapter, sandbox: Sandbox, kind: str) -> None:
        fail(sandbox, kind)
        with pytest.raises(UnknownOutcome):
            publish(adapter)

    @pytest.mark.parametrize(
        ("status", "error"),
        [
            (401, NeedsReconnect), (403, Rejected), (404, Rejected), (422, Rejected), (429, RateLimited),
            (500, UnknownOutcome), (503, UnknownOutcome),
        ],
    )  # fmt: skip
    def test_says_what_a_refusal_means(
        self, adapter: MastodonAdapter, sandbox: Sandbox, handle: str, status: int, error: type[PlatformError]
    ) -> None:
        fail(sandbox, "status", status=status)
        with pytest.raises(error) as caught:
            publish(adapter)
        assert caught.value.http_status == status
        assert list_posts(sandbox, handle) == []

    def test_waits_as_long_as_the_instance_says(self, adapter: MastodonAdapter, sandbox: Sandbox) -> None:
        fail(sandbox, "status", status=429, retry_after=120)
        with pytest.raises(RateLimited) as caught:
            publish(adapter)
        assert timedelta(seconds=110) < caught.value.retry_at - datetime.now(UTC) < timedelta(seconds=125)

    def test_sends_nothing_once_it_is_late(self, adapter: MastodonAdapter, sandbox: Sandbox, handle: str) -> None:
        with pytest.raises(Unavailable):
            publish(adapter, send_before=Deadline(-1))
        assert list_posts(sandbox, handle) == []

    def test_needs_a_new_grant_when_the_scope_is_too_small(self, base_url: str, connect: Any, handle: str) -> None:
        reader = connect(grant(base_url, handle, scopes=("read:accounts", "read:statuses")).access_token)
        with pytest.raises(NeedsReconnect):
            publish(reader)

    def test_is_refused_what_is_too_long(self, adapter: MastodonAdapter) -> None:
        with pytest.raises(Rejected, match="too long"):
            publish(adapter, "x" * 501)

    def test_is_refused_a_reply_to_nothing(self, adapter: MastodonAdapter) -> None:
        with pytest.raises(Rejected) as caught:
            publish(adapter, reply_to="7")
        assert caught.value.error_code == "mastodon.not_found"

    def test_knows_the_limits_afterwards(self, adapter: MastodonAdapter) -> None:
        publish(adapter)
        limit = adapter.rate_limits[CREATE]
        assert limit.limit == 300
        assert 0 < limit.remaining < 300
        assert timedelta(0) < limit.resets_at - datetime.now(UTC) <= timedelta(minutes=5)


class TestTheCount:
    """What is counted before sending, and what the instance counts."""

    @pytest.mark.parametrize(
        "text",
        [
            "x",
            "é",
            "👩‍👩‍👧",
            "https://example.com/" + "y" * 90,
            "@ann@b.example ",
            "http://127.0.0.1:1/x",
            "#tag ",
            "क्षि",
        ],
    )
    def test_agrees_at_the_limit(self, adapter: MastodonAdapter, text: str) -> None:
        used = count_text(text, AccountFacts()).used
        whole = f"{text} " + "z" * (500 - used - 1)
        assert check_parts([Part(0, whole)], AccountFacts()) == []
        publish(adapter, whole)
        with pytest.raises(Rejected):
            publish(adapter, f"{whole}z")
        assert [one.code for one in check_parts([Part(0, f"{whole}z")], AccountFacts())] == ["text.too_long"]


class TestUploadMedia:
    def test_attaches_a_picture_with_its_alt_text(
        self, adapter: MastodonAdapter, sandbox: Sandbox, handle: str, tmp_path: Path
    ) -> None:
        media_id = adapter.upload_media(make_file(tmp_path, alt_text="Ünë pixel"))
        publish(adapter, media_ids=[media_id])
        (media,) = list_posts(sandbox, handle)[0]["media"]
        assert (media["mime_type"], media["alt_text"]) == ("image/png", "Ünë pixel")

    @pytest.mark.parametrize(("content", "mime_type"), [(MP4, "video/mp4"), (GIF, "image/gif")], ids=["video", "gif"])
    def test_waits_until_it_is_processed(
        self, adapter: MastodonAdapter, sandbox: Sandbox, tmp_path: Path, content: bytes, mime_type: str
    ) -> None:
        file = make_file(tmp_path, content, mime_type)
        ids: list[str] = []
        upload = threading.Thread(target=lambda: ids.append(adapter.upload_media(file)))
        upload.start()
        while upload.is_alive() and not sandbox.last_call()["path"].startswith("/api/v1/media/"):
            time.sleep(0.01)
        sandbox.move_clock(1)
        upload.join(5)
        publish(adapter, media_ids=ids)

    def test_gives_up_on_an_instance_that_never_ends(
        self, base_url: str, connect: Any, sandbox: Sandbox, handle: str, tmp_path: Path
    ) -> None:
        adapter = connect(grant(base_url, handle).access_token, processing_seconds=0.05)
        fail(sandbox, "slow_processing", "POST /api/v2/media", seconds=600)
        with pytest.raises(Unavailable) as caught:
            adapter.upload_media(make_file(tmp_path))
        assert caught.value.error_code == "mastodon.media_not_ready"

    def test_hears_that_processing_failed(self, adapter: MastodonAdapter, sandbox: Sandbox, tmp_path: Path) -> None:
        fail(sandbox, "fail_processing", "POST /api/v2/media")
        with pytest.raises(Rejected, match="Error processing"):
            adapter.upload_media(make_file(tmp_path))

    def test_is_refused_what_is_no_picture(self, adapter: MastodonAdapter, tmp_path: Path) -> None:
        with pytest.raises(Rejected, match="content type"):
            adapter.upload_media(make_file(tmp_path, b"hello"))

    def test_says_that_a_file_is_gone(self, adapter: MastodonAdapter, tmp_path: Path) -> None:
        with pytest.raises(Rejected) as caught:
            adapter.upload_media(MediaFile(tmp_path / "gone", "image/png", 1))
        assert caught.value.error_code == "media.unreadable"

    def test_is_told_when_a_file_is_attached_too_early(
        self, adapter: MastodonAdapter, sandbox: Sandbox, base_url: str, tmp_path: Path
    ) -> None:
        from psn.http import Http  # the adapter itself would wait

        fail(sandbox, "slow_processing", "POST /api/v2/media", seconds=600)
        token = adapter._http._token
        with Http(base_url, token=token) as http:
            media_id = http.read("POST", "/api/v2/media", files={"file": ("x", make_png(), "image/png")}).json()["id"]
        with pytest.raises(Unavailable) as caught:
            publish(adapter, media_ids=[media_id])
        assert caught.value.error_code == "mastodon.media_not_ready"


class TestFindPublished:
    @pytest.mark.parametrize(
        ("text", "options"),
        [
            ("hello", {}),
            (TEXT, {}),
            ("  two\r\n\r\n\r\n\r\nparagraphs  ", {}),
            ("@t1 @T2@other.example: hi", {}),
            ("folded", {"spoiler": "Look out"}),
            ("quiet", {"visibility": "direct"}),
            ("ünïcödé 👩‍👩‍👧 \u200d", {}),
        ],
    )
    def test_finds_what_is_there(self, adapter: MastodonAdapter, text: str, options: dict[str, str]) -> None:
        publish(adapter, "something else")
        published = publish(adapter, text, options=options)
        found = find(adapter, Part(0, text, options=options))
        assert found is not None
        assert (found.platform_post_id, found.url) == (published.platform_post_id, published.url)

    def test_finds_nothing_where_there_is_nothing(self, adapter: MastodonAdapter) -> None:
        first = publish(adapter, "hello")
        assert find(adapter, Part(0, "hello!")) is None
        assert find(adapter, Part(0, "hello"), known_ids={first.platform_post_id}) is None
        assert find(adapter, Part(1, "hello"), reply_to=first.platform_post_id) is None
        assert find(adapter, Part(0, "hello"), since=datetime.now(UTC) + timedelta(minutes=1)) is None

    def test_finds_a_reply_below_its_post_only(self, adapter: MastodonAdapter) -> None:
        first = publish(adapter, "same")
        second = publish(adapter, "same", reply_to=first.platform_post_id)
        found = find(adapter, Part(1, "same"), reply_to=first.platform_post_id)
        assert found is not None
        assert found.platform_post_id == second.platform_post_id

    def test_tells_posts_without_text_apart_by_their_files(self, adapter: MastodonAdapter, tmp_path: Path) -> None:
        file = make_file(tmp_path)
        one, two, three = (adapter.upload_media(file) for _ in range(3))
        publish(adapter, "", media_ids=[one])
        published = publish(adapter, "", media_ids=[two, three])
        found = find(adapter, Part(0, "", (file, file)))
        assert found is not None
        assert found.platform_post_id == published.platform_post_id

    def test_looks_behind_the_first_page(self, adapter: MastodonAdapter) -> None:
        since = datetime.now(UTC)
        published = publish(adapter, "deep down")
        for number in range(41):
            publish(adapter, f"later {number}")
        found = find(adapter, Part(0, "deep down"), since=since)
        assert found is not None
        assert found.platform_post_id == published.platform_post_id

    def test_never_takes_half_a_look_for_a_no(self, adapter: MastodonAdapter, sandbox: Sandbox) -> None:
        publish(adapter, "hello")
        for kind in ("drop_after", "garbage", "html"):
            fail(sandbox, kind, "GET /api/v1/accounts/{id}/statuses")
            with pytest.raises(Unavailable):
                find(adapter, Part(0, "hello"))


class TestReading:
    def test_knows_the_account(self, adapter: MastodonAdapter, base_url: str, handle: str) -> None:
        publish(adapter)
        profile = adapter.fetch_profile()
        assert (profile.handle, profile.url) == (handle, f"{base_url}/@{handle}")
        metrics = adapter.fetch_account_metrics()
        assert metrics["posts"] == 1
        assert {"followers", "following"} < set(metrics)

    def test_knows_the_instance(self, adapter: MastodonAdapter) -> None:
        capabilities = adapter.fetch_capabilities()
        assert (capabilities["max_characters"], capabilities["url_characters"]) == (500, 23)
        assert check_parts([Part(0, "x" * 501)], AccountFacts(capabilities))

    def test_reads_metrics_by_id(self, adapter: MastodonAdapter) -> None:
        ids = [publish(adapter, f"post {number}").platform_post_id for number in range(21)]
        publish(adapter, "a reply", reply_to=ids[0])
        posts = {post.platform_post_id: post for post in adapter.fetch_posts([*ids, "12345", ids[0]])}
        assert set(posts) == set(ids)
        assert posts[ids[0]].metrics["replies"] == 1
        assert set(posts[ids[0]].metrics) == {"likes", "reposts", "replies", "quotes"}

    def test_reads_as_many_recent_posts_as_asked(self, adapter: MastodonAdapter) -> None:
        for number in range(3):
            publish(adapter, f"post {number}")
        assert [post.text for post in adapter.fetch_recent_posts(limit=2)] == ["post 2", "post 1"]
        newest = adapter.fetch_recent_posts(limit=1)[0]
        assert adapter.fetch_recent_posts(since=newest.created_at) == [newest]


class TestDeletePost:
    def test_takes_it_away_once_and_for_all(self, adapter: MastodonAdapter, sandbox: Sandbox, handle: str) -> None:
        published = publish(adapter)
        adapter.delete_post(published.platform_post_id)
        adapter.delete_post(published.platform_post_id)
        assert list_posts(sandbox, handle) == []
        assert adapter.fetch_posts([published.platform_post_id]) == []

    def test_never_takes_a_strange_404_for_done(self, adapter: MastodonAdapter, sandbox: Sandbox) -> None:
        published = publish(adapter)
        fail(sandbox, "status", "DELETE /api/v1/statuses/{id}", status=403)
        with pytest.raises(Rejected):
            adapter.delete_post(published.platform_post_id)
        assert [post.text for post in adapter.fetch_recent_posts()] == ["hello"]
