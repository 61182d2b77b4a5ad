"""What lies in the platform's app, where a person must finish it: neither published nor lost, and never handed over twice (PUB-2)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from hub.actions import live, posts, resolving
from hub.actions.connecting import connect_sandbox
from hub.models import Account, Post
from hub.publishing import looks, quota, recovery, walk
from psn.errors import Conflict
from tests.contracts.formats import FORMATS
from tests.factories import OWNER, People
from tests.hub.publishing.stage import WORKER, attempts_of, changes_of, lawless, look, notices_of, parts_of, ring
from tests.sandbox.process import Sandbox

DELIVERED = [("act", "post.delivered")]


class Killed(BaseException):
    """The worker is gone."""


@pytest.fixture(autouse=True)
def _worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PSN_WORKER", WORKER)


@pytest.fixture
def account(hub: People, sandbox: Sandbox) -> Account:
    """The person's account at the platform that delivers."""
    return connect_sandbox(platform="tiktok", sandbox_url=sandbox.url, now=datetime.now(UTC))


@pytest.fixture
def post(account: Account) -> Post:
    """A video for the app's inbox, due."""
    wanted = FORMATS["tiktok"]["video to the inbox"]
    at = datetime.now(UTC) - timedelta(seconds=1)
    written, _ = posts.create_post(
        account=str(account.id), parts=wanted.parts(), options=wanted.options, at=at, approve=True
    )
    return written


def kill_over_the_answer(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """Publish a post with a worker that dies when it has the platform's answer."""

    def die(*_: Any, **__: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(walk, "_store_answer", die)
        with pytest.raises(Killed):
            walk.publish(str(post.id), worker=WORKER)


def look_until_known(post: Post) -> Post:
    """Let time pass, and do what a worker does when the bells of looks ring."""
    for _ in range(4):
        Post.objects.using(OWNER).filter(id=post.id, look_at__isnull=False).update(look_at=Now())
        looks.look(str(post.user_id), str(post.id), worker=WORKER)
    return look(post)


def shown(sandbox: Sandbox) -> int:
    """How many drafts and posts there are at the platform."""
    return len(sandbox.ask("posts", limit="100"))


class TestADeliveredPost:
    def test_is_delivered_once_and_the_person_is_told_once(self, post: Post, sandbox: Sandbox) -> None:
        after = ring(ring(post))
        assert (after.status, after.published_at is not None, shown(sandbox)) == ("delivered", True, 1)
        assert [part.state for part in parts_of(post)] == ["delivered"]
        assert (notices_of(post), [call.outcome for call in attempts_of(post)]) == (DELIVERED, ["ok"])

    def test_is_found_when_its_worker_died_over_the_answer(
        self, post: Post, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kill_over_the_answer(post, monkeypatch)
        recovery.recover(post.id)
        assert look(post).status == "unknown"
        after = look_until_known(post)
        assert (after.status, notices_of(post), shown(sandbox)) == ("delivered", DELIVERED, 1)
        assert changes_of(post)[-1] == "unknown delivered"

    def test_is_ended_when_its_worker_died_right_after_the_answer(
        self, post: Post, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Only the part was stored: the answer came late, to a post that nobody held any more."""
        kill_over_the_answer(post, monkeypatch)
        hand_in_late(post)
        recovery.recover(post.id)
        after = look_until_known(post)
        assert (after.status, notices_of(post), shown(sandbox)) == ("delivered", DELIVERED, 1)

    def test_is_no_news_when_its_answer_comes_after_the_look(
        self, post: Post, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kill_over_the_answer(post, monkeypatch)
        recovery.recover(post.id)
        before = look_until_known(post)
        hand_in_late(post)
        after = look(post)
        assert (after.updated_at, notices_of(post)) == (before.updated_at, DELIVERED)
        assert (ring(post).status, shown(sandbox)) == ("delivered", 1)

    def test_counts_among_the_day_s(self, post: Post, account: Account) -> None:
        ring(post)
        assert quota.posts_of_day(account).count() == 1

    def test_is_not_the_apps_to_delete_nor_the_person_s_to_resolve(self, post: Post) -> None:
        ring(post)
        verbs: list[Callable[[], object]] = [
            lambda: live.ask_to_delete(str(post.id)),
            lambda: resolving.resolve_not_published(str(post.id)),
            lambda: posts.cancel_post(str(post.id)),
            lambda: posts.publish_post(str(post.id), approve=True, now=datetime.now(UTC)),
        ]
        for verb in verbs:
            with pytest.raises(Conflict):
                verb()
        assert look(post).status == "delivered"

    def test_is_not_called_published_by_anybody(self, post: Post) -> None:
        ring(post)
        with pytest.raises(Exception, match="published needs the remote id"):
            Post.objects.using(OWNER).filter(id=post.id).update(status="published")


def hand_in_late(post: Post) -> None:
    """Do what a worker does that wakes long after, with the platform's answer in its hands."""
    with lawless() as database:
        database.execute(
            "UPDATE post_parts SET state = 'delivered', platform_post_id = 'v_inbox~1', published_at = now() "
            "WHERE post_id = %s AND state = 'waiting'",
            [post.id],
        )
