"""What the tests of the engine do and look at: ring, let time pass, read the sandbox's journal and the hub's own records."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import pytest
from django.db import connections
from django.db.models import F
from django.db.models.functions import Greatest, Now
from django_q.models import OrmQ

from hub.models import Account, Attempt, AuditEntry, Notice, Post, PostPart
from hub.publishing import claims, walk
from hub.publishing.grants import open_adapter
from hub.queue.bells import unpack
from psn.deadline import Deadline
from psn.platforms.base import Adapter, Part, Prepared, Published
from tests.factories import OWNER
from tests.hub.worlds import connect_as
from tests.sandbox.process import Sandbox

WORKER = "tests:1"
ENOUGH = 100  # posts in one test
T = TypeVar("T")


def ring(post: Post, *, worker: str = WORKER) -> Post:
    """Do what a worker's thread does when a post's bell rings, and look at the post again."""
    walk.publish(str(post.id), worker=worker)
    drain(worker=worker)
    return look(post)


def drain(*, worker: str = WORKER) -> int:
    """Publish whatever is due, the longest due first; give how many posts that were."""
    for count in range(ENOUGH):
        if not walk.publish_next(worker=worker):
            return count
    raise AssertionError("there is no end of what is due")


def claim(post: Post, *, owner: str = "another:1") -> Post:
    """Leave a post as a worker does that has just claimed it, and look at it."""
    assert claims.claim(post.id, worker=owner) is not None
    return look(post)


def look(post: Post) -> Post:
    """Read a post as the owner sees it."""
    return Post.objects.using(OWNER).get(id=post.id)


def parts_of(post: Post) -> list[PostPart]:
    """Read a post's parts in order."""
    return list(PostPart.objects.using(OWNER).filter(post_id=post.id).order_by("index"))


def attempts_of(post: Post, *, kind: str = "commit") -> list[Attempt]:
    """Read the calls that were made for a post, oldest first."""
    return list(Attempt.objects.using(OWNER).filter(post_id=post.id, kind=kind).order_by("started_at", "id"))


def audit_of(post: Post) -> list[AuditEntry]:
    """Read what happened to a post, oldest first; the engine writes one row per transaction."""
    return list(AuditEntry.objects.using(OWNER).filter(subject="post", subject_id=str(post.id)).order_by("at"))


def changes_of(post: Post) -> list[str]:
    """Read a post's changes of state, each as `from to`; that the watchdog rang for it is none."""
    return [f"{entry.from_state} {entry.to_state}" for entry in audit_of(post) if entry.to_state]


def bells() -> list[OrmQ]:
    """Read the queue, the next bell first."""
    return list(OrmQ.objects.using(OWNER).order_by("lock"))


def rung() -> list[str]:
    """Read which tasks the queue rings for, the next first."""
    return [unpack(row.payload).task for row in bells()]


def notices_of(post: Post) -> list[tuple[str, str]]:
    """Read what the person was told about a post, oldest first, each as level and code."""
    rows = Notice.objects.using(OWNER).filter(post_id=post.id).order_by("at", "id")
    return [(row.level, row.code) for row in rows]


def sent(sandbox: Sandbox) -> list[dict[str, Any]]:
    """Read the commit calls that reached the sandbox, oldest first."""
    calls = sandbox.ask("calls", limit="1000")
    return [call for call in reversed(calls) if (call["method"], call["path"]) == ("POST", "/2/tweets")]


def token_calls(sandbox: Sandbox) -> list[dict[str, Any]]:
    """Read the calls for tokens that reached the sandbox, oldest first."""
    return [call for call in reversed(sandbox.ask("calls", limit="1000")) if call["path"] == "/2/oauth2/token"]


def live(sandbox: Sandbox) -> list[dict[str, Any]]:
    """Read the posts that people can see, oldest first."""
    return list(reversed(sandbox.ask("posts", limit="1000")))


def texts(sandbox: Sandbox) -> list[str]:
    """Read the texts that people can see, oldest first."""
    return [str(post["text"]) for post in live(sandbox)]


def make_due(post: Post) -> None:
    """Let the time pass until a post is due that was pushed back; the time a person approved stays."""
    Account.objects.using(OWNER).filter(id=post.account_id).update(next_allowed_at=None)
    Post.objects.using(OWNER).filter(id=post.id).update(due_at=Greatest(Now(), F("scheduled_at")))


def push_back(post: Post, *, seconds: float = 60.0) -> Post:
    """Let a post that was due wait some more, as after a try that did not get out."""
    Post.objects.using(OWNER).filter(id=post.id).update(due_at=Now() + timedelta(seconds=seconds))
    return post


@contextmanager
def worker_login(*, pool: int | None = None, behind: Path | None = None) -> Iterator[None]:
    """Have `default` and `queue` be the worker's logins, as in its own process; for threads that begin inside, too.

    Args:
        pool: how many connections all threads share, as in its own process; each has its own when left out.
        behind: the folder of a pooler's socket, which is then all they know of the hub.
    """
    before = {alias: connections.databases[alias] for alias in ("default", "queue")}
    options = before["default"]["OPTIONS"] | ({"prepare_threshold": None} if behind else {})
    shared = {"pool": {"min_size": 0, "max_size": pool, "timeout": 30}} if pool else {}
    after = {
        "default": connections.databases["worker"] | {"OPTIONS": options | shared},
        "queue": before["queue"] | {"USER": "psn_worker", "OPTIONS": options},
    }
    if behind is not None:
        after["default"] |= {"HOST": str(behind), "PSN": {"identity": "setting"}}
        after["queue"] |= {"HOST": str(behind), "PSN": {}}
    _reconnect(after)
    try:
        yield
    finally:
        if pool:
            connections["default"].close()
            connections["default"].close_pool()  # type: ignore[attr-defined]  # of the PostgreSQL backend
        _reconnect(before)


def _reconnect(databases: dict[str, Any]) -> None:
    for alias, values in databases.items():
        connections[alias].close()
        connections.databases[alias] = values
        del connections[alias]


@contextmanager
def lawless() -> Iterator[psycopg.Connection[Any]]:
    """Reach into the hub's database with its laws disabled, as nobody but the machine's own root could."""
    with connect_as("postgres", autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        yield connection


def at_once(count: int, action: Callable[[int], T]) -> list[T]:
    """Let threads act at the same instant, each on connections of its own."""
    barrier = threading.Barrier(count)

    def act(number: int) -> T:
        try:
            barrier.wait(timeout=10)
            return action(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(act, range(count)))


def aside(action: Callable[[], T]) -> T:
    """Do something on connections of its own: what another process would see or do meanwhile."""
    return at_once(1, lambda _: action())[0]


@dataclass
class Interrupted:
    """A real adapter, and something that happens right before each of its commit calls."""

    adapter: Adapter
    before_commit: Callable[[], None]

    def create_post(
        self,
        part: Part,
        *,
        media_ids: Sequence[str],
        reply_to: str | None,
        prepared: Prepared,
        send_before: Deadline | None,
    ) -> Published:
        """Let it happen, then make the call."""
        self.before_commit()
        return self.adapter.create_post(
            part, media_ids=media_ids, reply_to=reply_to, prepared=prepared, send_before=send_before
        )

    def __getattr__(self, name: str) -> Any:
        return getattr(self.adapter, name)


def interrupt(
    monkeypatch: pytest.MonkeyPatch,
    *,
    before_connect: Callable[[], None] | None = None,
    before_commit: Callable[[], None] | None = None,
) -> None:
    """Have something happen at a step of the walk; the adapter stays the real one."""
    connect = open_adapter

    def open_interrupted(*arguments: Any, **options: Any) -> Any:
        if before_connect is not None:
            before_connect()
        adapter = connect(*arguments, **options)
        return adapter if before_commit is None else Interrupted(adapter, before_commit)

    monkeypatch.setattr(walk, "open_adapter", open_interrupted)
