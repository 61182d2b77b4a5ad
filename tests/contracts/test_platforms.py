"""What every platform must do, from the command to the sandbox and back: the one suite that all of them pass (PLAT-1, PLAT-4)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db.models import F
from django.db.models.functions import Now

from hub.actions import live, posts
from hub.actions.connecting import connect_sandbox, disconnect_account, refresh_account
from hub.models import Account, OAuthToken, Post
from hub.publishing import deleting, looks
from psn.errors import InvalidInput
from psn.platforms.registry import get_platform, platform_names
from tests.contracts.formats import COMMITS, EVERY_FORMAT, FORMATS, SIMPLEST, Format
from tests.factories import OWNER, People
from tests.hub.publishing.stage import attempts_of, look, make_due, notices_of, parts_of, ring
from tests.sandbox.conftest import sandbox, sandbox_process
from tests.sandbox.process import WEB, Sandbox

__all__ = ["sandbox", "sandbox_process"]

every_platform = pytest.mark.parametrize("name", platform_names())
every_format = pytest.mark.parametrize(
    ("name", "format_name"), EVERY_FORMAT, ids=[f"{p}: {f}" for p, f in EVERY_FORMAT]
)
WORKER = "tests:1"


@dataclass
class Stage:
    """A person with an account of a platform at the sandbox."""

    account: Account
    sandbox: Sandbox
    platform: str

    def write(self, wanted: Format) -> Post:
        """Write, approve and schedule a post for now."""
        post, _ = posts.create_post(
            account=str(self.account.id),
            parts=wanted.parts(),
            options=wanted.options,
            at=datetime.now(UTC) - timedelta(seconds=1),
            approve=True,
        )
        return post

    def publish(self, wanted: Format) -> Post:
        """Write a post and let the worker publish it."""
        return ring(self.write(wanted))

    def simplest(self) -> Format:
        """The simplest thing that the platform publishes."""
        return FORMATS[self.platform][SIMPLEST[self.platform]]

    def fail(self, kind: str, **more: Any) -> None:
        """Have the one call that makes a post public fail."""
        self.sandbox.fail(kind, platform=self.platform, match=COMMITS[self.platform], **more)

    def shown(self) -> list[dict[str, Any]]:
        """What people see on the platform, oldest first."""
        return [post for post in reversed(self.sandbox.ask("posts", limit="1000")) if post["platform"] == self.platform]

    def settle(self, post: Post) -> Post:
        """Let time pass until nobody doubts any more what became of a post."""
        for _ in range(6):
            post = look(post)
            if post.status == "scheduled":
                make_due(post)
                ring(post)
            elif post.status == "unknown" and post.look_at is not None:
                Post.objects.using(OWNER).filter(id=post.id).update(look_at=Now() - timedelta(seconds=1))
                self.sandbox.move_clock(30)
                looks.look(str(post.user_id), str(post.id), worker=WORKER)
            else:
                return post
        return look(post)


@pytest.fixture(autouse=True)
def _worker(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> None:
    """Have the worker wait for a platform that is at work by the sandbox's clock, not by ours."""
    monkeypatch.setenv("PSN_WORKER", WORKER)
    clock = SimpleNamespace(monotonic=time.monotonic, sleep=sandbox.move_clock)
    for module in ("tiktok.following", "x.upload", "mastodon.upload"):
        monkeypatch.setattr(f"psn.platforms.{module}.time", clock)


@pytest.fixture
def on_stage(hub: People, sandbox: Sandbox) -> Callable[[str], Stage]:
    """Connect an account of a platform the way people do."""

    def connect(name: str) -> Stage:
        return Stage(connect_sandbox(platform=name, sandbox_url=sandbox.url, now=datetime.now(UTC)), sandbox, name)

    return connect


class TestConnecting:
    @every_platform
    def test_needs_nothing_but_the_sandbox(self, on_stage: Callable[[str], Stage], name: str) -> None:
        account = on_stage(name).account
        assert (account.platform, account.status, account.is_sandbox) == (name, "active", True)
        assert account.handle
        assert account.profile_url.startswith(account.base_url)

    @every_platform
    def test_the_same_profile_again_is_the_same_account(self, on_stage: Callable[[str], Stage], name: str) -> None:
        assert on_stage(name).account.id == on_stage(name).account.id

    @every_platform
    def test_is_undone_by_disconnecting(self, on_stage: Callable[[str], Stage], name: str) -> None:
        stage = on_stage(name)
        disconnect_account(str(stage.account.id), now=datetime.now(UTC))
        assert not OAuthToken.objects.using(OWNER).filter(account_id=stage.account.id).exists()


class TestPublishing:
    @every_format
    def test_ends_with_the_post_out(self, on_stage: Callable[[str], Stage], name: str, format_name: str) -> None:
        stage, wanted = on_stage(name), FORMATS[name][format_name]
        post = stage.settle(stage.publish(wanted))
        assert (post.status, post.error_message) == (wanted.status, "")
        shown = stage.shown()
        parts = parts_of(post)
        assert len(shown) == len(parts)
        assert all(part.platform_post_id for part in parts)
        files = [media for one in shown for media in one["media"]]
        assert len(files) == sum(part.media.using(OWNER).count() for part in parts)
        assert all(WEB.get(media["url"]).status_code == 200 for media in files)
        if wanted.status == "published":
            assert post.url
            assert all(get_platform(name).read_post_url(part.url) for part in parts if part.kind == "post" and part.url)
        else:
            assert notices_of(post) == [("act", "post.delivered")]

    @every_platform
    def test_says_exactly_what_was_approved(self, on_stage: Callable[[str], Stage], name: str) -> None:
        stage = on_stage(name)
        stage.settle(stage.publish(stage.simplest()))
        (shown,) = stage.shown()
        assert shown["text"] == stage.simplest().parts()[0].text

    @every_platform
    def test_gives_one_post_for_one_bell_and_for_ten(self, on_stage: Callable[[str], Stage], name: str) -> None:
        stage = on_stage(name)
        post = stage.publish(stage.simplest())
        for _ in range(10):
            ring(post)
        stage.settle(post)
        assert len(stage.shown()) == 1


class TestNumbers:
    @every_platform
    def test_are_read_of_what_is_live_and_unknown_is_not_zero(
        self, on_stage: Callable[[str], Stage], name: str
    ) -> None:
        stage = on_stage(name)
        post = stage.settle(stage.publish(stage.simplest()))
        stage.sandbox.move_clock(3600 * 24)
        if "metrics" not in get_platform(name).abilities:
            with pytest.raises(InvalidInput):
                live.read_metrics(str(post.id))
            return
        _, found = live.read_metrics(str(post.id))
        assert [one.platform_post_id for one in found] == [post.platform_post_id]
        assert all(count >= 0 for count in found[0].metrics.values())
        if name != "linkedin":  # its numbers need a product that is not for everybody
            assert sum(found[0].metrics.values()) > 0


class TestDeleting:
    @every_platform
    def test_takes_the_post_away_where_the_platform_lets_apps_do_that(
        self, on_stage: Callable[[str], Stage], name: str
    ) -> None:
        stage = on_stage(name)
        post = stage.settle(stage.publish(stage.simplest()))
        if "delete" not in get_platform(name).abilities:
            with pytest.raises(InvalidInput) as refused:
                live.ask_to_delete(str(post.id))
            assert refused.value.error_code == "platform.cannot"
            return
        live.ask_to_delete(str(post.id))
        deleting.delete(str(post.user_id), str(post.id), worker=WORKER)
        assert look(post).deleted_at is not None
        assert stage.shown() == []


class TestALostAnswer:
    @every_platform
    @pytest.mark.parametrize("fault", ["drop_after", "garbage", "html"])
    def test_to_a_post_that_is_out_ends_with_that_one_post(
        self, on_stage: Callable[[str], Stage], name: str, fault: str
    ) -> None:
        stage = on_stage(name)
        stage.fail(fault)
        post = stage.publish(stage.simplest())
        # Where the answer's body says nothing (LinkedIn, TikTok), nothing is lost with it.
        assert post.status == "unknown" or (fault != "drop_after" and name in ("linkedin", "tiktok"))
        settled = stage.settle(post)
        assert (settled.status, settled.error_message) == ("published", "")
        assert len(stage.shown()) == 1
        assert settled.platform_post_id

    @every_platform
    def test_to_a_post_that_is_not_out_ends_with_one_post_too(
        self, on_stage: Callable[[str], Stage], name: str
    ) -> None:
        stage = on_stage(name)
        stage.fail("drop_before")
        settled = stage.settle(stage.publish(stage.simplest()))
        assert settled.status == "published"
        assert len(stage.shown()) == 1

    @every_platform
    def test_is_never_met_with_a_blind_second_call(self, on_stage: Callable[[str], Stage], name: str) -> None:
        stage = on_stage(name)
        stage.fail("drop_after")
        post = stage.publish(stage.simplest())
        for _ in range(3):
            ring(post)
        assert len(attempts_of(post)) == 1


class TestTrouble:
    @every_platform
    def test_of_a_platform_that_is_down_before_anything_was_sent_is_tried_again(
        self, on_stage: Callable[[str], Stage], name: str
    ) -> None:
        stage = on_stage(name)
        post = stage.write(stage.simplest())
        stage.sandbox.fail("drop_before", platform=name, match="*", times=1)
        assert stage.settle(ring(post)).status == "published"
        assert len(stage.shown()) == 1

    @every_platform
    def test_of_too_many_calls_waits_and_is_no_failure(self, on_stage: Callable[[str], Stage], name: str) -> None:
        stage = on_stage(name)
        stage.fail("status", status=429, retry_after=30)
        post = stage.publish(stage.simplest())
        assert post.status == "scheduled"
        stage.account.refresh_from_db()
        assert stage.account.next_allowed_at is not None
        make_due(post)
        assert stage.settle(ring(post)).status == "published"

    @every_platform
    @pytest.mark.parametrize("fault", ["huge", "redirect"])
    def test_of_an_answer_that_no_platform_gives_is_doubt_and_never_success(
        self, on_stage: Callable[[str], Stage], name: str, fault: str
    ) -> None:
        stage = on_stage(name)
        stage.fail(fault)
        post = stage.publish(stage.simplest())
        assert post.status == "unknown"
        assert stage.settle(post).status in ("published", "unknown")
        assert len(stage.shown()) <= 1


class TestAToken:
    @every_platform
    def test_is_renewed_ahead_of_its_end_where_the_platform_renews(
        self, on_stage: Callable[[str], Stage], name: str
    ) -> None:
        stage = on_stage(name)
        tokens = OAuthToken.objects.using(OWNER).filter(account_id=stage.account.id)
        before = tokens.get()
        pass_time(stage, tokens, timedelta(hours=30))  # Meta renews nothing younger than a day
        done = refresh_account(str(stage.account.id), now=datetime.now(UTC))
        renews = bool(before.refresh_token_sealed) or name in ("instagram", "threads")
        assert (done.renewed, bool(done.reason)) == (renews, not renews)
        assert tokens.get().version == before.version + renews
        assert stage.settle(stage.publish(stage.simplest())).status == "published"


def pass_time(stage: Stage, tokens: Any, span: timedelta) -> None:
    """Let a grant grow older, here and at the platform."""
    stage.sandbox.move_clock(span.total_seconds())
    tokens.update(obtained_at=F("obtained_at") - span, access_expires_at=F("access_expires_at") - span)


class TestATokenThatEnds:
    @every_platform
    def test_is_renewed_on_the_way_where_the_platform_renews(self, on_stage: Callable[[str], Stage], name: str) -> None:
        stage = on_stage(name)
        stage.sandbox.fail("expired_token", platform=name, match="*", times=1)
        post = stage.settle(stage.publish(stage.simplest()))
        row = OAuthToken.objects.using(OWNER).get(account_id=stage.account.id)
        if row.refresh_token_sealed:
            assert post.status == "published"
            assert row.version > 1
        else:
            assert (post.status, post.error_code) == ("failed", "account.needs_reconnect")
            assert stage.shown() == []
            assert len(notices_of(post)) == 1
