"""Whatever is done to a post in whatever order, the database allows exactly what a small model in memory allows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.db.models import F
from django.db.models.functions import Now
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from hub.models import Account, Attempt, Post, PostPart, Status
from tests.hub.models.states import LEGAL, WAY_TO, conditions_of, make_draft
from tests.hub.worlds import World

pytestmark = pytest.mark.django_db(databases="__all__")
LAWS = {"23514", "23505", "42501"}  # check and trigger, unique, permission
PARTS = 2


@dataclass
class Believed:
    """What the rules say a post is."""

    status: str = "draft"
    phase: str = ""
    fence: int = 0
    content: str = "h"
    approved: str = ""
    live: set[int] = field(default_factory=set)
    open: set[int] = field(default_factory=set)


class OnePost(RuleBasedStateMachine):
    """One post, handled by somebody who knows no rules."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.outer = transaction.atomic()
        self.outer.__enter__()
        self.post = make_draft(self.world.mine[Account], parts=PARTS)
        self.parts = list(PostPart.objects.filter(post_id=self.post.id).order_by("index"))
        self.now = Believed()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.outer.__exit__(None, None, None)

    def attempt(self, action: Any, *, allowed: bool) -> bool:
        """Do it; the database must agree with the model on whether it may be done."""
        try:
            with transaction.atomic():
                action()
        except DatabaseError as error:
            if getattr(error.__cause__, "sqlstate", "") not in LAWS:
                raise
            done = False
        else:
            done = True
        assert done is allowed, self.now
        return done

    def write(self, **values: Any) -> Any:
        return lambda: Post.objects.filter(id=self.post.id).update(**values)

    @initialize(status=st.sampled_from(["draft", "scheduled", "publishing", "publishing", "publishing", "unknown"]))
    def begin(self, status: str) -> None:
        """Begin somewhere on the way, since chance alone seldom gets far."""
        self.approve()
        for step in WAY_TO[status]:
            self.move(step, 1, ready=True)

    @rule()
    def approve(self) -> None:
        """A mark that may be made at any time, since it names the content it is for."""
        if self.attempt(self.write(approved_hash=F("content_hash")), allowed=True):
            self.now.approved = self.now.content

    @rule(
        to=st.sampled_from([*Status.values, "publishing", "published"]),
        step=st.sampled_from([1, 1, 1, 0, 2]),
        ready=st.booleans(),
    )
    def move(self, to: str, step: int, ready: bool) -> None:
        """Go to a state; `ready` means with the approval and the remote ids that it may ask for."""
        if to == self.now.status:
            return
        if ready:
            self.approve()
        if ready and to == "published":
            for index in range(PARTS):
                self.store_remote_id(index, "1")
        conditions = conditions_of(to)
        del conditions["approved_hash"]
        fence = self.now.fence + step if to == "publishing" else self.now.fence
        needs_approval = to in {"approved", "scheduled", "publishing", "published", "unknown", "delivered"}
        allowed = (
            to in LEGAL[self.now.status]
            and (not needs_approval or self.now.approved == self.now.content)
            and (to != "publishing" or step == 1)
            and (to != "published" or len(self.now.live) == PARTS)
        )
        if self.attempt(self.write(**(conditions | {"status": to, "fence": fence})), allowed=allowed):
            self.now.status, self.now.fence = to, fence
            self.now.phase = "claimed" if to == "publishing" else ""

    @rule(content=st.sampled_from(["h", "i", "j"]))
    def write_content(self, content: str) -> None:
        needs_approval = self.now.status in {"approved", "scheduled", "publishing", "published", "unknown", "delivered"}
        allowed = self.now.status == "draft" or content == self.now.content
        assert not needs_approval or self.now.approved == self.now.content
        if self.attempt(self.write(content_hash=content), allowed=allowed):
            self.now.content = content

    @rule(index=st.integers(0, PARTS - 1), text=st.sampled_from(["Hello", "Other"]))
    def write_part(self, index: int, text: str) -> None:
        part = PostPart.objects.get(id=self.parts[index].id)
        allowed = text == part.text or (self.now.status == "draft" and index not in self.now.live)
        self.attempt(lambda: PostPart.objects.filter(id=part.id).update(text=text), allowed=allowed)

    @rule(phase=st.sampled_from(["claimed", "sending"]))
    def name_phase(self, phase: str) -> None:
        if self.attempt(self.write(phase=phase), allowed=self.now.status == "publishing"):
            self.now.phase = phase

    @rule(index=st.integers(0, PARTS - 1), behind=st.sampled_from([0, 0, 1]), ready=st.booleans())
    def write_intent(self, index: int, behind: int, ready: bool) -> None:
        """Write down a call, under this claim or the one before; `ready` means that the phase says so first."""
        if ready:
            self.name_phase("sending")
        fence = self.now.fence - behind
        values = {
            "post_id": self.post.id,
            "part_id": self.parts[index].id,
            "kind": "commit",
            "worker": "w",
            "fingerprint": "f",
        }
        allowed = self.now.phase == "sending" and not behind and index not in self.now.live | self.now.open
        if self.attempt(
            lambda: Attempt.objects.create(user_id=self.post.user_id, fence=fence, **values), allowed=allowed
        ):
            self.now.open.add(index)

    @rule(index=st.integers(0, PARTS - 1), outcome=st.sampled_from(["ok", "not_sent", "unknown"]))
    def close_attempt(self, index: int, outcome: str) -> None:
        attempts = Attempt.objects.filter(part_id=self.parts[index].id, finished_at__isnull=True)
        assert attempts.update(finished_at=Now(), outcome=outcome) == int(index in self.now.open)
        self.now.open.discard(index)

    @rule(index=st.integers(0, PARTS - 1), remote_id=st.sampled_from(["1", "2"]))
    def store_remote_id(self, index: int, remote_id: str) -> None:
        part = PostPart.objects.filter(id=self.parts[index].id)
        before = part.values_list("platform_post_id", flat=True)[0]
        values = {"state": "published", "platform_post_id": remote_id, "published_at": Now()}
        if self.attempt(lambda: part.update(**values), allowed=before in ("", remote_id)):
            self.now.live.add(index)

    @rule()
    def delete(self) -> None:
        self.attempt(lambda: Post.objects.filter(id=self.post.id)._raw_delete("default"), allowed=False)

    @rule()
    def lower_the_fence(self) -> None:
        self.attempt(self.write(fence=F("fence") - 1), allowed=False)

    @invariant()
    def the_row_is_what_is_believed(self) -> None:
        row = Post.objects.get(id=self.post.id)
        assert (row.status, row.phase, row.fence, row.content_hash) == (
            self.now.status,
            self.now.phase,
            self.now.fence,
            self.now.content,
        )
        live = PostPart.objects.filter(post_id=row.id).exclude(platform_post_id="").values_list("index", flat=True)
        assert set(live) == self.now.live


class TestOnePost:
    def test_allows_what_the_model_allows_in_any_order(self, world: World) -> None:
        machine = type("Posts", (OnePost,), {"world": world})
        run_state_machine_as_test(
            machine, settings=settings(max_examples=40, stateful_step_count=30, deadline=None, derandomize=True)
        )
