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
| key | what has no answer is sent again at once, as another call to the platform |
| late | the same call is made again after the platform has forgotten the first |
| container | another container is published, while the first may still be |
| delivered | what waits in the app counts as published |
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

NAMES = {  # with the platform at which each shows; empty for every one
    "claim": "", "intent": "", "blind": "x", "requeue": "x", "deadline": "x", "look": "x", "sweep": "", "silent": "",
    "key": "mastodon", "late": "mastodon", "container": "threads", "delivered": "tiktok",
}  # fmt: skip


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
        "key": _forget_the_reference,
        "late": _forget_the_window,
        "container": _make_another_container,
        "delivered": _call_everything_published,
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

    def send_part(post: Any, part: Any, *, parts: Any, adapter: Any) -> None:
        content = walk._build(post, part)
        reply_to = parts[part.index - 1].platform_post_id if part.index else None
        media_ids = [walk._upload(post, part, media, adapter=adapter) for media in content.media]
        prepared = adapter.prepare_post(content, media_ids=media_ids, reply_to=reply_to, former="")
        published = adapter.create_post(
            content, media_ids=media_ids, reply_to=reply_to, prepared=prepared, send_before=None
        )
        intent = walk._write_intent(post, part, reference=prepared.reference)
        if not walk._store_answer(post, part, intent.attempt, published, parts=parts, limits={}):
            raise LostClaim

    walk._send_part = send_part


def _repeat_the_unknown() -> None:
    from hub.publishing import endings

    _need_no_evidence()

    def repeat(post: Any, error: Any, *, actor: str = "") -> None:
        endings.retry(post, error, actor=actor)

    endings._doubt = repeat


def _send_orphans_again() -> None:
    from hub.publishing import attempts, endings, recovery

    _need_no_evidence()

    def end_orphan(post: Any, *, not_sent: Any, maybe_sent: Any) -> None:
        attempts.close_abandoned(post, detail="requeued")
        endings.retry(post, not_sent)

    recovery.end_orphan = end_orphan


def _need_no_evidence() -> None:
    """Have whoever would send it again believe that it is not there: the engine asks once more just before it does."""
    from hub.publishing import repeats

    def was_absent(post: Any, *, since: Any) -> bool:
        return True

    assert hasattr(repeats, "_was_absent")
    repeats._was_absent = was_absent


def _send_late() -> None:
    from psn import http

    def is_late(line: http._Line) -> bool:
        return False

    http._Line.is_late = is_late  # type: ignore[method-assign,assignment]


def _look_once() -> None:
    import dataclasses
    import importlib

    from psn.platforms.registry import PLATFORMS

    for place in PLATFORMS.values():
        module: Any = importlib.import_module(place)
        witness = dataclasses.replace(module.PLATFORM.witness, looks=module.PLATFORM.witness.looks[:1])
        module.PLATFORM = dataclasses.replace(module.PLATFORM, witness=witness)


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


def _forget_the_reference() -> None:
    import dataclasses

    from hub.publishing import repeats

    find_repeat = repeats.find_repeat

    def find_nameless(post: Any, part: Any) -> Any:
        repeat = find_repeat(post, part)
        return repeat and dataclasses.replace(repeat, reference="")

    repeats.find_repeat = find_nameless


def _forget_the_window() -> None:
    from hub.publishing import repeats

    def time_left(post: Any, call: Any) -> timedelta:
        return timedelta(days=1 if call.reference else -1)

    repeats.time_left = time_left


def _make_another_container() -> None:
    from psn.platforms.meta.publishing import Containers

    def take_none(containers: Any, former: str, *, find_live: Any) -> None:
        """Find nothing that could be used again."""

    setattr(Containers, "take_former", take_none)  # noqa: B010  (mypy would mind its type)


def _call_everything_published() -> None:
    import dataclasses

    from psn.platforms.tiktok import following

    read_end = following.read_end

    def read_published(*arguments: Any, **named: Any) -> Any:
        found = read_end(*arguments, **named)
        return found and dataclasses.replace(found, delivered=False)

    following.read_end = read_published
