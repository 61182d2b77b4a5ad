"""How the engine does, in figures: right, bounded, and read through indexes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from hub.actions import health
from hub.models import Account, Notice, Post, User, WorkerHeartbeat
from hub.queue import bells
from tests.factories import OWNER, make_account, make_post
from tests.hub.actions.stage import claim, long_ago, make_claimed, make_unknown, now

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def account(me: User) -> Account:
    return make_account(me)


def pause(account: Account, **until: Any) -> None:
    Account.objects.using(OWNER).filter(id=account.id).update(**until)


def beat(name: str, *, ago: timedelta) -> None:
    values = {"incarnation": "1", "host": "here", "pid": 7, "version": "0.1.0", "started_at": now() - HOUR}
    WorkerHeartbeat.objects.using(OWNER).create(name=name, beat_at=now() - ago, swept_at=None, **values)


class TestWhatIsOverdue:
    def test_is_stuck_only_when_nothing_is_in_its_way_for_a_minute(self, account: Account) -> None:
        stuck = make_post(account, status="scheduled", due_in=-90)
        make_post(account, status="scheduled", due_in=-30)
        make_post(account, status="scheduled", due_in=600)
        found = health.find_overdue(now=now())
        assert ([post.id for post in found.unclaimed], set(found.waiting.values())) == ([stuck.id], {0})

    @pytest.mark.parametrize(
        ("due_in", "until", "waits_for"),
        [
            (-90, {"next_allowed_at": HOUR}, "paused"),
            (-90, {"next_allowed_at": -HOUR}, None),
            (-3600, {"next_catch_up_at": HOUR}, "catch_up"),
            (-90, {"next_catch_up_at": HOUR}, None),  # on time as far as outages go: not paced
            (-3600, {"next_catch_up_at": -HOUR}, None),
            (-49 * 3600, {}, "too_late"),
        ],
        ids=["paused", "pause over", "catch-up", "not late", "its turn", "too late"],
    )
    def test_waits_for_what_the_claim_waits_for(
        self, account: Account, due_in: float, until: dict[str, timedelta], waits_for: str | None
    ) -> None:
        make_post(account, status="scheduled", due_in=due_in)
        pause(account, **{name: now() + span for name, span in until.items()})
        found = health.find_overdue(now=now())
        assert [name for name, number in found.waiting.items() if number] == ([waits_for] if waits_for else [])
        assert len(found.unclaimed) == (0 if waits_for else 1)

    def test_waits_for_another_of_its_account(self, me: User, account: Account) -> None:
        make_claimed(account)
        make_post(account, status="scheduled", due_in=-90)
        alone = make_post(make_account(me), status="scheduled", due_in=-90)
        found = health.find_overdue(now=now())
        assert (found.waiting["behind_another"], [post.id for post in found.unclaimed]) == (1, [alone.id])

    def test_is_what_a_worker_would_not_take_or_would(self, account: Account) -> None:
        """The same words as the claim's: whatever waits for something is not claimed, whatever is stuck is."""
        post = make_post(account, status="scheduled", due_in=-90)
        pause(account, next_allowed_at=now() + HOUR)
        with pytest.raises(AssertionError):
            claim(post)
        pause(account, next_allowed_at=None)
        assert health.find_overdue(now=now()).unclaimed == [post]
        claim(post)


class TestDescribePosts:
    def test_tells_every_figure(self, me: User, account: Account) -> None:
        oldest = make_post(account, status="scheduled", due_in=-90)
        following = make_post(account, status="scheduled", due_in=600)
        silent = long_ago(make_claimed(make_account(me)), lease_until=HOUR)
        make_unknown(make_account(me))
        make_unknown(make_account(me), looking=False)
        told = health.describe_posts(now=now())
        assert {name: told[name] for name in ("scheduled", "overdue", "publishing", "oldest_due_at", "next_due_at")} == {
            "scheduled": 2, "overdue": 1, "publishing": 1, "oldest_due_at": oldest.due_at, "next_due_at": following.due_at,
        }  # fmt: skip
        assert told["stuck"] == {"lease_over": 1, "unclaimed": 1, "posts": [str(silent.id), str(oldest.id)]}
        assert told["unknown"] == {"looking": 1, "waits_for_person": 1}

    def test_has_nothing_to_tell_of_an_empty_hub(self, me: User) -> None:
        told = health.describe_posts(now=now())
        assert (told["scheduled"], told["oldest_due_at"], told["stuck"]["posts"]) == (0, None, [])

    def test_counts_no_further_than_it_says(self, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(health, "COUNTED_UP_TO", 2)
        for _ in range(3):
            make_post(account, status="scheduled", due_in=60)
        told = health.describe_posts(now=now())
        assert (told["scheduled"], told["counted_up_to"]) == (2, 2)


class TestLateness:
    def test_is_told_in_milliseconds_for_the_last_day(self, account: Account) -> None:
        for late_ms in (10, 20, 30, 1000):
            publish(account, late=timedelta(milliseconds=late_ms))
        publish(account, late=HOUR, ago=timedelta(hours=25))
        assert health.describe_lateness() == {"hours": 24, "count": 4, "p50": 20, "p95": 1000, "p99": 1000, "max": 1000}

    def test_of_nothing_is_nothing(self, me: User) -> None:
        assert health.describe_lateness() == {
            "hours": 24,
            "count": 0,
            "p50": None,
            "p95": None,
            "p99": None,
            "max": None,
        }


class TestTheQueue:
    def test_is_told_by_what_is_due_and_what_comes_later(self, me: User) -> None:
        bells.ring("tidy", at=now() + HOUR)
        for _ in range(2):
            bells.ring("watch", at=now() - MINUTE)
        told = health.describe_queue()
        assert (told["due"], told["later"]) == (2, 1)
        assert 59 < (now() - told["oldest_due_at"]).total_seconds() < 70

    def test_of_nothing_has_no_oldest(self, me: User) -> None:
        assert health.describe_queue() == {"due": 0, "later": 0, "oldest_due_at": None}


class TestWorkers:
    def test_that_gave_no_sign_for_a_minute_are_deaf(self, me: User) -> None:
        beat("well", ago=timedelta(seconds=50))
        beat("ill", ago=timedelta(seconds=70))
        told = health.describe_workers(now=now())
        assert [(worker["name"], worker["state"]) for worker in told] == [("well", "working"), ("ill", "deaf")]
        assert 50 <= told[0]["beat_age_seconds"] < 60
        assert told[0]["swept_age_seconds"] is None


class TestNotices:
    def test_are_counted_by_what_the_person_must_do(self, account: Account) -> None:
        post = make_post(account)
        for level in ("act", "know", "know"):
            Notice.objects.using(OWNER).create(
                user_id=post.user_id, post_id=post.id, level=level, code="c", message="m"
            )
        assert health.describe_notices() == {"act": 1, "know": 2}


class TestEveryFigure:
    def test_is_read_with_a_bound(self, account: Account) -> None:
        """Whatever a hub holds: a query has a limit, looks for one row of an index, or sums up one day."""
        make_post(account, status="scheduled", due_in=-90)
        beat("well", ago=MINUTE)
        with CaptureQueriesContext(connections["default"]) as seen:
            health.describe_posts(now=now())
            health.describe_queue()
            health.describe_notices()
            health.describe_workers(now=now())
        assert len(seen.captured_queries) > 8
        for query in seen.captured_queries:
            sql = query["sql"].upper()
            assert "LIMIT" in sql or "MIN(" in sql, sql

    def test_of_the_posts_has_its_index(self, me: User) -> None:
        with connections[OWNER].cursor() as cursor:
            cursor.execute("SELECT indexname FROM pg_indexes WHERE schemaname = 'public'")
            names = {row[0] for row in cursor.fetchall()}
        assert {"posts_due", "posts_lease", "posts_look", "django_q_ormq_due", "notices_unseen"} <= names


def publish(account: Account, *, late: timedelta, ago: timedelta = timedelta(0)) -> Post:
    """Make a post that was published some time ago, and late."""
    post = make_claimed(account)
    with connections[OWNER].cursor() as cursor:
        cursor.execute("ALTER TABLE posts DISABLE TRIGGER USER")
        cursor.execute(_PUBLISH, {"id": post.id, "ago": ago.total_seconds(), "late": late.total_seconds()})
        cursor.execute("ALTER TABLE posts ENABLE TRIGGER USER")
    return post


_PUBLISH = """
UPDATE posts SET status = 'published', phase = '', lease_until = NULL, lease_owner = '', platform_post_id = '1',
  published_at = now() - make_interval(secs => %(ago)s), due_at = now() - make_interval(secs => %(ago)s) - make_interval(secs => %(late)s),
  scheduled_at = now() - make_interval(secs => %(ago)s) - make_interval(secs => %(late)s)
WHERE id = %(id)s
"""
