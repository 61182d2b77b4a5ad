"""The content of a post on its way into the hub."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from hub.actions.drafts import DraftPart, build_rows, hash_rows, read_media, save_rows
from hub.models import Post, PostMedia, User
from hub.publishing.content import hash_content, load_parts
from psn.errors import InvalidInput
from tests.factories import make_account
from tests.sandbox.files import make_png


def put(folder: Path, *, colour: tuple[int, int, int] = (1, 2, 3), name: str = "a.txt") -> Path:
    (folder / name).write_bytes(make_png(colour=colour))
    return folder / name


class TestMedia:
    def test_are_copied_under_their_own_hash(self, me: User, workspace: Path, tmp_path: Path) -> None:
        source = put(tmp_path)
        post = Post(user_id=me.id, account=make_account(me))
        (stored,) = build_rows(post, [DraftPart("x", (read_media(str(source), alt_text="A square"),))], copy_media=True)
        (row,) = stored.media
        digest = hashlib.sha256(source.read_bytes()).hexdigest()
        assert (row.path, row.sha256) == (f"content/media/{digest}.png", digest)
        assert (row.mime_type, row.alt_text, row.size_bytes) == ("image/png", "A square", source.stat().st_size)
        assert (workspace / row.path).read_bytes() == source.read_bytes()

    def test_are_kept_once_however_often_they_are_used(self, me: User, workspace: Path, tmp_path: Path) -> None:
        files = tuple(read_media(str(put(tmp_path, name=name, colour=(9, 9, 9)))) for name in ("a", "b"))
        before = set((workspace / "content" / "media").glob("*"))
        build_rows(Post(user_id=me.id, account=make_account(me)), [DraftPart("x", files)], copy_media=True)
        assert len(set((workspace / "content" / "media").glob("*")) - before) == 1

    def test_whose_copy_was_damaged_are_copied_again(self, me: User, workspace: Path, tmp_path: Path) -> None:
        """Otherwise attaching the file again, which is what people are told to do, would not help."""
        source = put(tmp_path, colour=(8, 8, 8))
        post = Post(user_id=me.id, account=make_account(me))
        for _ in range(2):
            (stored,) = build_rows(post, [DraftPart("x", (read_media(str(source)),))], copy_media=True)
            copy = workspace / stored.media[0].path
            assert copy.read_bytes() == source.read_bytes()
            copy.write_bytes(b"something else")

    def test_of_a_rehearsal_are_not_copied(self, me: User, workspace: Path, tmp_path: Path) -> None:
        file = read_media(str(put(tmp_path, colour=(7, 7, 7))))
        (stored,) = build_rows(
            Post(user_id=me.id, account=make_account(me)), [DraftPart("x", (file,))], copy_media=False
        )
        assert not list((workspace / "content").rglob(f"{stored.media[0].sha256}*"))

    def test_must_be_there(self, tmp_path: Path) -> None:
        for path in (tmp_path / "none.png", tmp_path):
            with pytest.raises(InvalidInput) as refused:
                read_media(str(path))
            assert refused.value.error_code == "media.not_found"


class TestTheHash:
    def test_of_what_is_not_saved_is_that_of_what_is(self, me: User, tmp_path: Path) -> None:
        post = Post(user_id=me.id, account=make_account(me))
        parts = [DraftPart("one", (read_media(str(put(tmp_path))),)), DraftPart("two")]
        stored = build_rows(post, parts, copy_media=True)
        post.content_hash = hash_rows(post, stored)
        save_rows(post, stored)
        assert hash_content(post, load_parts(post)) == post.content_hash
        assert PostMedia.objects.count() == 1
