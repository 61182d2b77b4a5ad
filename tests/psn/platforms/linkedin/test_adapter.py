"""The adapter against the sandbox, over real HTTP (PLAT-4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
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
    RateLimited,
    Rejected,
    Unavailable,
    UnknownOutcome,
)
from psn.oauth import flow
from psn.oauth.unattended import approve_unattended
from psn.platforms.base import NOTHING_KNOWN, MediaFile, Part, PartKind, Published
from psn.platforms.linkedin import PLATFORM
from psn.platforms.linkedin.adapter import LinkedInAdapter
from psn.platforms.linkedin.addresses import read_created_at
from psn.platforms.linkedin.oauth import OAUTH
from psn.platforms.linkedin.rules import check_parts
from tests.psn.platforms.linkedin import files
from tests.psn.platforms.linkedin.accounts import (
    APP,
    PAGE_SCOPES,
    SECRET,
    SHARED_PAGE,
    VETTED_SCOPES,
    count_posts,
    exchange,
    find_own_page,
    grant,
)
from tests.sandbox.process import WEB, Sandbox

POSTS = "POST /rest/posts"
Connect = Callable[..., LinkedInAdapter]


def publish(
    adapter: LinkedInAdapter,
    text: str = "hello",
    *,
    media: Sequence[MediaFile] = (),
    options: Mapping[str, str] | None = None,
    kind: PartKind = "post",
    reply_to: str | None = None,
    former: str = "",
    send_before: Deadline | None = None,
) -> Published:
    """Walk a part through all of its steps."""
    part = Part(0 if kind == "post" else 1, text, tuple(media), kind, options or {})
    media_ids = [adapter.upload_media(one) for one in media]
    prepared = adapter.prepare_post(part, media_ids=media_ids, reply_to=reply_to, former=former)
    return adapter.create_post(part, media_ids=media_ids, reply_to=reply_to, prepared=prepared, send_before=send_before)


def shown(sandbox: Sandbox, handle: str) -> dict[str, Any]:
    """Give the newest post that people see of an account."""
    post: dict[str, Any] = sandbox.ask("posts", platform="linkedin", handle=handle, limit="1")[0]
    return post


def find(adapter: LinkedInAdapter, text: str, **given: Any) -> Published | None:
    """Look for a part that was sent just now."""
    part = given.pop("part", Part(0, text))
    wanted = {"reference": "1", "since": datetime.now(UTC) - timedelta(minutes=1), "reply_to": None, "known_ids": ()}
    return adapter.find_published(part, **{**wanted, **given})


class TestConnect:
    def test_says_who_the_member_is(self, adapter: LinkedInAdapter, handle: str) -> None:
        profile = adapter.fetch_profile()
        assert profile.platform_account_id.startswith("urn:li:person:")
        assert (profile.handle, profile.name) == (handle, handle.title())

    def test_says_what_the_page_is_called(self, page: LinkedInAdapter, sandbox: Sandbox, handle: str) -> None:
        profile = page.fetch_profile()
        assert profile.platform_account_id.startswith("urn:li:organization:")
        assert (profile.handle, profile.url) == (
            f"{handle}-works",
            f"{sandbox.base('linkedin')}/company/{handle}-works",
        )
        assert WEB.get(profile.url).status_code == 200

    def test_refuses_a_page_that_somebody_else_administers(
        self, sandbox: Sandbox, connect: Connect, handle: str
    ) -> None:
        stranger = find_own_page(sandbox, grant(sandbox, f"{handle}x", scopes=PAGE_SCOPES))
        mine = connect(grant(sandbox, handle, scopes=PAGE_SCOPES).access_token, account_id=stranger)
        with pytest.raises(Rejected, match="does not administer") as refused:
            mine.fetch_profile()
        assert refused.value.error_code == "linkedin.not_administrator"
        assert SHARED_PAGE in refused.value.message

    def test_cannot_ask_for_pages_without_the_scopes(self, sandbox: Sandbox, connect: Connect, handle: str) -> None:
        with pytest.raises(Rejected) as refused:
            connect(grant(sandbox, handle).access_token, account_id=SHARED_PAGE).fetch_profile()
        assert refused.value.error_code == "linkedin.access_denied"

    @pytest.mark.parametrize("account_id", ["urn:li:company:1", "1", "urn:li:organization:1/../2", "urn:li:person:"])
    def test_takes_no_other_names_for_an_account(self, account_id: str) -> None:
        with pytest.raises(InvalidInput):
            PLATFORM.connect("https://api.linkedin.com", "token", None, account_id)

    def test_refuses_to_talk_in_the_clear(self) -> None:
        with pytest.raises(InvalidInput):
            PLATFORM.connect("http://api.linkedin.com", "token")

    def test_gives_up_when_it_is_told_to(self, sandbox: Sandbox, handle: str) -> None:
        adapter = PLATFORM.connect(sandbox.base("linkedin"), grant(sandbox, handle).access_token, 0.3)
        sandbox.fail("latency", POSTS, seconds=0.6, platform="linkedin")
        with pytest.raises(UnknownOutcome):
            publish(adapter)  # type: ignore[arg-type]
        adapter.close()

    def test_asks_for_a_person_when_the_token_is_not_known(self, connect: Connect) -> None:
        with pytest.raises(NeedsReconnect):
            connect("no-such-token").fetch_profile()

    def test_shows_no_token(self, connect: Connect) -> None:
        assert "t0ken" not in repr(connect("t0ken"))


class TestSignIn:
    def test_gets_a_token_for_sixty_days_and_none_to_refresh_it(self, sandbox: Sandbox, handle: str) -> None:
        token = grant(sandbox, handle)
        assert token.access_expires_at is not None
        assert timedelta(days=59) < token.access_expires_at - token.obtained_at <= timedelta(days=60)
        assert (token.refresh_token, set(token.scopes)) == ("", set(OAUTH.scopes))
        with pytest.raises(NeedsReconnect):
            flow.refresh_token(
                OAUTH,
                api_base_url=sandbox.base("linkedin"),
                token_base_url=sandbox.base("linkedin"),
                client_id=APP,
                client_secret=SECRET,
                token=token,
                now=datetime.now(UTC),
            )

    def test_refreshes_for_a_partner_without_a_new_refresh_token(
        self, sandbox: Sandbox, connect: Connect, handle: str
    ) -> None:
        old = grant(sandbox, handle, app="psn-sandbox-partner")
        new = flow.refresh_token(
            OAUTH,
            api_base_url=sandbox.base("linkedin"),
            token_base_url=sandbox.base("linkedin"),
            client_id="psn-sandbox-partner",
            client_secret=SECRET,
            token=old,
            now=datetime.now(UTC),
        )
        assert new.refresh_token == old.refresh_token
        assert new.access_token != old.access_token
        assert connect(new.access_token).fetch_profile().handle == handle

    def test_ends_older_tokens_when_other_scopes_are_granted(
        self, sandbox: Sandbox, connect: Connect, handle: str
    ) -> None:
        old = connect(grant(sandbox, handle).access_token)
        grant(sandbox, handle, scopes=PAGE_SCOPES)
        with pytest.raises(NeedsReconnect):
            old.fetch_profile()

    def test_hears_a_no(self, sandbox: Sandbox, handle: str) -> None:
        started = flow.start_authorization(OAUTH, web_base_url=sandbox.base("linkedin"), client_id=APP)
        back = approve_unattended(started, handle=handle, decision="deny")
        with pytest.raises(NotAllowed):
            flow.read_redirect(back, state=started.state)

    def test_gets_nothing_for_a_spent_code(self, sandbox: Sandbox, handle: str) -> None:
        started = flow.start_authorization(OAUTH, web_base_url=sandbox.base("linkedin"), client_id=APP)
        code = flow.read_redirect(approve_unattended(started, handle=handle), state=started.state)
        exchange(sandbox, code=code, code_verifier="")
        with pytest.raises(NeedsReconnect):
            exchange(sandbox, code=code, code_verifier="")


class TestCreatePost:
    def test_makes_one_post_that_people_can_see(self, adapter: LinkedInAdapter, sandbox: Sandbox, handle: str) -> None:
        published = publish(adapter, "first light")
        assert published.http_status == 201
        assert published.request_id
        assert (count_posts(sandbox, handle), shown(sandbox, handle)["id"]) == (1, published.platform_post_id)
        assert "first light" in WEB.get(published.url).text
        assert PLATFORM.read_post_url(published.url) == published.platform_post_id

    @pytest.mark.parametrize(
        "text",
        [
            r"(a) [b] {c} <d> |e| @f #g *h* _i_ ~j~ \k",
            "unclosed ( and [ and {hashtag| stay",
            "#one #zwei_drei and C# and #4",
            "write to me@example.com \\(o_o)/",
            "日本語 🙂 👨‍👩‍👧 ﷽",
            "ends in a backslash \\",
        ],
    )
    def test_shows_readers_every_character_that_was_written(
        self, adapter: LinkedInAdapter, sandbox: Sandbox, handle: str, text: str
    ) -> None:
        publish(adapter, text)
        assert shown(sandbox, handle)["text"] == text

    def test_shows_a_mention_by_its_name(self, adapter: LinkedInAdapter, sandbox: Sandbox, handle: str) -> None:
        publish(adapter, "with @[Ann (Lee)](urn:li:organization:1)!")
        assert shown(sandbox, handle)["text"] == "with Ann (Lee)!"

    def test_fits_a_text_that_is_as_long_as_the_rules_allow(
        self, adapter: LinkedInAdapter, sandbox: Sandbox, handle: str
    ) -> None:
        text = "(" * 2998 + "🙂"
        assert check_parts([Part(0, text)], NOTHING_KNOWN) == []
        publish(adapter, text)
        assert shown(sandbox, handle)["text"] == text
        with pytest.raises(Rejected) as refused:
            publish(adapter, f"{text}!")
        assert refused.value.error_code == "linkedin.too_long"

    def test_limits_who_sees_it(self, adapter: LinkedInAdapter, sandbox: Sandbox, handle: str) -> None:
        publish(adapter, options={"visibility": "connections"})
        assert shown(sandbox, handle)["data"]["visibility"] == "CONNECTIONS"

    def test_posts_as_a_page(self, page: LinkedInAdapter, sandbox: Sandbox, handle: str) -> None:
        publish(page, "from the works")
        assert (count_posts(sandbox, handle), count_posts(sandbox, f"{handle}-works")) == (0, 1)

    def test_shows_an_article_with_its_card(
        self, adapter: LinkedInAdapter, sandbox: Sandbox, handle: str, tmp_path: Path
    ) -> None:
        options = {"link": "https://example.com/story?a=1&b=2", "title": "A story"}
        publish(adapter, "read this", options=options, media=[files.png(tmp_path, alt_text="its cover")])
        post = shown(sandbox, handle)
        assert (post["kind"], post["data"]["link"]["url"]) == ("article", options["link"])
        assert post["media"][0]["alt_text"] == "its cover"

    def test_sends_nothing_after_its_deadline(self, adapter: LinkedInAdapter, sandbox: Sandbox, handle: str) -> None:
        with pytest.raises(Unavailable):
            publish(adapter, send_before=Deadline(-1))
        assert count_posts(sandbox, handle) == 0

    @pytest.mark.parametrize("kind", ["drop_after", "html", "redirect", "huge"])
    def test_does_not_know_when_the_answer_is_lost(
        self, adapter: LinkedInAdapter, sandbox: Sandbox, handle: str, kind: str
    ) -> None:
        sandbox.fail(kind, POSTS, platform="linkedin")
        with pytest.raises(UnknownOutcome):
            publish(adapter)
        assert count_posts(sandbox, handle) == 1

    @pytest.mark.parametrize("status", [500, 503, 504, 408])
    def test_does_not_know_when_the_server_fails(self, adapter: LinkedInAdapter, sandbox: Sandbox, status: int) -> None:
        sandbox.fail("status", POSTS, status=status, platform="linkedin")
        with pytest.raises(UnknownOutcome):
            publish(adapter)

    def test_asks_for_a_new_token_when_it_ended(self, adapter: LinkedInAdapter, sandbox: Sandbox, handle: str) -> None:
        sandbox.fail("expired_token", POSTS, platform="linkedin")
        with pytest.raises(NeedsReconnect):
            publish(adapter)
        assert count_posts(sandbox, handle) == 0

    def test_waits_for_midnight_when_the_day_is_full(self, adapter: LinkedInAdapter, sandbox: Sandbox) -> None:
        sandbox.fail("status", POSTS, status=429, platform="linkedin")
        before = datetime.now(UTC)
        with pytest.raises(RateLimited) as limited:
            publish(adapter)
        midnights = [
            (at + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
            for at in (before, datetime.now(UTC))
        ]
        assert any(abs(limited.value.retry_at - midnight) < timedelta(seconds=5) for midnight in midnights)

    def test_says_which_setting_to_change_when_the_version_is_over(
        self, sandbox: Sandbox, connect: Connect, handle: str
    ) -> None:
        old = connect(grant(sandbox, handle).access_token, version="202501")
        with pytest.raises(Rejected, match="`version`") as refused:
            publish(old)
        assert refused.value.error_code == "linkedin.version_sunset"

    def test_names_the_version_of_its_settings(self, sandbox: Sandbox, handle: str) -> None:
        token = grant(sandbox, handle).access_token
        adapter = PLATFORM.connect(sandbox.base("linkedin"), token, settings={"version": "202511"})
        with pytest.raises(Rejected, match="202511 is not active"):
            publish(adapter)  # type: ignore[arg-type]
        adapter.close()


class TestRepeat:
    def test_is_refused_with_the_name_of_the_post_that_is_there(
        self, adapter: LinkedInAdapter, sandbox: Sandbox, handle: str
    ) -> None:
        sandbox.fail("drop_after", POSTS, platform="linkedin")
        with pytest.raises(UnknownOutcome):
            publish(adapter, "once (only)")
        with pytest.raises(Duplicate) as there:
            publish(adapter, "once (only)", former="1")
        assert there.value.platform_post_id == shown(sandbox, handle)["id"]
        assert "once (only)" in WEB.get(there.value.url).text
        assert count_posts(sandbox, handle) == 1

    def test_is_taken_when_the_first_call_never_arrived(
        self, adapter: LinkedInAdapter, sandbox: Sandbox, handle: str
    ) -> None:
        sandbox.fail("drop_before", POSTS, platform="linkedin")
        with pytest.raises(UnknownOutcome):
            publish(adapter)
        assert publish(adapter, former="1").platform_post_id == shown(sandbox, handle)["id"]
        assert count_posts(sandbox, handle) == 1

    def test_names_the_first_call_s_files_although_they_were_uploaded_again(
        self, adapter: LinkedInAdapter, sandbox: Sandbox, handle: str, tmp_path: Path
    ) -> None:
        image = files.png(tmp_path, alt_text="a")
        part = Part(0, "with a picture", (image,))
        first = adapter.prepare_post(part, media_ids=[adapter.upload_media(image)], reply_to=None, former="")
        sandbox.fail("drop_after", POSTS, platform="linkedin")
        with pytest.raises(UnknownOutcome):
            adapter.create_post(
                part, media_ids=first.reference.split()[1:], reply_to=None, prepared=first, send_before=None
            )
        with pytest.raises(Duplicate):
            publish(adapter, "with a picture", media=[image], former=first.reference)
        assert count_posts(sandbox, handle) == 1

    def test_makes_a_second_post_once_the_window_is_over(
        self, adapter: LinkedInAdapter, sandbox: Sandbox, handle: str
    ) -> None:
        assert PLATFORM.witness.repeat_within is not None
        publish(adapter)
        sandbox.move_clock(PLATFORM.witness.repeat_within.total_seconds())
        with pytest.raises(Duplicate):
            publish(adapter, former="1")
        sandbox.move_clock(61)
        publish(adapter, former="1")
        assert count_posts(sandbox, handle) == 2

    def test_keeps_off_a_comment_that_may_be_out(self, adapter: LinkedInAdapter, sandbox: Sandbox, handle: str) -> None:
        post = publish(adapter).platform_post_id
        with pytest.raises(UnknownOutcome, match="below the post"):
            publish(adapter, "first!", kind="comment", reply_to=post, former="1")
        assert count_posts(sandbox, handle) == 1

    def test_sends_anew_when_the_reference_does_not_fit(self, adapter: LinkedInAdapter, tmp_path: Path) -> None:
        part = Part(0, "x", (files.png(tmp_path),))
        for former in ("", "1", "7 urn:li:image:a", "1 urn:li:image:a urn:li:image:b"):
            prepared = adapter.prepare_post(part, media_ids=["urn:li:image:z"], reply_to=None, former=former)
            assert prepared.reference == "1 urn:li:image:z"


class TestComment:
    def test_stands_below_the_post_as_it_was_written(
        self, adapter: LinkedInAdapter, sandbox: Sandbox, handle: str
    ) -> None:
        post = publish(adapter).platform_post_id
        comment = publish(adapter, "more at https://example.com/(a)", kind="comment", reply_to=post)
        seen = shown(sandbox, handle)
        assert (seen["kind"], seen["text"]) == ("comment", "more at https://example.com/(a)")
        assert seen["id"] == comment.platform_post_id
        assert PLATFORM.read_post_url(comment.url) == comment.platform_post_id
        assert "more at" in WEB.get(comment.url, follow_redirects=True).text

    def test_is_made_by_the_page(self, page: LinkedInAdapter, sandbox: Sandbox, handle: str) -> None:
        post = publish(page).platform_post_id
        publish(page, "from us", kind="comment", reply_to=post)
        assert shown(sandbox, f"{handle}-works")["text"] == "from us"

    def test_is_not_sent_to_nothing(self, adapter: LinkedInAdapter) -> None:
        for nowhere in (None, "17", "urn:li:person:a"):
            with pytest.raises(Rejected):
                publish(adapter, "first!", kind="comment", reply_to=nowhere)

    @pytest.mark.parametrize("kind", ["drop_after", "redirect"])
    def test_may_be_out_when_the_answer_is_lost(self, adapter: LinkedInAdapter, sandbox: Sandbox, kind: str) -> None:
        post = publish(adapter).platform_post_id
        sandbox.fail(kind, "POST /rest/socialActions/{urn}/comments", platform="linkedin")
        with pytest.raises(UnknownOutcome):
            publish(adapter, "first!", kind="comment", reply_to=post)


class TestUpload:
    def test_carries_one_image_with_its_alt_text(
        self, adapter: LinkedInAdapter, sandbox: Sandbox, handle: str, tmp_path: Path
    ) -> None:
        image = files.png(tmp_path, alt_text="a red square")
        publish(adapter, "look", media=[image], options={"title": "Square"})
        (seen,) = shown(sandbox, handle)["media"]
        assert (seen["mime_type"], seen["alt_text"]) == ("image/png", "a red square")
        assert WEB.get(seen["url"]).content == image.path.read_bytes()

    def test_carries_several_images_in_order(
        self, adapter: LinkedInAdapter, sandbox: Sandbox, handle: str, tmp_path: Path
    ) -> None:
        images = [files.png(tmp_path, number=number, alt_text=f"no. {number}") for number in range(3)]
        publish(adapter, "", media=images)
        assert [one["alt_text"] for one in shown(sandbox, handle)["media"]] == ["no. 0", "no. 1", "no. 2"]

    def test_carries_a_gif(self, adapter: LinkedInAdapter, sandbox: Sandbox, handle: str, tmp_path: Path) -> None:
        publish(adapter, media=[files.gif(tmp_path)])
        assert shown(sandbox, handle)["media"][0]["mime_type"] == "image/gif"

    def test_carries_a_document_with_its_title(
        self, adapter: LinkedInAdapter, sandbox: Sandbox, handle: str, tmp_path: Path
    ) -> None:
        publish(adapter, media=[files.pdf(tmp_path)], options={"format": "document", "title": "Ten slides"})
        post = shown(sandbox, handle)
        assert (post["kind"], post["data"]["title"]) == ("document", "Ten slides")
        assert post["id"].startswith("urn:li:ugcPost:")

    def test_carries_a_video_in_parts(
        self, page: LinkedInAdapter, sandbox: Sandbox, handle: str, tmp_path: Path
    ) -> None:
        video = files.mp4(tmp_path, size_bytes=9 * 1024 * 1024 + 1)
        publish(page, media=[video])
        (seen,) = shown(sandbox, f"{handle}-works")["media"]
        assert WEB.get(seen["url"]).content == video.path.read_bytes()
        parts = [call for call in sandbox.ask("calls", limit="20") if call["path"].startswith("/dms-uploads/")]
        assert len(parts[:3]) == 3

    def test_waits_until_a_video_is_ready(
        self, sandbox: Sandbox, connect: Connect, handle: str, tmp_path: Path
    ) -> None:
        waits: list[float] = []

        def sleep(seconds: float) -> None:
            waits.append(seconds)
            sandbox.move_clock(seconds)

        sandbox.fail("slow_processing", "POST /rest/videos", seconds=20, times=None, platform="linkedin")
        adapter = connect(grant(sandbox, handle).access_token, sleep=sleep)
        adapter.upload_media(files.mp4(tmp_path))
        clear_faults(sandbox)
        assert waits == [0.5, 1, 2, 4, 8, 10]

    def test_gives_up_on_a_video_that_never_is(
        self, sandbox: Sandbox, connect: Connect, handle: str, tmp_path: Path
    ) -> None:
        sandbox.fail("slow_processing", "POST /rest/videos", seconds=600, times=None, platform="linkedin")
        adapter = connect(grant(sandbox, handle).access_token, sleep=sandbox.move_clock, processing_seconds=3)
        with pytest.raises(Unavailable) as late:
            adapter.upload_media(files.mp4(tmp_path))
        clear_faults(sandbox)
        assert late.value.error_code == "linkedin.media_not_ready"

    def test_says_that_a_video_is_broken(self, sandbox: Sandbox, connect: Connect, handle: str, tmp_path: Path) -> None:
        video = files.mp4(tmp_path)
        video.path.write_bytes(b"no film" * 100)
        adapter = connect(grant(sandbox, handle).access_token, sleep=sandbox.move_clock)
        with pytest.raises(Rejected) as broken:
            adapter.upload_media(video)
        assert broken.value.error_code == "linkedin.media_failed"

    def test_says_when_posting_that_an_image_is_broken(self, adapter: LinkedInAdapter, tmp_path: Path) -> None:
        image = files.png(tmp_path)
        image.path.write_bytes(b"no picture")
        with pytest.raises(Rejected) as broken:
            publish(adapter, media=[image])
        assert broken.value.error_code == "linkedin.media_failed"

    def test_may_post_a_file_later_that_is_not_ready_yet(
        self, adapter: LinkedInAdapter, sandbox: Sandbox, tmp_path: Path
    ) -> None:
        image = files.png(tmp_path)
        sandbox.fail("slow_processing", "PUT /dms-uploads/{secret}/whole", seconds=60, platform="linkedin")
        with pytest.raises(Unavailable) as early:
            publish(adapter, media=[image])
        assert early.value.error_code == "linkedin.media_not_ready"

    def test_says_that_a_file_is_gone(self, adapter: LinkedInAdapter, tmp_path: Path) -> None:
        for media in (files.png(tmp_path), files.mp4(tmp_path)):
            media.path.unlink()
            with pytest.raises(Rejected) as gone:
                adapter.upload_media(media)
            assert gone.value.error_code == "media.unreadable"

    def test_sends_no_file_that_linkedin_does_not_take(self, adapter: LinkedInAdapter, tmp_path: Path) -> None:
        with pytest.raises(Rejected):
            adapter.upload_media(replace(files.pdf(tmp_path), mime_type="application/zip"))

    def test_does_not_use_a_member_s_file_for_a_page(
        self, sandbox: Sandbox, connect: Connect, handle: str, tmp_path: Path
    ) -> None:
        token = grant(sandbox, handle, scopes=PAGE_SCOPES).access_token
        part = Part(0, "x", (files.png(tmp_path),))
        urn = connect(token).upload_media(part.media[0])
        page = connect(token, account_id=SHARED_PAGE)
        prepared = page.prepare_post(part, media_ids=[urn], reply_to=None, former="")
        with pytest.raises(Rejected) as refused:
            page.create_post(part, media_ids=[urn], reply_to=None, prepared=prepared, send_before=None)
        assert refused.value.error_code == "linkedin.invalid_reference"


class TestFindPublished:
    def test_cannot_look_for_a_member_s_post(self, adapter: LinkedInAdapter) -> None:
        publish(adapter)
        for look in (lambda: find(adapter, "hello"), adapter.fetch_recent_posts):
            with pytest.raises(Unavailable) as blind:
                look()
            assert blind.value.error_code == "linkedin.cannot_look"

    @pytest.mark.parametrize("text", ["plain", r"(a) #b_c *d* \e", "@[Ann](urn:li:organization:1) said", "a\n\n b "])
    def test_finds_a_page_s_post_by_its_text(self, page: LinkedInAdapter, text: str) -> None:
        published = publish(page, text)
        assert find(page, text) == Published(published.platform_post_id, published.url)
        assert find(page, f"not {text}") is None
        assert find(page, text, known_ids=[published.platform_post_id]) is None
        assert find(page, text, since=read_created_at(published.platform_post_id) + timedelta(minutes=1)) is None

    def test_finds_a_post_by_its_files(self, page: LinkedInAdapter, tmp_path: Path) -> None:
        part = Part(0, "", (files.png(tmp_path), files.png(tmp_path, number=1)))
        ids = [page.upload_media(media) for media in part.media]
        prepared = page.prepare_post(part, media_ids=ids, reply_to=None, former="")
        assert find(page, "", part=part, reference=prepared.reference) is None
        page.create_post(part, media_ids=ids, reply_to=None, prepared=prepared, send_before=None)
        assert find(page, "", part=part, reference=prepared.reference) is not None

    def test_finds_an_article(self, page: LinkedInAdapter) -> None:
        options = {"link": "https://example.com/a", "title": "A"}
        publish(page, "read", options=options)
        assert find(page, "", part=Part(0, "read", options=options)) is not None

    def test_does_not_find_what_the_page_does_not_show_yet(self, page: LinkedInAdapter, sandbox: Sandbox) -> None:
        sandbox.fail("invisible", POSTS, seconds=15, platform="linkedin")
        publish(page)
        assert find(page, "hello") is None
        sandbox.move_clock(PLATFORM.witness.looks[0].total_seconds())
        assert find(page, "hello") is not None

    def test_finds_a_page_s_comment(self, page: LinkedInAdapter) -> None:
        post = publish(page).platform_post_id
        part = Part(1, "first (!)", kind="comment")
        assert find(page, "", part=part, reply_to=post) is None
        comment = publish(page, "first (!)", kind="comment", reply_to=post)
        assert find(page, "", part=part, reply_to=post) == Published(comment.platform_post_id, comment.url)
        assert find(page, "", part=part, reply_to=post, known_ids=[comment.platform_post_id]) is None

    def test_does_not_find_a_comment_before_it_shows(self, page: LinkedInAdapter, sandbox: Sandbox) -> None:
        post, part = publish(page).platform_post_id, Part(1, "late", kind="comment")
        sandbox.fail("invisible", "POST /rest/socialActions/{urn}/comments", seconds=15, platform="linkedin")
        publish(page, "late", kind="comment", reply_to=post)
        assert find(page, "", part=part, reply_to=post) is None
        sandbox.move_clock(20)
        assert find(page, "", part=part, reply_to=post) is not None

    def test_cannot_look_below_nothing(self, page: LinkedInAdapter) -> None:
        with pytest.raises(Unavailable):
            find(page, "", part=Part(1, "x", kind="comment"), reply_to=None)

    def test_turns_pages_until_everything_was_seen(
        self, page: LinkedInAdapter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("psn.platforms.linkedin.wire.PAGE_SIZE", 2)
        first = publish(page, "no. 0")
        for number in range(1, 5):
            publish(page, f"no. {number}")
        assert find(page, "no. 0") == Published(first.platform_post_id, first.url)
        assert [post.text for post in page.fetch_recent_posts(limit=3)] == ["no. 4", "no. 3", "no. 2"]

    def test_turns_pages_as_far_back_as_clocks_may_differ(
        self, page: LinkedInAdapter, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("psn.platforms.linkedin.wire.PAGE_SIZE", 1)
        ours = publish(page, "ours").platform_post_id
        sandbox.move_clock(2)
        publish(page, "another")
        found = find(page, "ours", since=read_created_at(ours) + timedelta(seconds=5))
        assert found is not None
        assert found.platform_post_id == ours

    def test_does_not_take_less_than_everything_for_everything(
        self, page: LinkedInAdapter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("psn.platforms.linkedin.wire.PAGE_SIZE", 1)
        monkeypatch.setattr("psn.platforms.linkedin.adapter.MAX_PAGES", 2)
        for number in range(3):
            publish(page, f"no. {number}")
        with pytest.raises(Unavailable) as endless:
            find(page, "no. 0")
        assert endless.value.error_code == "linkedin.endless_pages"


class TestMetrics:
    def test_counts_a_vetted_member_s_posts(self, sandbox: Sandbox, connect: Connect, handle: str) -> None:
        adapter = connect(grant(sandbox, handle, scopes=VETTED_SCOPES).access_token)
        urn = publish(adapter).platform_post_id
        sandbox.move_clock(3600)
        (post,) = adapter.fetch_posts([urn, "urn:li:share:7141138937766391808", "urn:li:comment:(urn:li:share:1,2)"])
        assert set(post.metrics) == {
            "impressions",
            "reach",
            "likes",
            "comments",
            "reposts",
            "saves",
            "shares",
            "clicks",
        }
        assert post.metrics["impressions"] > post.metrics["reach"] > 0
        assert (post.platform_post_id, post.text) == (urn, "")

    def test_knows_no_numbers_without_the_scope_and_asks_once(
        self, adapter: LinkedInAdapter, sandbox: Sandbox, handle: str
    ) -> None:
        urns = [publish(adapter, f"no. {number}").platform_post_id for number in range(2)]
        before = sandbox.ask("calls", limit="1")[0]["id"]
        posts = adapter.fetch_posts(urns)
        assert [(post.platform_post_id, post.metrics) for post in posts] == [(urns[0], {}), (urns[1], {})]
        assert sandbox.ask("calls", limit="1")[0]["id"] == before + 1

    def test_leaves_out_what_an_older_version_does_not_know(
        self, sandbox: Sandbox, connect: Connect, handle: str
    ) -> None:
        adapter = connect(grant(sandbox, handle, scopes=VETTED_SCOPES).access_token, version="202601")
        urn = publish(adapter).platform_post_id
        (post,) = adapter.fetch_posts([urn])
        assert set(post.metrics) == {"impressions", "reach", "likes", "comments", "reposts"}

    def test_counts_a_page_s_posts(self, page: LinkedInAdapter, sandbox: Sandbox, tmp_path: Path) -> None:
        text = publish(page, "(one) #two").platform_post_id
        film = publish(page, "a film", media=[files.mp4(tmp_path)]).platform_post_id
        sandbox.move_clock(3600)
        posts = page.fetch_posts([film, text, "urn:li:share:7141138937766391808"])
        assert [(post.platform_post_id, post.text) for post in posts] == [(film, "a film"), (text, "(one) #two")]
        for post in posts:
            assert set(post.metrics) == {"impressions", "reach", "likes", "comments", "reposts", "clicks"}
            assert abs(post.created_at - read_created_at(post.platform_post_id)) < timedelta(seconds=1)

    def test_knows_no_numbers_of_a_post_that_nobody_saw(self, page: LinkedInAdapter) -> None:
        (post,) = page.fetch_posts([publish(page).platform_post_id])
        assert post.metrics == {}

    def test_counts_a_page_s_followers(self, page: LinkedInAdapter) -> None:
        assert page.fetch_account_metrics()["followers"] >= 100
        assert page.fetch_capabilities() == {}

    def test_asks_nothing_of_a_member(self, adapter: LinkedInAdapter) -> None:
        assert adapter.fetch_account_metrics() == {}


class TestDelete:
    def test_takes_a_post_away_and_does_not_mind_that_it_is_gone(
        self, adapter: LinkedInAdapter, sandbox: Sandbox, handle: str
    ) -> None:
        urn = publish(adapter).platform_post_id
        for _ in range(2):
            adapter.delete_post(urn)
        assert count_posts(sandbox, handle) == 0

    def test_takes_a_comment_away_and_does_not_mind_that_it_is_gone(
        self, adapter: LinkedInAdapter, sandbox: Sandbox, handle: str
    ) -> None:
        post = publish(adapter).platform_post_id
        comment = publish(adapter, "first!", kind="comment", reply_to=post).platform_post_id
        for _ in range(2):
            adapter.delete_post(comment)
        assert [one["kind"] for one in sandbox.ask("posts", platform="linkedin", handle=handle)] == ["post"]

    def test_does_not_take_somebody_else_s(
        self, sandbox: Sandbox, connect: Connect, adapter: LinkedInAdapter, handle: str
    ) -> None:
        urn = publish(adapter).platform_post_id
        with pytest.raises(Rejected) as refused:
            connect(grant(sandbox, f"{handle}x").access_token).delete_post(urn)
        assert refused.value.error_code == "linkedin.access_denied"
        assert count_posts(sandbox, handle) == 1


def clear_faults(sandbox: Sandbox) -> None:
    WEB.delete(f"{sandbox.url}/_sandbox/faults").raise_for_status()
