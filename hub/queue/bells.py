"""Rings: one queue row, written in the caller's transaction, due at a time.

A bell is JSON: the name of a task and the ids it looks at. It carries no code and no signature, because none is needed: whoever
writes a row into the queue can make the worker look at something, never make it do something else. The worker runs what is in
`TASKS` and throws everything else away. Ringing twice, or for nothing, is harmless; a lost bell is found by the sweep.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db import connections
from django_q.conf import Conf

# of `hub.tasks`; a test holds both together
TASKS = {
    "publish_post",
    "look_at_post",
    "delete_post",
    "refresh_tokens",
    "forget_media",
    "watch",
    "tidy",
    "beat",
    "echo",
}
QUEUE: str = Conf.CLUSTER_NAME  # the key of every row
CHANNEL = "psn_bell"
MAX_IDS = 8
MAX_CHARACTERS = 200  # of one id, and of its name

# A bell for later needs no notification: a waiting worker looks again at the latest after `broker.LOOK_SECONDS`.
_RING = """
WITH rung AS (INSERT INTO django_q_ormq (key, payload, lock) VALUES (%s, %s, coalesce(%s, clock_timestamp())) RETURNING id, lock)
SELECT id, CASE WHEN lock < clock_timestamp() + interval '30 s' THEN pg_notify(%s, '') END FROM rung
"""


@dataclass(frozen=True, slots=True)
class Bell:
    """What a queue row says.

    Args:
        task: the bare name of a task.
        ids: its keyword arguments.
    """

    task: str
    ids: dict[str, str]


def ring(task: str, *, at: datetime | None = None, **ids: uuid.UUID | str) -> int:
    """Have a worker look at something at an instant, or now; gives the row's id.

    The row goes to the connection that also changes the post, so both commit or neither. A row whose `lock` lies in the future is
    not taken before it.
    """
    with connections["default"].cursor() as cursor:
        cursor.execute(_RING, [QUEUE, pack(task, **ids), at, CHANNEL])
        row_id: int = cursor.fetchone()[0]
    return row_id


def ring_post(post_id: uuid.UUID | str, *, at: datetime | None = None) -> None:
    """Ring the bell of a post that is to be published."""
    ring("publish_post", at=at, post_id=post_id)


def pack(task: str, **ids: uuid.UUID | str) -> str:
    """Make the payload of a queue row."""
    assert task in TASKS, task
    return json.dumps({"task": task, "ids": {name: str(value) for name, value in ids.items()}})


def unpack(payload: str) -> Bell:
    """Read the payload of a queue row, which anybody may have written.

    Raises:
        ValueError: it is no bell, or names no task of ours.
    """
    try:
        document = json.loads(payload)
        task, ids = document["task"], document["ids"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError("not a bell") from error
    if not isinstance(task, str) or task not in TASKS:
        raise ValueError(f"there is no task {str(task)[:50]!r}")
    if (
        not isinstance(ids, dict)
        or len(ids) > MAX_IDS
        or not all(_is_id(name) and _is_id(value) for name, value in ids.items())
    ):
        raise ValueError(f"the ids of {task} are none")
    return Bell(task, ids)


def _is_id(value: object) -> bool:
    return isinstance(value, str) and len(value) <= MAX_CHARACTERS
