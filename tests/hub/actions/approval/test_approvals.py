"""Posts of a company: who may say yes, what happens to a yes and a no, and what everybody is told (POST-4, POST-5, TEAM-2)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count, product
from typing import Any

import pytest
from django.db import connection

from hub.actions import accounts, answers, live, notices, posts, story
from hub.actions.approval import approvals, approving, standings
from hub.actions.drafts import DraftPart
from hub.models import Account, AuditEntry, Company, Notice, Post, Role, User
from hub.publishing.content import facts_of
from hub.publishing.keeping import get_row
from psn.errors import ApprovalNeeded, Conflict, InvalidInput, NotAllowed, NotFound, Problem
from tests.factories import OWNER, make_account
from tests.hub.actions.colleagues import Team

DAYS = count(400)  # every post a day of its own, so that no other's slot is in its way
POLICIES = tuple(Company.Policy.values)
AUTHORS = ("mia", "bob")


def now() -> datetime:
    return datetime.now(UTC)


def noon() -> datetime:
    """A time that nobody has yet, on a day that is the same in every zone of these tests."""
    return now().replace(hour=11, minute=0, second=0, microsecond=0) + timedelta(days=next(DAYS))


@pytest.fixture
def team(whole_team: Team) -> Team:
    """The team, with nothing posted and everybody free."""
    whole_team.forget_posts()
    whole_team.set_policy("free")
    return whole_team


@pytest.fixture
def account(team: Team) -> Account:
    return team.connect_account(handle="acme")


def write(
    team: Team,
    account: Account,
    *,
    by: str = "mia",
    at: datetime | None = None,
    approve: bool = False,
    text: str = "Hello",
) -> Post:
    """Let a member write a post."""
    with team.at_keyboard(by):
        post, _ = posts.create_post(account=str(account.id), parts=[DraftPart(text)], at=at, approve=approve)
    return post


def wait_for_yes(team: Team, account: Account, *, by: str = "mia", text: str = "Hello", slot: bool = True) -> Post:
    """Let a member ask for a post to go out, on a day that is his."""
    at = noon()
    if slot:
        team.claim(by, at.date())
    return write(team, account, by=by, at=at, text=text)


def status_of(team: Team, post: Post) -> str:
    return str(team.ask("SELECT status FROM posts WHERE id = %s", post.id)[0][0])


class TestWhoMayApprove:
    @pytest.mark.parametrize("policy", POLICIES)
    @pytest.mark.parametrize("self_approval", [False, True], ids=["others_only", "own_too"])
    @pytest.mark.parametrize("has_slot", [False, True], ids=["no_slot", "slot"])
    def test_is_told_beforehand_exactly_as_the_database_decides(
        self, team: Team, account: Account, policy: str, self_approval: bool, has_slot: bool
    ) -> None:
        team.set_policy(policy, self_approval=self_approval)
        for author, reader in product(AUTHORS, ("mia", "bob", "ann", "tom")):
            post = wait_for_yes(team, account, by=author, slot=has_slot)
            with team.at_keyboard(reader):
                read = team.read(post)
                standing = standings.look_at(read)
                assert standing is not None
                try:
                    approving.approve(read)
                    decided = None
                except Problem as refusal:
                    decided = refusal.error_code
                assert (author, reader, standing.hurdle) == (author, reader, decided)
                assert read.status == ("scheduled" if decided is None else "pending_approval")

    @pytest.mark.parametrize(
        ("policy", "self_approval", "author", "named"),
        [
            ("free", False, "mia", ("Mia", "Ann", "Bob")),
            ("approval", False, "mia", ("Ann", "Bob")),
            ("approval", False, "bob", ("Ann",)),
            ("approval", True, "bob", ("Bob", "Ann")),
        ],
    )
    def test_is_named(
        self, team: Team, account: Account, policy: str, self_approval: bool, author: str, named: tuple[str, ...]
    ) -> None:
        team.set_policy(policy, self_approval=self_approval)
        post = wait_for_yes(team, account, by=author)
        with team.at_keyboard("tom"):
            standing = standings.look_at(team.read(post))
        assert standing is not None
        assert standing.approvers == named

    def test_needs_the_day_in_the_companys_own_zone(self, team: Team, account: Account) -> None:
        team.set_policy("calendar")
        late = noon().replace(hour=23, minute=30)  # after midnight in Madrid
        team.claim("mia", late.date())
        post, next_day = write(team, account, at=late), late.date() + timedelta(days=1)
        with pytest.raises(Problem) as wrong_day:
            approve_own(team, post)
        assert wrong_day.value.error_code == "approve.no_slot"
        with team.at_keyboard("mia"):
            standing = standings.look_at(team.read(post))
        assert standing is not None
        assert (standing.day, standing.hurdle) == (next_day, "approve.no_slot")
        team.claim("mia", next_day)
        assert approve_own(team, post).status == "scheduled"


def approve_own(team: Team, post: Post, *, by: str = "mia") -> Post:
    with team.at_keyboard(by):
        return posts.approve_post(str(post.id), now=now())


class TestWriting:
    def test_leaves_the_post_to_the_company_and_names_its_author(self, team: Team, account: Account) -> None:
        write(team, account)
        mia = team.people["mia"].id
        assert team.ask("SELECT user_id, author_id, status FROM posts") == [(team.company.id, mia, "draft")]
        assert team.ask("SELECT DISTINCT user_id FROM post_parts") == [(team.company.id,)]

    def test_is_signed_in_the_audit_by_whom_it_was(self, team: Team, account: Account) -> None:
        write(team, account, at=noon(), approve=True)
        mia = str(team.people["mia"].id)
        said = team.ask("SELECT action, actor FROM audit_log ORDER BY at")
        assert said == [("post.created", mia), ("post.pending_approval", mia), ("post.approved", mia)]

    def test_goes_out_by_one_command_where_authors_decide(self, team: Team, account: Account) -> None:
        post = write(team, account, at=noon(), approve=True)
        assert (post.status, post.approved_hash) == ("scheduled", post.content_hash)
        assert [str(post.id) in bell for bell in team.bells()] == [True]

    def test_publishes_now_by_one_command_where_authors_decide(self, team: Team, account: Account) -> None:
        post = write(team, account)
        with team.at_keyboard("mia"):
            assert posts.publish_post(str(post.id), approve=True, now=now()).status == "scheduled"
        assert len(team.bells()) == 1

    def test_waits_where_another_must_say_yes_and_says_who(self, team: Team, account: Account) -> None:
        team.set_policy("approval")
        post = wait_for_yes(team, account)
        with team.at_keyboard("mia"), pytest.raises(ApprovalNeeded) as needed:
            posts.schedule_post(str(post.id), at=None, approve=True)
        assert (needed.value.exit_code, status_of(team, post), team.bells()) == (6, "pending_approval", [])
        assert "Ann or Bob" in needed.value.message
        assert needed.value.ask is not None
        assert "psn_approve list" in needed.value.ask

    def test_waits_for_a_slot_and_says_how_to_get_it(self, team: Team, account: Account) -> None:
        team.set_policy("calendar")
        at = noon()
        post = write(team, account, at=at, approve=True)
        with team.at_keyboard("mia"), pytest.raises(NotAllowed) as needed:
            posts.schedule_post(str(post.id), at=None, approve=True)
        assert (needed.value.error_code, status_of(team, post)) == ("approve.no_slot", "pending_approval")
        assert needed.value.next_command == f"psn_calendar claim {at.date()} x"
        team.claim("mia", at.date())
        with team.at_keyboard("mia"):
            assert posts.schedule_post(str(post.id), at=None, approve=True).status == "scheduled"

    @pytest.mark.parametrize("policy", POLICIES)
    def test_refuses_a_yes_without_a_time(self, team: Team, account: Account, policy: str) -> None:
        team.set_policy(policy)
        with pytest.raises(InvalidInput) as refused:
            write(team, account, approve=True)
        assert (refused.value.error_code, team.ask("SELECT count(*) FROM posts")) == ("time.missing", [(0,)])

    def test_voids_the_approval_when_the_author_edits(self, team: Team, account: Account) -> None:
        team.set_policy("approval")
        post = wait_for_yes(team, account)
        approve_as_bob(team, post)
        with team.at_keyboard("mia"):
            edited, _ = posts.edit_post(str(post.id), parts=[DraftPart("Other")], approve=True, now=now())
        assert (edited.status, edited.approved_hash) == ("pending_approval", "")

    def test_takes_a_scheduled_post_off(self, team: Team, account: Account) -> None:
        post = write(team, account, at=noon(), approve=True)
        with team.at_keyboard("mia"):
            assert posts.cancel_post(str(post.id)).status == "cancelled"

    def test_rehearses_without_a_trace(self, team: Team, account: Account) -> None:
        with team.at_keyboard("mia"):
            post, _ = posts.create_post(
                account=str(account.id), parts=[DraftPart("Hello")], at=noon(), approve=True, dry_run=True
            )
        assert (post.status, team.ask("SELECT count(*) FROM posts"), team.bells()) == ("scheduled", [(0,)], [])


def approve_as_bob(team: Team, post: Post, **more: Any) -> Post:
    with team.at_keyboard("bob"):
        return posts.approve_post(str(post.id), now=now(), **more)


def reject_as_bob(team: Team, post: Post, feedback: str = "Shorter, please.") -> Post:
    with team.at_keyboard("bob"):
        return approvals.reject_post(str(post.id), feedback=feedback)


class TestAnothersPost:
    @pytest.mark.parametrize("who", ["tom", "bob", "ann"])
    @pytest.mark.parametrize("deed", ["edit", "schedule", "publish", "cancel"])
    def test_is_changed_by_its_author_alone(self, team: Team, account: Account, who: str, deed: str) -> None:
        post = str(write(team, account, at=noon()).id)
        deeds: dict[str, Callable[[], object]] = {
            "edit": lambda: posts.edit_post(post, parts=[DraftPart("Mine now")], approve=False, now=now()),
            "schedule": lambda: posts.schedule_post(post, at=noon(), approve=False),
            "publish": lambda: posts.publish_post(post, approve=True, now=now()),
            "cancel": lambda: posts.cancel_post(post),
        }
        with team.at_keyboard(who), pytest.raises(NotAllowed) as refused:
            deeds[deed]()
        assert refused.value.error_code == "post.not_author"
        assert "Mia" in refused.value.message
        assert team.ask("SELECT text FROM post_parts") == [("Hello",)]

    def test_of_another_hub_is_not_there(self, team: Team, account: Account) -> None:
        with team.at_keyboard("mia"), pytest.raises(NotFound):
            posts.get_post("01a1f82c-afb1-7c55-8a66-4f2cdb399a03")


class TestApproving:
    def test_schedules_what_was_seen_rings_and_tells_the_author(self, team: Team, account: Account) -> None:
        team.set_policy("approval")
        post = wait_for_yes(team, account)
        approved = approve_as_bob(team, post, content_hash=post.content_hash, feedback="Lovely.")
        assert (approved.status, approved.approved_hash) == ("scheduled", post.content_hash)
        assert approved.approved_by == str(team.people["bob"].id)
        assert len(team.bells()) == 1
        with team.at_keyboard("mia"):
            (notice,) = notices.list_notices(seen_too=False, limit=10, before=None).notices
            (said,) = approvals.verdicts_of(team.read(post))
        assert (notice.code, "Lovely." in notice.message) == ("approve.approved", True)
        assert (said.verdict, said.by.name, said.feedback) == ("approved", "Bob", "Lovely.")

    def test_twice_is_once(self, team: Team, account: Account) -> None:
        post = wait_for_yes(team, account)
        approve_as_bob(team, post)
        assert approve_as_bob(team, post).status == "scheduled"
        assert (len(team.bells()), team.ask("SELECT count(*) FROM approvals")) == (1, [(1,)])

    def test_refuses_what_changed_since_it_was_shown(self, team: Team, account: Account) -> None:
        post = wait_for_yes(team, account)
        with team.at_keyboard("mia"):
            posts.edit_post(str(post.id), parts=[DraftPart("Other")], approve=False, now=now())
        with pytest.raises(Conflict) as refused:
            approve_as_bob(team, post, content_hash=post.content_hash)
        assert (refused.value.error_code, status_of(team, post)) == ("post.changed", "pending_approval")

    def test_refuses_what_is_not_what_its_hash_says(self, team: Team, account: Account) -> None:
        """A hostile author keeps the hash of a harmless text over another one."""
        post = wait_for_yes(team, account, text="Harmless")
        with team.enter("mia") as hostile:
            hostile.execute("UPDATE posts SET status = 'draft' WHERE id = %s", [post.id])
            hostile.execute("UPDATE post_parts SET text = 'Harmful' WHERE post_id = %s", [post.id])
            hostile.execute("UPDATE posts SET status = 'pending_approval' WHERE id = %s", [post.id])
        for seen in ("", post.content_hash):
            with pytest.raises(Conflict) as refused:
                approve_as_bob(team, post, content_hash=seen)
            assert (refused.value.error_code, status_of(team, post)) == ("post.changed", "pending_approval")

    def test_refuses_what_changes_between_the_look_and_the_yes(self, team: Team, account: Account) -> None:
        post = wait_for_yes(team, account)
        with team.at_keyboard("bob"):
            read = team.read(post)
            with team.enter("mia") as author:
                author.execute("UPDATE posts SET status = 'draft' WHERE id = %s", [post.id])
                author.execute("UPDATE posts SET content_hash = 'another' WHERE id = %s", [post.id])
                author.execute("UPDATE posts SET status = 'pending_approval' WHERE id = %s", [post.id])
            with pytest.raises(Conflict) as refused:
                approving.approve(read, seen=post.content_hash)
        assert (refused.value.error_code, status_of(team, post)) == ("post.changed", "pending_approval")

    def test_does_nothing_on_a_dry_run(self, team: Team, account: Account) -> None:
        post = wait_for_yes(team, account)
        assert approve_as_bob(team, post, dry_run=True).status == "scheduled"
        assert (status_of(team, post), team.bells()) == ("pending_approval", [])

    def test_refuses_a_time_that_is_over_unless_told_otherwise(self, team: Team, account: Account) -> None:
        post = write(team, account, at=now() - timedelta(minutes=2))
        with pytest.raises(InvalidInput) as refused:
            approve_as_bob(team, post)
        assert refused.value.error_code == "time.past"
        assert refused.value.ask is not None
        assert approve_as_bob(team, post, late=True).status == "scheduled"

    def test_never_sends_what_is_hours_late(self, team: Team, account: Account) -> None:
        post = write(team, account, at=now() - timedelta(hours=2))
        with pytest.raises(InvalidInput) as refused:
            approve_as_bob(team, post, late=True)
        assert (refused.value.error_code, status_of(team, post)) == ("time.past", "pending_approval")

    def test_of_a_colleagues_draft_is_refused(self, team: Team, account: Account) -> None:
        post = write(team, account)
        with pytest.raises(Conflict) as refused:
            approve_as_bob(team, post)
        assert (refused.value.error_code, status_of(team, post)) == ("post.state", "draft")


class TestRejecting:
    @pytest.mark.parametrize("approved", [False, True])
    def test_makes_it_a_draft_and_tells_its_author_why(self, team: Team, account: Account, approved: bool) -> None:
        post = write(team, account, at=noon(), approve=approved)
        rejected = reject_as_bob(team, post, "Not on a Friday.")
        assert (rejected.status, rejected.approved_hash) == ("draft", "")
        with team.at_keyboard("mia"):
            (notice,) = notices.list_notices(seen_too=False, limit=10, before=None).notices
            why = explain(team, post)
        assert (notice.code, notice.level, "Not on a Friday." in notice.message) == ("approve.rejected", "act", True)
        assert "Bob sent it back" in why.summary
        assert "Not on a Friday." in why.summary
        assert why.next_command == f"psn_post edit {post.id} --stdin"

    @pytest.mark.parametrize(
        ("feedback", "code"),
        [("", "approve.no_feedback"), (" \n ", "approve.no_feedback"), ("x" * 4001, "approve.feedback")],
    )
    def test_needs_a_reason_of_a_sensible_length(self, team: Team, account: Account, feedback: str, code: str) -> None:
        post = write(team, account, at=noon())
        with pytest.raises(InvalidInput) as refused:
            reject_as_bob(team, post, feedback)
        assert (refused.value.error_code, status_of(team, post)) == (code, "pending_approval")

    def test_is_for_approvers(self, team: Team, account: Account) -> None:
        post = write(team, account, at=noon())
        with team.at_keyboard("tom"), pytest.raises(NotAllowed) as refused:
            approvals.reject_post(str(post.id), feedback="No.")
        assert refused.value.error_code == "approve.not_approver"

    def test_of_a_draft_is_refused(self, team: Team, account: Account) -> None:
        with pytest.raises(Conflict) as refused:
            reject_as_bob(team, write(team, account))
        assert refused.value.error_code == "post.state"

    def test_does_nothing_on_a_dry_run(self, team: Team, account: Account) -> None:
        post = write(team, account, at=noon())
        with team.at_keyboard("bob"):
            assert approvals.reject_post(str(post.id), feedback="No.", dry_run=True).status == "draft"
        assert status_of(team, post) == "pending_approval"


def explain(team: Team, post: Post) -> answers.Answer:
    read = team.read(post)
    return answers.explain(read, now=now(), around=answers.look_around(read, now=now(), zone="Europe/Madrid"))


class TestTheDesk:
    def look(self, team: Team, who: str, *, limit: int = 50) -> approvals.Desk:
        with team.at_keyboard(who):
            return approvals.list_waiting(now=now(), limit=limit)

    def test_shows_each_what_waits_for_him_and_his_own_apart(self, team: Team, account: Account) -> None:
        team.set_policy("approval")
        of_mia, of_bob = wait_for_yes(team, account), wait_for_yes(team, account, by="bob")
        shown = {
            who: ([one.post.id for one in desk.mine], [one.post.id for one in desk.others])
            for who in ("ann", "bob", "mia", "tom")
            for desk in [self.look(team, who)]
        }
        assert shown == {
            "ann": ([of_mia.id, of_bob.id], []),
            "bob": ([of_mia.id], [of_bob.id]),
            "mia": ([], [of_mia.id]),
            "tom": ([], []),
        }

    def test_puts_the_earliest_time_first_and_says_how_near_it_is(self, team: Team, account: Account) -> None:
        later, near = write(team, account, at=noon()), write(team, account, at=now() + timedelta(hours=2))
        past = write(team, account, at=now() - timedelta(minutes=5))
        desk = self.look(team, "bob")
        assert [(one.post.id, one.due) for one in desk.mine] == [
            (past.id, "past"),
            (near.id, "near"),
            (later.id, "later"),
        ]

    def test_says_since_when_each_waits(self, team: Team, account: Account) -> None:
        write(team, account, at=noon())
        (one,) = self.look(team, "bob").mine
        assert one.standing is not None
        assert one.standing.asked_at is not None
        assert now() - one.standing.asked_at < timedelta(minutes=1)

    def test_shows_an_approver_what_lacks_its_slot(self, team: Team, account: Account) -> None:
        team.set_policy("approval")
        post = wait_for_yes(team, account, slot=False)
        (one,) = self.look(team, "bob").mine
        assert (one.post.id, one.hurdle) == (post.id, "approve.no_slot")

    def test_counts_what_it_does_not_show(self, team: Team, account: Account) -> None:
        for _ in range(3):
            write(team, account, at=noon())
        desk = self.look(team, "bob", limit=2)
        assert (len(desk.mine), desk.total) == (2, 3)

    def test_asks_no_more_of_the_hub_for_more_posts(self, team: Team, account: Account) -> None:
        team.set_policy("approval")
        asked = []
        for _ in range(2):
            wait_for_yes(team, account)
            with team.at_keyboard("bob"):
                connection.force_debug_cursor = True
                approvals.list_waiting(now=now(), limit=50)
                asked.append(len(connection.queries))
        assert asked[0] == asked[1]


class TestApprovingSeveral:
    def test_approves_all_that_the_list_showed(self, team: Team, account: Account) -> None:
        for _ in range(3):
            write(team, account, at=noon())
        with team.at_keyboard("bob"):
            seen = approvals.list_waiting(now=now(), limit=50).content_hash
            rulings = approvals.approve_all(content_hash=seen, feedback="", late=False, now=now())
        assert [ruling.error for ruling in rulings] == [None] * 3
        assert team.ask("SELECT status, count(*) FROM posts GROUP BY status") == [("scheduled", 3)]

    def test_approves_nothing_once_the_list_is_another(self, team: Team, account: Account) -> None:
        write(team, account, at=noon())
        with team.at_keyboard("bob"):
            seen = approvals.list_waiting(now=now(), limit=50).content_hash
        write(team, account, at=noon(), text="Slipped in")
        with team.at_keyboard("bob"), pytest.raises(Conflict) as refused:
            approvals.approve_all(content_hash=seen, feedback="", late=False, now=now())
        assert refused.value.error_code == "approve.list_changed"
        assert team.ask("SELECT DISTINCT status FROM posts") == [("pending_approval",)]

    def test_lets_one_that_is_refused_keep_no_other_from_its_yes(self, team: Team, account: Account) -> None:
        first, draft, last = write(team, account, at=noon()), write(team, account), write(team, account, at=noon())
        with team.at_keyboard("bob"):
            ids = [str(first.id), str(draft.id), "nonsense", str(last.id)]
            rulings = approvals.approve_posts(ids, content_hash="", feedback="", late=False, now=now())
        said = [one.error.error_code if one.error else None for one in rulings]
        assert said == [None, "post.state", "post.not_found", None]

    def test_takes_the_hash_of_one_post_for_one_post(self, team: Team, account: Account) -> None:
        with team.at_keyboard("bob"), pytest.raises(InvalidInput):
            approvals.approve_posts(["1", "2"], content_hash="aa", feedback="", late=False, now=now())


class TestTheReview:
    def test_shows_what_changed_since_the_last_no(self, team: Team, account: Account) -> None:
        team.set_policy("approval")
        post = wait_for_yes(team, account, text="Come to our sale")
        reject_as_bob(team, post)
        with team.at_keyboard("mia"):
            edited, _ = posts.edit_post(str(post.id), parts=[DraftPart("Come to our party")], approve=True, now=now())
            assert (edited.status, edited.scheduled_at) == ("pending_approval", post.scheduled_at)
        with team.at_keyboard("ann"):
            review = approvals.review_post(str(post.id), now=now())
        assert review.changes is not None
        assert [change.at for change in review.changes] == ["parts.0.text"]
        assert [(piece.fate, piece.text) for piece in review.changes[0].pieces] == [
            ("same", "Come to our "), ("removed", "sale"), ("added", "party"),
        ]  # fmt: skip
        assert [(said.verdict, said.feedback) for said in review.history] == [("rejected", "Shorter, please.")]

    def test_finds_nothing_changed_in_what_comes_back_as_it_was(self, team: Team, account: Account) -> None:
        post = wait_for_yes(team, account)
        with team.at_keyboard("bob"):
            approvals.reject_post(str(post.id), feedback="Wait a moment.")
        with team.at_keyboard("mia"):
            posts.edit_post(str(post.id), parts=[DraftPart("Hello")], approve=False, now=now())
        with team.at_keyboard("bob"):
            review = approvals.review_post(str(post.id), now=now())
        assert review.changes == []

    def test_shows_a_first_draft_as_its_platform_will(self, team: Team, account: Account) -> None:
        post = wait_for_yes(team, account)
        with team.at_keyboard("bob"):
            review = approvals.review_post(str(post.id), now=now())
        assert (review.changes, review.history, review.is_open) == (None, [], True)
        assert [one.shown for one in review.previews] == ["Hello"]

    def test_hides_no_post_behind_a_file_that_a_hostile_author_made_up(self, team: Team, account: Account) -> None:
        post = write(team, account)
        with team.enter("mia") as hostile:
            hostile.execute(
                """INSERT INTO post_media (id, user_id, part_id, index, path, sha256, mime_type, size_bytes, alt_text, facts)
                SELECT gen_random_uuid(), user_id, id, 0, '../../etc/passwd', repeat('0', 64), 'image/png', 9, '', '{}' FROM post_parts"""
            )
        with team.at_keyboard("bob"):
            review = approvals.review_post(str(post.id), now=now())
            assert review.waiting.post.parts.get().text == "Hello"
        assert ([finding.code for finding in review.findings], review.previews) == (["media.path"], [])


class TestWhy:
    def test_names_who_may_say_yes_by_which_rule_and_since_when(self, team: Team, account: Account) -> None:
        team.set_policy("approval")
        post = wait_for_yes(team, account)
        with team.at_keyboard("mia"):
            why = explain(team, post)
        assert "waits since" in why.summary
        assert "Ann or Bob" in why.summary
        assert "At Acme Ltd an approver decides" in why.summary
        assert (why.next_command, "psn_approve list" in (why.ask or "")) == (None, True)

    def test_sends_an_approver_to_look_at_it(self, team: Team, account: Account) -> None:
        team.set_policy("approval")
        post = wait_for_yes(team, account)
        with team.at_keyboard("bob"):
            assert explain(team, post).next_command == f"psn_approve show {post.id}"

    @pytest.mark.parametrize(("who", "claims"), [("mia", True), ("bob", False)])
    def test_says_that_the_day_is_not_claimed(self, team: Team, account: Account, who: str, claims: bool) -> None:
        team.set_policy("approval")
        post = wait_for_yes(team, account, slot=False)
        with team.at_keyboard(who):
            why = explain(team, post)
        assert "has not claimed" in why.summary
        assert (why.next_command is not None) is claims

    def test_says_that_its_time_went_by(self, team: Team, account: Account) -> None:
        post = write(team, account, at=now() - timedelta(hours=1))
        with team.at_keyboard("mia"):
            assert "had no yes by then" in explain(team, post).summary

    def test_knows_that_the_worker_runs_elsewhere(self, team: Team, account: Account) -> None:
        post = write(team, account, at=noon(), approve=True)
        with team.at_keyboard("mia", worker=False):
            why = explain(team, post)
        assert (why.next_command, why.ask) == (None, answers.ELSEWHERE)

    def test_tells_the_story_by_name(self, team: Team, account: Account) -> None:
        post = wait_for_yes(team, account)
        reject_as_bob(team, post)
        with team.at_keyboard("mia"):
            read = team.read(post)
            teller = story.make_teller(read, zone="UTC")
            lines = story.tell_story(read, attempts=[], notices=notices.notices_of(read), teller=teller)
        assert [line.who for line in lines] == ["you", "Bob", "PSN"]
        assert "sent it back" in lines[1].what


class TestNotices:
    def test_ask_those_who_decide_and_nobody_else(self, team: Team, account: Account) -> None:
        team.set_policy("approval")
        wait_for_yes(team, account)
        told = {}
        for who in team.people:
            with team.at_keyboard(who):
                told[who] = notices.count_unseen(Notice.Level.ACT)
        assert told == {"ann": 1, "bob": 1, "mia": 0, "tom": 0}

    def test_of_others_are_not_an_admins_own(self, team: Team, account: Account) -> None:
        reject_as_bob(team, write(team, account, at=noon()))
        with team.at_keyboard("ann"):
            assert notices.list_notices(seen_too=True, limit=10, before=None).notices == []
            assert notices.mark_seen("all") == 0
        with team.at_keyboard("mia"):
            assert notices.mark_seen("all") == 1

    def test_are_settled_by_the_verdict(self, team: Team, account: Account) -> None:
        team.set_policy("approval")
        approve_as_bob(team, wait_for_yes(team, account))
        assert team.ask("SELECT count(*) FROM notices WHERE code = 'approve.wanted' AND seen_at IS NULL") == [(0,)]

    def test_are_settled_when_the_author_takes_it_back(self, team: Team, account: Account) -> None:
        team.set_policy("approval")
        post = wait_for_yes(team, account)
        with team.at_keyboard("mia"):
            posts.cancel_post(str(post.id))
        assert team.ask("SELECT count(*) FROM notices WHERE code = 'approve.wanted' AND seen_at IS NULL") == [(0,)]


class TestGrants:
    def test_are_hidden_from_members_and_in_nobodys_way(self, team: Team, account: Account) -> None:
        with team.at_keyboard("mia"):
            found = accounts.find_account("@acme")
            assert (accounts.token_of(found), facts_of(found).scopes) == (None, frozenset())
            with pytest.raises(NotAllowed) as refused:
                get_row(found)
        assert refused.value.error_code == "account.worker_only"


class TestDeleting:
    @pytest.mark.parametrize(("who", "code"), [("mia", None), ("bob", None), ("tom", "post.not_author")])
    def test_is_asked_for_by_the_author_or_an_approver(
        self, team: Team, account: Account, who: str, code: str | None
    ) -> None:
        post = write(team, account, at=noon(), approve=True)
        publish(team, post)
        with team.at_keyboard(who):
            if code is None:
                assert live.ask_to_delete(str(post.id)).delete_asked_at is not None
            else:
                with pytest.raises(NotAllowed) as refused:
                    live.ask_to_delete(str(post.id))
                assert refused.value.error_code == code
        assert ["delete_post" in bell for bell in team.bells()].count(True) == (1 if code is None else 0)


def publish(team: Team, post: Post) -> None:
    """Let a post be live, with the laws disabled as only a test could."""
    team.execute(
        """
        ALTER TABLE posts DISABLE TRIGGER USER;
        UPDATE posts SET status = 'published', platform_post_id = '1', published_at = now();
        ALTER TABLE posts ENABLE TRIGGER USER;
        """
    )


class TestInAPersonalHub:
    @pytest.fixture
    def own(self, me: User) -> Account:
        return make_account(me, handle="ana")

    def test_everything_that_waits_is_for_its_one_person(self, own: Account) -> None:
        post, _ = posts.create_post(account=str(own.id), parts=[DraftPart("Hello")], at=noon(), approve=False)
        desk = approvals.list_waiting(now=now(), limit=50)
        assert ([one.post.id for one in desk.mine], desk.others, desk.total) == ([post.id], [], 1)
        review = approvals.review_post(str(post.id), now=now())
        assert (review.is_open, review.changes, review.history) == (True, None, [])
        (ruling,) = approvals.approve_all(content_hash=desk.content_hash, feedback="", late=False, now=now())
        assert ruling.post is not None
        assert ruling.post.status == "scheduled"

    def test_a_no_makes_a_draft_with_the_reason(self, own: Account) -> None:
        post, _ = posts.create_post(account=str(own.id), parts=[DraftPart("Hello")], at=noon(), approve=True)
        rejected = approvals.reject_post(str(post.id), feedback="Tomorrow.")
        assert (rejected.status, rejected.approved_hash, rejected.error_message) == ("draft", "", "Tomorrow.")
        assert AuditEntry.objects.using(OWNER).filter(detail__message="Tomorrow.").count() == 1

    def test_nobody_is_named_as_its_author(self, own: Account) -> None:
        post, _ = posts.create_post(account=str(own.id), parts=[DraftPart("Hello")], at=None, approve=True)
        assert (post.author, post.approved_by, post.status) == (None, "person", "approved")


class TestFindHurdle:
    def test_knows_no_more_roles_than_there_are(self) -> None:
        assert set(standings.RULERS) == {Role.APPROVER, Role.ADMIN}
