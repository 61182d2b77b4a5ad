"""Nothing goes out without approval of exactly that content (POST-4, P2)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.actions import posts
from hub.actions.drafts import DraftPart, read_media
from hub.models import Account, Post, PostMedia
from hub.publishing.content import media_path
from tests.factories import make_post
from tests.hub.publishing.stage import attempts_of, audit_of, lawless, live, look, ring, sent
from tests.sandbox.process import Sandbox

BEHIND_THE_APPROVAL = {
    "the text": "UPDATE post_parts SET text = 'Something else' WHERE post_id = %s",
    "the kind of a part": "UPDATE post_parts SET kind = 'comment' WHERE post_id = %s",
    "a part more": (
        "INSERT INTO post_parts (id, user_id, post_id, index, kind, text, state, platform_post_id, url)"
        " SELECT gen_random_uuid(), user_id, post_id, 1, 'post', 'And this', 'waiting', '', '' FROM post_parts"
        " WHERE post_id = %s"
    ),
    "no part at all": "DELETE FROM post_parts WHERE post_id = %s",
    "the time": "UPDATE posts SET scheduled_at = scheduled_at - interval '1 hour' WHERE id = %s",
}


class TestContentChangedBehindTheApproval:
    @pytest.mark.parametrize("statement", BEHIND_THE_APPROVAL.values(), ids=BEHIND_THE_APPROVAL)
    def test_is_not_sent(self, account: Account, sandbox: Sandbox, statement: str) -> None:
        post = make_post(account, status="scheduled")
        with lawless() as database:
            database.execute(statement.encode(), [post.id])
        after = ring(post)
        assert (after.status, after.error_code) == ("failed", "approval.void")
        assert "approve it again" in after.error_message
        assert (sent(sandbox), attempts_of(post)) == ([], [])
        assert audit_of(post)[-1].detail["code"] == "approval.void"

    def test_is_not_sent_for_another_account(self, account: Account, sandbox: Sandbox) -> None:
        post = make_post(account, status="scheduled")
        other = Account.objects.create(
            user_id=account.user_id,
            platform="x",
            platform_account_id="2",
            handle="two",
            base_url=account.base_url,
        )
        with lawless() as database:
            database.execute("UPDATE posts SET account_id = %s WHERE id = %s", [other.id, post.id])
        assert (ring(post).error_code, sent(sandbox)) == ("approval.void", [])


class TestAMediaFile:
    def test_goes_out_with_its_text_and_its_upload_is_written_down(
        self, account: Account, sandbox: Sandbox, tmp_path: Path
    ) -> None:
        post = ring(with_picture(account, tmp_path))
        assert (post.status, post.error_message) == ("published", "")
        (remote,) = live(sandbox)
        (upload,) = attempts_of(post, kind="upload")
        assert [(media["id"], media["alt_text"]) for media in remote["media"]] == [(upload.remote_id, "A pixel")]
        assert (upload.outcome, upload.worker) == ("ok", "tests:1")

    @pytest.mark.parametrize(
        ("harm", "code"),
        [
            pytest.param(lambda path: path.write_bytes(picture(colour=9)), "media.changed", id="swapped"),
            pytest.param(lambda path: path.write_bytes(b""), "media.changed", id="emptied"),
            pytest.param(lambda path: path.unlink(), "media.missing", id="gone"),
        ],
    )
    def test_that_is_not_the_approved_one_keeps_the_post_from_going_out(
        self, account: Account, sandbox: Sandbox, tmp_path: Path, harm: Callable[[Path], object], code: str
    ) -> None:
        post = with_picture(account, tmp_path)
        kept = media_path(PostMedia.objects.get(part__post_id=post.id))
        harm(kept)
        after = ring(post)
        kept.unlink(missing_ok=True)
        assert (after.status, after.error_code) == ("failed", code)
        assert kept.name in after.error_message
        assert sent(sandbox) == []
        assert (attempts_of(post), attempts_of(post, kind="upload")) == ([], [])

    @pytest.mark.parametrize(
        "change",
        ["alt_text = 'Another pixel'", "sha256 = repeat('0', 64)", "mime_type = 'image/gif'", "path = 'other.png'"],
    )
    def test_whose_row_was_changed_behind_the_approval_keeps_the_post_from_going_out(
        self, account: Account, sandbox: Sandbox, tmp_path: Path, change: str
    ) -> None:
        post = with_picture(account, tmp_path)
        with lawless() as database:
            database.execute(f"UPDATE post_media SET {change}".encode())
        assert ring(post).status == "failed"
        assert sent(sandbox) == []

    def test_whose_upload_fails_leaves_nothing_unknown(
        self, account: Account, sandbox: Sandbox, tmp_path: Path
    ) -> None:
        post = with_picture(account, tmp_path)
        sandbox.fail("drop_after", match="POST /2/media/upload")
        after = ring(post)
        assert (after.status, sent(sandbox)) == ("scheduled", [])
        (upload,) = attempts_of(post, kind="upload")
        assert upload.outcome == "not_sent"


def with_picture(account: Account, folder: Path) -> Post:
    """Make a post with a picture, approved and due."""
    file = folder / "pixel.png"
    file.write_bytes(picture(colour=len(str(folder))))
    part = DraftPart(text="Look", media=(read_media(str(file), alt_text="A pixel"),))
    post, _ = posts.create_post(account=str(account.id), parts=[part], at=datetime.now(UTC), approve=True)
    return look(post)


def picture(*, colour: int) -> bytes:
    """Give a PNG of one pixel. PNG specification, third edition, 4 and 11.2."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)  # one grey pixel of 8 bits
    pixel = zlib.compress(bytes([0, colour]))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixel) + chunk(b"IEND", b"")
