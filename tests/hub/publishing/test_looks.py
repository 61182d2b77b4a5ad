"""How an outcome that nobody knows ends: the platform is asked, and the evidence decides (PUB-6, P4, ENGINE 4)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.models import Account, Attempt, Post
from hub.publishing import looks, sweep
from hub.publishing.endings import WATCHDOG
from hub.queue.bells import unpack
from psn.platforms import x
from psn.platforms.base import Witness
from psn.platforms.x.adapter import XAdapter
from tests.factories import OWNER, make_post
from tests.hub.publishing.stage import (
    WORKER,
    at_once,
    attempts_of,
    audit_of,
    bells,
    changes_of,
    drain,
    interrupt,
    lawless,
    live,
    look,
    notices_of,
    parts_of,
    ring,
    rung,
    sent,
    texts,
    worker_login,
)
from tests.sandbox.process import Sandbox

TIMELINE = "GET /2/users/{id}/tweets"
FIRST, SECOND = x.WITNESS.looks


@pytest.fixture(autouse=True)
def _worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PSN_WORKER", WORKER)


class TestAPostWhoseAnswerWasLost:
    def test_is_looked_for_when_the_witness_says_so(self, account: Account, sandbox: Sandbox) -> None:
        before = datetime.now(UTC)
        post = doubt(account, sandbox, "drop_after")
        assert post.look_at is not None
        assert FIRST - timedelta(seconds=1) < post.look_at - before < FIRST + timedelta(seconds=5)
        (row,) = bells()
        assert (row.lock, unpack(row.payload).task) == (post.look_at, "look_at_post")
        assert unpack(row.payload).ids == {"user_id": str(post.user_id), "post_id": str(post.id)}
        assert notices_of(post) == []  # not a person's matter yet

    def test_and_is_live_is_linked_and_not_sent_again(self, account: Account, sandbox: Sandbox) -> None:
        post = doubt(account, sandbox, "drop_after")
        after = look_after(post, FIRST)
        (remote,) = live(sandbox)
        assert (after.status, after.platform_post_id, after.look_at) == ("published", remote["id"], None)
        assert (after.error_code, after.error_message) == ("", "")
        assert remote["id"] in after.url
        assert notices_of(post) == [("know", "post.found")]
        assert (audit_of(post)[-1].actor, changes_of(post)[-1]) == (WATCHDOG, "unknown published")
        (call,), (probe,) = attempts_of(post), attempts_of(post, kind="probe")
        assert (probe.outcome, probe.remote_id, probe.worker) == ("ok", remote["id"], WORKER)
        assert (call.outcome, after.published_at) == ("unknown", call.started_at)
        assert (len(sent(sandbox)), drain()) == (1, 0)

    def test_and_is_nowhere_at_every_look_is_sent_once_more(self, account: Account, sandbox: Sandbox) -> None:
        post = doubt(account, sandbox, "drop_before")
        once = look_after(post, FIRST)
        assert (once.status, once.look_at) == ("unknown", attempts_of(post)[0].finished_at + SECOND)  # type: ignore[operator]
        assert look_after(post, SECOND - FIRST).status == "scheduled"
        assert notices_of(post) == [("know", "post.not_found")]
        assert audit_of(post)[-1].actor == WATCHDOG
        after = ring(post)
        assert (after.status, texts(sandbox), len(sent(sandbox))) == ("published", ["Hello"], 2)
        assert len(attempts_of(post, kind="probe")) == 2

    def test_is_not_looked_for_too_early(self, account: Account, sandbox: Sandbox) -> None:
        post = doubt(account, sandbox, "drop_before")
        looks.look(str(post.user_id), str(post.id), worker=WORKER)
        assert (look(post).look_at, attempts_of(post, kind="probe")) == (post.look_at, [])

    def test_is_seen_at_the_second_look_when_it_shows_late(self, account: Account, sandbox: Sandbox) -> None:
        sandbox.fail("invisible", seconds=60)
        post = doubt(account, sandbox, "drop_after")
        assert look_after(post, FIRST).status == "unknown"
        sandbox.move_clock(61)
        assert look_after(post, SECOND - FIRST).status == "published"
        assert (len(live(sandbox)), len(sent(sandbox))) == (1, 1)

    def test_and_is_live_though_no_look_showed_it_comes_back_as_an_echo(
        self, account: Account, sandbox: Sandbox
    ) -> None:
        sandbox.fail("invisible", seconds=600)
        post = doubt(account, sandbox, "drop_after")
        look_after(post, FIRST)
        look_after(post, SECOND - FIRST)
        echo = ring(post)  # sent once more, and refused as a duplicate
        assert (echo.status, echo.error_code) == ("unknown", "publish.echo")
        assert [attempt.outcome for attempt in attempts_of(post)] == ["unknown", "refused"]
        sandbox.move_clock(601)
        after = look_after(post, FIRST)
        assert (after.status, after.platform_post_id) == ("published", live(sandbox)[0]["id"])
        assert (len(live(sandbox)), len(sent(sandbox))) == (1, 2)

    def test_and_is_echoed_and_never_shown_is_a_person_s_matter(self, account: Account, sandbox: Sandbox) -> None:
        sandbox.fail("invisible", seconds=600)
        post = doubt(account, sandbox, "drop_after")
        for wait in (FIRST, SECOND - FIRST):
            look_after(post, wait)
        ring(post)
        after = look_after(post, FIRST)
        for _ in range(3):
            after = look_after(post, SECOND) if after.look_at else after
        assert (after.status, after.look_at, len(sent(sandbox))) == ("unknown", None, 2)
        assert notices_of(post)[-1] == ("act", "publish.unknown")

    def test_twice_in_a_row_is_a_person_s_matter(self, account: Account, sandbox: Sandbox) -> None:
        sandbox.fail("drop_before", times=2)
        post = ring(make_post(account, status="scheduled"))
        for wait in (FIRST, SECOND - FIRST):
            look_after(post, wait)
        assert ring(post).status == "unknown"
        for wait in (FIRST, SECOND - FIRST):
            look_after(post, wait)
        after = look(post)
        assert (after.status, after.look_at, len(sent(sandbox))) == ("unknown", None, 2)
        assert notices_of(post) == [("know", "post.not_found"), ("act", "publish.unknown")]
        assert "twice" in after.error_message

    def test_leaves_a_refusal_as_a_duplicate_what_it_is_without_a_doubtful_call(
        self, account: Account, sandbox: Sandbox
    ) -> None:
        ring(make_post(account, status="scheduled"))
        second = ring(make_post(account, status="scheduled"))
        assert (second.status, second.error_code) == ("failed", "x.duplicate")


class TestAThread:
    def test_goes_on_after_the_part_that_was_found(
        self, account: Account, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        post = lose_second_answer(account, sandbox, monkeypatch, fault="drop_after")
        found = look_after(post, FIRST)
        assert (found.status, found.tries) == ("scheduled", 0)
        assert ring(post).status == "published"
        assert texts(sandbox) == ["one", "two", "three"]
        assert [remote["in_reply_to"] for remote in live(sandbox)[1:]] == [remote["id"] for remote in live(sandbox)[:2]]
        assert [part.platform_post_id for part in parts_of(post)] == [remote["id"] for remote in live(sandbox)]
        assert len(sent(sandbox)) == 3

    def test_sends_the_part_that_was_not_there_and_no_other_again(
        self, account: Account, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        post = lose_second_answer(account, sandbox, monkeypatch, fault="drop_before")
        look_after(post, FIRST)
        look_after(post, SECOND - FIRST)
        assert ring(post).status == "published"
        assert (texts(sandbox), len(sent(sandbox))) == (["one", "two", "three"], 4)


class TestAPlatformThatCannotBeAsked:
    @pytest.mark.parametrize(
        "fault",
        [
            pytest.param({"kind": "status", "status": 503}, id="503"),
            pytest.param({"kind": "drop_before"}, id="drop_before"),
            pytest.param({"kind": "garbage"}, id="garbage"),
        ],
    )
    def test_is_asked_again_in_a_while_and_its_silence_proves_nothing(
        self, account: Account, sandbox: Sandbox, fault: dict[str, Any]
    ) -> None:
        post = doubt(account, sandbox, "drop_before")
        sandbox.fail(match=TIMELINE, times=None, **fault)
        for _ in range(3):
            after = look_after(post, SECOND)
            assert (after.status, len(sent(sandbox))) == ("unknown", 1)
            assert after.look_at is not None
            assert timedelta(seconds=50) < after.look_at - datetime.now(UTC) <= looks.LOOK_AGAIN

    def test_is_given_up_on_after_a_quarter_of_an_hour_and_the_person_is_told(
        self, account: Account, sandbox: Sandbox
    ) -> None:
        post = doubt(account, sandbox, "drop_after")
        sandbox.fail("status", status=503, match=TIMELINE, times=None)
        after = look_after(post, looks.LOOK_FOR)
        assert (after.status, after.look_at) == ("unknown", None)
        assert notices_of(post) == [("act", "publish.unknown")]
        assert "cannot be asked" in after.error_message
        with worker_login():
            sweep.sweep()
        assert [task for task in rung() if task != "look_at_post"] == []
        assert (drain(), len(sent(sandbox))) == (0, 1)

    def test_and_names_its_time_is_asked_then(self, account: Account, sandbox: Sandbox) -> None:
        post = doubt(account, sandbox, "drop_after")
        sandbox.fail("status", status=429, retry_after=300, match=TIMELINE)
        after = look_after(post, FIRST)
        assert after.look_at is not None
        assert timedelta(seconds=280) < after.look_at - datetime.now(UTC) < timedelta(seconds=305)
        assert look_after(post, timedelta(seconds=300)).status == "published"

    def test_because_the_token_ended_before_its_time_is_asked_with_a_new_one(
        self, account: Account, sandbox: Sandbox
    ) -> None:
        post = doubt(account, sandbox, "drop_after")
        sandbox.fail("expired_token", match=TIMELINE)
        assert look_after(post, FIRST).status == "unknown"
        assert (look_after(post, looks.LOOK_AGAIN).status, len(sent(sandbox))) == ("published", 1)

    def test_for_an_account_that_is_gone_is_given_up_on_too(self, account: Account, sandbox: Sandbox) -> None:
        post = doubt(account, sandbox, "drop_after")
        Account.objects.filter(id=account.id).update(status="disconnected")
        assert look_after(post, FIRST).look_at is not None
        assert look_after(post, looks.LOOK_FOR).look_at is None
        assert notices_of(post) == [("act", "publish.unknown")]

    @pytest.mark.parametrize(
        "change", [{"base_url": "ftp://nowhere"}, {"base_url": "http://example.com"}], ids=["no address", "unsafe"]
    )
    def test_for_a_reason_of_our_own_is_given_up_on_too(
        self, account: Account, sandbox: Sandbox, change: dict[str, str]
    ) -> None:
        post = doubt(account, sandbox, "drop_after")
        Account.objects.filter(id=account.id).update(**change)
        after = look_after(post, looks.LOOK_FOR)
        assert (after.status, after.look_at) == ("unknown", None)
        assert notices_of(post) == [("act", "publish.unknown")]
        assert [probe.outcome for probe in attempts_of(post, kind="probe")] != [""]  # closed

    def test_because_the_adapter_broke_is_given_up_on_too(
        self, account: Account, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def break_down(*_: object, **__: object) -> None:
            raise RuntimeError("a bug")

        post = doubt(account, sandbox, "drop_after")
        monkeypatch.setattr(XAdapter, "find_published", break_down)
        after = look_after(post, looks.LOOK_FOR)
        assert (after.status, after.look_at) == ("unknown", None)
        assert notices_of(post) == [("act", "publish.unknown")]


class TestALook:
    def test_by_many_at_once_is_one(self, account: Account, sandbox: Sandbox) -> None:
        post = doubt(account, sandbox, "drop_after")
        pass_time(post, FIRST)
        at_once(4, lambda _: looks.look(str(post.user_id), str(post.id), worker=WORKER))
        assert len(attempts_of(post, kind="probe")) == 1
        assert (look(post).status, notices_of(post)) == ("published", [("know", "post.found")])

    def test_whose_worker_died_is_made_again(self, account: Account, sandbox: Sandbox) -> None:
        post = doubt(account, sandbox, "drop_after")
        Post.objects.using(OWNER).filter(id=post.id).update(look_at=datetime.now(UTC) - timedelta(seconds=10))
        with worker_login():
            sweep.sweep()  # the bell at the time of the look was lost, or whoever heard it died
        assert "look_at_post" in rung()
        looks.look(str(post.user_id), str(post.id), worker=WORKER)
        assert look(post).status == "published"

    def test_of_a_part_whose_answer_came_after_all_lets_the_post_go_on(
        self, account: Account, sandbox: Sandbox
    ) -> None:
        post = doubt(account, sandbox, "drop_after")
        (remote,) = live(sandbox)
        answer = {"state": "published", "platform_post_id": remote["id"], "url": remote["url"]}
        type(parts_of(post)[0]).objects.filter(post_id=post.id).update(**answer, published_at=datetime.now(UTC))
        after = look_after(post, FIRST)
        assert (after.status, after.platform_post_id, len(sent(sandbox))) == ("published", remote["id"], 1)

    def test_changes_nothing_once_a_person_has_decided(self, account: Account, sandbox: Sandbox) -> None:
        post = doubt(account, sandbox, "drop_before")
        free = {"status": "failed", "look_at": None}
        Post.objects.using(OWNER).filter(id=post.id).update(**free)
        looks.look(str(post.user_id), str(post.id), worker=WORKER)
        assert (look(post).status, attempts_of(post, kind="probe")) == ("failed", [])

    def test_is_not_for_another_person_s_post(self, account: Account, sandbox: Sandbox, hub: Any) -> None:
        post = doubt(account, sandbox, "drop_after")
        pass_time(post, FIRST)
        with worker_login():
            looks.look(str(hub.other.id), str(post.id), worker=WORKER)
        assert look(post).status == "unknown"


class TestAPlatformWithoutAWitness:
    def test_leaves_it_to_the_person_at_once_and_is_never_called_again(
        self, account: Account, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(x, "PLATFORM", replace(x.PLATFORM, witness=Witness()))
        post = doubt(account, sandbox, "drop_after")
        assert (post.look_at, rung(), notices_of(post)) == (None, [], [("act", "publish.unknown")])
        with worker_login():
            assert sweep.sweep() == 0
        looks.look(str(post.user_id), str(post.id), worker=WORKER)
        for _ in range(3):
            ring(post)
        assert (look(post).status, len(sent(sandbox)), attempts_of(post, kind="probe")) == ("unknown", 1, [])

    def test_takes_a_refusal_as_a_duplicate_for_what_it_is(
        self, account: Account, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(x, "PLATFORM", replace(x.PLATFORM, witness=Witness()))
        ring(make_post(account, status="scheduled"))
        assert ring(make_post(account, status="scheduled")).error_code == "x.duplicate"


def doubt(account: Account, sandbox: Sandbox, fault: str) -> Post:
    """Publish a post whose answer gets lost."""
    sandbox.fail(fault)
    post = ring(make_post(account, status="scheduled"))
    assert post.status == "unknown"
    return post


def lose_second_answer(account: Account, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, *, fault: str) -> Post:
    """Publish a thread of three whose second part's answer gets lost."""
    calls: list[int] = []

    def order_fault() -> None:
        calls.append(1)
        if len(calls) == 2:
            sandbox.fail(fault)

    with monkeypatch.context() as patch:
        interrupt(patch, before_commit=order_fault)
        post = ring(make_post(account, texts=("one", "two", "three"), status="scheduled"))
    assert post.status == "unknown"
    return post


def look_after(post: Post, span: timedelta) -> Post:
    """Let time pass, and do what a worker does when the bell of a look rings."""
    pass_time(post, span)
    looks.look(str(post.user_id), str(post.id), worker=WORKER)
    return look(post)


def pass_time(post: Post, span: timedelta) -> None:
    """Move what is on record of a post into the past, as time does."""
    with lawless() as database:
        database.execute("UPDATE posts SET look_at = look_at - %s WHERE id = %s", [span, post.id])
        database.execute(
            "UPDATE attempts SET started_at = started_at - %s, finished_at = finished_at - %s WHERE post_id = %s",
            [span, span, post.id],
        )
    assert Attempt.objects.using(OWNER).filter(post_id=post.id).exists()
