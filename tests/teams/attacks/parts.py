"""Parts and files of posts."""

from __future__ import annotations

from psycopg import sql

from tests.teams.attacks.attack import AGAINST_A_LAW, NOT_ALLOWED, REFUSED, Attack, attack, insert
from tests.teams.trying import NOTHING

_LIVE = "state = 'published', platform_post_id = '77', published_at = now()"
PARTS: dict[str, Attack] = {
    "rewrite a part of another's draft": attack(
        "UPDATE post_parts SET text = 'mine' WHERE id = '{eves_draft_part}'", ends=(NOT_ALLOWED, AGAINST_A_LAW, NOTHING)
    ),
    "rewrite a part of another's draft as an admin": attack(
        "UPDATE post_parts SET text = 'mine' WHERE id = '{eves_draft_part}'", who="ann", ends=(NOT_ALLOWED, AGAINST_A_LAW, NOTHING)
    ),
    "add a part to another's draft": attack(
        insert("post_parts", post_id="eves_draft", index=1, kind="post", text="mine", state="waiting"),
        ends=(NOT_ALLOWED, AGAINST_A_LAW),
    ),
    "remove a part of another's draft": attack(
        "DELETE FROM post_parts WHERE id = '{eves_draft_part}'", ends=(NOT_ALLOWED, AGAINST_A_LAW, NOTHING)
    ),
    "rewrite a part that was approved": attack(
        "UPDATE post_parts SET text = 'mine' WHERE id = '{bobs_scheduled_part}'", ends=(AGAINST_A_LAW, NOTHING)
    ),
    "rewrite a part that waits for a yes": attack(
        "UPDATE post_parts SET text = 'mine' WHERE id = '{bobs_pending_approval_part}'", ends=(AGAINST_A_LAW, NOTHING)
    ),
    "add a part to what was approved": attack(
        insert("post_parts", post_id="bobs_scheduled", index=1, kind="post", text="more", state="waiting"), ends=AGAINST_A_LAW
    ),
    "remove a part of what was approved": attack(
        "DELETE FROM post_parts WHERE id = '{bobs_scheduled_part}'", ends=(AGAINST_A_LAW, NOTHING)
    ),
    "move a part into what was approved": attack(
        "UPDATE post_parts SET post_id = '{bobs_scheduled}', index = 1 WHERE id = '{bobs_draft_part}'", ends=AGAINST_A_LAW
    ),
    "say that a part of his draft is live": attack(f"UPDATE post_parts SET {_LIVE} WHERE id = '{{bobs_draft_part}}'", ends=REFUSED),
    "say that a part of his scheduled post is live": attack(
        f"UPDATE post_parts SET {_LIVE} WHERE id = '{{bobs_scheduled_part}}'", ends=REFUSED
    ),
    "say that a part of another's post is live": attack(
        f"UPDATE post_parts SET {_LIVE} WHERE id = '{{eves_scheduled_part}}'", ends=REFUSED
    ),
    "give a part of another's post an address": attack(
        "UPDATE post_parts SET url = 'https://evil.example' WHERE id = '{eves_scheduled_part}'", ends=REFUSED
    ),
    "give his live part another address": attack(
        "UPDATE post_parts SET url = 'https://evil.example' WHERE id = '{bobs_published_part}'", ends=REFUSED
    ),
    "have a live part go out once more": attack(
        "UPDATE post_parts SET state = 'waiting', platform_post_id = '', published_at = NULL WHERE id = '{bobs_published_part}'",
        ends=(NOT_ALLOWED, AGAINST_A_LAW, NOTHING),
    ),
    "remove a live part": attack(
        "DELETE FROM post_parts WHERE id = '{bobs_published_part}'", ends=(NOT_ALLOWED, AGAINST_A_LAW, NOTHING)
    ),
    "write a live part into his draft": attack(
        insert("post_parts", post_id="bobs_draft", index=1, kind="post", text="x", state="published", platform_post_id="77",
               published_at=sql.SQL("now()")),
    ),
    "write a part under an owner of his own": attack(
        insert("post_parts", user_id="bob", post_id="bobs_draft", index=1, kind="post", text="x", state="waiting"),
        ends=(NOT_ALLOWED, "23503"),
    ),
    "write a part into another owner's post": attack(
        insert("post_parts", user_id="stranger", post_id="bobs_draft", index=1, kind="post", text="x", state="waiting"),
        ends=(NOT_ALLOWED, "23503"),
    ),
    "add a file to another's draft": attack(
        insert("post_media", part_id="eves_draft_part", index=1, path="content/media/b.png", sha256="b" * 64, mime_type="image/png"),
        ends=(NOT_ALLOWED, AGAINST_A_LAW),
    ),
    "remove a file of another's draft": attack(
        "DELETE FROM post_media WHERE id = '{eves_draft_medium}'", ends=(NOT_ALLOWED, AGAINST_A_LAW, NOTHING)
    ),
    "add a file to what was approved": attack(
        insert("post_media", part_id="bobs_scheduled_part", index=1, path="content/media/b.png", sha256="b" * 64, mime_type="image/png"),
        ends=AGAINST_A_LAW,
    ),
    "remove a file of what was approved": attack(
        "DELETE FROM post_media WHERE id = '{bobs_scheduled_medium}'", ends=AGAINST_A_LAW
    ),
    "exchange a file in place": attack("UPDATE post_media SET sha256 = 'b' WHERE id = '{bobs_draft_medium}'"),
    "exchange another's bytes": attack("UPDATE media_chunks SET content = 'x' WHERE id = '{eves_chunk}'"),
    "remove another's bytes": attack("DELETE FROM media_chunks WHERE id = '{eves_chunk}'"),
    "remove his own bytes": attack("DELETE FROM media_chunks WHERE id = '{bobs_chunk}'"),
    "store bytes for another owner": attack(insert("media_chunks", user_id="stranger", uploaded_by_id="bob", sha256="c" * 64)),
    "store bytes under an owner of his own": attack(insert("media_chunks", user_id="bob", uploaded_by_id="bob", sha256="c" * 64)),
    "store a piece that is too large": attack(
        insert("media_chunks", uploaded_by_id="bob", sha256="c" * 64, content=sql.SQL("convert_to(repeat('x', 1048577), 'UTF8')")),
        ends=AGAINST_A_LAW,
    ),
    "write a part of a megabyte": attack(
        insert("post_parts", post_id="bobs_draft", index=1, kind="post", text="x" * 1_000_000, state="waiting"), ends=AGAINST_A_LAW
    ),
    "write a part far behind the others": attack(
        insert("post_parts", post_id="bobs_draft", index=100_000, kind="post", text="x", state="waiting"), ends=AGAINST_A_LAW
    ),
    "describe a file in a megabyte": attack(
        insert("post_media", part_id="bobs_draft_part", index=1, path="a.png", sha256="b" * 64, mime_type="image/png",
               alt_text="x" * 1_000_000),
        ends=AGAINST_A_LAW,
    ),
    "describe a file of less than nothing": attack(
        insert("post_media", part_id="bobs_draft_part", index=1, path="a.png", sha256="b" * 64, mime_type="image/png", size_bytes=-1),
        ends=AGAINST_A_LAW,
    ),
    "store a piece too many": attack(
        insert("media_chunks", uploaded_by_id="bob", sha256="c" * 64, index=100), ends=AGAINST_A_LAW
    ),
    "store a file under a name that is no hash": attack(
        insert("media_chunks", uploaded_by_id="bob", sha256="../../../etc/passwd"), ends=AGAINST_A_LAW
    ),
    "write a call that never was": attack(
        insert("attempts", post_id="bobs_publishing", part_id="bobs_publishing_part", kind="commit", fence=1)
    ),
    "rewrite a call": attack("UPDATE attempts SET remote_id = 'mine'"),
    "write a yes that never was": attack(
        insert("approvals", post_id="bobs_pending_approval", by_id="cat", verdict="approved", content_hash="h")
    ),
    "write a yes of her own": attack(
        insert("approvals", post_id="bobs_pending_approval", by_id="cat", verdict="approved", content_hash="h"), who="cat"
    ),
    "change a verdict": attack("UPDATE approvals SET verdict = 'rejected'"),
}  # fmt: skip
