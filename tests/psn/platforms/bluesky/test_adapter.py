"""The adapter against the sandbox, over real HTTP (PLAT-4)."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from psn.deadline import Deadline
from psn.errors import InvalidInput, NeedsReconnect, RateLimited, Rejected, Unavailable, UnknownOutcome
from psn.media.facts import MediaFacts
from psn.platforms.base import MediaFile, Part
from psn.platforms.bluesky import PLATFORM
from psn.platforms.bluesky.adapter import BlueskyAdapter
from psn.platforms.bluesky.addresses import parse_uri
from psn.platforms.bluesky.records import Draft
from psn.platforms.bluesky.upload import PIECE_BYTES
from psn.platforms.registry import get_platform
from tests.psn.platforms.bluesky.accounts import describe, grant, make_image, publish, read_records, sign_in_spec
from tests.sandbox.process import REPOSITORY, WEB, Sandbox

PUT = "POST /xrpc/com.atproto.repo.putRecord"
SINCE = datetime(2026, 1, 1, tzinfo=UTC)
Connect = Callable[..., BlueskyAdapter]


def fail(sandbox: Sandbox, kind: str, match: str = PUT, **order: Any) -> None:
    sandbox.fail(kind, match, platform="bluesky", **order)


def find(adapter: BlueskyAdapter, part: Part, reference: str, **given: Any) -> Any:
    given = {"since": SINCE, "reply_to": None, "known_ids": (), **given}
    return adapter.find_published(part, reference=reference, **given)


def prepare(adapter: BlueskyAdapter, part: Part, *, former: str = "") -> str:
    return adapter.prepare_post(part, media_ids=[], reply_to=None, former=former).reference


def make_mp4(folder: Path, *, size_bytes: int = 5000) -> Path:
    head = struct.pack(">I", 24) + b"ftypisom" + struct.pack(">I", 512) + b"isommp42"
    path = folder / "a.mp4"
    path.write_bytes(head + struct.pack(">I", size_bytes - 24) + b"mdat" + b"\0" * (size_bytes - 32))
    return path


class TestConnect:
    def test_is_offered_by_name(self, sandbox: Sandbox, handle: str) -> None:
        adapter = get_platform("bluesky").connect(sandbox.base("bluesky"), grant(sandbox, handle).access_token)
        published = publish(adapter)  # type: ignore[arg-type]
        assert WEB.get(published.url).status_code == 200
        adapter.close()

    def test_says_who_it_is(self, adapter: BlueskyAdapter, sandbox: Sandbox, handle: str) -> None:
        profile = adapter.fetch_profile()
        assert (profile.handle, profile.url) == (handle, f"{sandbox.base('bluesky')}/profile/{handle}")
        assert profile.platform_account_id.startswith("did:plc:")
        assert WEB.get(profile.url).status_code == 200

    def test_refuses_to_talk_in_the_clear(self) -> None:
        with pytest.raises(InvalidInput):
            PLATFORM.connect("http://pds.example.com", "token")

    def test_shows_posts_of_every_real_server_at_bsky_app(self) -> None:
        for base_url in ("https://bsky.social", "https://pds.example.com"):
            adapter = PLATFORM.connect(base_url, "token")
            assert adapter.web_base_url == "https://bsky.app"  # type: ignore[attr-defined]
            adapter.close()

    def test_counts_its_people(self, adapter: BlueskyAdapter) -> None:
        publish(adapter)
        counts = adapter.fetch_account_metrics()
        assert counts["posts"] == 1
        assert set(counts) == {"followers", "following", "posts"}
        assert adapter.fetch_capabilities() == {}


class TestCreatePost:
    def test_makes_a_post(self, adapter: BlueskyAdapter, sandbox: Sandbox, handle: str) -> None:
        published = publish(adapter, "hello 👋")
        assert parse_uri(published.platform_post_id).repo == adapter.fetch_profile().platform_account_id
        assert published.url == f"{sandbox.base('bluesky')}/profile/{handle}/post/{published.platform_post_id[-13:]}"
        assert read_records(sandbox, handle)[0]["text"] == "hello 👋"

    def test_makes_links_mentions_and_tags_clickable(
        self, adapter: BlueskyAdapter, sandbox: Sandbox, handle: str
    ) -> None:
        grant(sandbox, "bo.example.com")
        published = publish(adapter, "é @bo.example.com @nobody.example.com https://example.com/a #tag")
        features = [facet["features"][0]["$type"][23:] for facet in read_records(sandbox, handle)[0]["facets"]]
        assert features == ["#mention", "#link", "#tag"]
        page = WEB.get(published.url).text
        assert 'href="https://example.com/a"' in page
        assert "did:plc:" in page

    def test_writes_the_same_record_again_without_a_second_post(
        self, adapter: BlueskyAdapter, connect: Connect, sandbox: Sandbox, handle: str
    ) -> None:
        reference = prepare(adapter, Part(0, "once"))
        first = publish(adapter, "once", former=reference)
        later = connect(grant(sandbox, handle).access_token, clock=lambda: datetime(2027, 1, 1, tzinfo=UTC))
        assert publish(later, "once", former=reference) == first
        assert len(read_records(sandbox, handle)) == 1

    def test_builds_a_record_once(self, adapter: BlueskyAdapter) -> None:
        reference = prepare(adapter, Part(0, "once"))
        assert prepare(adapter, Part(0, "once"), former=reference) == reference
        assert prepare(adapter, Part(0, "once")) != reference

    def test_writes_the_instant_it_is_told(self, connect: Connect, sandbox: Sandbox, handle: str) -> None:
        adapter = connect(grant(sandbox, handle).access_token, clock=lambda: datetime(2026, 12, 24, 18, tzinfo=UTC))
        publish(adapter)
        assert read_records(sandbox, handle)[0]["createdAt"] == "2026-12-24T18:00:00.000Z"

    def test_never_overwrites_what_lies_under_the_key(
        self, adapter: BlueskyAdapter, sandbox: Sandbox, handle: str
    ) -> None:
        reference = prepare(adapter, Part(0, "mine"))
        publish(adapter, "mine", former=reference)
        body = json.loads(reference)
        body["record"]["text"] = "other"
        with pytest.raises(Rejected) as caught:
            publish(adapter, "other", former=json.dumps(body))
        assert caught.value.error_code == "bluesky.key_taken"
        assert [record["text"] for record in read_records(sandbox, handle)] == ["mine"]

    def test_knows_its_own_record_in_another_form(self, adapter: BlueskyAdapter, sandbox: Sandbox, handle: str) -> None:
        reference = prepare(adapter, Part(0, "mine"))
        first = publish(adapter, "mine", former=reference)
        body = json.loads(reference)
        body["record"]["langs"] = ["en"]
        again = publish(adapter, "mine", former=json.dumps(body))
        assert again.platform_post_id == first.platform_post_id
        assert "langs" not in read_records(sandbox, handle)[0]

    def test_makes_one_call_and_nothing_around_it(self, adapter: BlueskyAdapter, sandbox: Sandbox, handle: str) -> None:
        part = Part(0, "one call")
        prepared = adapter.prepare_post(part, media_ids=[], reply_to=None, former="")
        before = sandbox.last_call()["id"]
        adapter.create_post(part, media_ids=[], reply_to=None, prepared=prepared, send_before=None)
        assert sandbox.last_call()["id"] == before + 1

    def test_sends_nothing_late(self, adapter: BlueskyAdapter, sandbox: Sandbox, handle: str) -> None:
        part = Part(0, "late")
        prepared = adapter.prepare_post(part, media_ids=[], reply_to=None, former="")
        with pytest.raises(Unavailable):
            adapter.create_post(part, media_ids=[], reply_to=None, prepared=prepared, send_before=Deadline(-1))
        assert read_records(sandbox, handle) == []

    def test_sends_nothing_without_a_record(self, adapter: BlueskyAdapter, sandbox: Sandbox, handle: str) -> None:
        prepared = replace(adapter.prepare_post(Part(0, "a"), media_ids=[], reply_to=None, former=""), reference="")
        with pytest.raises(Rejected):
            adapter.create_post(Part(0, "a"), media_ids=[], reply_to=None, prepared=prepared, send_before=None)
        assert read_records(sandbox, handle) == []

    def test_keeps_count_of_what_is_left(self, adapter: BlueskyAdapter) -> None:
        publish(adapter)
        limit = adapter.rate_limits["POST com.atproto.repo.putRecord"]
        assert 0 < limit.remaining < limit.limit


class TestThread:
    def test_names_its_first_and_its_last_post(self, adapter: BlueskyAdapter, sandbox: Sandbox, handle: str) -> None:
        ids: list[str] = []
        for index in range(3):
            published = publish(adapter, Part(index, f"part {index}"), reply_to=ids[-1] if ids else None)
            ids.append(published.platform_post_id)
        last = read_records(sandbox, handle)[0]
        assert (last["reply"]["root"]["uri"], last["reply"]["parent"]["uri"]) == (ids[0], ids[1])
        cids = {post["id"]: post["data"]["cid"] for post in sandbox.ask("posts", platform="bluesky", handle=handle)}
        assert (last["reply"]["root"]["cid"], last["reply"]["parent"]["cid"]) == (cids[ids[0]], cids[ids[1]])
        assert [post.in_reply_to for post in adapter.fetch_posts(ids)] == [None, *ids[:2]]

    def test_may_end_in_a_comment(self, adapter: BlueskyAdapter) -> None:
        first = publish(adapter)
        comment = publish(adapter, Part(1, "first comment", kind="comment"), reply_to=first.platform_post_id)
        assert adapter.fetch_posts([comment.platform_post_id])[0].in_reply_to == first.platform_post_id

    def test_does_not_go_on_below_a_post_that_is_gone(self, adapter: BlueskyAdapter) -> None:
        first = publish(adapter)
        adapter.delete_post(first.platform_post_id)
        with pytest.raises(Rejected) as caught:
            publish(adapter, Part(1, "more"), reply_to=first.platform_post_id)
        assert caught.value.error_code == "bluesky.parent_gone"


class TestMedia:
    def test_goes_with_its_words_and_its_shape(self, adapter: BlueskyAdapter, sandbox: Sandbox, handle: str) -> None:
        publish(adapter, Part(0, "", (make_image(0), make_image(1, alt_text=""))))
        images = read_records(sandbox, handle)[0]["embed"]["images"]
        assert [image["alt"] for image in images] == ["a gradient", ""]
        assert images[0]["aspectRatio"] == {"width": 120, "height": 80}

    def test_arrives_whole(self, adapter: BlueskyAdapter, sandbox: Sandbox, handle: str) -> None:
        image = make_image(2)
        publish(adapter, Part(0, "one", (image,)))
        shown = sandbox.ask("posts", platform="bluesky", handle=handle)[0]["media"][0]
        assert WEB.get(shown["url"]).content == image.path.read_bytes()

    def test_makes_a_gallery_of_ten(self, adapter: BlueskyAdapter, sandbox: Sandbox, handle: str) -> None:
        publish(adapter, Part(0, "ten", tuple(make_image(number) for number in range(10))))
        assert len(read_records(sandbox, handle)[0]["embed"]["items"]) == 10

    def test_may_be_a_video(self, adapter: BlueskyAdapter, sandbox: Sandbox, handle: str, tmp_path: Path) -> None:
        video = describe(make_mp4(tmp_path), "video/mp4", facts=MediaFacts(width=540, height=960), alt_text="it moves")
        publish(adapter, Part(0, "", (video,)))
        embed = read_records(sandbox, handle)[0]["embed"]
        assert (embed["$type"], embed["alt"]) == ("app.bsky.embed.video", "it moves")
        assert embed["video"]["size"] == video.size_bytes

    def test_may_be_on_a_card(self, adapter: BlueskyAdapter, sandbox: Sandbox, handle: str) -> None:
        options = {"link": "https://example.com/a", "title": "A title", "description": "More"}
        publish(adapter, Part(0, "read this", (make_image(),), options=options))
        card = read_records(sandbox, handle)[0]["embed"]["external"]
        assert (card["title"], card["thumb"]["mimeType"]) == ("A title", "image/jpeg")

    def test_is_the_same_when_it_is_sent_again(self, adapter: BlueskyAdapter) -> None:
        assert adapter.upload_media(make_image()) == adapter.upload_media(make_image())

    def test_is_sent_in_pieces(self, adapter: BlueskyAdapter, tmp_path: Path) -> None:
        path = make_mp4(tmp_path, size_bytes=3 * PIECE_BYTES + 7)
        assert json.loads(adapter.upload_media(describe(path, "video/mp4")))["size"] == path.stat().st_size

    @pytest.mark.parametrize(("mime_type", "size"), [("image/jpeg", 2_000_001), ("video/mp4", 50_000_001)])
    def test_is_not_sent_when_it_is_too_large(
        self, adapter: BlueskyAdapter, tmp_path: Path, mime_type: str, size: int
    ) -> None:
        path = tmp_path / "large"
        with path.open("wb") as file:
            file.truncate(size)
        with pytest.raises(Rejected) as caught:
            adapter.upload_media(describe(path, mime_type))
        assert caught.value.error_code == "media.too_large"
        assert adapter.rate_limits == {}

    def test_is_missed_when_it_is_not_there(self, adapter: BlueskyAdapter, tmp_path: Path) -> None:
        with pytest.raises(Rejected) as caught:
            adapter.upload_media(MediaFile(tmp_path / "gone.jpg", "image/jpeg", 10))
        assert caught.value.error_code == "media.unreadable"

    def test_is_uploaded_again_when_the_server_dropped_it(
        self, adapter: BlueskyAdapter, sandbox: Sandbox, handle: str
    ) -> None:
        part = Part(0, "image", (make_image(7),))
        prepared = adapter.prepare_post(part, media_ids=[adapter.upload_media(part.media[0])], reply_to=None, former="")
        sandbox.move_clock(3601)
        with pytest.raises(Unavailable) as caught:
            adapter.create_post(part, media_ids=[], reply_to=None, prepared=prepared, send_before=None)
        assert caught.value.error_code == "bluesky.blob_gone"
        publish(adapter, part, former=prepared.reference)
        assert len(read_records(sandbox, handle)) == 1


class TestDoubt:
    @pytest.mark.parametrize("kind", ["drop_after", "garbage"])
    def test_ends_when_the_post_is_found(
        self, adapter: BlueskyAdapter, sandbox: Sandbox, handle: str, kind: str
    ) -> None:
        part, reference = Part(0, "did it arrive?"), prepare(adapter, Part(0, "did it arrive?"))
        fail(sandbox, kind)
        with pytest.raises(UnknownOutcome):
            publish(adapter, part, former=reference)
        found = find(adapter, part, reference)
        assert found.platform_post_id.endswith(Draft.from_reference(reference).rkey)
        assert WEB.get(found.url).status_code == 200
        assert publish(adapter, part, former=reference).platform_post_id == found.platform_post_id
        assert len(read_records(sandbox, handle)) == 1

    @pytest.mark.parametrize(
        ("kind", "order"), [("drop_before", {}), ("status", {"status": 500}), ("status", {"status": 408})]
    )
    def test_ends_when_it_is_not_there(
        self, adapter: BlueskyAdapter, sandbox: Sandbox, handle: str, kind: str, order: Any
    ) -> None:
        part, reference = Part(0, "lost"), prepare(adapter, Part(0, "lost"))
        fail(sandbox, kind, **order)
        with pytest.raises(UnknownOutcome):
            publish(adapter, part, former=reference)
        assert find(adapter, part, reference) is None
        publish(adapter, part, former=reference)
        assert len(read_records(sandbox, handle)) == 1

    def test_sees_what_the_public_view_does_not_show_yet(self, adapter: BlueskyAdapter, sandbox: Sandbox) -> None:
        part, reference = Part(0, "hidden"), prepare(adapter, Part(0, "hidden"))
        fail(sandbox, "invisible", seconds=60)
        published = publish(adapter, part, former=reference)
        assert adapter.fetch_posts([published.platform_post_id]) == []
        assert find(adapter, part, reference) is not None

    def test_stays_when_nobody_could_be_asked(self, adapter: BlueskyAdapter, sandbox: Sandbox) -> None:
        part, reference = Part(0, "a"), prepare(adapter, Part(0, "a"))
        fail(sandbox, "status", "GET /xrpc/com.atproto.repo.getRecord", status=503)
        with pytest.raises(Unavailable):
            find(adapter, part, reference)

    def test_stays_when_there_is_nothing_to_ask_with(self, adapter: BlueskyAdapter) -> None:
        with pytest.raises(UnknownOutcome):
            find(adapter, Part(0, "a"), "")

    def test_stays_when_something_else_lies_there(self, adapter: BlueskyAdapter) -> None:
        reference = prepare(adapter, Part(0, "mine"))
        publish(adapter, "mine", former=reference)
        body = json.loads(reference)
        body["record"]["text"] = "other"
        with pytest.raises(UnknownOutcome):
            find(adapter, Part(0, "other"), json.dumps(body))

    def test_never_takes_another_part_s_post(self, adapter: BlueskyAdapter) -> None:
        reference = prepare(adapter, Part(0, "mine"))
        taken = publish(adapter, "mine", former=reference)
        assert find(adapter, Part(0, "mine"), reference, known_ids=[taken.platform_post_id]) is None

    def test_stays_when_the_server_does_not_say_what_lies_there(
        self, adapter: BlueskyAdapter, sandbox: Sandbox
    ) -> None:
        reference = prepare(adapter, Part(0, "mine"))
        publish(adapter, "mine", former=reference)
        body = json.loads(reference)
        body["record"]["langs"] = ["en"]
        fail(sandbox, "status", "GET /xrpc/com.atproto.repo.getRecord", status=503)
        with pytest.raises(UnknownOutcome):
            publish(adapter, "mine", former=json.dumps(body))


class TestRefusals:
    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            (400, Rejected),
            (401, NeedsReconnect),
            (403, Rejected),
            (413, Rejected),
            (429, RateLimited),
            (502, UnknownOutcome),
        ],
    )
    def test_are_told_apart(
        self, adapter: BlueskyAdapter, sandbox: Sandbox, handle: str, status: int, kind: type[Exception]
    ) -> None:
        fail(sandbox, "status", status=status, retry_after=90)
        with pytest.raises(kind) as caught:
            publish(adapter)
        assert type(caught.value) is kind
        if isinstance(caught.value, RateLimited):
            assert timedelta(seconds=80) < caught.value.retry_at - datetime.now(UTC) < timedelta(seconds=91)

    @pytest.mark.parametrize("kind", ["html", "redirect", "huge"])
    def test_are_nobody_s_when_somebody_in_between_speaks(
        self, adapter: BlueskyAdapter, sandbox: Sandbox, handle: str, kind: str
    ) -> None:
        reference = prepare(adapter, Part(0, "a"))
        fail(sandbox, kind)
        with pytest.raises(UnknownOutcome):
            publish(adapter, "a", former=reference)
        assert publish(adapter, "a", former=reference).platform_post_id
        assert len(read_records(sandbox, handle)) == 1

    def test_of_an_expired_session_come_before_the_commit(
        self, adapter: BlueskyAdapter, connect: Connect, sandbox: Sandbox, handle: str
    ) -> None:
        token = grant(sandbox, handle)
        sandbox.move_clock(2 * 3600 + 1)
        with pytest.raises(NeedsReconnect):
            publish(connect(token.access_token))
        assert sandbox.last_call()["path"].endswith("getSession")
        renewed = sign_in_spec().renew_session(sandbox.base("bluesky"), token=token, now=datetime.now(UTC))
        publish(connect(renewed.access_token))

    def test_of_an_unknown_token_ask_for_a_person(self, connect: Connect) -> None:
        with pytest.raises(NeedsReconnect):
            publish(connect("no-such-token"))


class TestDeclaration:
    def test_costs_nothing_to_read(self) -> None:
        program = "import sys, psn.platforms.bluesky; print({'httpx2', 'pydantic'} & set(sys.modules))"
        ran = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=REPOSITORY
        )
        assert ran.stdout.strip() == "set()"


class TestReading:
    def test_gives_the_newest_posts_first(self, adapter: BlueskyAdapter) -> None:
        ids = [publish(adapter, f"post {number}").platform_post_id for number in range(3)]
        recent = adapter.fetch_recent_posts(limit=2)
        assert [post.platform_post_id for post in recent] == ids[:0:-1]
        assert [post.text for post in recent] == ["post 2", "post 1"]

    def test_gives_posts_since_an_instant(self, connect: Connect, sandbox: Sandbox, handle: str) -> None:
        start, clock = datetime(2026, 12, 1, tzinfo=UTC), iter(range(100))
        adapter = connect(grant(sandbox, handle).access_token, clock=lambda: start + timedelta(minutes=next(clock)))
        for number in range(3):
            publish(adapter, f"post {number}")
        recent = adapter.fetch_recent_posts(since=start + timedelta(minutes=1))
        assert [post.text for post in recent] == ["post 2", "post 1"]

    def test_turns_pages(self, adapter: BlueskyAdapter, monkeypatch: pytest.MonkeyPatch) -> None:
        for number in range(3):
            publish(adapter, f"post {number}")
        monkeypatch.setattr("psn.platforms.bluesky.wire.MAX_PAGE", 1)
        assert [post.text for post in adapter.fetch_recent_posts()] == ["post 2", "post 1", "post 0"]

    def test_counts_what_people_did(self, adapter: BlueskyAdapter, sandbox: Sandbox) -> None:
        published = publish(adapter)
        sandbox.move_clock(24 * 3600)
        metrics = adapter.fetch_posts([published.platform_post_id])[0].metrics
        assert set(metrics) == {"likes", "reposts", "replies", "quotes", "bookmarks"}
        assert metrics["likes"] > 0

    def test_reads_more_posts_than_one_call_gives(self, adapter: BlueskyAdapter) -> None:
        ids = [publish(adapter, f"post {number}").platform_post_id for number in range(3)]
        unknown = [f"{ids[0][:-13]}3aaaaaaaaa{number:03}".replace("0", "a").replace("1", "b") for number in range(40)]
        found = adapter.fetch_posts([*unknown, *ids, *ids])
        assert sorted(post.platform_post_id for post in found) == sorted(ids)

    def test_leaves_out_what_is_not_there(self, adapter: BlueskyAdapter) -> None:
        assert adapter.fetch_posts(["", "123", "at://nobody.example.com/app.bsky.feed.post/3n2qumhip5rpg"]) == []
        assert adapter.fetch_posts([]) == []

    def test_answers_under_the_id_that_a_person_pasted(self, adapter: BlueskyAdapter) -> None:
        published = publish(adapter)
        pasted = PLATFORM.read_post_url(published.url)
        assert pasted != published.platform_post_id
        assert [post.platform_post_id for post in adapter.fetch_posts([pasted])] == [pasted]


class TestDeletePost:
    def test_deletes_and_may_be_repeated(self, adapter: BlueskyAdapter, sandbox: Sandbox, handle: str) -> None:
        published = publish(adapter)
        for _ in range(2):
            adapter.delete_post(published.platform_post_id)
        assert read_records(sandbox, handle) == []
        assert adapter.fetch_recent_posts() == []

    def test_takes_a_pasted_address(self, adapter: BlueskyAdapter, sandbox: Sandbox, handle: str) -> None:
        adapter.delete_post(PLATFORM.read_post_url(publish(adapter).url))
        assert read_records(sandbox, handle) == []

    def test_never_touches_what_is_somebody_else_s(
        self, adapter: BlueskyAdapter, connect: Connect, sandbox: Sandbox, handle: str
    ) -> None:
        other = connect(grant(sandbox, "bo.example.com").access_token)
        published = publish(other)
        with pytest.raises(Rejected):
            adapter.delete_post(published.platform_post_id)
        assert other.fetch_posts([published.platform_post_id])

    @pytest.mark.parametrize("post_id", ["", "123", "at://nobody.example.com/app.bsky.feed.post/3n2qumhip5rpg"])
    def test_says_that_there_is_no_such_post(self, adapter: BlueskyAdapter, post_id: str) -> None:
        with pytest.raises(Rejected):
            adapter.delete_post(post_id)
