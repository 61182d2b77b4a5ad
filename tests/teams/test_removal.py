"""Removal holds from the next statement on, in every session that is open, and nobody can stand in its way (SPEC TEAM-1)."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg
import pytest

from tests.teams.company import Member
from tests.teams.stage import Stage
from tests.teams.trying import GONE, ended, entry, session_of

REFUSALS = ("42501", *GONE)
# what a member has rights on that let him take the strongest locks, and which are accepted as a nuisance until he is removed
LOCKABLE = ("posts", "post_parts", "post_media", "slots", "notices")
PROMPT_SECONDS = 2.0
PATIENCE_SECONDS = 8.0  # where somebody else than the one who is removed stands in the way


@pytest.fixture
def member(stage: Stage) -> Member:
    return stage.company.join(f"Leaver {secrets.token_hex(3)}")


@pytest.fixture
def ann(stage: Stage) -> Iterator[psycopg.Connection[Any]]:
    with stage.company.enter(stage.company.ann) as connection:
        yield connection


def remove(ann: psycopg.Connection[Any], member: Member) -> int:
    row = ann.execute("SELECT hub_api.remove_member(%s)", [member.id]).fetchone()
    assert row is not None
    return int(row[0])


class TestARemovedMember:
    def test_is_refused_at_the_next_statement_of_an_open_session(
        self, stage: Stage, member: Member, ann: psycopg.Connection[Any]
    ) -> None:
        with stage.company.enter(member) as session:
            assert session.execute("SELECT count(*) > 0 FROM posts").fetchone() == (True,)
            assert remove(ann, member) >= 1
            assert ended(session, "SELECT count(*) FROM posts") in REFUSALS

    @pytest.mark.parametrize("level", list(psycopg.IsolationLevel), ids=lambda level: level.name)
    def test_is_refused_inside_an_open_transaction(
        self, level: psycopg.IsolationLevel, stage: Stage, member: Member, ann: psycopg.Connection[Any]
    ) -> None:
        with session_of(stage.company, member) as session:
            session.isolation_level = level
            assert session.execute("SELECT count(*) > 0 FROM posts").fetchone() == (True,)
            remove(ann, member)
            assert ended(session, "SELECT count(*) FROM posts") in REFUSALS

    def test_is_refused_by_his_rights_alone_where_his_session_cannot_be_ended(
        self, stage: Stage, member: Member, ann: psycopg.Connection[Any]
    ) -> None:
        """A server may be slow to end a session: then the group that is gone refuses, in an old snapshot too."""
        with stage.company.enter_as_superuser() as superuser, session_of(stage.company, member, direct=True) as session:
            session.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            session.execute("SELECT 1 FROM public.posts")
            superuser.execute("SET session_replication_role = replica")
            superuser.execute("UPDATE users SET is_active = false, removed_at = now() WHERE id = %s", [member.id])
            superuser.execute(
                f'REVOKE {stage.company.slug}_team FROM "{member.login}" GRANTED BY {stage.company.slug}_provisioner'
            )
            assert ended(session, "SELECT count(*) FROM public.posts") == "42501"

    def test_writes_nothing_of_what_he_had_not_committed(
        self, stage: Stage, member: Member, ann: psycopg.Connection[Any], superuser: psycopg.Connection[Any]
    ) -> None:
        with session_of(stage.company, member) as session:
            row = stage.insert("posts", account_id=stage.names["account"], author_id=member.id, status="draft")
            session.execute(row)
            remove(ann, member)
            assert ended(session, "SELECT 1") in REFUSALS
            session.close()
        asked = "SELECT count(*) FROM posts WHERE author_id = %s"
        assert superuser.execute(asked, [member.id]).fetchone() == (0,)

    def test_does_not_come_back(self, stage: Stage, member: Member, ann: psycopg.Connection[Any]) -> None:
        remove(ann, member)
        assert entry(stage.company, member) == "refused"

    def test_logs_in_to_no_database_of_the_server(
        self, stage: Stage, member: Member, ann: psycopg.Connection[Any], superuser: psycopg.Connection[Any]
    ) -> None:
        remove(ann, member)
        asked = "SELECT rolcanlogin, rolconnlimit FROM pg_roles WHERE rolname = %s"
        assert superuser.execute(asked, [member.login]).fetchone() == (False, 0)

    def test_has_no_right_left_even_where_the_host_lets_the_login_in_again(
        self, stage: Stage, member: Member, ann: psycopg.Connection[Any], superuser: psycopg.Connection[Any]
    ) -> None:
        """Neon may undo NOLOGIN when it applies its own list of roles: the group and the person are the gate."""
        remove(ann, member)
        superuser.execute(f'ALTER ROLE "{member.login}" LOGIN CONNECTION LIMIT -1')
        try:
            with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
                stage.company.enter(member, direct=True).close()
        finally:
            superuser.execute(f'ALTER ROLE "{member.login}" NOLOGIN')

    def test_is_nobody_even_when_somebody_gives_the_group_back(
        self, stage: Stage, member: Member, ann: psycopg.Connection[Any], superuser: psycopg.Connection[Any]
    ) -> None:
        remove(ann, member)
        superuser.execute(
            f'GRANT {stage.company.slug}_team TO "{member.login}"; ALTER ROLE "{member.login}" LOGIN CONNECTION LIMIT -1'
        )
        try:
            with stage.company.enter(member) as session:
                assert session.execute("SELECT hub_api.current_user_id(), hub_api.current_company_id()").fetchone() == (
                    None,
                    None,
                )
                assert session.execute("SELECT count(*) FROM posts").fetchone() == (0,)
        finally:
            superuser.execute(
                f'REVOKE {stage.company.slug}_team FROM "{member.login}"; ALTER ROLE "{member.login}" NOLOGIN'
            )

    def test_leaves_his_posts_to_the_company(self, stage: Stage, member: Member, ann: psycopg.Connection[Any]) -> None:
        with stage.company.enter(member) as session:
            session.execute(
                stage.insert("posts", account_id=stage.names["account"], author_id=member.id, status="draft")
            )
        remove(ann, member)
        assert ann.execute("SELECT count(*) FROM posts WHERE author_id = %s", [member.id]).fetchone() == (1,)
        assert ann.execute(
            "SELECT is_active, removed_at IS NOT NULL FROM users WHERE id = %s", [member.id]
        ).fetchone() == (False, True)

    def test_leaves_others_as_they_are(self, stage: Stage, member: Member, ann: psycopg.Connection[Any]) -> None:
        with stage.enter("eve") as eve:
            eve.execute("SELECT 1 FROM posts")
            remove(ann, member)
            assert eve.execute("SELECT count(*) > 0 FROM posts").fetchone() == (True,)


class TestWhoLeaves:
    def test_is_out(self, stage: Stage, member: Member) -> None:
        with stage.company.enter(member) as session:
            ended(session, "SELECT hub_api.leave_team()")
        assert entry(stage.company, member) == "refused"
        assert not is_active(stage, member)


class TestNobodyStandsInTheWay:
    """A lock that is never given back is what a hostile member has left; removing him must not wait for it."""

    @pytest.mark.parametrize("table", LOCKABLE)
    def test_of_his_removal_by_locking_a_table(
        self, table: str, stage: Stage, member: Member, ann: psycopg.Connection[Any]
    ) -> None:
        with session_of(stage.company, member) as session:
            session.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            assert seconds_to_remove(ann, member) < PROMPT_SECONDS

    def test_of_his_removal_by_locking_everything_that_he_can(
        self, stage: Stage, member: Member, ann: psycopg.Connection[Any], superuser: psycopg.Connection[Any]
    ) -> None:
        tables = [
            name
            for (name,) in superuser.execute(
                "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            )
        ]
        with ExitStack() as stack:
            for mode in ("ACCESS EXCLUSIVE", "ROW EXCLUSIVE", "ACCESS SHARE"):
                session = stack.enter_context(session_of(stage.company, member))
                session.execute("SET LOCAL lock_timeout = '50ms'")
                for table in tables:
                    ended(session, f'LOCK TABLE "{table}" IN {mode} MODE')
            assert seconds_to_remove(ann, member) < PROMPT_SECONDS

    def test_of_his_removal_by_locking_every_row_that_he_can(
        self, stage: Stage, member: Member, ann: psycopg.Connection[Any], superuser: psycopg.Connection[Any]
    ) -> None:
        tables = [
            name
            for (name,) in superuser.execute(
                "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            )
        ]
        with session_of(stage.company, member) as session:
            session.execute(
                stage.insert("posts", account_id=stage.names["account"], author_id=member.id, status="draft")
            )
            for table in tables:
                for strength in ("UPDATE", "SHARE", "KEY SHARE"):
                    ended(session, f'SELECT 1 FROM "{table}" FOR {strength}')
            assert seconds_to_remove(ann, member) < PROMPT_SECONDS

    def test_of_his_removal_with_every_connection_that_he_may_have(
        self, stage: Stage, member: Member, ann: psycopg.Connection[Any]
    ) -> None:
        with ExitStack() as stack:
            for number in range(10 if stage.company.door is stage.company.server else 3):
                session = stack.enter_context(session_of(stage.company, member))
                session.execute("SELECT 1 FROM posts" if number else "LOCK TABLE posts IN ACCESS EXCLUSIVE MODE")
                if not number:
                    session.rollback()
            assert seconds_to_remove(ann, member) < PROMPT_SECONDS

    def test_of_a_colleague_s_removal(self, stage: Stage, member: Member, ann: psycopg.Connection[Any]) -> None:
        """Two who help each other: the one holds what he can, the other is removed."""
        with session_of(stage.company, stage.people["eve"]) as eve:
            for table in LOCKABLE:
                eve.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            assert seconds_to_remove(ann, member) < PROMPT_SECONDS
            eve.rollback()

    def test_of_anybody_s_identity(self, stage: Stage, member: Member, ann: psycopg.Connection[Any]) -> None:
        with session_of(stage.company, member) as session:
            for table in LOCKABLE:
                session.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            ann.execute("SET statement_timeout = '1s'")
            assert ann.execute("SELECT hub_api.current_role_is('admin')").fetchone() == (True,)
            assert ann.execute("SELECT count(*) > 0 FROM users").fetchone() == (True,)
            ann.execute("RESET statement_timeout")
            session.rollback()


class TestNobodyHoldsTheTeamUp:
    """Changes of roles lock them until the transaction ends; a hostile one begins such a change and never ends it."""

    @pytest.mark.parametrize(
        "begun",
        [
            "SELECT hub_api.leave_team()",
            "ALTER ROLE CURRENT_USER PASSWORD 'a-new-password-of-mine'",
            "ALTER ROLE CURRENT_USER SET work_mem = '4MB'",
            "SELECT hub_api.set_name(hub_api.current_user_id(), 'Me', 'UTC')",
        ],
    )
    def test_by_beginning_something_and_not_ending_it(
        self, begun: str, stage: Stage, member: Member, ann: psycopg.Connection[Any]
    ) -> None:
        with session_of(stage.company, member) as session:
            session.execute(begun.encode())
            assert seconds_to_remove(ann, member) < PROMPT_SECONDS

    def test_by_leaving_halfway_while_another_is_removed(
        self, stage: Stage, member: Member, ann: psycopg.Connection[Any]
    ) -> None:
        other = stage.company.join(f"Other {secrets.token_hex(3)}")
        with session_of(stage.company, other) as session:
            session.execute("SELECT hub_api.leave_team()")
            assert seconds_to_remove(ann, member) < PATIENCE_SECONDS

    @pytest.mark.parametrize(
        "begun", ["SELECT hub_api.set_role('{eve}', 'member')", "SELECT hub_api.set_policy('approval', false)",
                  "SELECT * FROM hub_api.create_invite('x', 'admin', '1 day')", "SELECT hub_api.remove_member('{eve}')"],
    )  # fmt: skip
    def test_as_an_admin_who_begins_something(self, begun: str, stage: Stage, ann: psycopg.Connection[Any]) -> None:
        hostile = stage.company.join(f"Mallory {secrets.token_hex(3)}", "admin")
        victim = stage.company.join(f"Victim {secrets.token_hex(3)}")
        with session_of(stage.company, hostile) as session:
            session.execute(begun.format(eve=victim.id).encode())
            assert seconds_to_remove(ann, hostile) < PROMPT_SECONDS

    def test_by_joining_halfway_while_his_maker_is_removed(self, stage: Stage, ann: psycopg.Connection[Any]) -> None:
        hostile = stage.company.join(f"Mallory {secrets.token_hex(3)}", "admin")
        accomplice = stage.company.invite("Accomplice", "admin", by=hostile)
        with session_of(stage.company, accomplice) as session:
            session.execute("SELECT * FROM hub_api.redeem()")
            assert seconds_to_remove(ann, hostile) < PATIENCE_SECONDS
            assert ended(session, "SELECT 1") in REFUSALS
        assert entry(stage.company, accomplice) == "refused"

    def test_by_joining_halfway_while_a_member_is_removed(
        self, stage: Stage, member: Member, ann: psycopg.Connection[Any]
    ) -> None:
        with session_of(stage.company, stage.company.invite("Slow")) as session:
            session.execute("SELECT * FROM hub_api.redeem()")
            assert seconds_to_remove(ann, member) < PATIENCE_SECONDS

    def test_by_joining_halfway_while_his_invite_is_revoked(self, stage: Stage, ann: psycopg.Connection[Any]) -> None:
        invited = stage.company.invite("Slow")
        with session_of(stage.company, invited) as session:
            session.execute("SELECT * FROM hub_api.redeem()")
            ann.execute("SET statement_timeout = '10s'")
            ann.execute("SELECT hub_api.revoke_invite(%s)", [invited.id])
            ann.execute("RESET statement_timeout")
            assert ended(session, "SELECT 1") in REFUSALS
        assert entry(stage.company, invited) == "refused"


class TestMoreConnections:
    def test_than_ten_of_one_login_are_refused(self, stage: Stage, member: Member) -> None:
        """A pooler's own count."""
        with ExitStack() as stack:
            for _ in range(9):
                stack.enter_context(stage.company.enter(member, direct=True))
            with pytest.raises(psycopg.OperationalError, match="too many connections"):
                stack.enter_context(two_sessions(stage, member))


@contextmanager
def two_sessions(stage: Stage, member: Member) -> Iterator[None]:
    """One more, which a pooler may have taken already, and one too many."""
    with stage.company.enter(member, direct=True), stage.company.enter(member, direct=True):
        yield


def seconds_to_remove(ann: psycopg.Connection[Any], member: Member) -> float:
    ann.execute("SET statement_timeout = '10s'")  # rather a failure than a test that hangs
    began = time.monotonic()
    remove(ann, member)
    took = time.monotonic() - began
    ann.execute("RESET statement_timeout")
    return took


def is_active(stage: Stage, member: Member) -> bool:
    with stage.company.enter_as_superuser() as superuser:
        row = superuser.execute("SELECT is_active FROM users WHERE id = %s", [member.id]).fetchone()
    return bool(row and row[0])
