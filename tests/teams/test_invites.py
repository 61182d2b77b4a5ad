"""An invite is good for one person, once, until it expires, and no longer than its maker may invite (SPEC TEAM-1)."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import psycopg
import pytest

from tests.teams.company import Invited, Member
from tests.teams.stage import Stage
from tests.teams.trying import GONE, ended, entry

REDEEM = "SELECT * FROM hub_api.redeem()"
INVITE = "SELECT invite_id, login_role, one_time_password FROM hub_api.create_invite(%s, 'member', '7 days')"


def new_name() -> str:
    return f"Joiner {secrets.token_hex(3)}"


class TestAnInvite:
    def test_makes_a_member_who_is_himself_and_works_for_the_company(self, stage: Stage) -> None:
        member = stage.company.join("Fay", "approver")
        with stage.company.enter(member) as fay:
            asked = """SELECT hub_api.current_user_id(), hub_api.current_owner_id(), hub_api.current_role_is('approver'),
                hub_api.is_service()"""
            assert fay.execute(asked).fetchone() == (member.id, stage.company.id, True, False)
            assert fay.execute("SELECT name, kind FROM users WHERE id = %s", [member.id]).fetchone() == (
                "Fay",
                "person",
            )

    def test_is_dead_once_redeemed(self, stage: Stage) -> None:
        invited = stage.company.invite(new_name())
        stage.company.redeem(invited, name="x")
        assert entry(stage.company, invited) == "refused"

    def test_gives_a_password_that_nobody_but_the_joiner_has_seen(self, stage: Stage) -> None:
        invited = stage.company.invite(new_name())
        member = stage.company.redeem(invited, name="x")
        assert member.password != invited.password
        assert len(member.password) >= 40
        with stage.company.enter_as_superuser() as superuser:
            found = superuser.execute("SELECT rolpassword FROM pg_authid WHERE rolname = %s", [member.login]).fetchone()
        assert found is not None
        assert found[0].startswith("SCRAM-SHA-256$")

    def test_makes_one_member_when_redeemed_twice_in_one_transaction(self, stage: Stage) -> None:
        with stage.company.enter(stage.company.invite(new_name())) as joiner:
            assert ended(joiner, REDEEM, REDEEM) in ("42501", "PN403", "PN409")

    def test_is_still_good_after_a_redemption_that_was_not_committed(self, stage: Stage) -> None:
        invited = stage.company.invite(new_name())
        with stage.company.enter(invited, autocommit=False) as joiner:
            joiner.execute(REDEEM)
            joiner.rollback()
        assert stage.company.redeem(invited, name="x").id

    def test_lets_one_of_four_in_when_they_come_at_once(self, stage: Stage) -> None:
        invited = stage.company.invite(new_name())
        start = Barrier(4)

        def redeem(_: int) -> str:
            with stage.company.enter(invited) as joiner:
                start.wait(timeout=20)
                return ended(joiner, REDEEM)

        with ThreadPoolExecutor(4) as pool:
            results = list(pool.map(redeem, range(4)))
        assert [result.startswith("gave") for result in results].count(True) == 1
        assert all(result.startswith("gave") or result in ("42501", "PN403", "PN409") for result in results), results

    def test_brings_no_second_member_when_its_name_is_sql(self, stage: Stage) -> None:
        name = """Robert"; DROP TABLE posts; -- '); SELECT pg_sleep(9) \\ %s {} $$ 💥"""
        member = stage.company.redeem(stage.company.invite(name), name=name)
        with stage.company.enter(member) as joiner:
            assert joiner.execute("SELECT name FROM users WHERE id = %s", [member.id]).fetchone() == (name,)
            assert joiner.execute("SELECT count(*) > 0 FROM posts").fetchone() == (True,)

    def test_works_whatever_the_admin_has_set_for_his_session(self, stage: Stage) -> None:
        """Settings of the caller reach into functions; none of them makes the functions' owner a member of what it makes."""
        with stage.company.enter(stage.company.ann) as ann, ann.transaction():
            for setting in (
                "SET LOCAL createrole_self_grant = 'set, inherit'",
                "SET LOCAL search_path = pg_temp, hub_api",
                "SET LOCAL standard_conforming_strings = off",
                "SET LOCAL quote_all_identifiers = on",
                "SET LOCAL IntervalStyle = 'sql_standard'",
                "SET LOCAL TimeZone = 'Pacific/Kiritimati'",
            ):
                ann.execute(setting)
            row = ann.execute(INVITE, ['O\'Neill \\ the "first"']).fetchone()
        assert row is not None
        member = stage.company.redeem(Invited(*row), name="x")
        with stage.company.enter_as_superuser() as superuser:
            asked = """SELECT m.admin_option, m.inherit_option, m.set_option FROM pg_auth_members m
                WHERE m.roleid = %s::regrole AND m.member = %s::regrole ORDER BY 1"""
            # it may end the login's connections, and drop it; nobody may become the login
            assert superuser.execute(asked, [member.login, f"{stage.company.slug}_provisioner"]).fetchall() == [
                (False, True, False),
                (True, False, False),
            ]


class TestAnInviteThatIsNoLongerGood:
    def test_is_refused_when_it_expired(self, stage: Stage) -> None:
        invited = stage.company.invite(new_name(), ttl="1 hour")
        expire(stage, invited)
        with stage.company.enter(invited) as late:
            assert ended(late, REDEEM) in ("PN403", "PN409")

    def test_is_refused_in_a_session_that_was_open_before_it_was_revoked(self, stage: Stage) -> None:
        invited = stage.company.invite(new_name())
        with stage.company.enter(invited) as thief:
            thief.execute("SELECT 1")
            with stage.company.enter(stage.company.ann) as ann:
                ann.execute("SELECT hub_api.revoke_invite(%s)", [invited.id])
            assert ended(thief, REDEEM) in ("42501", "PN403", *GONE)
        assert entry(stage.company, invited) == "refused"
        assert rows_of(stage, invited) == (None, None)

    def test_is_refused_in_a_snapshot_taken_before_it_was_revoked(self, stage: Stage) -> None:
        invited = stage.company.invite(new_name())
        with stage.company.enter(invited, autocommit=False) as thief:
            thief.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            thief.execute("SELECT 1")
            with stage.company.enter(stage.company.ann) as ann:
                ann.execute("SELECT hub_api.revoke_invite(%s)", [invited.id])
            assert not ended(thief, REDEEM).startswith("gave")

    def test_leaves_no_login_once_it_expired_and_was_swept(self, stage: Stage) -> None:
        invited = stage.company.invite(new_name(), ttl="1 hour")
        expire(stage, invited)
        with stage.company.enter(stage.company.ann) as ann:
            (swept,) = ann.execute("SELECT hub_api.expire_invites()").fetchone() or (0,)
        assert swept >= 1
        assert not login_exists(stage, invited.login)

    def test_is_not_swept_while_it_is_good(self, stage: Stage) -> None:
        invited = stage.company.invite(new_name())
        with stage.company.enter(stage.company.ann) as ann:
            ann.execute("SELECT hub_api.expire_invites()")
        assert stage.company.redeem(invited, name="x").id

    def test_is_swept_by_the_worker_too(self, stage: Stage) -> None:
        invited = stage.company.invite(new_name(), ttl="1 hour")
        expire(stage, invited)
        with stage.company.enter_as_worker() as worker, worker.transaction():
            worker.execute("SELECT set_config('app.current_user_id', %s, true)", [str(stage.company.id)])
            worker.execute("SELECT hub_api.expire_invites()")
        assert not login_exists(stage, invited.login)

    @pytest.mark.parametrize(
        "end",
        ["SELECT hub_api.remove_member(%s)", "SELECT hub_api.set_role(%s, 'approver')"],
        ids=["removed", "demoted"],
    )
    def test_does_not_outlive_the_rights_of_who_made_it(self, end: str, stage: Stage) -> None:
        maker = stage.company.join(new_name(), "admin")
        invited = stage.company.invite(new_name(), "admin", by=maker)
        with stage.company.enter(stage.company.ann) as ann:
            ann.execute(end, [maker.id])
        assert try_to_redeem(stage, invited) == "refused"

    def test_does_not_outlive_its_maker_who_leaves(self, stage: Stage) -> None:
        maker = stage.company.join(new_name(), "admin")
        invited = stage.company.invite(new_name(), "admin", by=maker)
        with stage.company.enter(maker) as leaving:
            ended(leaving, "SELECT hub_api.leave_team()")
        assert try_to_redeem(stage, invited) == "refused"

    def test_is_void_when_its_maker_is_demoted_between_two_statements_of_the_joiner(self, stage: Stage) -> None:
        maker = stage.company.join(new_name(), "admin")
        invited = stage.company.invite(new_name(), "admin", by=maker)
        with stage.company.enter(invited, autocommit=False) as thief:
            thief.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            thief.execute("SELECT 1")
            with stage.company.enter(stage.company.ann) as ann:
                ann.execute("SELECT hub_api.set_role(%s, 'member')", [maker.id])
            assert not ended(thief, REDEEM).startswith("gave")

    def test_is_no_use_to_a_thief_after_the_joiner_and_the_joiner_notices_a_thief(self, stage: Stage) -> None:
        """A stolen bundle: whoever comes second is refused, so the rightful one notices."""
        stolen = stage.company.invite(new_name())
        stage.company.redeem(stolen, name="the thief")
        assert entry(stage.company, stolen) == "refused"


class TestANewLoginOfAMember:
    def again(self, stage: Stage, member: Member) -> Invited:
        with stage.company.enter(stage.company.ann) as ann:
            asked = (
                "SELECT invite_id, login_role, one_time_password FROM hub_api.create_invite(%s, 'member', '7 days', %s)"
            )
            row = ann.execute(asked, [member.name, member.id]).fetchone()
        assert row is not None
        return Invited(*row)

    def test_is_the_same_person(self, stage: Stage) -> None:
        member = stage.company.join(new_name())
        second = stage.company.redeem(self.again(stage, member), name=member.name)
        assert (second.id, second.login == member.login) == (member.id, False)
        for login in (member, second):
            with stage.company.enter(login) as connection:
                assert connection.execute("SELECT hub_api.current_user_id()").fetchone() == (member.id,)

    def test_ends_with_the_membership(self, stage: Stage) -> None:
        member = stage.company.join(new_name())
        second = stage.company.redeem(self.again(stage, member), name=member.name)
        third = self.again(stage, member)
        with stage.company.enter(stage.company.ann) as ann:
            ann.execute("SELECT hub_api.remove_member(%s)", [member.id])
        assert [entry(stage.company, login) for login in (member, second)] == ["refused", "refused"]
        assert try_to_redeem(stage, third) == "refused"

    def test_is_not_made_for_somebody_who_was_removed(self, stage: Stage) -> None:
        member = stage.company.join(new_name())
        with stage.company.enter(stage.company.ann) as ann:
            ann.execute("SELECT hub_api.remove_member(%s)", [member.id])
            assert ended(ann, f"SELECT * FROM hub_api.create_invite('x', 'admin', '1 day', '{member.id}')") in (
                "PN404",
                "PN409",
            )

    def test_keeps_the_role_that_the_member_has_whatever_the_invite_says(self, stage: Stage) -> None:
        member = stage.company.join(new_name())
        with stage.company.enter(stage.company.ann) as ann:
            asked = (
                "SELECT invite_id, login_role, one_time_password FROM hub_api.create_invite(%s, 'admin', '7 days', %s)"
            )
            row = ann.execute(asked, [member.name, member.id]).fetchone()
        assert row is not None
        second = stage.company.redeem(Invited(*row), name=member.name)
        with stage.company.enter(second) as connection:
            assert connection.execute("SELECT hub_api.current_role_is('admin')").fetchone() == (False,)


class TestAPassword:
    def test_is_changed_by_its_member_and_the_former_one_is_dead(self, stage: Stage) -> None:
        """A right that every role has, so the hub need not give it."""
        member = stage.company.join(new_name())
        with stage.company.enter(member) as connection:
            connection.execute(f"ALTER ROLE CURRENT_USER PASSWORD '{(password := secrets.token_hex(16))}'")
        assert entry(stage.company, member) == "refused"
        with stage.company.enter(Member(member.name, member.id, member.login, password)) as connection:
            assert connection.execute("SELECT hub_api.current_user_id()").fetchone() == (member.id,)

    def test_of_anybody_is_in_no_text_that_the_server_keeps(
        self, stage: Stage, superuser: psycopg.Connection[Any]
    ) -> None:
        member = stage.company.join(new_name())
        asked = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE %s AND pid <> pg_backend_pid()"
        assert superuser.execute(asked, [f"%{member.password}%"]).fetchone() == (0,)


def expire(stage: Stage, invited: Invited) -> None:
    with stage.company.enter_as_superuser() as superuser:
        superuser.execute("UPDATE invites SET expires_at = now() - interval '1 second' WHERE id = %s", [invited.id])


def login_exists(stage: Stage, login: str) -> bool:
    with stage.company.enter_as_superuser() as superuser:
        return superuser.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [login]).fetchone() is not None


def rows_of(stage: Stage, invited: Invited) -> tuple[Any, ...] | None:
    with stage.company.enter_as_superuser() as superuser:
        return superuser.execute(
            "SELECT redeemed_at, redeemed_by_id FROM invites WHERE id = %s", [invited.id]
        ).fetchone()


def try_to_redeem(stage: Stage, invited: Invited) -> str:
    """`refused` at the door or by the hub, with nobody made of it."""
    if entry(stage.company, invited) != "refused":
        with stage.company.enter(invited) as thief:
            if ended(thief, REDEEM).startswith("gave"):
                return "redeemed"
    assert rows_of(stage, invited) == (None, None)
    return "refused"
