"""The walk of one post, from its bell to its remote id (PUB-4, PUB-10, P3, P7)."""

from __future__ import annotations

import hashlib
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connections

from hub.actions import posts
from hub.actions.drafts import DraftPart, read_media
from hub.models import Account, Attempt, Post, PostMedia
from hub.publishing import walk
from psn.http import TIMEOUT_SECONDS
from tests.factories import make_post
from tests.hub.publishing.stage import (
    WORKER,
    attempts_of,
    audit_of,
    changes_of,
    interrupt,
    lawless,
    live,
    look,
    parts_of,
    ring,
    sent,
    texts,
)
from tests.sandbox.files import make_png
from tests.sandbox.process import Sandbox


class TestADuePost:
    def test_is_published_once_and_its_remote_id_and_address_are_stored(
        self, account: Account, sandbox: Sandbox
    ) -> None:
        post = ring(make_post(account, texts=("Good morning",), status="scheduled"))
        (remote,) = live(sandbox)
        assert (post.status, post.platform_post_id) == ("published", remote["id"])
        assert post.published_at is not None
        assert remote["id"] in post.url
        assert (remote["text"], len(sent(sandbox))) == ("Good morning", 1)
        (part,) = parts_of(post)
        assert (part.state, part.platform_post_id, part.url) == ("published", remote["id"], post.url)

    def test_leaves_its_claim_behind(self, account: Account) -> None:
        post = ring(make_post(account, status="scheduled"))
        assert (post.lease_owner, post.lease_until, post.phase) == ("", None, "")
        assert (post.fence, post.tries) == (1, 1)

    def test_leaves_an_attempt_that_says_who_when_what_and_how_it_ended(
        self, account: Account, sandbox: Sandbox
    ) -> None:
        post = make_post(account, texts=("Good morning",), status="scheduled")
        sandbox.fail("latency", seconds=0.2)
        post = ring(post)
        (attempt,), (call,) = attempts_of(post), sent(sandbox)
        assert (attempt.outcome, attempt.http_status, attempt.remote_id) == ("ok", 201, post.platform_post_id)
        assert attempt.request_id == call["request_id"]
        assert attempt.fingerprint == hashlib.sha256(b"Good morning").hexdigest()[:32]
        assert (attempt.worker, attempt.fence) == (WORKER, post.fence)
        assert attempt.duration_ms is not None
        assert 200 <= attempt.duration_ms < 5000
        assert "Good morning" not in str(vars(attempt))

    def test_has_an_audit_row_with_its_actor_for_each_change_of_state(self, account: Account) -> None:
        post = ring(make_post(account, status="scheduled"))
        assert changes_of(post) == ["scheduled publishing", "publishing published"]
        assert {entry.actor for entry in audit_of(post)} == {WORKER}

    def test_stays_published_when_it_is_rung_again(self, account: Account, sandbox: Sandbox) -> None:
        post = ring(make_post(account, status="scheduled"))
        for _ in range(5):
            assert ring(post).updated_at == post.updated_at
        assert len(sent(sandbox)) == 1


class TestTheIntent:
    def test_is_committed_before_the_request_leaves(
        self, account: Account, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        post = make_post(account, status="scheduled")
        seen: list[tuple[str, str, str, int]] = []

        def look_from_outside() -> None:
            with lawless() as outside:
                row = outside.execute(
                    "SELECT a.kind, a.outcome, p.phase FROM attempts a JOIN posts p ON p.id = a.post_id"
                ).fetchone()
            assert row is not None, "nothing is written down"
            seen.append((*row, len(sent(sandbox))))

        interrupt(monkeypatch, before_commit=look_from_outside)
        assert ring(post).status == "published"
        assert seen == [("commit", "", "sending", 0)]

    def test_stays_open_while_the_platform_has_not_answered(self, account: Account, sandbox: Sandbox) -> None:
        post = make_post(account, status="scheduled")
        sandbox.fail("latency", seconds=0.5)
        with ThreadPoolExecutor(1) as pool:
            ringing = pool.submit(_ring_aside, post)
            while not sent(sandbox):
                assert not ringing.done()
                time.sleep(0.01)
            meanwhile, (attempt,) = look(post), attempts_of(post)
            assert (meanwhile.status, meanwhile.phase, meanwhile.lease_owner) == ("publishing", "sending", WORKER)
            assert (attempt.outcome, attempt.finished_at) == ("", None)
            ringing.result(timeout=10)
        assert Attempt.objects.get(id=attempt.id).outcome == "ok"
        assert look(post).status == "published"

    def test_holds_no_transaction_open_while_the_platform_has_not_answered(
        self, account: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        post = make_post(account, status="scheduled")
        open_transactions: list[bool] = []
        interrupt(monkeypatch, before_commit=lambda: open_transactions.append(connections["default"].in_atomic_block))
        ring(post)
        assert open_transactions == [False]


class TestTheLease:
    def test_outlasts_the_longest_call_that_may_begin_under_it(self) -> None:
        assert (
            settings.CALL_TIMEOUT_SECONDS >= TIMEOUT_SECONDS
        )  # what the walk reckons with, and what HTTP really takes
        assert settings.LEASE.total_seconds() > walk.MARGIN_SECONDS


class TestAThread:
    def test_goes_out_in_order_each_part_a_reply_to_the_one_before(self, account: Account, sandbox: Sandbox) -> None:
        post = ring(make_post(account, texts=("one", "two", "three"), status="scheduled"))
        first, second, third = live(sandbox)
        assert texts(sandbox) == ["one", "two", "three"]
        assert [part["in_reply_to"] for part in (first, second, third)] == [None, first["id"], second["id"]]
        assert [part.platform_post_id for part in parts_of(post)] == [first["id"], second["id"], third["id"]]
        assert (post.status, post.platform_post_id) == ("published", first["id"])

    def test_sends_no_file_that_changes_while_it_goes_out(
        self, account: Account, sandbox: Sandbox, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "a.png").write_bytes(make_png(colour=(4, 5, 6)))
        post, _ = posts.create_post(
            account=str(account.id),
            parts=[DraftPart("one"), DraftPart("two", (read_media(str(tmp_path / "a.png")),))],
            at=datetime.now(UTC) - timedelta(seconds=1),
            approve=True,
        )
        (copy,) = [workspace / media.path for media in PostMedia.objects.filter(part__post_id=post.id)]

        def change() -> None:
            copy.write_bytes(make_png(colour=(6, 5, 4)))

        interrupt(monkeypatch, before_commit=change)
        after = ring(post)
        copy.unlink()
        assert (after.status, after.error_code, texts(sandbox)) == ("failed", "media.changed", ["one"])

    def test_has_one_attempt_per_part(self, account: Account) -> None:
        post = ring(make_post(account, texts=("one", "two", "three"), status="scheduled"))
        assert [attempt.part_id for attempt in attempts_of(post)] == [part.id for part in parts_of(post)]


def _ring_aside(post: Post) -> None:
    try:
        ring(post)
    finally:
        connections.close_all()
