"""The adapter against Bluesky's own server, which nobody here wrote (`npm install @atproto/pds`, PSN_TEST_PDS names the folder)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from psn.errors import NeedsReconnect
from psn.media.probe import read_facts
from psn.oauth.spec import PasswordSpec, Token
from psn.platforms.base import Adapter, MediaFile, Part, Prepared, Published
from psn.platforms.registry import get_platform
from tests import media_files
from tests.psn.platforms.bluesky.real_server import Person, make_person, running_server, why_not

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not() or "it can run")
PLATFORM = get_platform("bluesky")


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def ana(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    """Somebody with an account there."""
    with running_server(tmp_path_factory.mktemp("pds")) as base_url:
        yield make_person(base_url, "ana")


def sign_in(person: Person) -> Token:
    assert isinstance(PLATFORM.sign_in, PasswordSpec)
    return PLATFORM.sign_in.open_session(
        person.base_url, identifier=person.handle, password=person.app_password, now=now()
    )


@pytest.fixture
def adapter(ana: Person) -> Iterator[Adapter]:
    """Her account, connected."""
    made = PLATFORM.connect(ana.base_url, sign_in(ana).access_token, 30, ana.did)
    yield made
    made.close()


def publish(adapter: Adapter, part: Part, *, reply_to: str | None = None) -> tuple[Published, Prepared]:
    media_ids = [adapter.upload_media(media) for media in part.media]
    prepared = adapter.prepare_post(part, media_ids=media_ids, reply_to=reply_to, former="")
    made = adapter.create_post(part, media_ids=media_ids, reply_to=reply_to, prepared=prepared, send_before=None)
    return made, prepared


def a_file(path: Path, mime_type: str) -> MediaFile:
    return MediaFile(path, mime_type, path.stat().st_size, "What it shows", read_facts(path, mime_type))


class TestASession:
    def test_is_renewed_and_the_old_refresh_token_gives_the_same_successor(self, ana: Person) -> None:
        token, sign = sign_in(ana), PLATFORM.sign_in
        assert isinstance(sign, PasswordSpec)
        first, second = (sign.renew_session(ana.base_url, token=token, now=now()) for _ in range(2))
        assert first.refresh_token == second.refresh_token != token.refresh_token

    def test_needs_a_password_made_for_apps(self, ana: Person) -> None:
        assert isinstance(PLATFORM.sign_in, PasswordSpec)
        for password, code in (("main-password", "bluesky.main_password"), ("wrong", "bluesky.wrong_password")):
            with pytest.raises(NeedsReconnect) as refused:
                PLATFORM.sign_in.open_session(ana.base_url, identifier=ana.handle, password=password, now=now())
            assert refused.value.error_code == code


class TestAPost:
    def test_is_made_once_however_often_the_same_call_is_made(self, adapter: Adapter) -> None:
        part = Part(0, "Hello, #spring is here: https://example.com/a?b=1")
        made, prepared = publish(adapter, part)
        again = adapter.prepare_post(part, media_ids=[], reply_to=None, former=prepared.reference)
        repeated = adapter.create_post(part, media_ids=[], reply_to=None, prepared=again, send_before=None)
        assert repeated.platform_post_id == made.platform_post_id
        assert [post.text for post in adapter.fetch_recent_posts(limit=5)].count(part.text) == 1

    def test_is_found_after_a_call_that_nobody_answered_and_absence_is_seen(self, adapter: Adapter) -> None:
        made, prepared = publish(adapter, Part(0, "Is it out?"))
        never = adapter.prepare_post(Part(0, "Never sent"), media_ids=[], reply_to=None, former="")
        found = [
            adapter.find_published(Part(0, "?"), reference=reference, since=now(), reply_to=None, known_ids=set())
            for reference in (prepared.reference, never.reference)
        ]
        assert [one and one.platform_post_id for one in found] == [made.platform_post_id, None]

    def test_replies_to_the_one_before_it(self, adapter: Adapter) -> None:
        first, _ = publish(adapter, Part(0, "One"))
        second, _ = publish(adapter, Part(1, "Two"), reply_to=first.platform_post_id)
        publish(adapter, Part(2, "Three"), reply_to=second.platform_post_id)
        newest = adapter.fetch_recent_posts(limit=3)
        assert [(post.text, post.in_reply_to) for post in newest] == [
            ("Three", second.platform_post_id),
            ("Two", first.platform_post_id),
            ("One", None),
        ]

    @pytest.mark.parametrize("kind", ["picture", "video", "card"])
    def test_carries_what_belongs_to_it(self, adapter: Adapter, kind: str) -> None:
        part = {
            "picture": Part(0, "A picture.", (a_file(media_files.jpeg(), "image/jpeg"),)),
            "video": Part(0, "A video.", (a_file(media_files.mp4(), "video/mp4"),)),
            "card": Part(0, "A card.", options={"link": "https://example.com", "title": "Title"}),
        }[kind]
        made, _ = publish(adapter, part)
        assert adapter.fetch_recent_posts(limit=1)[0].platform_post_id == made.platform_post_id

    def test_that_is_deleted_twice_is_gone(self, adapter: Adapter) -> None:
        made, _ = publish(adapter, Part(0, "Soon gone"))
        for _ in range(2):
            adapter.delete_post(made.platform_post_id)
        assert made.platform_post_id not in [post.platform_post_id for post in adapter.fetch_recent_posts(limit=10)]
