"""Posts: nobody says yes in another's place, and nobody is somebody else (POST-4)."""

from __future__ import annotations

from typing import Any

from psycopg import sql

from tests.teams.attacks.attack import AGAINST_A_LAW, NOT_ALLOWED, REFUSED, Attack, attack, insert
from tests.teams.trying import NOTHING

_TIME = "scheduled_at = '2031-01-02 12:00Z', due_at = '2031-01-02 12:00Z'"
_YES = "approved_hash = content_hash, approved_by = 'Ann', approved_at = now()"
_MADE_UP: dict[str, dict[str, Any]] = {
    "been approved": {"approved_hash": "h", "approved_by": "Ann"},
    "been published": {"published_at": sql.SQL("now()")},
    "an address at the platform": {"platform_post_id": "77", "url": "https://x.com/77"},
    "been tried": {"tries": 3},
    "a fence": {"fence": 9},
    "been asked to be deleted": {"delete_asked_at": sql.SQL("now()")},
    "failed": {"error_code": "x", "error_message": "Ann did it"},
}
POSTS: dict[str, Attack] = {
    "write as another author": attack(insert("posts", account_id="account", author_id="ann", status="draft")),
    "write as nobody": attack(insert("posts", account_id="account", author_id=None, status="draft")),
    "write as an owner of his own": attack(
        insert("posts", user_id="bob", account_id="account", author_id="bob", status="draft")
    ),
    "write as an owner of his own without an author": attack(
        insert("posts", user_id="bob", account_id="account", author_id=None, status="draft")
    ),
    "write for another owner": attack(
        insert("posts", user_id="stranger", account_id="strangers_account", author_id="bob", status="draft")
    ),
    "write on another owner's account": attack(
        insert("posts", account_id="strangers_account", author_id="bob", status="draft"), ends=("23503", NOT_ALLOWED)
    ),
    **{
        f"write a post that is {state} at once": attack(
            insert("posts", account_id="account", author_id="bob", status=state, content_hash="h", approved_hash="h",
                   scheduled_at="2031-01-02T12:00Z", due_at="2031-01-02T12:00Z"),
            ends=(NOT_ALLOWED, AGAINST_A_LAW),
        )
        for state in ("pending_approval", "approved", "scheduled", "publishing", "published", "unknown")
    },
    **{
        f"write a draft that has {what}": attack(
            insert("posts", account_id="account", author_id="bob", status="draft", **values), ends=(NOT_ALLOWED, AGAINST_A_LAW)
        )
        for what, values in _MADE_UP.items()
    },
    "say yes to his own post": attack(
        f"UPDATE posts SET status = 'approved', {_YES} WHERE id = '{{bobs_pending_approval}}'", ends=(NOT_ALLOWED, AGAINST_A_LAW)
    ),
    "schedule what waits for a yes": attack(
        f"UPDATE posts SET status = 'scheduled', {_YES} WHERE id = '{{bobs_pending_approval}}'", ends=(NOT_ALLOWED, AGAINST_A_LAW)
    ),
    "schedule his draft": attack(
        f"UPDATE posts SET status = 'scheduled', {_TIME}, {_YES} WHERE id = '{{bobs_draft}}'", ends=(NOT_ALLOWED, AGAINST_A_LAW)
    ),
    "bring a yes along in a draft": attack(
        "UPDATE posts SET approved_hash = content_hash WHERE id = '{bobs_draft}'", ends=NOT_ALLOWED
    ),
    "keep the yes while he changes the text": attack(
        "UPDATE posts SET status = 'draft' WHERE id = '{bobs_scheduled}'", ends=NOT_ALLOWED
    ),
    "say yes to another's post": attack(
        f"UPDATE posts SET status = 'scheduled', {_YES} WHERE id = '{{eves_pending_approval}}'", ends=NOTHING
    ),
    "say yes to another's post by writing, as an approver": attack(
        f"UPDATE posts SET status = 'scheduled', {_YES} WHERE id = '{{bobs_pending_approval}}'", who="cat", ends=NOTHING
    ),
    "say yes to another's post by writing, as an admin": attack(
        f"UPDATE posts SET status = 'scheduled', {_YES} WHERE id = '{{bobs_pending_approval}}'", who="ann", ends=NOTHING
    ),
    "say yes to her own post by writing, as an admin": attack(
        f"UPDATE posts SET status = 'scheduled', {_YES} WHERE id = '{{anns_pending_approval}}'", who="ann",
        ends=(NOT_ALLOWED, AGAINST_A_LAW),
    ),
    "change a scheduled post's content": attack(
        "UPDATE posts SET content_hash = 'other', approved_hash = 'other' WHERE id = '{bobs_scheduled}'",
        ends=(NOT_ALLOWED, AGAINST_A_LAW),
    ),
    "change a scheduled post's time": attack(
        "UPDATE posts SET scheduled_at = '2030-01-01', due_at = '2030-01-01' WHERE id = '{bobs_scheduled}'",
        ends=(NOT_ALLOWED, AGAINST_A_LAW),
    ),
    "have a scheduled post go out sooner": attack(
        "UPDATE posts SET due_at = now() WHERE id = '{bobs_scheduled}'", ends=(NOT_ALLOWED, AGAINST_A_LAW)
    ),
    "say that his post was missed": attack("UPDATE posts SET status = 'missed', approved_hash = '' WHERE id = '{bobs_scheduled}'"),
    "ask for a yes to what failed": attack(
        "UPDATE posts SET status = 'pending_approval' WHERE id = '{bobs_failed}'", ends=(NOT_ALLOWED, AGAINST_A_LAW)
    ),
    "take another's draft over": attack("UPDATE posts SET author_id = '{bob}' WHERE id = '{eves_draft}'", ends=REFUSED),
    "take another's waiting post over": attack(
        "UPDATE posts SET author_id = '{cat}' WHERE id = '{bobs_pending_approval}'", who="cat", ends=REFUSED
    ),
    "take another's waiting post over and say yes": attack(
        f"UPDATE posts SET author_id = '{{cat}}', status = 'draft', {_YES} WHERE id = '{{bobs_pending_approval}}'",
        who="cat", ends=REFUSED,
    ),
    "foist a draft on another": attack("UPDATE posts SET author_id = '{eve}' WHERE id = '{bobs_draft}'"),
    "make a draft nobody's": attack("UPDATE posts SET author_id = NULL WHERE id = '{bobs_draft}'"),
    "take a draft out of the company": attack(
        "UPDATE posts SET user_id = '{bob}' WHERE id = '{bobs_draft}'", ends=(NOT_ALLOWED, AGAINST_A_LAW)
    ),
    "move a draft to another owner's account": attack(
        "UPDATE posts SET account_id = '{strangers_account}' WHERE id = '{bobs_draft}'", ends=(NOT_ALLOWED, AGAINST_A_LAW, "23503")
    ),
    "edit another's draft": attack("UPDATE posts SET content_hash = 'mine' WHERE id = '{eves_draft}'", ends=NOTHING),
    "edit another's waiting post as an approver": attack(
        "UPDATE posts SET content_hash = 'mine' WHERE id = '{bobs_pending_approval}'", who="cat", ends=NOTHING
    ),
    "edit the words of what he approves": attack(
        "UPDATE post_parts SET text = 'mine' WHERE id = '{bobs_pending_approval_part}'", who="cat", ends=(AGAINST_A_LAW, NOTHING)
    ),
    "edit and approve in one": attack(
        f"UPDATE posts SET content_hash = 'mine', status = 'scheduled', {_YES} WHERE id = '{{bobs_pending_approval}}'",
        who="cat", ends=NOTHING,
    ),
    "cancel another's post": attack(
        "UPDATE posts SET status = 'cancelled', approved_hash = '' WHERE id = '{eves_scheduled}'", ends=NOTHING
    ),
    "delete posts": attack("DELETE FROM posts"),
    "delete his own draft": attack("DELETE FROM posts WHERE id = '{bobs_draft}'"),
    **{
        f"change {what} of his draft": attack(f"UPDATE posts SET {change} WHERE id = '{{bobs_draft}}'", ends=(NOT_ALLOWED, AGAINST_A_LAW))
        for what, change in {
            "the id": "id = gen_random_uuid()", "the fence": "fence = 99", "the tries": "tries = 7",
            "the time of publication": "published_at = now()", "the platform's id": "platform_post_id = '77'",
            "the address": "url = 'https://evil.example'", "the error": "error_code = 'x', error_message = 'x'",
            "the time of the next look": "look_at = now()", "the wish to delete": "delete_asked_at = now()",
            "the time of deletion": "delete_asked_at = now(), deleted_at = now()", "the time it was made": "created_at = '2000-01-01'",
            "the lease": "lease_owner = 'w:1:1', lease_until = 'infinity', phase = 'claimed'",
            "the time of approval": "approved_at = now()", "who approved": "approved_by = 'Ann'",
        }.items()
    },
    "publish by hand": attack("UPDATE posts SET status = 'published' WHERE id = '{bobs_publishing}'", ends=NOTHING),
    "bring a published post back": attack("UPDATE posts SET status = 'draft' WHERE id = '{bobs_published}'", ends=NOTHING),
    "bring an unknown post back": attack(
        "UPDATE posts SET status = 'draft', approved_hash = '' WHERE id = '{bobs_unknown}'", ends=NOTHING
    ),
    "have his live post deleted by writing": attack(
        "UPDATE posts SET delete_asked_at = now() WHERE id = '{bobs_published}'", ends=NOTHING
    ),
    "replace another's post by its key": attack(
        lambda stage: stage.insert("posts", id=stage.names["eves_draft"], account_id=stage.names["account"],
                                   author_id=stage.people["bob"].id, status="draft")
        + sql.SQL(" ON CONFLICT (id) DO UPDATE SET content_hash = 'mine'"),
    ),
    **{
        f"give his draft {what}": attack(f"UPDATE posts SET {change} WHERE id = '{{bobs_draft}}'", ends=AGAINST_A_LAW)
        for what, change in {
            "a time at the end of time": "scheduled_at = 'infinity', due_at = 'infinity'",
            "a time before the calendar": "scheduled_at = '0001-01-01 BC', due_at = '0001-01-01 BC'",
            "a due time at the end of time": "due_at = 'infinity'",
            "a zone of a megabyte": "scheduled_zone = repeat('x', 1000000)",
            "a wall time of a megabyte": "scheduled_wall = repeat('x', 1000000)",
            "a hash of a megabyte": "content_hash = repeat('x', 1000000)",
            "options of a megabyte": "options = jsonb_build_object('x', repeat('x', 1000000))",
            "options that are a list": "options = '[1]'",
            "options that are nested": """options = '{{"a": {{"b": 1}}}}'""",
        }.items()
    },
    "lock another's post": attack("SELECT 1 FROM posts WHERE id = '{eves_draft}' FOR UPDATE", ends=NOTHING),
    "lock an account": attack("SELECT 1 FROM accounts FOR SHARE"),
}  # fmt: skip
