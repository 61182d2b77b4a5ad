"""How the engine does, in figures: what waits and why, what is stuck, how late posts were.

Every figure is read through an index and is bounded, so that it is there at once however much a hub holds: counts end at
`COUNTED_UP_TO`, and what is overdue is looked at from the oldest on, `LOOKED_AT` at most.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connections
from django.db.models import Min
from django.db.models.query import QuerySet

from hub.actions import notices
from hub.actions.obstacles import Obstacle, find_obstacle
from hub.models import Notice, Post, Status, WorkerHeartbeat
from hub.queue import bells
from hub.queue.heartbeat import FRESH

COUNTED_UP_TO = 10_000
LOOKED_AT = 1000
NAMED = 5  # posts that are named; there is one command for each
UNCLAIMED_AFTER = timedelta(seconds=60)
MAX_WORKERS = 50

# posts_published: (published_at) WHERE status = 'published'
_LATENESS = """
SELECT count(*), percentile_disc(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY late), max(late)
FROM (SELECT (extract(epoch FROM published_at - scheduled_at) * 1000)::bigint AS late FROM posts
      WHERE status = 'published' AND published_at > now() - interval '24 hours') day
"""
# django_q_ormq_due: (key, lock). The oldest of what is due tells for how long nobody has taken anything.
_DEPTH = """
SELECT (SELECT count(*) FROM (SELECT FROM django_q_ormq WHERE key = %(key)s AND lock <= now() LIMIT %(most)s) due),
       (SELECT count(*) FROM (SELECT FROM django_q_ormq WHERE key = %(key)s AND lock > now() LIMIT %(most)s) later),
       (SELECT min(lock) FROM django_q_ormq WHERE key = %(key)s AND lock <= now())
"""


@dataclass(frozen=True, slots=True)
class Overdue:
    """Posts that are due and not claimed, the oldest first, by what they wait for.

    Args:
        waiting: how many wait for what; those that nothing is in the way of are not in it.
        unclaimed: due for over `UNCLAIMED_AFTER` although nothing is in the way.
    """

    waiting: dict[str, int]
    unclaimed: list[Post]


def count(rows: QuerySet[Any]) -> int:
    """Count rows, up to `COUNTED_UP_TO`.

    Args:
        rows: in the order of the index to count by. Without one, Postgres may well read the whole table for ten rows that it
            takes for many.
    """
    return rows[:COUNTED_UP_TO].count()


def find_overdue(*, now: datetime) -> Overdue:
    """Look at what is due and not claimed (index `posts_due`)."""
    late = Post.objects.filter(status=Status.SCHEDULED, due_at__lte=now)
    busy = set(Post.objects.filter(status=Status.PUBLISHING).values_list("account_id", flat=True)[:COUNTED_UP_TO])
    waiting: Counter[str] = Counter()
    unclaimed = []
    for post in late.select_related("account").order_by("due_at")[:LOOKED_AT]:
        obstacle = find_obstacle(post, now=now, in_flight=post.account_id in busy)
        if obstacle is not None:
            waiting[obstacle] += 1
        elif post.due_at is not None and post.due_at < now - UNCLAIMED_AFTER:
            unclaimed.append(post)
    return Overdue({str(obstacle): waiting[obstacle] for obstacle in Obstacle}, unclaimed)


def find_left(*, now: datetime) -> list[Post]:
    """Give posts whose worker is silent for longer than its lease (index `posts_lease`), the oldest first."""
    return list(Post.objects.filter(status=Status.PUBLISHING, lease_until__lt=now).order_by("lease_until")[:LOOKED_AT])


def find_undecided() -> QuerySet[Post]:
    """Give posts whose outcome only a person can tell (index `posts_look`)."""
    return Post.objects.filter(status=Status.UNKNOWN, look_at__isnull=True).order_by("look_at")


def describe_posts(*, now: datetime) -> dict[str, Any]:
    """Tell what waits, what is going out, what is stuck, and what nobody knows."""
    scheduled = Post.objects.filter(status=Status.SCHEDULED).order_by("due_at")
    overdue, left = find_overdue(now=now), find_left(now=now)
    return {
        "scheduled": count(scheduled),
        "overdue": count(scheduled.filter(due_at__lte=now)),
        "oldest_due_at": scheduled.filter(due_at__lte=now).aggregate(oldest=Min("due_at"))["oldest"],
        "next_due_at": scheduled.filter(due_at__gt=now).aggregate(following=Min("due_at"))["following"],
        "waiting": overdue.waiting,
        "publishing": count(Post.objects.filter(status=Status.PUBLISHING).order_by("lease_until")),
        "stuck": {
            "lease_over": len(left),
            "unclaimed": len(overdue.unclaimed),
            "posts": [str(post.id) for post in (*left, *overdue.unclaimed)[:NAMED]],
        },
        "unknown": {
            "looking": count(Post.objects.filter(status=Status.UNKNOWN, look_at__isnull=False).order_by("look_at")),
            "waits_for_person": count(find_undecided()),
        },
        "counted_up_to": COUNTED_UP_TO,
    }


def describe_lateness() -> dict[str, Any]:
    """Tell how late the posts of the last 24 hours were, in milliseconds from the time asked for to the time they were live."""
    with connections["default"].cursor() as cursor:
        cursor.execute(_LATENESS)
        number, percentiles, most = cursor.fetchone()
    p50, p95, p99 = percentiles or (None, None, None)
    return {"hours": 24, "count": number, "p50": p50, "p95": p95, "p99": p99, "max": most}


def describe_queue() -> dict[str, Any]:
    """Tell how many bells are to be heard now, and how many later."""
    with connections["default"].cursor() as cursor:
        cursor.execute(_DEPTH, {"key": bells.QUEUE, "most": COUNTED_UP_TO})
        due, later, oldest = cursor.fetchone()
    return {"due": due, "later": later, "oldest_due_at": oldest}


def describe_notices() -> dict[str, int]:
    """Count what the person has not seen (index `notices_unseen`)."""
    return {str(level): notices.count_unseen(level) for level in Notice.Level}


def describe_workers(*, now: datetime) -> list[dict[str, Any]]:
    """Tell who gave signs of life, the latest first; `deaf` when the last is older than a minute."""
    return [_describe(worker, now=now) for worker in WorkerHeartbeat.objects.order_by("-beat_at")[:MAX_WORKERS]]


def _describe(worker: WorkerHeartbeat, *, now: datetime) -> dict[str, Any]:
    return {
        "name": worker.name,
        "state": "working" if now - worker.beat_at <= FRESH else "deaf",
        "incarnation": worker.incarnation,
        "host": worker.host,
        "pid": worker.pid,
        "version": worker.version,
        "started_at": worker.started_at,
        "beat_at": worker.beat_at,
        "beat_age_seconds": _age(worker.beat_at, now=now),
        "swept_at": worker.swept_at,
        "swept_age_seconds": _age(worker.swept_at, now=now) if worker.swept_at else None,
    }


def _age(at: datetime, *, now: datetime) -> float:
    return round(max((now - at).total_seconds(), 0.0), 1)
