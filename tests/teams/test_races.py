"""Two who come at once, and old snapshots: rights are those of the moment when something is done (SPEC TEAM-1, POST-4)."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from threading import Barrier
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.teams.company import Member
from tests.teams.stage import Stage
from tests.teams.trying import GONE, ended, session_of

SNAPSHOTS = [psycopg.IsolationLevel.REPEATABLE_READ, psycopg.IsolationLevel.SERIALIZABLE]
in_old_snapshots = pytest.mark.parametrize("level", SNAPSHOTS, ids=lambda level: level.name)
REFUSALS = ("PN403", "PN404", "PN409", "PN422", "40001", "42501", *GONE)


def new_member(stage: Stage, role: str = "member") -> Member:
    return stage.company.join(f"Racer {secrets.token_hex(3)}", role)


@contextmanager
def only_admins(stage: Stage, *admins: Member) -> Iterator[None]:
    """Have nobody else be an admin for a while; written by who stands above the laws."""
    ids = [admin.id for admin in admins]
    with stage.company.enter_as_superuser() as superuser:
        superuser.execute("SET session_replication_role = replica")
        asked = "UPDATE users SET role = 'approver' WHERE role = 'admin' AND kind = 'person' AND id <> ALL (%s) RETURNING id"
        others = [row[0] for row in superuser.execute(asked, [ids]).fetchall()]
        try:
            yield
        finally:
            superuser.execute("UPDATE users SET role = 'admin' WHERE id = ANY (%s)", [others])


def admins_left(stage: Stage) -> int:
    with stage.company.enter_as_superuser() as superuser:
        asked = "SELECT count(*) FROM users WHERE role = 'admin' AND kind = 'person' AND is_active"
        row = superuser.execute(asked).fetchone()
    assert row is not None
    return int(row[0])


def at_once(*works: Callable[[], str]) -> list[str]:
    start = Barrier(len(works))

    def work(number: int) -> str:
        start.wait(timeout=20)
        return works[number]()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(work, range(len(works))))


class TestTheLastAdmin:
    @pytest.mark.parametrize(
        "end",
        ["SELECT hub_api.set_role('{me}', 'member')", "SELECT hub_api.set_role('{me}', 'approver')",
         "SELECT hub_api.remove_member('{me}')", "SELECT hub_api.leave_team()"],
        ids=["to be a member", "to be an approver", "to be gone", "to leave"],
    )  # fmt: skip
    def test_stays_when_he_wants(self, end: str, stage: Stage) -> None:
        with only_admins(stage, stage.people["ann"]), stage.enter("ann") as ann:
            assert ended(ann, end.format(me=stage.people["ann"].id)) == "PN409"
            assert admins_left(stage) == 1

    def test_may_go_once_there_is_another(self, stage: Stage) -> None:
        first, second = new_member(stage, "admin"), new_member(stage, "admin")
        with only_admins(stage, first, second), stage.company.enter(first) as session:
            assert ended(session, f"SELECT hub_api.set_role('{first.id}', 'member')").startswith("gave")
            assert admins_left(stage) == 1

    def test_is_the_first_one_made_too(self, stage: Stage) -> None:
        """His login was made with the hub, all others by invites: it must be possible to end it in the same way."""
        with stage.company.enter_as_superuser() as superuser:
            asked = """SELECT l.login_role FROM logins l WHERE l.user_id = %s AND NOT EXISTS
                (SELECT FROM pg_auth_members m WHERE m.roleid = l.login_role::regrole AND m.member = %s::regrole AND m.admin_option)"""
            assert (
                superuser.execute(asked, [stage.people["ann"].id, f"{stage.company.slug}_provisioner"]).fetchall() == []
            )


class TestTwoAdmins:
    @pytest.mark.parametrize(
        "end", ["SELECT hub_api.set_role('{other}', 'member')", "SELECT hub_api.remove_member('{other}')"]
    )
    def test_who_end_each_other_at_once_leave_at_least_one(self, end: str, stage: Stage) -> None:
        for _ in range(3):
            one, other = new_member(stage, "admin"), new_member(stage, "admin")

            with ExitStack() as stack:  # both are in before the first one acts
                first, second = (
                    stack.enter_context(session_of(stage.company, who, autocommit=True)) for who in (one, other)
                )
                stack.enter_context(only_admins(stage, one, other))
                results = at_once(
                    partial(ended, first, end.format(other=other.id)), partial(ended, second, end.format(other=one.id))
                )
                assert admins_left(stage) >= 1, results  # two, when each ended the other's connection

    def test_who_leave_at_once_leave_one(self, stage: Stage) -> None:
        one, other = new_member(stage, "admin"), new_member(stage, "admin")

        def leave(who: Member) -> Callable[[], str]:
            def work() -> str:
                with session_of(stage.company, who, autocommit=True) as session:
                    return ended(session, "SELECT hub_api.leave_team()")

            return work

        with only_admins(stage, one, other):
            results = at_once(leave(one), leave(other))
            assert admins_left(stage) == 1, results

    @in_old_snapshots
    def test_do_not_end_each_other_in_old_snapshots(self, level: psycopg.IsolationLevel, stage: Stage) -> None:
        one, other = new_member(stage, "admin"), new_member(stage, "admin")
        with only_admins(stage, one, other), session_of(stage.company, other) as late:
            late.isolation_level = level
            late.execute("SELECT 1 FROM public.users")
            with stage.company.enter(one) as session:
                assert ended(session, f"SELECT hub_api.set_role('{other.id}', 'member')").startswith("gave")
            assert ended(late, f"SELECT hub_api.set_role('{one.id}', 'member')") in REFUSALS
            late.close()
            assert admins_left(stage) == 1


DEEDS = {
    "invites": "SELECT * FROM hub_api.create_invite('x', 'admin', '1 day')",
    "removes": "SELECT hub_api.remove_member('{eve}')",
    "promotes": "SELECT hub_api.set_role('{eve}', 'admin')",
    "changes the rules": "SELECT hub_api.set_policy('free', true)",
    "configures": "INSERT INTO public.hub_settings (id, user_id, name, version, value) "
    "VALUES (gen_random_uuid(), '{company}', 'x', 1, '{{}}')",
    "releases another's day": "DELETE FROM public.slots WHERE claimed_by_id = '{cat}'",
    "says no": "SELECT hub_api.reject_post('{eves_pending_approval}', 'no')",
}


class TestSomebodyWhoWasDemoted:
    @in_old_snapshots
    @pytest.mark.parametrize("deed", DEEDS.values(), ids=DEEDS.keys())
    def test_does_nothing_with_his_former_rights_in_an_old_snapshot(
        self, deed: str, level: psycopg.IsolationLevel, stage: Stage
    ) -> None:
        demoted = new_member(stage, "admin")
        with session_of(stage.company, demoted) as session:
            session.isolation_level = level
            session.execute("SELECT 1 FROM public.users")
            with stage.enter("ann") as ann:
                ann.execute("SELECT hub_api.set_role(%s, 'member')", [demoted.id])
            assert ended(session, deed.format_map(stage.names)) in REFUSALS
            session.close()

    @in_old_snapshots
    def test_says_yes_to_nothing_in_an_old_snapshot(self, level: psycopg.IsolationLevel, stage: Stage) -> None:
        demoted = new_member(stage, "approver")
        post = waiting_post(stage)
        with session_of(stage.company, demoted) as session:
            session.isolation_level = level
            session.execute("SELECT 1 FROM public.users")
            with stage.enter("ann") as ann:
                ann.execute("SELECT hub_api.set_role(%s, 'member')", [demoted.id])
            assert ended(session, approval_of(post)) in REFUSALS
        assert state_of(stage, post) == "pending_approval"


class TestAYes:
    def test_is_said_once_by_two_at_once(self, stage: Stage) -> None:
        post = waiting_post(stage)

        def say_yes(who: str) -> Callable[[], str]:
            def work() -> str:
                with stage.enter(who) as session:
                    return ended(session, approval_of(post))

            return work

        results = at_once(say_yes("cat"), say_yes("ann"), say_yes("dan"))
        assert sorted(result[:5] for result in results) == ["PN409", "PN409", "gave "]
        with stage.company.enter_as_superuser() as superuser:
            asked = """SELECT (SELECT count(*) FROM approvals WHERE post_id = %s),
                (SELECT count(*) FROM django_q_ormq WHERE payload LIKE %s),
                (SELECT count(*) FROM audit_log WHERE subject_id = %s AND action = 'post.approved')"""
            assert superuser.execute(asked, [post, f"%{post}%", str(post)]).fetchone() == (1, 1, 1)

    def test_does_not_pass_by_an_author_who_just_takes_the_post_back(self, stage: Stage) -> None:
        post = waiting_post(stage)
        with stage.enter("bob", autocommit=False) as bob:
            bob.execute("UPDATE posts SET status = 'draft' WHERE id = %s", [post])
            with ThreadPoolExecutor(1) as pool:
                waiting = pool.submit(lambda: say(stage, "cat", approval_of(post)))
                time.sleep(0.5)  # until it has read the post, and waits for the author
                assert not waiting.done()
                bob.commit()
                assert waiting.result(timeout=20) == "PN409"
        assert state_of(stage, post) == "draft"

    def test_does_not_pass_by_an_author_who_just_changes_it(self, stage: Stage) -> None:
        post = waiting_post(stage)
        with stage.enter("bob", autocommit=False) as bob:
            bob.execute("UPDATE posts SET status = 'draft' WHERE id = %s", [post])
            bob.execute("UPDATE post_parts SET text = 'other' WHERE post_id = %s", [post])
            bob.execute("UPDATE posts SET status = 'pending_approval', content_hash = 'other' WHERE id = %s", [post])
            with ThreadPoolExecutor(1) as pool:
                waiting = pool.submit(lambda: say(stage, "cat", approval_of(post)))
                bob.commit()
                assert waiting.result(timeout=20) == "PN409"

    def test_and_a_no_at_once_end_in_one_of_both(self, stage: Stage) -> None:
        post = waiting_post(stage)
        results = at_once(
            lambda: say(stage, "cat", approval_of(post)),
            lambda: say(stage, "ann", f"SELECT hub_api.reject_post('{post}', 'no')"),
        )
        state = state_of(stage, post)
        assert state == "draft" if results[1].startswith("gave") else "scheduled", results


class TestADay:
    def test_is_claimed_by_one_of_four_at_once(self, stage: Stage) -> None:
        def claim(who: str) -> Callable[[], str]:
            statement = stage.insert("slots", on="2031-05-05", platform="x", claimed_by_id=stage.people[who].id)

            def work() -> str:
                with stage.enter(who) as session:
                    return ended(session, statement)

            return work

        results = at_once(*(claim(who) for who in ("ann", "cat", "bob", "eve")))
        assert sorted(results) == ["1 rows", "23505", "23505", "23505"]
        with stage.company.enter_as_superuser() as superuser:
            superuser.execute("DELETE FROM slots WHERE \"on\" = '2031-05-05'")


class TestTime:
    def test_that_stands_still_in_a_transaction_prolongs_no_invite(self, stage: Stage) -> None:
        invited = stage.company.invite("Sleeper")
        with session_of(stage.company, invited) as sleeper:
            sleeper.execute("SELECT 1")
            with stage.company.enter_as_superuser() as superuser:
                superuser.execute("UPDATE invites SET expires_at = clock_timestamp() WHERE id = %s", [invited.id])
            assert ended(sleeper, "SELECT * FROM hub_api.redeem()") == "PN403"


def say(stage: Stage, who: str, what: str) -> str:
    with stage.enter(who) as session:
        return ended(session, what)


def waiting_post(stage: Stage) -> UUID:
    """A post of Bob's on his day that waits for a yes, written by his own hands."""
    with stage.enter("bob") as bob:
        post: UUID = uuid4()
        bob.execute(stage.insert("posts", id=post, account_id=stage.names["account"], author_id=stage.people["bob"].id, status="draft",
                                 content_hash="seen", scheduled_at="2031-01-02T12:00Z", due_at="2031-01-02T12:00Z"))  # fmt: skip
        bob.execute(stage.insert("post_parts", post_id=post, index=0, kind="post", text="Hello", state="waiting"))
        bob.execute("UPDATE posts SET status = 'pending_approval' WHERE id = %s", [post])
    return post


def approval_of(post: UUID) -> str:
    return f"SELECT hub_api.approve_post('{post}', 'seen', '')"


def state_of(stage: Stage, post: UUID) -> str:
    with stage.company.enter_as_superuser() as superuser:
        row = superuser.execute("SELECT status FROM posts WHERE id = %s", [post]).fetchone()
    assert row is not None
    return str(row[0])
