"""The same call again: only while the platform knows it for the same, and never against a person's newer word (PUB-6, P4)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.actions import posts, resolving
from hub.actions.connecting import connect_sandbox
from hub.actions.drafts import DraftPart
from hub.models import Account, Post
from hub.publishing import endings, looks, repeats
from psn.errors import Conflict, NeedsReconnect, Rejected, Unavailable
from psn.platforms.base import Part, Prepared
from psn.platforms.bluesky.adapter import BlueskyAdapter
from psn.platforms.mastodon.adapter import MastodonAdapter
from tests.contracts.formats import COMMITS
from tests.factories import OWNER, People, make_post
from tests.hub.publishing.stage import (
    WORKER,
    at_once,
    attempts_of,
    changes_of,
    interrupt,
    lawless,
    live,
    look,
    make_due,
    notices_of,
    parts_of,
    ring,
    texts,
)
from tests.sandbox.process import Sandbox

Connect = Callable[[str], Account]


@pytest.fixture(autouse=True)
def _worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PSN_WORKER", WORKER)


@pytest.fixture
def connect(hub: People, sandbox: Sandbox) -> Connect:
    """Connect an account of a platform."""

    def connected(platform: str) -> Account:
        return connect_sandbox(platform=platform, sandbox_url=sandbox.url, now=datetime.now(UTC))

    return connected


def fail(sandbox: Sandbox, account: Account, kind: str, **more: Any) -> None:
    """Have the one call that makes a post public fail."""
    sandbox.fail(kind, platform=account.platform, match=COMMITS[account.platform], **more)


def doubt(account: Account, sandbox: Sandbox, fault: str, *, text: str = "Hello") -> Post:
    """Publish a post whose answer gets lost."""
    fail(sandbox, account, fault)
    post = ring(make_post(account, texts=(text,), status="scheduled"))
    assert post.status == "unknown"
    return post


def pass_time(post: Post, span: timedelta) -> None:
    """Move what is on record of a post into the past, as time does."""
    with lawless() as database:
        database.execute(
            "UPDATE posts SET look_at = look_at - %s, approved_at = approved_at - %s WHERE id = %s",
            [span, span, post.id],
        )
        database.execute(
            "UPDATE attempts SET started_at = started_at - %s, finished_at = finished_at - %s WHERE post_id = %s",
            [span, span, post.id],
        )


def look_after(post: Post, span: timedelta) -> Post:
    """Let time pass, and do what a worker does when the bell of a look rings."""
    pass_time(post, span)
    looks.look(str(post.user_id), str(post.id), worker=WORKER)
    return look(post)


def settle(post: Post, *, rounds: int = 12) -> Post:
    """Let time pass until nobody but a person is to do anything."""
    for _ in range(rounds):
        post = look(post)
        if post.status == "scheduled":
            make_due(post)
            ring(post)
        elif post.look_at is not None:
            look_after(post, max(post.look_at - datetime.now(UTC), timedelta(0)) + timedelta(seconds=1))
        else:
            return post
    raise AssertionError(f"{post} does not come to an end")


def shorten(monkeypatch: pytest.MonkeyPatch, adapter: Any, error: Exception) -> None:
    """Have the platform refuse to be asked."""

    def refuse(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(adapter, "find_published", refuse)


COMMENTS = "POST /rest/socialActions/{urn}/comments"
DOWN = Unavailable("It cannot be asked.")


class TestAPostThatWaitsForTheSameCall:
    """The first call may be live, and so is no longer the person's to change."""

    def test_is_not_edited_moved_or_cancelled(self, connect: Connect, sandbox: Sandbox) -> None:
        post = str(put_back(doubt(connect("mastodon"), sandbox, "drop_after")).id)
        now = datetime.now(UTC)
        for change in (
            lambda: posts.edit_post(post, parts=[DraftPart("Something else")], approve=True, now=now),
            lambda: posts.schedule_post(post, at=now, approve=True),
            lambda: posts.publish_post(post, approve=True, now=now),
            lambda: posts.cancel_post(post),
        ):
            with pytest.raises(Conflict) as refused:
                change()
            assert refused.value.error_code == "post.in_doubt"

    @pytest.mark.parametrize("platform", ["bluesky", "mastodon", "linkedin"])
    def test_and_was_approved_anew_all_the_same_makes_no_second_post(
        self, connect: Connect, sandbox: Sandbox, platform: str
    ) -> None:
        """As in a backup: it came back, and was approved again."""
        post = put_back(doubt(connect(platform), sandbox, "drop_after"))
        with lawless() as database:
            database.execute("UPDATE posts SET approved_at = clock_timestamp() WHERE id = %s", [post.id])
        after = ring(post)
        assert len(live(sandbox)) == 1
        assert (after.status, after.error_code, after.look_at) == ("unknown", repeats.CHANGED, None)
        assert notices_of(post)[-1] == ("act", repeats.CHANGED)
        resolving.resolve_not_published(str(post.id))  # the person's word is the end of the doubt
        assert not repeats.is_in_doubt(look(post))

    def test_though_every_look_showed_nothing_may_be_changed(self, account: Account, sandbox: Sandbox) -> None:
        post = doubt(account, sandbox, "drop_before")
        for wait in (10, 80):
            after = look_after(post, timedelta(seconds=wait))
        assert after.status == "scheduled"
        posts.edit_post(str(post.id), parts=[DraftPart("Something else")], approve=False, now=datetime.now(UTC))
        posts.schedule_post(str(post.id), at=datetime.now(UTC) - timedelta(seconds=1), approve=True)
        assert (ring(post).status, texts(sandbox)) == ("published", ["Something else"])

    def test_and_is_found_too_late_is_not_called_missed(self, connect: Connect, sandbox: Sandbox) -> None:
        post = put_back(doubt(connect("bluesky"), sandbox, "drop_after"))
        endings.miss(Post.objects.select_related("account").get(id=post.id))
        after = look(post)
        assert (after.status, after.error_code) == ("unknown", repeats.HINDERED)
        assert "may be live" in after.error_message
        assert (settle(post).status, len(live(sandbox))) == ("published", 1)


def put_back(post: Post) -> Post:
    """Have a post wait for the same call, as after a look that showed nothing."""
    with lawless() as database:
        database.execute("UPDATE posts SET status = 'scheduled', look_at = NULL WHERE id = %s", [post.id])
    return look(post)


class TestAPersonSaidThatItIsNotThere:
    def test_and_the_same_text_goes_out_as_a_new_call(self, connect: Connect, sandbox: Sandbox) -> None:
        account = connect("bluesky")
        post = doubt(account, sandbox, "drop_before")
        resolving.resolve_not_published(str(post.id))
        posts.schedule_post(str(post.id), at=datetime.now(UTC) - timedelta(seconds=1), approve=True)
        assert (ring(post).status, texts(sandbox)) == ("published", ["Hello"])
        first, second = attempts_of(post)
        assert first.reference != second.reference


class TestARepeatThatCannotBeMade:
    """What keeps the same call from being made again says nothing of the first one."""

    @pytest.mark.parametrize(
        "trouble",
        [
            pytest.param(Rejected("Your account is suspended."), id="refused"),
            pytest.param(NeedsReconnect("The grant is gone."), id="no grant"),
            pytest.param(RuntimeError("a bug"), id="bug"),
        ],
    )
    def test_leaves_the_first_call_in_doubt(
        self, connect: Connect, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, trouble: Exception
    ) -> None:
        account = connect("bluesky")
        post = doubt(account, sandbox, "drop_after")
        with monkeypatch.context() as patch:
            shorten(patch, BlueskyAdapter, DOWN)
            assert look_after(post, timedelta(seconds=6)).status == "scheduled"
            interrupt(patch, before_connect=lambda: (_ for _ in ()).throw(trouble))
            after = ring(post)
            if after.status == "scheduled":  # the token was doubted once
                after = ring(post)
        assert (after.status, after.error_code) == ("unknown", repeats.HINDERED)
        Account.objects.using(OWNER).filter(id=account.id).update(status="active")
        assert (settle(post).status, len(live(sandbox))) == ("published", 1)

    def test_for_too_long_ends_with_the_person_and_not_as_failed(
        self, connect: Connect, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        account = connect("mastodon")
        post = doubt(account, sandbox, "drop_after")
        shorten(monkeypatch, MastodonAdapter, DOWN)
        assert look_after(post, timedelta(seconds=11)).status == "scheduled"
        interrupt(monkeypatch, before_connect=lambda: (_ for _ in ()).throw(Unavailable("No way there.")))
        after = settle(post, rounds=40)
        assert (after.status, "failed" in " ".join(changes_of(post))) == ("unknown", False)
        assert notices_of(post)[-1][0] == "act"
        assert len(changes_of(post)) < 30  # and not round and round


class TestACommentInDoubt:
    def test_is_not_tried_over_and_over(self, connect: Connect, sandbox: Sandbox) -> None:
        """LinkedIn refuses no second comment, so the same call cannot be made; that does not change within minutes."""
        account = connect("linkedin")
        sandbox.fail("drop_after", platform="linkedin", match=COMMENTS)
        post, _ = posts.create_post(
            account=str(account.id),
            parts=[DraftPart("Hello"), DraftPart("#spring", kind="comment")],
            at=datetime.now(UTC) - timedelta(seconds=1),
            approve=True,
        )
        assert ring(post).status == "unknown"
        after = settle(post, rounds=24)
        assert (after.status, notices_of(post)[-1][0], len(live(sandbox))) == ("unknown", "act", 2)
        assert changes_of(post).count("unknown scheduled") == 1


class TestOneLookOfSeveral:
    def test_is_no_evidence_when_the_window_is_over(self, connect: Connect, sandbox: Sandbox) -> None:
        account = connect("mastodon")
        sandbox.fail("invisible", platform="mastodon", match=COMMITS["mastodon"], seconds=60)
        post = doubt(account, sandbox, "drop_after")
        assert look_after(post, timedelta(seconds=11)).status == "scheduled"  # absent: the same call again
        pass_time(post, timedelta(hours=2))  # and it comes only when the key is forgotten
        after = ring(post)
        assert (after.status, len(live(sandbox))) == ("unknown", 1)


class TestAnotherCallThanTheFirst:
    def test_is_not_made_in_its_place(
        self, connect: Connect, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        account = connect("mastodon")
        post = doubt(account, sandbox, "drop_after")
        shorten(monkeypatch, MastodonAdapter, DOWN)
        assert look_after(post, timedelta(seconds=11)).status == "scheduled"

        def forget(self: MastodonAdapter, part: Part, **_: object) -> Prepared:
            return Prepared(reference="another key")

        monkeypatch.setattr(MastodonAdapter, "prepare_post", forget)
        assert (ring(post).status, len(live(sandbox))) == ("unknown", 1)


class TestADuplicate:
    def test_of_a_post_that_is_linked_already_is_not_linked_twice(self, connect: Connect, sandbox: Sandbox) -> None:
        account = connect("linkedin")
        first = ring(make_post(account, status="scheduled"))
        assert first.status == "published"
        second = doubt(account, sandbox, "drop_before")  # never arrived; the same words
        after = settle(second, rounds=24)
        assert (after.status, after.platform_post_id) != ("published", first.platform_post_id)
        assert (after.status, notices_of(second)[-1][0]) == ("unknown", "act")

    def test_without_a_doubt_of_our_own_is_a_refusal(self, connect: Connect, sandbox: Sandbox) -> None:
        account = connect("linkedin")
        ring(make_post(account, status="scheduled"))
        after = ring(make_post(account, status="scheduled"))
        assert (after.status, after.error_code) == ("failed", "platform.duplicate")


class TestTwoPostsOfTheSameWords:
    def test_are_never_linked_to_one(self, connect: Connect, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
        """Both answers are lost, one arrived; both look at the same moment."""
        account = connect("mastodon")
        one = doubt(account, sandbox, "drop_after")
        other = doubt(account, sandbox, "drop_before")
        for post in (one, other):
            pass_time(post, timedelta(seconds=11))
        find, met = looks._ask, threading.Barrier(2)

        def find_together(*arguments: Any, **named: Any) -> Any:
            found = find(*arguments, **named)
            met.wait(timeout=10)
            return found

        monkeypatch.setattr(looks, "_ask", find_together)
        both: Sequence[Post] = (one, other)
        at_once(2, lambda number: looks.look(str(one.user_id), str(both[number].id), worker=WORKER))
        ids = [part.platform_post_id for post in both for part in parts_of(post) if part.platform_post_id]
        assert len(ids) == len(set(ids)) == 1
