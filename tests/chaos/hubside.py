"""What the harness reads of the hub and does to it, as the server's superuser and past the product's own code."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from psn.providers.local import PORT
from tests.chaos.orders import GRACE_SECONDS
from tests.chaos.record import Attempt, Entry, HubPost, Notice, Part

WAIT_SECONDS = 20.0

_MOVING = """
SELECT count(*) FROM posts WHERE status = 'publishing' OR status = 'scheduled' AND scheduled_at < now() + interval '10 min'
  OR status = 'unknown' AND look_at IS NOT NULL
"""
_EMPTY = """
TRUNCATE approvals, posts, post_parts, post_media, attempts, notices, audit_log, django_q_ormq, django_q_task
"""
_POSTS = """
SELECT p.id::text, a.platform_account_id, p.status, p.fence, extract(epoch FROM p.scheduled_at)::float8,
  extract(epoch FROM p.due_at)::float8, extract(epoch FROM p.look_at)::float8, p.error_code, p.error_message,
  p.content_hash, p.approved_hash
FROM posts p JOIN accounts a ON a.id = p.account_id ORDER BY p.created_at, p.id
"""
_PARTS = "SELECT post_id::text, text, state, platform_post_id FROM post_parts ORDER BY post_id, index"
_ATTEMPTS = """
SELECT c.post_id::text, c.kind, c.fingerprint, extract(epoch FROM c.started_at)::float8,
  extract(epoch FROM c.finished_at)::float8, c.outcome, c.remote_id, c.reference, coalesce(p.index, 0)
FROM attempts c LEFT JOIN post_parts p ON p.id = c.part_id ORDER BY c.started_at, c.id
"""
_AUDIT = """
SELECT subject_id, extract(epoch FROM at)::float8, actor, action, from_state, to_state, detail::text
FROM audit_log WHERE subject = 'post' ORDER BY at
"""
_NOTICES = "SELECT post_id::text, level, code, message FROM notices ORDER BY at"


@dataclass
class HubSide:
    """The hub of a lane, seen from outside."""

    socket_dir: Path
    name: str = "psn"
    _connection: psycopg.Connection[Any] | None = None

    def ask(self, statement: str, *parameters: Any) -> list[Any]:
        """Run one statement; when the server is away, wait for it."""
        give_up = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                cursor = self._connected().execute(statement, parameters or None)
                return cursor.fetchall() if cursor.description else []
            except psycopg.OperationalError:
                self.close()
                if time.monotonic() > give_up:
                    raise
                time.sleep(0.05)

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
        self._connection = None

    def begin(self, *, impatient: str) -> None:
        """Forget every post, and let every account send again.

        Args:
            impatient: id of the account whose posts are missed when they are late by more than `GRACE_SECONDS`.
        """
        self.ask(_EMPTY)
        self.ask(
            "UPDATE accounts SET next_allowed_at = NULL, next_catch_up_at = NULL, "
            "grace = CASE WHEN id = %s THEN make_interval(secs => %s) ELSE interval '2 days' END",
            impatient,
            GRACE_SECONDS,
        )

    def count_moving(self) -> int:
        """Count the posts that the engine is not done with."""
        return int(self.ask(_MOVING)[0][0])

    def lost_accounts(self) -> set[str]:
        """Give the ids of accounts that must be connected again."""
        return {row[0] for row in self.ask("SELECT id::text FROM accounts WHERE status <> 'active'")}

    def cut_all(self) -> int:
        """End every connection of the worker and of commands."""
        return len(
            self.ask(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND usename <> 'postgres'"
            )
        )

    def delete_bells(self) -> int:
        """Lose every bell."""
        return len(self.ask("DELETE FROM django_q_ormq RETURNING id"))

    def double_bells(self) -> int:
        """Ring every bell once more, and at once besides."""
        doubled = self.ask(
            "INSERT INTO django_q_ormq (key, payload, lock) SELECT key, payload, lock FROM django_q_ormq RETURNING id"
        )
        self.ask(
            "INSERT INTO django_q_ormq (key, payload, lock) SELECT DISTINCT key, payload, now() FROM django_q_ormq"
        )
        self.ask("SELECT pg_notify('psn_bell', '')")
        return len(doubled)

    def read_posts(self) -> list[HubPost]:
        """Read every post with all that belongs to it."""
        parts = self._grouped(_PARTS, Part)
        attempts = self._grouped(_ATTEMPTS, Attempt)
        audit = self._grouped(_AUDIT, Entry)
        notices = self._grouped(_NOTICES, Notice)
        build: Callable[..., HubPost] = HubPost  # by position: the columns stand in the order of its fields
        return [
            build(*row, tuple(parts[row[0]]), tuple(attempts[row[0]]), tuple(audit[row[0]]), tuple(notices[row[0]]))
            for row in self.ask(_POSTS)
        ]

    def _grouped(self, statement: str, kind: type[Any]) -> defaultdict[str, list[Any]]:
        found: defaultdict[str, list[Any]] = defaultdict(list)
        for post_id, *values in self.ask(statement):
            found[post_id].append(kind(*values))
        return found

    def _connected(self) -> psycopg.Connection[Any]:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(
                host=str(self.socket_dir),
                port=PORT,
                user="postgres",
                dbname=self.name,
                autocommit=True,
                connect_timeout=5,
            )
        return self._connection
