"""Waiting for a post's end: an outcome that PSN still finds out about is none."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import connections

from hub.actions import posts
from hub.actions.resolving import resolve_published
from hub.actions.waiting import Moment, has_ended, watch_post
from hub.models import Account, Post, User
from psn.errors import Conflict, NotFound
from tests.factories import OWNER, make_account, make_post
from tests.hub.actions.stage import make_claimed, make_unknown, read


@pytest.fixture
def account(me: User) -> Account:
    return make_account(me, handle="ana", base_url="http://127.0.0.1:8766/x")


@contextmanager
def later(action: Callable[[], object], *, seconds: float = 0.3) -> Iterator[None]:
    """Do something in a moment, on connections of its own."""

    def act() -> None:
        action()
        connections.close_all()

    timer = threading.Timer(seconds, act)
    timer.start()
    try:
        yield
    finally:
        timer.join()


def watch(post: Post, *, seconds: float = 10.0) -> list[Moment]:
    return list(watch_post(str(post.id), timeout_seconds=seconds, poll_seconds=0.02))


class TestWatchPost:
    def test_gives_one_moment_for_what_has_ended(self, account: Account) -> None:
        post = make_post(account)
        posts.cancel_post(str(post.id))
        assert [(moment.post.status, moment.has_ended) for moment in watch(post)] == [("cancelled", True)]

    def test_gives_every_change_until_the_end(self, account: Account) -> None:
        post = make_post(account)
        with later(lambda: posts.cancel_post(str(post.id))):
            moments = watch(post)
        assert [(moment.post.status, moment.has_ended) for moment in moments] == [("draft", False), ("cancelled", True)]

    def test_goes_on_while_psn_finds_out(self, account: Account) -> None:
        post = make_unknown(account)
        with later(lambda: resolve_published(str(post.id), url="7000")):
            moments = watch(post)
        assert [(moment.post.status, moment.has_ended) for moment in moments] == [
            ("unknown", False),
            ("published", True),
        ]

    def test_follows_a_change_of_mind_about_when_to_look(self, account: Account) -> None:
        post = make_unknown(account)
        with later(lambda: Post.objects.using(OWNER).filter(id=post.id).update(look_at=None)):
            moments = watch(post)
        assert [moment.has_ended for moment in moments] == [False, True]
        assert moments[-1].post.look_at is None

    def test_gives_up_on_what_psn_still_finds_out_about_without_an_error(self, account: Account) -> None:
        moments = watch(make_unknown(account), seconds=0.1)
        assert (moments[-1].post.status, moments[-1].has_ended, moments[-1].is_over) == ("unknown", False, True)

    def test_gives_up_with_the_state_it_found(self, account: Account) -> None:
        post = make_claimed(account)
        started = time.monotonic()
        with pytest.raises(Conflict) as refused:
            watch(post, seconds=0.1)
        assert (refused.value.error_code, "publishing" in refused.value.message) == ("post.not_ended", True)
        assert refused.value.next_command == f"psn_post why {post.id}"
        assert time.monotonic() - started < 3

    def test_refuses_what_is_not_there(self, me: User) -> None:
        with pytest.raises(NotFound):
            list(watch_post("7", timeout_seconds=1))


class TestHasEnded:
    def test_says_no_of_an_unknown_post_only_while_psn_looks(self, account: Account) -> None:
        assert not has_ended(make_unknown(account))
        assert has_ended(make_unknown(account, looking=False))
        assert not has_ended(read(make_post(account)))
