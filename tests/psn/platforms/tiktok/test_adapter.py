"""The adapter against the sandbox, over real HTTP (PLAT-4)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from psn.deadline import Deadline
from psn.errors import (
    CameToNothing,
    InvalidInput,
    NeedsReconnect,
    NotAllowed,
    PlatformError,
    QuotaSpent,
    RateLimited,
    Rejected,
    Unavailable,
    UnknownOutcome,
)
from psn.oauth import flow
from psn.oauth.unattended import approve_unattended
from psn.platforms.base import AccountFacts, MediaFile, Part, Prepared, Published
from psn.platforms.registry import get_platform
from psn.platforms.tiktok import PLATFORM
from psn.platforms.tiktok.adapter import TikTokAdapter
from psn.platforms.tiktok.oauth import OAUTH
from tests.psn.platforms.tiktok.accounts import APP, SECRET, exchange, grant, read_posts
from tests.psn.platforms.tiktok.parts import DIRECT, JPEG, PIECE, PUBLIC, make_photo, make_video, photo_part, video_part
from tests.sandbox.files import make_png
from tests.sandbox.process import WEB, Sandbox

LAST_PIECE = "PUT /upload/video/"
PHOTOS = "POST /v2/post/publish/content/init/"
STATUS = "POST /v2/post/publish/status/fetch/"


def publish(adapter: TikTokAdapter, part: Part) -> Published:
    """Publish a part in all its steps."""
    return send(adapter, part, prepare(adapter, part))


def prepare(adapter: TikTokAdapter, part: Part) -> Prepared:
    return adapter.prepare_post(part, media_ids=addresses_of(adapter, part), reply_to=None, former="")


def send(adapter: TikTokAdapter, part: Part, prepared: Prepared, *, send_before: Deadline | None = None) -> Published:
    media_ids = addresses_of(adapter, part)
    return adapter.create_post(part, media_ids=media_ids, reply_to=None, prepared=prepared, send_before=send_before)


def addresses_of(adapter: TikTokAdapter, part: Part) -> list[str]:
    return [adapter.upload_media(media) for media in part.media]


def look(adapter: TikTokAdapter, part: Part, reference: str, **options: Any) -> Published | None:
    given = {"since": datetime.now(UTC) - timedelta(minutes=1), "reply_to": None, "known_ids": (), **options}
    return adapter.find_published(part, reference=reference, **given)


def order(sandbox: Sandbox, kind: str, match: str, **options: Any) -> None:
    sandbox.fail(kind, match, platform="tiktok", **options)


def store(sandbox: Sandbox, path: Path, content: bytes, *, mime_type: str = "image/jpeg") -> MediaFile:
    """Put a photo where the sandbox's TikTok can fetch it."""
    url = f"{sandbox.url}/_storage/{path.parent.name}-{path.name}"
    WEB.put(url, content=content).raise_for_status()
    return make_photo(path, public_url=url, mime_type=mime_type)


@pytest.fixture
def video(tmp_path: Path) -> MediaFile:
    return make_video(tmp_path / "a.mp4")


@pytest.fixture
def photo(sandbox: Sandbox, tmp_path: Path) -> MediaFile:
    return store(sandbox, tmp_path / "a.jpg", JPEG)


class TestConnect:
    def test_says_who_it_is_and_what_it_may_do(self, adapter: TikTokAdapter, sandbox: Sandbox, handle: str) -> None:
        profile = adapter.fetch_profile()
        assert (profile.handle, profile.url) == (handle, f"{sandbox.base('tiktok')}/@{handle}")
        assert profile.platform_account_id.startswith("-000")
        able = adapter.fetch_capabilities()
        assert able["privacy_level_options"] == ["PUBLIC_TO_EVERYONE", "MUTUAL_FOLLOW_FRIENDS", "SELF_ONLY"]
        assert able["max_video_post_duration_sec"] == 600

    def test_is_content_with_drafts_only(
        self, sandbox: Sandbox, connect: Callable[..., TikTokAdapter], handle: str, video: MediaFile
    ) -> None:
        adapter = connect(grant(sandbox, handle, "user.info.basic", "video.upload").access_token)
        assert adapter.fetch_profile().handle == handle.title(), "the name, as TikTok keeps the handle to itself"
        assert adapter.fetch_capabilities() == {}
        assert publish(adapter, video_part(video)).delivered
        with pytest.raises(NeedsReconnect) as caught:
            publish(adapter, video_part(video, **DIRECT))
        assert caught.value.error_code == "tiktok.no_scope"

    def test_refuses_to_talk_in_the_clear(self) -> None:
        with pytest.raises(InvalidInput):
            get_platform("tiktok").connect("http://api.example.com", "token")

    def test_gives_up_when_it_is_told_to(self, sandbox: Sandbox, handle: str, video: MediaFile) -> None:
        adapter = PLATFORM.connect(sandbox.base("tiktok"), grant(sandbox, handle).access_token, 0.3)
        part = video_part(video)
        prepared = adapter.prepare_post(part, media_ids=["a.mp4"], reply_to=None, former="")
        order(sandbox, "latency", LAST_PIECE, seconds=1)
        with pytest.raises(UnknownOutcome):
            adapter.create_post(part, media_ids=["a.mp4"], reply_to=None, prepared=prepared, send_before=None)
        adapter.close()

    def test_asks_for_a_person_when_the_token_is_not_known(self, connect: Callable[..., TikTokAdapter]) -> None:
        with pytest.raises(NeedsReconnect) as caught:
            connect("no-such-token").fetch_profile()
        assert caught.value.request_id

    def test_shows_no_token(self, adapter: TikTokAdapter) -> None:
        assert adapter._http._token not in repr(adapter)

    def test_goes_on_with_a_refreshed_token_and_not_with_the_spent_one(
        self, sandbox: Sandbox, connect: Callable[..., TikTokAdapter], handle: str
    ) -> None:
        old = grant(sandbox, handle)
        assert old.refresh_expires_at is not None
        assert old.refresh_expires_at - old.obtained_at == timedelta(days=180)
        assert "video.publish" in old.scopes
        options = {"api_base_url": sandbox.base("tiktok"), "client_id": APP, "client_secret": SECRET}
        new = flow.refresh_token(OAUTH, token=old, now=datetime.now(UTC), **options)  # type: ignore[arg-type]
        assert connect(new.access_token).fetch_profile().handle == handle
        for token in (old.access_token,):
            with pytest.raises(NeedsReconnect):
                connect(token).fetch_profile()
        with pytest.raises(NeedsReconnect):
            flow.refresh_token(OAUTH, token=old, now=datetime.now(UTC), **options)  # type: ignore[arg-type]

    def test_is_gone_once_the_grant_is_given_back(
        self, sandbox: Sandbox, connect: Callable[..., TikTokAdapter], handle: str
    ) -> None:
        token = grant(sandbox, handle)
        options = {"api_base_url": sandbox.base("tiktok"), "client_id": APP, "client_secret": SECRET}
        for _ in range(2):
            flow.revoke_token(OAUTH, token=token, now=datetime.now(UTC), **options)
        with pytest.raises(NeedsReconnect):
            connect(token.access_token).fetch_profile()

    def test_hears_a_no(self, sandbox: Sandbox, handle: str) -> None:
        started = flow.start_authorization(OAUTH, web_base_url=sandbox.base("tiktok"), client_id=APP)
        with pytest.raises(NotAllowed):
            flow.read_redirect(approve_unattended(started, handle=handle, decision="deny"), state=started.state)

    def test_gets_nothing_for_a_stolen_code(self, sandbox: Sandbox, handle: str) -> None:
        started = flow.start_authorization(OAUTH, web_base_url=sandbox.base("tiktok"), client_id=APP)
        code = flow.read_redirect(approve_unattended(started, handle=handle), state=started.state)
        with pytest.raises(NeedsReconnect):
            exchange(sandbox, code=code, code_verifier="another-verifier-" + "x" * 40)

    def test_asks_as_tiktok_wants_to_be_asked(self) -> None:
        url = flow.start_authorization(OAUTH, web_base_url=PLATFORM.web_base_url, client_id="key").url
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert url.startswith("https://www.tiktok.com/v2/auth/authorize/?")
        assert query["client_key"] == "key"
        assert query["scope"] == "user.info.basic,video.upload,video.publish,video.list,user.info.stats"
        assert (len(query["code_challenge"]), query["code_challenge_method"]) == (64, "S256")


class TestVideo:
    def test_becomes_a_draft_in_the_inbox(
        self, adapter: TikTokAdapter, sandbox: Sandbox, handle: str, video: MediaFile
    ) -> None:
        prepared = prepare(adapter, video_part(video))
        assert read_posts(sandbox, handle) == [], "nothing is there before the last piece"
        published = send(adapter, video_part(video), prepared)
        assert (published.platform_post_id, published.url) == (prepared.reference, "")
        assert published.delivered
        assert (published.http_status, bool(published.request_id)) == (200, True)
        assert [post["kind"] for post in read_posts(sandbox, handle)] == ["inbox"]

    def test_goes_out_directly(self, adapter: TikTokAdapter, sandbox: Sandbox, handle: str, video: MediaFile) -> None:
        published = publish(adapter, video_part(video, "hello #you", comments="yes", **PUBLIC))
        assert not published.delivered
        assert published.platform_post_id.startswith("v_pub_file"), (
            "TikTok names the post only after looking it through"
        )
        (post,) = read_posts(sandbox, handle)
        assert (post["kind"], post["text"]) == ("video", "hello #you")

    def test_arrives_whole_in_pieces(
        self, adapter: TikTokAdapter, sandbox: Sandbox, handle: str, tmp_path: Path
    ) -> None:
        video = make_video(tmp_path / "big.mp4", size_bytes=2 * PIECE + 1234)
        publish(adapter, video_part(video))
        (post,) = read_posts(sandbox, handle)
        media: Any = post["media"]
        assert WEB.get(media[0]["url"]).content == video.path.read_bytes()

    @pytest.mark.parametrize(
        ("options", "code"), [({"visibility": "FOLLOWER_OF_CREATOR"}, "option.not_possible"), ({}, "option.missing")]
    )
    def test_is_held_against_the_creators_choices_at_the_last_moment(
        self,
        adapter: TikTokAdapter,
        sandbox: Sandbox,
        handle: str,
        video: MediaFile,
        options: dict[str, str],
        code: str,
    ) -> None:
        with pytest.raises(Rejected) as caught:
            prepare(adapter, video_part(video, format="direct", **options))
        assert caught.value.error_code == code
        calls = [
            call["path"] for call in sandbox.ask("calls", platform="tiktok", limit="5") if call["handle"] == handle
        ]
        assert calls == ["/v2/post/publish/creator_info/query/", "/v2/auth/authorize/"]

    @pytest.mark.parametrize(
        ("prefix", "kind", "code"),
        [("banned", Rejected, "tiktok.banned"), ("unaudited", Rejected, "tiktok.unaudited")],
    )
    def test_is_refused_to_some(
        self, sandbox: Sandbox, connect: Callable[..., TikTokAdapter], handle: str, video: MediaFile,
        prefix: str, kind: type[PlatformError], code: str,
    ) -> None:  # fmt: skip
        adapter = connect(grant(sandbox, f"{prefix}.{handle}").access_token)
        assert adapter.fetch_profile().name
        with pytest.raises(kind) as caught:
            prepare(adapter, video_part(video, **PUBLIC))
        assert caught.value.error_code == code

    def test_has_room_for_fifteen_a_day(self, hasty: TikTokAdapter, sandbox: Sandbox, video: MediaFile) -> None:
        for number in range(15):
            if number % 5 == 4:
                sandbox.move_clock(61)  # six are opened a minute
            with pytest.raises(UnknownOutcome):
                publish(hasty, video_part(video, f"number {number}", **DIRECT))
        with pytest.raises(QuotaSpent) as caught:
            prepare(hasty, video_part(video, **DIRECT))
        assert (caught.value.error_code, caught.value.http_status) == ("tiktok.too_many_posts", 200)
        assert hasty.fetch_profile().handle, "which is no reason not to know who it is"

    def test_has_room_for_five_drafts(self, adapter: TikTokAdapter, video: MediaFile) -> None:
        for _ in range(5):
            assert publish(adapter, video_part(video)).delivered
        with pytest.raises(QuotaSpent) as caught:
            prepare(adapter, video_part(video))
        assert caught.value.error_code == "tiktok.too_many_drafts"

    def test_waits_when_it_is_opened_too_often(self, adapter: TikTokAdapter, video: MediaFile) -> None:
        for _ in range(6):
            prepare(adapter, video_part(video))
        with pytest.raises(RateLimited) as caught:
            prepare(adapter, video_part(video))
        assert timedelta(seconds=50) < caught.value.retry_at - datetime.now(UTC) <= timedelta(seconds=60)

    def test_comes_to_nothing_when_it_is_none(
        self, adapter: TikTokAdapter, sandbox: Sandbox, handle: str, tmp_path: Path
    ) -> None:
        path = tmp_path / "a.mp4"
        path.write_bytes(b"not a video at all" * 100)
        with pytest.raises(CameToNothing) as caught:
            publish(adapter, video_part(MediaFile(path, "video/mp4", 1800)))
        assert (caught.value.error_code, read_posts(sandbox, handle)) == ("tiktok.file_format", [])

    def test_is_opened_anew_when_it_is_sent_again(
        self, adapter: TikTokAdapter, sandbox: Sandbox, handle: str, video: MediaFile
    ) -> None:
        part = video_part(video)
        former = prepare(adapter, part).reference
        again = adapter.prepare_post(part, media_ids=[""], reply_to=None, former=former)
        assert again.reference != former
        assert send(adapter, part, again).platform_post_id == again.reference
        assert len(read_posts(sandbox, handle)) == 1
        assert look(adapter, part, former) is None

    def test_sends_nothing_after_the_deadline(
        self, adapter: TikTokAdapter, sandbox: Sandbox, handle: str, video: MediaFile
    ) -> None:
        prepared = prepare(adapter, video_part(video))
        with pytest.raises(Unavailable):
            send(adapter, video_part(video), prepared, send_before=Deadline(-1))
        assert read_posts(sandbox, handle) == []

    def test_gives_up_an_upload_that_has_grown_old(
        self, adapter: TikTokAdapter, sandbox: Sandbox, video: MediaFile
    ) -> None:
        prepared = prepare(adapter, video_part(video))
        sandbox.move_clock(3601)
        with pytest.raises(Unavailable) as caught:
            send(adapter, video_part(video), prepared)
        assert caught.value.error_code == "tiktok.upload_closed"


class TestPhotos:
    def test_become_a_draft_with_their_words(
        self, adapter: TikTokAdapter, sandbox: Sandbox, handle: str, photo: MediaFile
    ) -> None:
        published = publish(adapter, photo_part(photo, photo, text="what it is", title="Look"))
        assert (published.delivered, published.url) == (True, "")
        (post,) = read_posts(sandbox, handle)
        media: Any = post["media"]
        assert (post["kind"], post["text"], len(media)) == ("inbox", "Look\nwhat it is", 2)

    def test_go_out_directly(self, adapter: TikTokAdapter, sandbox: Sandbox, handle: str, photo: MediaFile) -> None:
        assert not publish(adapter, photo_part(photo, text="hi", **PUBLIC)).delivered
        assert [post["kind"] for post in read_posts(sandbox, handle)] == ["photos"]

    def test_need_an_address(self, adapter: TikTokAdapter, tmp_path: Path) -> None:
        with pytest.raises(Rejected) as caught:
            adapter.upload_media(make_photo(tmp_path / "a.jpg"))
        assert caught.value.error_code == "media.no_public_url"

    def test_need_an_address_of_their_own(self, adapter: TikTokAdapter, tmp_path: Path) -> None:
        with pytest.raises(Rejected) as caught:
            publish(adapter, photo_part(make_photo(tmp_path / "a.jpg", public_url="https://example.com/a.jpg")))
        assert caught.value.error_code == "tiktok.url_unverified"

    def test_that_cannot_be_fetched_may_go_well_another_time(
        self, adapter: TikTokAdapter, sandbox: Sandbox, handle: str, tmp_path: Path
    ) -> None:
        gone = make_photo(tmp_path / "a.jpg", public_url=f"{sandbox.url}/_storage/gone")
        with pytest.raises(Unavailable) as caught:
            publish(adapter, photo_part(gone))
        assert (caught.value.error_code, read_posts(sandbox, handle)) == ("tiktok.pull_failed", [])

    def test_of_another_kind_come_to_nothing(self, adapter: TikTokAdapter, sandbox: Sandbox, tmp_path: Path) -> None:
        with pytest.raises(CameToNothing) as caught:
            publish(adapter, photo_part(store(sandbox, tmp_path / "a.png", make_png())))
        assert caught.value.error_code == "tiktok.file_format"


class TestShape:
    @pytest.mark.parametrize(
        ("part", "reply_to"),
        [
            (Part(0, "only words"), None),
            (video_part(), "7411111111111111111"),
            (Part(1, "a comment", kind="comment"), "7411111111111111111"),
            (Part(0, "", (video_part().media[0], photo_part().media[0])), None),
        ],
    )
    def test_is_one_that_tiktok_has(self, adapter: TikTokAdapter, part: Part, reply_to: str | None) -> None:
        with pytest.raises(Rejected):
            adapter.prepare_post(part, media_ids=[], reply_to=reply_to, former="")


class TestLostAnswers:
    """PUB-6: what became of a call that nobody answered."""

    def test_to_the_last_piece_are_settled_by_its_publish_id(
        self, adapter: TikTokAdapter, sandbox: Sandbox, handle: str, video: MediaFile
    ) -> None:
        part = video_part(video)
        prepared = prepare(adapter, part)
        order(sandbox, "drop_after", LAST_PIECE)
        with pytest.raises(UnknownOutcome):
            send(adapter, part, prepared)
        sandbox.move_clock(1)
        found = look(adapter, part, prepared.reference)
        assert found is not None
        assert (found.platform_post_id, found.delivered) == (prepared.reference, True)
        assert len(read_posts(sandbox, handle)) == 1

    def test_to_a_piece_that_never_came_are_settled_too(
        self, adapter: TikTokAdapter, sandbox: Sandbox, handle: str, tmp_path: Path
    ) -> None:
        part = video_part(make_video(tmp_path / "a.mp4", size_bytes=2 * PIECE))
        prepared = prepare(adapter, part)
        order(sandbox, "drop_before", LAST_PIECE)
        with pytest.raises(UnknownOutcome):
            send(adapter, part, prepared)
        assert look(adapter, part, prepared.reference) is None
        assert read_posts(sandbox, handle) == []

    @pytest.mark.parametrize("status", [500, 503, 408])
    def test_from_a_server_in_trouble_are_unknown(
        self, adapter: TikTokAdapter, sandbox: Sandbox, video: MediaFile, status: int
    ) -> None:
        part = video_part(video)
        prepared = prepare(adapter, part)
        order(sandbox, "status", LAST_PIECE, status=status)
        with pytest.raises(UnknownOutcome):
            send(adapter, part, prepared)
        assert look(adapter, part, prepared.reference) is None

    def test_while_it_is_worked_on_are_neither(self, hasty: TikTokAdapter, sandbox: Sandbox, video: MediaFile) -> None:
        part = video_part(video, **PUBLIC)
        prepared = prepare(hasty, part)
        order(sandbox, "slow_processing", LAST_PIECE, seconds=300)
        with pytest.raises(UnknownOutcome) as caught:
            send(hasty, part, prepared)
        assert (caught.value.error_code, caught.value.reference) == ("tiktok.processing", prepared.reference)
        with pytest.raises(Unavailable):
            look(hasty, part, prepared.reference)
        sandbox.move_clock(301)
        found = look(hasty, part, prepared.reference)
        assert found is not None
        assert found.platform_post_id.isdigit(), "by now it is looked through"
        assert found.url == f"{sandbox.base('tiktok')}/@{hasty.fetch_profile().handle}/video/{found.platform_post_id}"
        assert PLATFORM.read_post_url(found.url) == found.platform_post_id

    def test_to_what_failed_later_say_so(self, hasty: TikTokAdapter, sandbox: Sandbox, video: MediaFile) -> None:
        part = video_part(video)
        prepared = prepare(hasty, part)
        order(sandbox, "fail_processing", LAST_PIECE)
        with pytest.raises((UnknownOutcome, CameToNothing)):
            send(hasty, part, prepared)
        sandbox.move_clock(1)
        with pytest.raises(CameToNothing):
            look(hasty, part, prepared.reference)

    def test_to_photos_that_failed_for_a_while_are_as_if_they_never_were(
        self, hasty: TikTokAdapter, sandbox: Sandbox, tmp_path: Path
    ) -> None:
        part = photo_part(make_photo(tmp_path / "a.jpg", public_url=f"{sandbox.url}/_storage/gone"))
        with pytest.raises(UnknownOutcome) as caught:
            publish(hasty, part)
        sandbox.move_clock(1)
        assert look(hasty, part, caught.value.reference) is None

    def test_to_photos_are_settled_when_their_id_is_known(
        self, hasty: TikTokAdapter, sandbox: Sandbox, photo: MediaFile
    ) -> None:
        part = photo_part(photo)
        with pytest.raises(UnknownOutcome) as caught:
            publish(hasty, part)
        sandbox.move_clock(1)
        found = look(hasty, part, caught.value.reference)
        assert found is not None
        assert found.delivered

    @pytest.mark.parametrize("options", [{}, DIRECT])
    def test_to_photos_that_nobody_can_see_are_for_a_person(
        self, adapter: TikTokAdapter, sandbox: Sandbox, photo: MediaFile, options: dict[str, str]
    ) -> None:
        part = photo_part(photo, text="did it land?", **options)
        order(sandbox, "drop_after", PHOTOS)
        with pytest.raises(UnknownOutcome) as caught:
            publish(adapter, part)
        assert caught.value.reference == ""
        sandbox.move_clock(60)
        with pytest.raises(UnknownOutcome) as caught:
            look(adapter, part, "")
        assert caught.value.error_code == "tiktok.cannot_tell"

    def test_to_public_photos_are_looked_for(self, adapter: TikTokAdapter, sandbox: Sandbox, photo: MediaFile) -> None:
        part = photo_part(photo, text="did it  land?\n", **PUBLIC)
        order(sandbox, "garbage", PHOTOS)
        with pytest.raises(UnknownOutcome):
            publish(adapter, part)
        with pytest.raises(Unavailable):
            look(adapter, part, "", since=datetime.now(UTC) + timedelta(days=1))
        sandbox.move_clock(2)
        found = look(adapter, part, "")
        assert found is not None
        assert found.platform_post_id.isdigit()
        with pytest.raises(Unavailable):
            look(adapter, part, "", known_ids={found.platform_post_id})
        with pytest.raises(Unavailable):
            look(adapter, photo_part(photo, text="something else", **PUBLIC), "")

    @pytest.mark.parametrize("kind", ["html", "huge", "redirect", "garbage"])
    def test_that_are_hostile_are_unknown_too(
        self, adapter: TikTokAdapter, sandbox: Sandbox, photo: MediaFile, kind: str
    ) -> None:
        order(sandbox, kind, PHOTOS)
        with pytest.raises(UnknownOutcome):
            publish(adapter, photo_part(photo))

    @pytest.mark.parametrize("status", [401, 403, 429, 503])
    def test_to_a_question_say_nothing_about_the_post(
        self, adapter: TikTokAdapter, sandbox: Sandbox, handle: str, video: MediaFile, status: int
    ) -> None:
        part = video_part(video)
        prepared = prepare(adapter, part)
        order(sandbox, "status", STATUS, status=status, times=1)
        assert send(adapter, part, prepared).delivered, "it is asked again"
        order(sandbox, "status", STATUS, status=status, times=1)
        with pytest.raises(PlatformError) as caught:
            look(adapter, part, prepared.reference)
        assert not isinstance(caught.value, CameToNothing)

    def test_to_every_question_leave_it_open(self, hasty: TikTokAdapter, sandbox: Sandbox, video: MediaFile) -> None:
        part = video_part(video)
        prepared = prepare(hasty, part)
        order(sandbox, "expired_token", STATUS)
        with pytest.raises(UnknownOutcome) as caught:
            send(hasty, part, prepared)
        assert caught.value.reference == prepared.reference

    @pytest.mark.parametrize("reference", ["v_pub_file~v2-1.7", "nonsense"])
    def test_with_an_unknown_id_are_no_evidence(self, adapter: TikTokAdapter, video: MediaFile, reference: str) -> None:
        with pytest.raises(Unavailable) as caught:
            look(adapter, video_part(video), reference)
        assert caught.value.error_code == "tiktok.unknown_publish_id"

    def test_of_somebody_else_are_no_evidence(
        self,
        adapter: TikTokAdapter,
        sandbox: Sandbox,
        connect: Callable[..., TikTokAdapter],
        handle: str,
        video: MediaFile,
    ) -> None:
        other = prepare(connect(grant(sandbox, f"{handle}.b").access_token), video_part(video)).reference
        with pytest.raises(Unavailable):
            look(adapter, video_part(video), other)


class TestReading:
    def test_gives_a_public_post_under_the_id_that_psn_knows(
        self, adapter: TikTokAdapter, sandbox: Sandbox, handle: str, video: MediaFile
    ) -> None:
        publish_id = publish(adapter, video_part(video, "hello", **PUBLIC)).platform_post_id
        sandbox.move_clock(3600)
        (post,) = adapter.fetch_posts([publish_id])
        assert (post.platform_post_id, post.text) == (publish_id, "hello")
        assert set(post.metrics) == {"views", "likes", "comments", "shares"}
        assert post.metrics["views"] > 0
        public_id = PLATFORM.read_post_url(post.url)
        (same,) = adapter.fetch_posts([public_id])
        assert (same.platform_post_id, same.url) == (public_id, post.url)
        assert [one.platform_post_id for one in adapter.fetch_recent_posts()] == [public_id]
        assert WEB.get(post.url).status_code == 200

    def test_knows_nothing_of_what_is_not_public(
        self, adapter: TikTokAdapter, sandbox: Sandbox, video: MediaFile
    ) -> None:
        ids = [publish(adapter, video_part(video, **options)).platform_post_id for options in ({}, DIRECT)]
        sandbox.move_clock(3600)
        assert adapter.fetch_posts([*ids, "7411111111111111111", "v_pub_file~v2-1.7"]) == []
        assert adapter.fetch_recent_posts() == []
        assert adapter.fetch_posts([]) == []

    def test_turns_pages_until_the_instant(
        self, adapter: TikTokAdapter, sandbox: Sandbox, video: MediaFile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("psn.platforms.tiktok.wire.MAX_IDS", 2)
        for number in range(5):
            publish(adapter, video_part(video, f"number {number}", **PUBLIC))
            sandbox.move_clock(100)
        everything = adapter.fetch_recent_posts(limit=9)
        assert [post.text for post in everything] == [f"number {number}" for number in (4, 3, 2, 1, 0)]
        assert len(adapter.fetch_recent_posts(limit=3)) == 3
        assert len(adapter.fetch_recent_posts(since=everything[2].created_at, limit=9)) == 3
        assert len(adapter.fetch_posts([post.platform_post_id for post in everything])) == 5

    def test_counts_the_account(self, adapter: TikTokAdapter, sandbox: Sandbox, video: MediaFile) -> None:
        publish(adapter, video_part(video, **PUBLIC))
        sandbox.move_clock(10)
        counts = adapter.fetch_account_metrics()
        assert set(counts) == {"followers", "following", "likes", "posts"}
        assert counts["posts"] == 1

    def test_is_unavailable_when_the_server_gives_up(self, adapter: TikTokAdapter, sandbox: Sandbox) -> None:
        order(sandbox, "status", "POST /v2/video/query/", status=503)
        with pytest.raises(Unavailable):
            adapter.fetch_posts(["7411111111111111111"])

    def test_finds_a_post_without_its_address(self, hasty: TikTokAdapter, sandbox: Sandbox, video: MediaFile) -> None:
        part = video_part(video, **PUBLIC)
        with pytest.raises(UnknownOutcome) as caught:
            publish(hasty, part)
        sandbox.move_clock(5)
        order(sandbox, "status", "POST /v2/video/query/", status=503)
        found = look(hasty, part, caught.value.reference)
        assert found is not None
        assert (found.platform_post_id.isdigit(), found.url) == (True, "")


class TestDelete:
    def test_is_for_a_person(self, adapter: TikTokAdapter) -> None:
        with pytest.raises(Rejected) as caught:
            adapter.delete_post("7411111111111111111")
        assert caught.value.error_code == "tiktok.no_delete"


class TestCapabilities:
    def test_are_what_the_rules_read(self, adapter: TikTokAdapter, video: MediaFile) -> None:
        account = AccountFacts(capabilities=adapter.fetch_capabilities())
        findings = PLATFORM.check_parts([video_part(video, format="direct", visibility="FOLLOWER_OF_CREATOR")], account)
        assert [finding.code for finding in findings] == ["option.not_possible"]
