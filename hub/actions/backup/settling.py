"""What may still go out of a hub that was put back: only what surely did not go out already, and what the person still wants.

A backup is a picture of the past, and a post that was to go out since then may be live (PUB-6, POST-4).
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from psycopg import sql

from hub.actions.backup.tables import Connection
from hub.queue import bells

POSTS = sql.Identifier("public", "posts")
_MISSED = "Its time passed between the backup and the restore, so it may be live. Look at the account before you schedule it again."
_HELD = "It came back with a backup. It may have been sent, changed or cancelled since. Approve it again if it should go out."
_UNKNOWN = "It was going out when the backup was made, so it may be live. Look at the account."
Plans = dict[UUID, str]  # by post: everything that says when and what goes out
_RING = """
INSERT INTO django_q_ormq (key, payload, lock)
SELECT %s, w.payload, p.due_at FROM unnest(%s::uuid[], %s::text[]) AS w (id, payload) JOIN posts p ON p.id = w.id
"""


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of the posts that were on their way.

    Args:
        missed: overdue. unknown: were going out. held: wait for a new yes. scheduled: stay so.
    """

    missed: int
    unknown: int
    held: int
    scheduled: int


def list_plans(connection: Connection, posts: sql.Identifier = POSTS) -> Plans:
    """Read what a hub has scheduled; as text, because a database takes dates that Python does not know."""
    query = sql.SQL(
        "SELECT id, row (user_id, due_at, scheduled_at, content_hash, approved_hash)::text FROM {} WHERE status = 'scheduled'"
    ).format(posts)
    return dict(connection.execute(query).fetchall())


def settle(
    connection: Connection, *, plans: Plans, resume: bool, posts: sql.Identifier = POSTS, ring: bool = True
) -> Settled:
    """Decide what may still go out, and give that its bells.

    Args:
        connection: of the hub's owner, with the laws of `posts` switched off: they know of no way back in time.
        plans: of the hub that was replaced; what stands there in exactly the same way stays scheduled.
        resume: everything stays scheduled that is not overdue.
        posts: the table that came out of the archive.
    """
    late = _change(
        connection,
        "UPDATE {} SET status = 'missed', error_code = 'restore.overdue', error_message = %s "
        "WHERE status = 'scheduled' AND due_at <= clock_timestamp()",
        posts=posts,
        message=_MISSED,
    )
    sending = _change(
        connection,
        "UPDATE {} SET status = 'unknown', phase = '', lease_until = NULL, lease_owner = '', "
        "error_code = 'restore.in_flight', error_message = %s WHERE status = 'publishing'",
        posts=posts,
        message=_UNKNOWN,
    )
    # it may have been settled since
    connection.execute(sql.SQL("UPDATE {} SET look_at = NULL WHERE look_at IS NOT NULL").format(posts))
    came = list_plans(connection, posts)
    kept = [post_id for post_id, plan in came.items() if resume or plans.get(post_id) == plan]
    held = _hold(connection, list(came.keys() - set(kept)), posts=posts)
    if ring:
        _ring(connection, kept)
    return Settled(missed=late, unknown=sending, held=held, scheduled=len(kept))


def _hold(connection: Connection, post_ids: list[UUID], *, posts: sql.Identifier) -> int:
    query = sql.SQL(
        "UPDATE {} SET status = 'pending_approval', approved_hash = '', error_code = 'restore.held', error_message = %s "
        "WHERE id = ANY (%s)"
    ).format(posts)
    return connection.execute(query, (_HELD, post_ids)).rowcount


def _ring(connection: Connection, post_ids: list[UUID]) -> None:
    """Write the bells of what stays scheduled into the queue, which is empty."""
    payloads = [bells.pack("publish_post", post_id=post_id) for post_id in post_ids]
    connection.execute(_RING, (bells.QUEUE, post_ids, payloads))


def _change(connection: Connection, statement: str, *, posts: sql.Identifier, message: str) -> int:
    return connection.execute(sql.SQL(statement).format(posts), (message,)).rowcount
