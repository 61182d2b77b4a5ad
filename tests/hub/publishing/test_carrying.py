"""Media travel through a hub that is not on this computer, and nobody's wrong bytes go out (POST-4, HUB-11)."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
import tracemalloc
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as in_force
from django.db import connections, transaction

from hub.actions import posts
from hub.actions.drafts import DraftPart, build_rows, hash_rows, read_media, save_rows
from hub.models import Account, MediaChunk, Post, PostMedia
from hub.publishing import carrying, claims, walk
from hub.publishing.content import hash_content, load_parts, media_path
from psn.config.workspace import Workspace
from psn.errors import InvalidInput, Rejected
from psn.platforms.base import MediaFile
from tests.factories import OWNER, People, make_account
from tests.hub.models.states import WAY_TO, move
from tests.hub.publishing.stage import aside, attempts_of, lawless, live, look, ring, sent, worker_login
from tests.hub.publishing.test_content import picture
from tests.sandbox.process import Sandbox

MIB = 1024**2
NOW = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.fixture(autouse=True)
def remote(settings: Any) -> None:
    """Have the hub be one that any computer may work for."""
    settings.HUB = replace(settings.HUB, provider="url")


@contextmanager
def elsewhere(folder: Path) -> Iterator[Path]:
    """Be at another computer, with a workspace of its own."""
    before = in_force.WORKSPACE
    in_force.WORKSPACE = Workspace(folder / "elsewhere")
    shutil.copytree(before.config, in_force.WORKSPACE.config)
    try:
        yield in_force.WORKSPACE.root
    finally:
        in_force.WORKSPACE = before


def save_draft(account: Account, *files: Path, mime_type: str = "video/mp4") -> Post:
    """Save a draft with files, whatever a platform thinks of them."""
    media = tuple(MediaFile(path=file, mime_type=mime_type, size_bytes=file.stat().st_size) for file in files)
    with transaction.atomic():
        post = Post(user_id=account.user_id, account=account, scheduled_at=NOW, due_at=NOW)
        stored = build_rows(post, [DraftPart("Look", media)], copy_media=True)
        post.content_hash = hash_rows(post, stored)
        save_rows(post, stored)
    return post


def make_file(folder: Path, *, size_bytes: int, name: str = "a.mp4") -> Path:
    (folder / name).write_bytes(os.urandom(size_bytes))
    return folder / name


def approve_picture(account: Account, folder: Path) -> Post:
    """Make a post with a picture, approved and due."""
    (folder / "pixel.png").write_bytes(picture(colour=int(uuid.uuid4()) % 256))
    part = DraftPart(text="Look", media=(read_media(str(folder / "pixel.png"), alt_text="A pixel"),))
    post, _ = posts.create_post(account=str(account.id), parts=[part], at=datetime.now(UTC), approve=True)
    return look(post)


def item_of(post: Post) -> PostMedia:
    return PostMedia.objects.using(OWNER).get(part__post_id=post.id)


def pieces_of(item: PostMedia) -> list[MediaChunk]:
    return list(MediaChunk.objects.using(OWNER).filter(sha256=item.sha256).order_by("uploaded_by_id", "index"))


def smuggle(item: PostMedia, content: bytes, *, uploader: uuid.UUID, days_ago: int = 1000) -> None:
    """Store bytes under a file's hash, as a member with a client of his own may do."""
    with lawless() as database:
        for index, start in enumerate(range(0, len(content), MIB)):
            database.execute(
                "INSERT INTO media_chunks (id, user_id, uploaded_by_id, sha256, index, content, created_at)"
                " VALUES (gen_random_uuid(), %s, %s, %s, %s, %s, now() - make_interval(days => %s))",
                [item.user_id, uploader, item.sha256, index, content[start : start + MIB], days_ago],
            )


class TestADraft:
    def test_takes_its_files_along_in_pieces(self, hub: People, tmp_path: Path) -> None:
        file = make_file(tmp_path, size_bytes=2 * MIB + 7)
        pieces = pieces_of(item_of(save_draft(make_account(hub.me, using="default"), file)))
        assert [len(piece.content) for piece in pieces] == [MIB, MIB, 7]
        assert b"".join(bytes(piece.content) for piece in pieces) == file.read_bytes()
        assert {piece.uploaded_by_id for piece in pieces} == {hub.me.id}

    def test_of_a_local_hub_stores_nothing_but_its_rows(self, hub: People, settings: Any, tmp_path: Path) -> None:
        settings.HUB = replace(settings.HUB, provider="local")
        save_draft(make_account(hub.me, using="default"), make_file(tmp_path, size_bytes=10))
        assert MediaChunk.objects.using(OWNER).count() == 0

    def test_stores_a_file_once_however_often_it_is_used(self, hub: People, tmp_path: Path) -> None:
        file, account = make_file(tmp_path, size_bytes=MIB + 1), make_account(hub.me, using="default")
        item = item_of(save_draft(account, file))
        first = pieces_of(item)
        save_draft(account, file, file)
        assert [piece.id for piece in pieces_of(item)] == [piece.id for piece in first]

    def test_that_comes_to_nothing_leaves_no_piece_behind(self, hub: People, tmp_path: Path) -> None:
        account = make_account(hub.me, using="default")
        file = make_file(tmp_path, size_bytes=10)
        with transaction.atomic():
            save_draft(account, file)
            assert MediaChunk.objects.count() == 1
            transaction.set_rollback(True)
        assert (Post.objects.using(OWNER).count(), MediaChunk.objects.using(OWNER).count()) == (0, 0)

    def test_that_is_rehearsed_sends_no_byte(self, account: Account, tmp_path: Path) -> None:
        (tmp_path / "a.png").write_bytes(picture(colour=3))
        part = DraftPart(text="Look", media=(read_media(str(tmp_path / "a.png")),))
        posts.create_post(account=str(account.id), parts=[part], at=None, approve=True, dry_run=True)
        assert MediaChunk.objects.using(OWNER).count() == 0

    def test_with_a_file_that_the_hub_cannot_carry_is_refused_before_anything_is_copied(
        self, hub: People, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(carrying, "MAX_BYTES", 2 * MIB)
        file = make_file(tmp_path, size_bytes=2 * MIB + 1)
        with pytest.raises(InvalidInput) as refusal:
            save_draft(make_account(hub.me, using="default"), file)
        assert refusal.value.error_code == "media.too_large_to_carry"
        assert "object storage" in refusal.value.message
        assert not list(workspace.rglob(f"{hashlib.sha256(file.read_bytes()).hexdigest()}*"))

    def test_whose_file_changes_while_it_is_stored_is_refused(self, hub: People, tmp_path: Path) -> None:
        post = save_draft(make_account(hub.me, using="default"), make_file(tmp_path, size_bytes=10))
        item = item_of(post)
        MediaChunk.objects.using(OWNER).all().delete()
        media_path(item).write_bytes(b"otherwise.")
        with pytest.raises(InvalidInput) as refusal, transaction.atomic():
            carrying.put(item)
        assert (refusal.value.error_code, MediaChunk.objects.using(OWNER).count()) == ("media.changed", 0)

    def test_has_its_progress_told_after_every_piece(self, hub: People, tmp_path: Path) -> None:
        said: list[tuple[int, int]] = []
        with carrying.telling(lambda _, done, of: said.append((done, of))):
            save_draft(make_account(hub.me, using="default"), make_file(tmp_path, size_bytes=2 * MIB + 7))
        assert said == [(MIB, 2 * MIB + 7), (2 * MIB, 2 * MIB + 7), (2 * MIB + 7, 2 * MIB + 7)]

    def test_cannot_fill_the_hub(self, hub: People, tmp_path: Path) -> None:
        item = item_of(save_draft(make_account(hub.me, using="default"), make_file(tmp_path, size_bytes=10)))
        with lawless() as database:
            database.execute(
                "INSERT INTO media_chunks (id, user_id, uploaded_by_id, sha256, index, content, created_at)"
                " SELECT gen_random_uuid(), %s, %s, encode(sha256(n::text::bytea), 'hex'), 0, 'x', now() FROM generate_series(1, 1023) n",
                [item.user_id, hub.me.id],
            )
        with pytest.raises(InvalidInput) as refusal:
            save_draft(make_account(hub.me, using="default"), make_file(tmp_path, size_bytes=10, name="b.mp4"))
        assert refusal.value.error_code == "media.hub_full"


class TestAWorkerElsewhere:
    def test_publishes_what_was_approved(self, account: Account, sandbox: Sandbox, tmp_path: Path) -> None:
        post = approve_picture(account, tmp_path)
        content = media_path(item_of(post)).read_bytes()
        with worker_login(), elsewhere(tmp_path) as root:
            after = ring(post)
            assert (root / item_of(post).path).read_bytes() == content
            assert [path.name for path in (root / "content" / "media").iterdir()] == [Path(item_of(post).path).name]
        assert (after.status, after.error_message) == ("published", "")
        assert [len(remote["media"]) for remote in live(sandbox)] == [1]

    def test_asks_the_hub_once(self, hub: People, tmp_path: Path) -> None:
        post = save_draft(make_account(hub.me, using="default"), make_file(tmp_path, size_bytes=10))
        with elsewhere(tmp_path):
            carrying.bring(post)
            MediaChunk.objects.using(OWNER).all().delete()
            carrying.bring(post)
            assert len(media_path(item_of(post)).read_bytes()) == 10

    def test_mends_its_own_copy(self, account: Account, sandbox: Sandbox, tmp_path: Path) -> None:
        post = approve_picture(account, tmp_path)
        with worker_login(), elsewhere(tmp_path):
            copy = media_path(item_of(post))
            copy.parent.mkdir(parents=True)
            copy.write_bytes(b"damaged")
            assert ring(post).status == "published"

    def test_sends_nothing_when_a_piece_is_missing(self, account: Account, sandbox: Sandbox, tmp_path: Path) -> None:
        post = approve_picture(account, tmp_path)
        MediaChunk.objects.using(OWNER).all().delete()
        with worker_login(), elsewhere(tmp_path):
            after = ring(post)
        assert (after.status, after.error_code, sent(sandbox)) == ("failed", "media.missing", [])
        assert "attach it again" in after.error_message

    def test_keeps_its_claim_while_a_file_takes_longer_than_the_lease(
        self, account: Account, sandbox: Sandbox, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.LEASE = timedelta(seconds=0.6)
        monkeypatch.setattr(claims, "RENEW_SECONDS", 0.1)
        monkeypatch.setattr(walk, "MARGIN_SECONDS", 0.1)
        post = approve_picture(account, tmp_path)
        with worker_login(), elsewhere(tmp_path), carrying.telling(lambda *_: time.sleep(1.5)):
            after = ring(post)
        assert (after.status, after.fence, len(sent(sandbox))) == ("published", 1, 1)

    def test_holds_one_piece_in_memory_at_a_time(self, hub: People, tmp_path: Path) -> None:
        file, account = make_file(tmp_path, size_bytes=40 * MIB), make_account(hub.me, using="default")
        tracemalloc.start()
        try:
            post = save_draft(account, file)
            with elsewhere(tmp_path):
                carrying.bring(post)
                assert media_path(item_of(post)).stat().st_size == 40 * MIB
            assert tracemalloc.get_traced_memory()[1] < 12 * MIB
        finally:
            tracemalloc.stop()

    def test_leaves_a_clear_word_when_its_disk_takes_nothing(
        self, account: Account, sandbox: Sandbox, tmp_path: Path
    ) -> None:
        post = approve_picture(account, tmp_path)
        with worker_login(), elsewhere(tmp_path) as root:
            (root / "content").write_text("a file where the folder should be")
            after = ring(post)
        assert (after.status, after.error_code, sent(sandbox)) == ("scheduled", "media.no_room", [])


class TestWrongBytesUnderAHash:
    def test_do_not_stand_in_the_way_of_the_right_ones(self, hub: People, tmp_path: Path) -> None:
        """Somebody who knows the hash ahead stores his own bytes under it, and the author's come after."""
        file, account = make_file(tmp_path, size_bytes=MIB + 10), make_account(hub.me, using="default")
        probe = PostMedia(user_id=hub.me.id, sha256=hashlib.sha256(file.read_bytes()).hexdigest())
        smuggle(probe, os.urandom(MIB + 10), uploader=hub.other.id)
        post = save_draft(account, file)
        read: list[int] = []
        with elsewhere(tmp_path), carrying.telling(lambda _, done, __: read.append(done)):
            carrying.bring(post)
            assert media_path(item_of(post)).read_bytes() == file.read_bytes()
        assert read == [MIB, MIB + 10]  # the author's own come first

    def test_are_passed_over_for_somebody_else_s_right_ones(self, hub: People, tmp_path: Path) -> None:
        file = make_file(tmp_path, size_bytes=10)
        post = save_draft(make_account(hub.me, using="default"), file)
        item = item_of(post)
        MediaChunk.objects.using(OWNER).all().delete()
        smuggle(item, b"0123456789", uploader=hub.me.id)
        smuggle(item, file.read_bytes(), uploader=hub.other.id)
        with elsewhere(tmp_path):
            carrying.bring(post)
            assert media_path(item).read_bytes() == file.read_bytes()

    def test_are_never_sent_nor_kept(self, account: Account, sandbox: Sandbox, tmp_path: Path) -> None:
        post = approve_picture(account, tmp_path)
        item = item_of(post)
        MediaChunk.objects.using(OWNER).all().delete()
        smuggle(item, b"x" * item.size_bytes, uploader=item.user_id)
        with worker_login(), elsewhere(tmp_path) as root:
            after = ring(post)
            assert not list((root / "content" / "media").iterdir())
        assert (after.status, after.error_code, sent(sandbox)) == ("failed", "media.changed", [])

    @pytest.mark.parametrize("content", [b"", b"012345678", b"01234567890"], ids=["none", "too few", "too many"])
    def test_of_another_length_are_no_file(self, hub: People, tmp_path: Path, content: bytes) -> None:
        post = save_draft(make_account(hub.me, using="default"), make_file(tmp_path, size_bytes=10))
        MediaChunk.objects.using(OWNER).all().delete()
        smuggle(item_of(post), content, uploader=hub.me.id)
        with elsewhere(tmp_path), pytest.raises(Rejected) as refusal:
            carrying.bring(post)
        assert refusal.value.error_code == "media.missing"


class TestARowOfSomebodyElse:
    @pytest.mark.parametrize(
        "change",
        [
            "path = '../../../../../../etc/passwd'",
            "path = '/etc/passwd'",
            "path = 'content/media/../../config/hub.env'",
            "path = 'content/media/' || repeat('0', 64) || '.png'",
            "path = path || '.env'",
            "path = 'content/media/a' || chr(10) || '.png', sha256 = 'a' || chr(10)",
            "mime_type = 'text/plain', path = 'content/media/' || sha256 || '.txt'",
            "sha256 = '../../config/hub', path = 'content/media/../../config/hub.png'",
        ],
    )
    def test_makes_the_worker_read_no_other_file(
        self, account: Account, sandbox: Sandbox, workspace: Path, tmp_path: Path, change: str
    ) -> None:
        post = approve_picture(account, tmp_path)
        with lawless() as database:
            database.execute(f"UPDATE post_media SET {change}".encode())
        with pytest.raises(Rejected) as refusal:
            media_path(item_of(post))
        assert refusal.value.error_code == "media.path"
        forged = look(post)
        digest = hash_content(forged, load_parts(forged))
        with lawless() as database:  # as if an approver had said yes to it
            database.execute("UPDATE posts SET content_hash = %s, approved_hash = %s", [digest, digest])
        after = ring(post)
        assert (after.status, after.error_code) == ("failed", "media.path")
        assert (sent(sandbox), attempts_of(post, kind="upload")) == ([], [])

    @pytest.mark.parametrize(
        "facts",
        [
            "[1]",
            "3",
            '"x"',
            '{"width": "1", "frames": null}',
            '{"duration_seconds": [], "pages": 1e40}',
            '{"video_codec": 1}',
        ],
    )
    def test_with_absurd_facts_counts_as_a_file_that_nobody_looked_into(
        self, account: Account, sandbox: Sandbox, tmp_path: Path, facts: str
    ) -> None:
        post = approve_picture(account, tmp_path)
        with lawless() as database:
            database.execute("UPDATE post_media SET facts = %s", [facts])
        assert posts.check_post(str(post.id)) is not None
        assert ring(post).status == "published"

    @pytest.mark.parametrize("size", [0, -1, 2**62], ids=["nothing", "less than nothing", "endless"])
    def test_with_an_absurd_size_finds_no_file(self, hub: People, tmp_path: Path, size: int) -> None:
        post = save_draft(make_account(hub.me, using="default"), make_file(tmp_path, size_bytes=10))
        with lawless() as database:
            database.execute("UPDATE post_media SET size_bytes = %s", [size])
        with elsewhere(tmp_path), pytest.raises(Rejected) as refusal:
            carrying.bring(post)
        assert refusal.value.error_code == "media.missing"


class TestAPostWhoseFilesAreNotInTheHub:
    """It was written before the hub moved, or lay about for so long that they were forgotten."""

    def test_has_them_stored_again_from_the_computer_that_has_them(self, hub: People, tmp_path: Path) -> None:
        post = save_draft(make_account(hub.me, using="default"), make_file(tmp_path, size_bytes=10))
        MediaChunk.objects.using(OWNER).all().delete()
        with transaction.atomic():
            carrying.put_missing(post)
        assert len(pieces_of(item_of(post))) == 1

    def test_says_so_on_a_computer_that_does_not_have_them(self, hub: People, tmp_path: Path) -> None:
        post = save_draft(make_account(hub.me, using="default"), make_file(tmp_path, size_bytes=10))
        with elsewhere(tmp_path):
            carrying.put_missing(post)
            MediaChunk.objects.using(OWNER).all().delete()
            with pytest.raises(InvalidInput) as refusal:
                carrying.put_missing(post)
        assert refusal.value.error_code == "media.missing"


class TestForgetting:
    @pytest.mark.parametrize(
        ("status", "days", "is_kept"),
        [
            ("published", 8, False),
            ("published", 6, True),
            ("delivered", 8, False),
            ("cancelled", 8, False),
            ("failed", 8, True),
            ("failed", 31, False),
            ("missed", 31, False),
            ("draft", 400, True),
            ("pending_approval", 400, True),
            ("scheduled", 400, True),
            ("unknown", 400, True),
            ("publishing", 400, True),
        ],
    )
    def test_spares_what_a_post_may_still_need(
        self, hub: People, tmp_path: Path, status: str, days: int, is_kept: bool
    ) -> None:
        post = save_draft(make_account(hub.me, using="default"), make_file(tmp_path, size_bytes=10))
        _age(post, status=status, days=days)
        assert _forget() == int(not is_kept)
        assert MediaChunk.objects.using(OWNER).count() == int(is_kept)

    def test_spares_a_file_that_one_of_several_posts_needs(self, hub: People, tmp_path: Path) -> None:
        file, account = make_file(tmp_path, size_bytes=10), make_account(hub.me, using="default")
        _age(save_draft(account, file), status="published", days=30)
        save_draft(account, file)
        assert _forget() == 0

    def test_takes_what_no_post_ever_had_after_a_week(self, hub: People, tmp_path: Path) -> None:
        for digit, days_ago in (("0", 8), ("1", 6)):
            junk = PostMedia(user_id=hub.me.id, sha256=digit * 64)
            smuggle(junk, b"junk", uploader=hub.me.id, days_ago=days_ago)
        assert _forget() == 1
        assert MediaChunk.objects.using(OWNER).get().sha256 == "1" * 64

    def test_reaches_every_owner_of_the_hub(self, hub: People) -> None:
        for person in (hub.me, hub.other):
            smuggle(PostMedia(user_id=person.id, sha256="0" * 64), b"junk", uploader=person.id)
        assert _forget() == 2

    def test_waits_while_somebody_saves_a_draft(self, hub: People, tmp_path: Path) -> None:
        """Else an old file that is attached again would be seen, not stored, and then be gone."""
        file, account = make_file(tmp_path, size_bytes=10), make_account(hub.me, using="default")
        _age(save_draft(account, file), status="published", days=30)
        with transaction.atomic():
            post = save_draft(account, file)
            assert aside(_forget_as_worker) == 0
        assert len(pieces_of(item_of(post))) == 1
        assert _forget() == 0

    def test_keeps_nobody_waiting_whose_lock_is_held_for_ever(
        self, hub: People, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(carrying, "LOCK_SECONDS", 0.3)
        with transaction.atomic(using="another"), connections["another"].cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [carrying._LOCK])
            save_draft(make_account(hub.me, using="default"), make_file(tmp_path, size_bytes=10))
        assert MediaChunk.objects.using(OWNER).count() == 1


def _forget() -> int:
    with worker_login():
        return carrying.forget_ended()


def _forget_as_worker() -> int:
    """On a thread beside this one, whose own connections stay as they are."""
    before = connections.databases["default"]
    connections.databases["default"] = connections.databases["worker"]
    try:
        return carrying.forget_ended()
    finally:
        connections["default"].close()
        connections.databases["default"] = before


def _age(post: Post, *, status: str, days: int) -> None:
    """Let a post have been in a state for so long."""
    for step in WAY_TO[status]:
        assert move(post, step) == 1
    with lawless() as database:
        age = "now() - make_interval(days => %s)"
        database.execute(f"UPDATE posts SET updated_at = {age} WHERE id = %s".encode(), [days, post.id])
        database.execute(f"UPDATE media_chunks SET created_at = {age}".encode(), [days])
