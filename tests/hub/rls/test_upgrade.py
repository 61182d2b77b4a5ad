"""A hub with posts in every state is brought up to date, and a worker of the version before ends what it began (HUB-5)."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import connections

from hub.rls.audit import audit_catalog
from tests.hub.rls.test_operations import DATABASE, SCRATCH, connect, migrate, scratch

__all__ = ["scratch"]

ME = uuid.uuid4()
STATES = ("scheduled", "publishing", "unknown", "published", "failed", "draft")
Ids = dict[str, tuple[uuid.UUID, uuid.UUID]]


@pytest.fixture
def posts(scratch: str, settings: Any) -> Iterator[Ids]:
    """Posts in a hub of the version before, each with its part's id; the one that is going out has an open call."""
    settings.MIGRATES = (scratch,)
    migrate("hub", "0006")
    migrate("django_q")
    with connect("postgres", DATABASE) as database:
        database.execute("SET session_replication_role = replica")
        yield {status: write(database, status, number=number) for number, status in enumerate(STATES)}
        database.execute("TRUNCATE users, logins CASCADE")
    migrate()


def write(database: psycopg.Connection[Any], status: str, *, number: int) -> tuple[uuid.UUID, uuid.UUID]:
    """Write a post in a state, with the columns of that time."""
    post, part, account = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    database.execute(
        "INSERT INTO users (id, name, timezone, is_active, created_at) VALUES (%s, 'me', 'UTC', true, now()) ON CONFLICT DO NOTHING",
        [ME],
    )
    database.execute(
        "INSERT INTO logins (login_role, kind, is_active) VALUES ('psn_worker', 'service', true) ON CONFLICT DO NOTHING"
    )
    database.execute(
        "INSERT INTO accounts (id, user_id, platform, platform_account_id, handle, name, base_url, is_sandbox, status, status_reason) "
        "VALUES (%s, %s, 'x', %s, 'me', '', '', true, 'active', '')",
        [account, ME, str(number)],
    )
    out = status in ("published",)
    held = status == "publishing"
    database.execute(
        "INSERT INTO posts (id, user_id, account_id, status, scheduled_at, due_at, scheduled_zone, scheduled_wall, phase, lease_until, "
        "lease_owner, fence, tries, content_hash, approved_hash, approved_by, platform_post_id, url, published_at, error_code, "
        "error_message) VALUES (%s, %s, %s, %s, now(), now(), '', '', %s, %s, %s, 1, 1, 'h', 'h', 'person', %s, '', %s, '', '')",
        [post, ME, account, status, "sending" if held else "", "infinity" if held else None, "old:1:1" if held else "",
         "7" if out else "", "2026-01-01" if out else None],
    )  # fmt: skip
    database.execute(
        "INSERT INTO post_parts (id, user_id, post_id, index, kind, text, state, platform_post_id, url, published_at) "
        "VALUES (%s, %s, %s, 0, 'post', 'Hello', %s, %s, '', %s)",
        [part, ME, post, "published" if out else "waiting", "7" if out else "", "2026-01-01" if out else None],
    )
    if held or status == "unknown":
        outcome = (None, "") if held else ("2026-01-01", "unknown")
        database.execute(
            "INSERT INTO attempts (id, user_id, post_id, part_id, kind, fence, worker, fingerprint, finished_at, outcome, remote_id, "
            "request_id, detail) VALUES (%s, %s, %s, %s, 'commit', 1, 'old:1:1', 'f', %s, %s, '', '', '')",
            [post, ME, post, part, *outcome],
        )
    return post, part


def states(posts: Ids) -> dict[str, str]:
    with connect("postgres", DATABASE) as database:
        found = dict(database.execute("SELECT id, status FROM posts").fetchall())
    return {status: found[post] for status, (post, _) in posts.items()}


class TestAnUpgrade:
    def test_keeps_every_post_as_it_was_and_the_hub_closed(self, posts: Ids) -> None:
        migrate("hub", "0007")
        assert states(posts) == {status: status for status in STATES}
        with connections[SCRATCH].cursor() as cursor:
            found = {finding.code for finding in audit_catalog(cursor)}
        assert found <= {"rls.login_unknown"}  # other tests' people have logins on this server, and no rows here
        migrate("hub", "0006")  # and there is a way back
        assert states(posts) == {status: status for status in STATES}

    def test_lets_a_worker_of_the_version_before_end_what_it_began(self, posts: Ids) -> None:
        migrate("hub", "0007")
        post, part = posts["publishing"]
        with connect("psn_worker", DATABASE) as worker:
            stored = worker.execute(
                "SELECT hub_api.store_answer(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, make_interval(secs => %s), make_interval(secs => %s))",
                [ME, post, 1, part, post, "9", "", 200, "", True, 600.0, 60.0],
            ).fetchone()
        assert stored == (True,)
        assert states(posts)["publishing"] == "published"

    def test_lets_a_worker_of_the_version_before_begin_another(self, posts: Ids) -> None:
        migrate("hub", "0007")
        post, part = posts["scheduled"]
        with connect("psn_worker", DATABASE) as worker:
            row = worker.execute(
                "SELECT fence FROM hub_api.claim_posts('old:1:2', '60 s', '600 s', 1, %s)", [post]
            ).fetchone()
            assert row == (2,)
            begun = worker.execute(
                "SELECT hub_api.write_intent(%s, %s, %s, make_interval(secs => %s), %s, %s, %s, %s)",
                [ME, post, 2, 60.0, part, uuid.uuid4(), "old:1:2", "f"],
            ).fetchone()
        assert begun == (True,)
