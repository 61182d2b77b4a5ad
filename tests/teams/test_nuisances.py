"""What a member can do to be a nuisance, and what it does not stop; the answer to a nuisance is removal (SPEC TEAM-1, PUB-1)."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg

from psn.config.workspace import ROOT
from tests.teams.company import environment_of
from tests.teams.stage import Stage
from tests.teams.trying import ended

BELL_SECONDS = 2.0


@contextmanager
def listening(stage: Stage) -> Iterator[subprocess.Popen[str]]:
    """A worker that takes bells, in a process of its own."""
    around = environment_of(stage.company.workspace, PSN_HUB=stage.company.slug, PSN_LOGIN="worker", PSN_WORKER="t:1")
    command = [sys.executable, "-m", "tests.teams.listening"]
    process = subprocess.Popen(command, cwd=ROOT, env=around, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "listening\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def approved_post(stage: Stage, superuser: psycopg.Connection[Any]) -> UUID:
    """A post of Bob's that is due in a moment, and that was just approved."""
    post, at = uuid4(), datetime.now(UTC) + timedelta(seconds=0.1)
    slot = stage.insert("slots", on=at.date().isoformat(), platform="x", claimed_by_id=stage.people["bob"].id)
    superuser.execute(slot.as_string(superuser).encode() + b" ON CONFLICT DO NOTHING")
    with stage.enter("bob") as bob, bob.transaction():
        bob.execute(
            stage.insert(
                "posts", id=post, account_id=stage.names["account"], author_id=stage.people["bob"].id, status="draft",
                content_hash="seen", scheduled_at=at, due_at=at,
            )
        )  # fmt: skip
        bob.execute("UPDATE posts SET status = 'pending_approval' WHERE id = %s", [post])
    with stage.enter("cat") as cat:
        assert ended(cat, f"SELECT hub_api.approve_post('{post}', 'seen', '')").startswith("gave")
    return post


class TestAYes:
    def test_reaches_the_worker_within_two_seconds(self, stage: Stage, superuser: psycopg.Connection[Any]) -> None:
        with listening(stage) as worker:
            rung = time.monotonic()
            assert hears(worker, approved_post(stage, superuser))
            assert time.monotonic() - rung < BELL_SECONDS + 1.0  # the yes itself takes its time on a busy machine

    def test_reaches_the_worker_through_a_flood_of_notifications(
        self, stage: Stage, superuser: psycopg.Connection[Any]
    ) -> None:
        """Whoever is in the database may notify; what is said is not listened to, only that somebody spoke."""
        with listening(stage) as worker:
            with stage.enter("eve") as eve, eve.transaction():
                eve.execute(
                    "SELECT pg_notify('psn_bell', i::text || repeat('x', 100)) FROM generate_series(1, 20000) i"
                )
            rung = time.monotonic()
            assert hears(worker, approved_post(stage, superuser))
            assert time.monotonic() - rung < 5 * BELL_SECONDS


class TestANuisance:
    def test_leaves_the_worker_at_work_when_he_holds_his_own_scheduled_post(
        self, stage: Stage, superuser: psycopg.Connection[Any]
    ) -> None:
        """A worker waits two seconds for a post that somebody just changes, and goes on to the next."""
        post = approved_post(stage, superuser)
        with stage.enter("bob", autocommit=False) as bob, stage.company.enter_as_worker() as worker:
            bob.execute("SELECT 1 FROM posts WHERE id = %s FOR UPDATE", [post])
            began = time.monotonic()
            assert ended(worker, f"SELECT * FROM hub_api.claim_posts('w', '1 min', '15 min', 1, '{post}')") in (
                "55P03",
                "nothing",
            )
            assert time.monotonic() - began < 5.0
            bob.rollback()

    def test_owns_large_objects_and_advisory_locks_and_nothing_that_matters(self, stage: Stage) -> None:
        with stage.enter("eve") as eve:
            assert ended(eve, "SELECT lo_unlink(lo_create(0))").startswith("gave")
            assert ended(eve, "SELECT pg_advisory_lock(1), pg_advisory_unlock(1)").startswith("gave")


def hears(worker: subprocess.Popen[str], post: UUID) -> bool:
    """Read what the worker says until it names the post."""
    assert worker.stdout is not None
    return any(line.strip() == str(post) for line in worker.stdout)
