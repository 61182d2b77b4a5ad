"""Engines that are broken on purpose, one law each, to see that the checker finds it out.

| breakage | what is wrong |
|---|---|
| claim | a bell is a claim: nobody looks whether the post may go out, or is somebody else's |
| intent | the call is made first, and written down then |
| blind | what has no answer is sent again |
| requeue | what a dead worker left is sent again, whatever it had begun |
| deadline | whether the lease still stands is not looked at before the bytes leave |
| look | one look is evidence enough |
| sweep | nobody looks for what is stuck |
| silent | nobody is told |
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

NAMES = ("claim", "intent", "blind", "requeue", "deadline", "look", "sweep", "silent")


def break_engine(name: str) -> None:
    """Break the engine of this process; before the gates are put."""
    breakages: dict[str, Callable[[], None]] = {
        "claim": _claim_without_condition,
        "intent": _write_the_intent_after_the_call,
        "blind": _repeat_the_unknown,
        "requeue": _send_orphans_again,
        "deadline": _send_late,
        "look": _look_once,
        "sweep": _never_sweep,
        "silent": _tell_nobody,
    }
    breakages[name]()


def _claim_without_condition() -> None:
    from django.db import connections

    from hub.connections import OWNER
    from hub.publishing import claims

    right = claims.claim
    take = (
        "WITH claimed AS (UPDATE posts SET status = 'publishing', phase = 'claimed', fence = fence + 1, tries = tries + 1, "
        "lease_owner = %(worker)s, lease_until = now() + interval '1.5 s' WHERE id = %(post)s AND status IN ('scheduled', 'publishing') "
        "RETURNING user_id, fence), noted AS (INSERT INTO audit_log (id, user_id, actor, action, subject, subject_id, from_state, "
        "to_state, detail) SELECT gen_random_uuid(), user_id, %(worker)s, 'post.claimed', 'post', %(post)s, 'scheduled', 'publishing', "
        "'{}' FROM claimed) SELECT user_id, fence FROM claimed"
    )

    def claim(post_id: str | uuid.UUID | None, *, worker: str) -> Any:
        if post_id is None:
            return right(None, worker=worker)
        with connections[OWNER].cursor() as cursor:
            cursor.execute(take, {"worker": worker, "post": str(post_id)})
            row = cursor.fetchone()
        return claims.Claim(post_id=uuid.UUID(str(post_id)), user_id=row[0], fence=row[1]) if row else None

    claims.claim = claim


def _write_the_intent_after_the_call() -> None:
    from hub.publishing import walk
    from hub.publishing.claims import LostClaim
    from hub.publishing.content import build_part

    def send_part(post: Any, part: Any, *, parts: Any, adapter: Any) -> None:
        content = build_part(part)
        reply_to = parts[part.index - 1].platform_post_id if part.index else None
        media_ids = [walk._upload(post, part, media, adapter=adapter) for media in content.media]
        published = adapter.create_post(content, media_ids=media_ids, reply_to=reply_to, send_before=None)
        intent = walk._write_intent(post, part)
        if not walk._store_answer(post, part, intent.attempt, published, parts=parts):
            raise LostClaim

    walk._send_part = send_part


def _repeat_the_unknown() -> None:
    from hub.publishing import endings

    def repeat(post: Any, error: Any) -> None:
        endings.retry(post, error)

    endings._doubt = repeat


def _send_orphans_again() -> None:
    from hub.publishing import attempts, endings, recovery

    def end_orphan(post: Any, *, not_sent: Any, maybe_sent: Any) -> None:
        attempts.close_abandoned(post, detail="requeued")
        endings.retry(post, not_sent)

    recovery.end_orphan = end_orphan


def _send_late() -> None:
    from psn import http

    def is_late(line: http._Line) -> bool:
        return False

    http._Line.is_late = is_late  # type: ignore[method-assign,assignment]


def _look_once() -> None:
    import dataclasses

    from psn.platforms import x

    x.PLATFORM = dataclasses.replace(
        x.PLATFORM, witness=dataclasses.replace(x.PLATFORM.witness, looks=x.PLATFORM.witness.looks[:1])
    )


def _never_sweep() -> None:
    from hub.publishing import sweep

    def find_nothing(patience: timedelta) -> list[sweep.Stuck]:
        return []

    sweep._find_stuck = find_nothing


def _tell_nobody() -> None:
    from hub.publishing import endings

    def tell(post: Any, told: Any) -> None:
        """Say nothing."""

    endings.tell = tell
