"""What a person may do with a post, in which state, and what stays behind (PUB-1, POST-4)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connections
from django_q.models import OrmQ

from hub.actions import posts
from hub.actions.drafts import DraftPart
from hub.models import Account, AuditEntry, Post, User
from hub.publishing.content import hash_content, load_parts
from psn.errors import ApprovalNeeded, Conflict, InvalidInput, NeedsReconnect, NotFound, Problem
from tests.factories import OWNER, People, make_account, make_post
from tests.hub.actions.stage import make_claimed

HOUR = timedelta(hours=1)


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def account(me: User) -> Account:
    return make_account(me, handle="ana")


def create(account: Account, *texts: str, at: datetime | None = None, approve: bool = False, **more: Any) -> Post:
    parts = [DraftPart(text) for text in texts or ("Hello",)]
    return posts.create_post(account=str(account.id), parts=parts, at=at, approve=approve, **more)[0]


class TestCreatePost:
    def test_stores_text_part_by_part_with_the_hash_of_all(self, account: Account) -> None:
        post = create(account, "one", "two")
        assert [part.text for part in load_parts(post)] == ["one", "two"]
        assert post.content_hash == hash_content(post, load_parts(post))
        assert (post.status, post.approved_hash) == ("draft", "")

    @pytest.mark.parametrize(
        ("asked", "approve", "status", "bells"),
        [(False, False, "draft", 0), (True, False, "pending_approval", 0), (False, True, "approved", 0), (True, True, "scheduled", 1)],
    )  # fmt: skip
    def test_is_scheduled_when_time_and_approval_are_both_there(
        self, account: Account, asked: bool, approve: bool, status: str, bells: int
    ) -> None:
        post = create(account, at=now() + HOUR if asked else None, approve=approve)
        assert (post.status, OrmQ.objects.using(OWNER).count()) == (status, bells)

    def test_keeps_how_the_time_was_said(self, account: Account) -> None:
        post = create(account, at=datetime(2030, 7, 1, 8, 0, tzinfo=UTC))
        assert (post.scheduled_wall, post.scheduled_zone) == ("2030-07-01T10:00:00", "Europe/Madrid")

    def test_refuses_what_the_platform_would_refuse_and_keeps_nothing(self, account: Account) -> None:
        with pytest.raises(InvalidInput) as refused:
            create(account, "a" * 281)
        assert [finding.code for finding in refused.value.findings] == ["text.too_long"]
        assert Post.objects.count() == 0

    def test_rehearses_without_a_trace(self, account: Account) -> None:
        post = create(account, "one", "two", at=now() + HOUR, approve=True, dry_run=True)
        assert (post.status, [part.text for part in post.parts.all()]) == ("scheduled", ["one", "two"])
        assert (Post.objects.count(), AuditEntry.objects.count(), OrmQ.objects.using(OWNER).count()) == (0, 0, 0)

    @pytest.mark.parametrize("status", ["needs_reconnect", "disconnected"])
    def test_refuses_an_account_that_could_not_send_it(self, me: User, status: str) -> None:
        with pytest.raises(NeedsReconnect):
            create(make_account(me, status=status))


class TestEditPost:
    def test_voids_the_approval_and_keeps_the_wish_for_a_time(self, account: Account) -> None:
        post = create(account, "before", at=now() + HOUR, approve=True)
        edited, _ = posts.edit_post(str(post.id), parts=[DraftPart("after")], approve=False, now=now())
        assert (edited.status, edited.approved_hash, edited.scheduled_at) == ("pending_approval", "", post.scheduled_at)

    def test_forgets_a_time_that_has_passed(self, account: Account) -> None:
        post = create(account, at=now() + HOUR, approve=True)
        edited, _ = posts.edit_post(str(post.id), parts=[DraftPart("x")], approve=False, now=now() + 2 * HOUR)
        assert (edited.status, edited.scheduled_at) == ("draft", None)

    def test_refuses_bad_text_and_leaves_the_post_as_it_is(self, account: Account) -> None:
        post = create(account, "before", at=now() + HOUR, approve=True)
        with pytest.raises(InvalidInput):
            posts.edit_post(str(post.id), parts=[DraftPart("")], approve=False, now=now())
        post.refresh_from_db()
        assert (post.status, load_parts(post)[0].text) == ("scheduled", "before")


class TestApprovePost:
    def test_is_bound_to_exactly_what_is_stored(self, account: Account) -> None:
        post = posts.approve_post(str(create(account, at=now() + HOUR).id), now=now())
        assert (post.status, post.approved_hash) == ("scheduled", post.content_hash)

    def test_twice_changes_nothing_the_second_time(self, account: Account) -> None:
        post = posts.approve_post(str(create(account).id), now=now())
        again = posts.approve_post(str(post.id), now=now())
        assert (again.status, again.approved_at) == ("approved", post.approved_at)

    def test_refuses_a_time_that_has_passed(self, account: Account) -> None:
        post = create(account, at=now() + HOUR)
        with pytest.raises(InvalidInput) as refused:
            posts.approve_post(str(post.id), now=now() + 2 * HOUR)
        assert refused.value.error_code == "time.past"
        assert refused.value.next_command == f"psn_post schedule {post.id} --at +10m --approve"

    def test_that_meets_an_edit_never_approves_what_nobody_saw(self, account: Account) -> None:
        post = create(account, "seen")
        with connections[OWNER].cursor() as cursor:
            cursor.execute("UPDATE post_parts SET text = 'unseen' WHERE post_id = %s", [post.id])
        connections[OWNER].close()
        with pytest.raises(Conflict) as refused:
            posts.approve_post(str(post.id), now=now())
        assert refused.value.error_code == "post.changed"
        assert Post.objects.get(id=post.id).approved_hash == ""


class TestSchedulePost:
    def test_without_approval_notes_the_time_and_asks(self, account: Account) -> None:
        post = create(account)
        with pytest.raises(ApprovalNeeded) as asked:
            posts.schedule_post(str(post.id), at=now() + HOUR, approve=False)
        assert asked.value.next_command == f"psn_post approve {post.id}"
        assert Post.objects.get(id=post.id).status == "pending_approval"

    def test_is_covered_once_by_an_approval_that_left_the_time_open(self, account: Account) -> None:
        post = create(account, approve=True)
        assert posts.schedule_post(str(post.id), at=now() + HOUR, approve=False).status == "scheduled"
        with pytest.raises(ApprovalNeeded):
            posts.schedule_post(str(post.id), at=now() + 2 * HOUR, approve=False)

    def test_needs_a_time_from_somewhere(self, account: Account) -> None:
        with pytest.raises(InvalidInput) as refused:
            posts.schedule_post(str(create(account).id), at=None, approve=True)
        assert refused.value.error_code == "time.missing"

    def test_rings_at_the_post_s_time(self, account: Account) -> None:
        at = now() + HOUR
        create(account, at=at, approve=True)
        assert OrmQ.objects.using(OWNER).get().lock == at


class TestPublishPost:
    def test_needs_an_approval_that_covers_now(self, account: Account) -> None:
        for post in (create(account), create(account, at=now() + HOUR, approve=True)):
            before = Post.objects.filter(id=post.id).values().get()
            with pytest.raises(ApprovalNeeded):
                posts.publish_post(str(post.id), approve=False, now=now())
            assert Post.objects.filter(id=post.id).values().get() == before

    def test_goes_by_an_approval_without_a_time(self, account: Account) -> None:
        post = create(account, approve=True)
        moment = now()
        assert posts.publish_post(str(post.id), approve=False, now=moment).due_at == moment


class TestCancelPost:
    def test_ends_what_is_not_out_for_good(self, account: Account) -> None:
        for post in (create(account), create(account, at=now() + HOUR, approve=True)):
            assert posts.cancel_post(str(post.id)).status == "cancelled"
            assert posts.cancel_post(str(post.id)).status == "cancelled"
            with pytest.raises(Conflict):
                posts.schedule_post(str(post.id), at=now() + HOUR, approve=True)


class TestWhatIsOut:
    @pytest.mark.parametrize("action", ["edit", "schedule", "cancel", "publish", "approve"])
    def test_cannot_be_changed_while_it_is_sent(self, account: Account, action: str) -> None:
        post = make_claimed(account)
        with pytest.raises(Problem) as refused:
            act(action, str(post.id))
        assert refused.value.error_code == "post.state"
        assert Post.objects.get(id=post.id).status == "publishing"


def act(action: str, post_id: str) -> None:
    if action == "edit":
        posts.edit_post(post_id, parts=[DraftPart("x")], approve=False, now=now())
    elif action == "schedule":
        posts.schedule_post(post_id, at=now() + HOUR, approve=True)
    elif action == "cancel":
        posts.cancel_post(post_id)
    elif action == "publish":
        posts.publish_post(post_id, approve=True, now=now())
    else:
        posts.approve_post(post_id, now=now())


class TestLooking:
    @pytest.mark.parametrize("text", ["", "7", "not-an-id", "\udcff", "00000000-0000-4000-8000-000000000000"])
    def test_finds_nothing_by_what_is_no_id(self, me: User, text: str) -> None:
        with pytest.raises(NotFound) as refused:
            posts.get_post(text)
        assert refused.value.error_code == "post.not_found"

    def test_never_finds_somebody_else_s(self, hub: People) -> None:
        theirs = make_post(make_account(hub.other))
        with pytest.raises(NotFound):
            posts.get_post(str(theirs.id))
        assert posts.list_posts(status=None, account=None, limit=10, before=None).posts == []

    @pytest.mark.parametrize(("limit", "shown"), [(-1, 1), (0, 1), (2, 2), (1000, 3)])
    def test_lists_no_more_and_no_fewer_than_makes_sense(self, account: Account, limit: int, shown: int) -> None:
        for _ in range(3):
            create(account)
        assert len(posts.list_posts(status=None, account=None, limit=limit, before=None).posts) == shown

    def test_pages_through_posts_of_the_same_instant(self, account: Account) -> None:
        made = {str(create(account).id) for _ in range(5)}
        Post.objects.using(OWNER).update(created_at=now())
        seen: list[str] = []
        before = None
        while True:
            page = posts.list_posts(status=None, account=None, limit=2, before=before)
            seen += [str(post.id) for post in page.posts]
            before = page.next_before
            if before is None:
                break
        assert (len(seen), set(seen)) == (5, made)


class TestTheAudit:
    def test_has_a_row_for_every_change_of_state(self, account: Account) -> None:
        post = create(account, at=now() + HOUR, approve=True)
        posts.edit_post(str(post.id), parts=[DraftPart("x")], approve=True, now=now())
        posts.cancel_post(str(post.id))
        rows = AuditEntry.objects.filter(subject="post", subject_id=str(post.id)).order_by("at", "id")
        states = ["draft", "pending_approval", "approved", "scheduled"]
        assert sorted(row.to_state for row in rows) == sorted([*states, *states, "cancelled"])
        assert {row.actor for row in rows} == {"person"}
