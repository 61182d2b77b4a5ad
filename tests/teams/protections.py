"""Every protection of a company's hub, and how to take it away, with the attack or the test that has to notice."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg

from tests.teams.stage import Stage
from tests.teams.test_invites import TestAnInviteThatIsNoLongerGood
from tests.teams.test_races import (
    DEEDS,
    SNAPSHOTS,
    TestAYes,
    TestSomebodyWhoWasDemoted,
    TestTheLastAdmin,
    TestTime,
    TestTwoAdmins,
)
from tests.teams.test_removal import TestARemovedMember, TestNobodyHoldsTheTeamUp

Probe = Callable[[Stage, psycopg.Connection[Any]], None]
Change = Callable[[psycopg.Connection[Any], Stage], None]


@dataclass(frozen=True)
class Mutation:
    """A protection taken away.

    Args:
        change: takes it away, as the superuser in the copy.
        attacks: that must succeed then, each by itself.
        probes: tests that must fail then.
        finding: what the catalog audit must say then; empty where the catalog cannot show it.
    """

    change: Change
    attacks: tuple[str, ...] = ()
    probes: tuple[Probe, ...] = ()
    finding: str = ""


def run_sql(*statements: str) -> Change:
    """Statements in which `{slug}` is the hub's prefix."""

    def change(superuser: psycopg.Connection[Any], stage: Stage) -> None:
        for statement in statements:
            superuser.execute(statement.replace("{slug}", stage.company.slug).encode())

    return change


def edit(function: str, old: str, new: str) -> Change:
    """Rewrite a piece of one of the hub's functions, which must be there."""

    def change(superuser: psycopg.Connection[Any], stage: Stage) -> None:
        asked = (
            "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'hub_api'::regnamespace AND proname = %s"
        )
        (text,) = superuser.execute(asked, [function]).fetchone() or ("",)
        assert old in text, f"{function} has no {old!r} any more"
        superuser.execute(text.replace(old, new).encode())

    return change


def both(*changes: Change) -> Change:
    """Take two protections away that stand for each other."""

    def change(superuser: psycopg.Connection[Any], stage: Stage) -> None:
        for one in changes:
            one(superuser, stage)

    return change


def _member(stage: Stage) -> Any:
    return stage.company.join(f"Probe {secrets.token_hex(3)}")


def _with_ann(test: Callable[..., None]) -> Probe:
    """A test of a removal, with a member and an admin of its own."""

    def probe(stage: Stage, superuser: psycopg.Connection[Any]) -> None:
        with stage.enter("ann") as ann:
            test(stage=stage, member=_member(stage), ann=ann)

    return probe


def _with_all(test: Callable[..., None]) -> Probe:
    def probe(stage: Stage, superuser: psycopg.Connection[Any]) -> None:
        with stage.enter("ann") as ann:
            test(stage=stage, member=_member(stage), ann=ann, superuser=superuser)

    return probe


def _of_stage(test: Callable[..., None], *arguments: Any) -> Probe:
    def probe(stage: Stage, superuser: psycopg.Connection[Any]) -> None:
        test(*arguments, stage=stage)

    return probe


_DEMOTE_ME = "SELECT hub_api.set_role('{me}', 'member')"
MUTATIONS: dict[str, Mutation] = {
    # policies and grants
    "posts are inserted without a check": Mutation(
        run_sql("ALTER POLICY author_insert ON posts WITH CHECK (true)"), ("write for another owner",), finding="rls.policy_always_true"
    ),
    "posts of everybody may be updated": Mutation(
        run_sql("ALTER POLICY author_update ON posts USING (true)"), ("lock another's post",), finding="rls.policy_always_true"
    ),
    "posts are updated without a check": Mutation(
        run_sql("ALTER POLICY author_update ON posts WITH CHECK (true)"),
        ("say that his post was missed",), finding="rls.policy_always_true",
    ),
    "another owner's accounts are shown": Mutation(
        run_sql("ALTER POLICY team_select ON accounts USING (true)"),
        ("see another owner's rows by naming him",), finding="rls.policy_always_true",
    ),
    "row-level security is off for accounts": Mutation(
        run_sql("ALTER TABLE accounts DISABLE ROW LEVEL SECURITY"),
        ("see another owner's rows by naming him",), finding="rls.not_forced",
    ),
    "row-level security is not forced": Mutation(
        run_sql("ALTER TABLE posts NO FORCE ROW LEVEL SECURITY"), finding="rls.not_forced"
    ),
    "a policy is gone": Mutation(run_sql("DROP POLICY author_update ON posts"), finding="rls.grant_without_policy"),
    "days are claimed without a check": Mutation(
        run_sql("ALTER POLICY holder_insert ON slots WITH CHECK (true)"), ("claim a day for another",), finding="rls.policy_always_true"
    ),
    "anybody configures": Mutation(
        run_sql("ALTER POLICY admin_insert ON hub_settings WITH CHECK (user_id = (SELECT hub_api.current_company_id()))"),
        ("configure the company", "configure the company as an approver"),
    ),
    "everybody reads invites": Mutation(
        run_sql("ALTER POLICY team_select ON invites USING (user_id = (SELECT hub_api.current_company_id()))"), ("read invites",)
    ),
    "notices are anybody's": Mutation(
        run_sql("ALTER POLICY recipient_select ON notices USING (user_id = (SELECT hub_api.current_company_id()))"),
        ("read another's notices",),
    ),
    "tokens are granted": Mutation(
        run_sql("GRANT SELECT ON oauth_tokens TO {slug}_team"), ("count tokens",), finding="rls.grant_too_wide"
    ),
    "TRUNCATE is granted": Mutation(
        run_sql("GRANT TRUNCATE ON slots TO {slug}_team"), ("empty the table of slots",), finding="rls.grant_too_wide"
    ),
    "the queue is granted": Mutation(
        run_sql("GRANT INSERT ON django_q_ormq TO {slug}_team; GRANT USAGE ON SEQUENCE django_q_ormq_id_seq TO {slug}_team"),
        ("ring a bell",), finding="rls.grant_too_wide",
    ),
    "people may be updated": Mutation(
        run_sql("GRANT UPDATE ON users TO {slug}_team"), ("lock the table users",), finding="rls.grant_too_wide"
    ),
    "companies may be updated": Mutation(
        run_sql("GRANT UPDATE ON companies TO {slug}_team"), ("lock the table companies",), finding="rls.grant_too_wide"
    ),
    "everybody may claim posts": Mutation(
        run_sql("GRANT EXECUTE ON FUNCTION hub_api.claim_posts(text, interval, interval, integer, uuid) TO PUBLIC"),
        ("claim posts",), finding="rls.function_for_public",
    ),
    "members may call what is the hub's own": Mutation(
        run_sql("GRANT EXECUTE ON FUNCTION hub_api.note_team(uuid, text, uuid, jsonb) TO {slug}_team"), ("call what writes down by hand",)
    ),
    "an invited may ask who he is": Mutation(
        run_sql("GRANT EXECUTE ON FUNCTION hub_api.current_user_id() TO {slug}_invited"), ("ask who he is with an invite",)
    ),
    "a foreign key forgets the owner": Mutation(
        run_sql("ALTER TABLE posts DROP CONSTRAINT posts_account_id_of_owner"), ("write on another owner's account",)
    ),
    # laws
    **{
        f"the law {law} is off": Mutation(
            run_sql(f"ALTER TABLE {table} DISABLE TRIGGER {law}"), attacks, finding="rls.law_switched_off"
        )
        for law, table, attacks in (
            ("posts_of_members", "posts", ("change the time of publication of his draft", "write a draft that has failed")),
            ("posts_change_legally", "posts", ("ask for a yes to what failed",)),
            ("posts_start_as_drafts", "posts", ("write a draft that has a fence",)),
            ("post_parts_are_frozen", "post_parts", ("add a part to what was approved", "add a part to another's draft")),
            ("post_media_are_frozen", "post_media", ("remove a file of another's draft", "add a file to what was approved")),
            ("audit_names_its_writer", "audit_log", ("write down that post.approved",)),
            ("notices_are_only_seen", "notices", ("reword his notice",)),
        )
    },
    "a member's hands count as the hub's": Mutation(
        run_sql("CREATE OR REPLACE FUNCTION hub_api.writes_as_member() RETURNS boolean LANGUAGE sql STABLE AS 'SELECT false'"),
        ("change the error of his draft", "reword his notice", "write down that post.approved"),
    ),
    "a column is not pinned": Mutation(
        edit("columns_of_authors", "'status'", "'status', 'published_at'"), ("change the time of publication of his draft",)
    ),
    "the author is not pinned": Mutation(
        run_sql(
            "ALTER POLICY author_update ON posts WITH CHECK (user_id = (SELECT hub_api.current_company_id()) AND approved_hash = '')",
            "CREATE OR REPLACE FUNCTION hub_api.columns_of_authors() RETURNS text[] LANGUAGE sql IMMUTABLE "
            "AS $f$ SELECT ARRAY['author_id', 'updated_at'] $f$",
        ),
        ("foist a draft on another",),
    ),
    # who is acting
    "the setting counts for members": Mutation(
        edit("current_user_id", "WHEN 'member' THEN l.user_id",
             "WHEN 'member' THEN coalesce(NULLIF(pg_catalog.current_setting('app.current_user_id', true), '')::uuid, l.user_id)"),
        ("say that he is the admin, for the session",),
    ),
    "the present role counts instead of the session's": Mutation(
        edit("current_user_id", "session_user", "current_user"), ("say that he is his group",)
    ),
    # who says yes
    "members say yes": Mutation(
        edit("approve_post", "NOT decides AND", "false AND"), ("say yes to another's post, as a member",)
    ),
    "approvers say yes to their own": Mutation(
        edit("approve_post", "AND NOT c.self_approval", "AND false"),
        ("say yes to her own post, as an approver",),
    ),
    "nobody asks for the day": Mutation(
        edit("approve_post", "c.posting_policy <> 'free' AND NOT EXISTS", "false AND NOT EXISTS"),
        ("say yes to a post whose author has no slot",),
    ),
    "nobody asks what was seen": Mutation(
        edit("approve_post", "p.content_hash IS DISTINCT FROM seen", "false"),
        ("say yes to something else than is there",),
    ),
    "null was seen": Mutation(
        edit("approve_post", "p.content_hash IS DISTINCT FROM seen", "p.content_hash <> seen"), ("say yes to nothing in particular",)
    ),
    "members say no": Mutation(
        edit("reject_post", "NOT hub_api.current_role_is('approver', 'admin')", "false"), ("say no to another's post, as a member",)
    ),
    "published posts are sent back": Mutation(
        edit("reject_post", "NOT IN ('pending_approval', 'scheduled')", "NOT IN ('pending_approval', 'scheduled', 'failed', 'draft')"),
        ("say no to a post that is draft",),
    ),
    "members have others' posts deleted": Mutation(
        edit("ask_deletion", "p.author_id IS DISTINCT FROM hub_api.current_user_id()", "false"),
        ("have another's live post deleted",),
    ),
    "two say yes at once": Mutation(
        edit("find_post_of_company", " FOR UPDATE", ""),
        probes=(_of_stage(TestAYes().test_does_not_pass_by_an_author_who_just_takes_the_post_back),),
    ),
    # who comes and goes
    "nobody asks for an admin": Mutation(
        edit("check_admin", "NOT hub_api.current_role_is('admin')", "false"),
        ("invite an admin as a member", "give himself a role as a member", "take the admin's role as a member"),
    ),
    "the company is a member": Mutation(
        edit("find_member", " AND q.kind = 'person'", ""), ("give the company a role", "invite a login that is the company")
    ),
    "the last admin may go": Mutation(
        edit("keep_an_admin", "IF NOT EXISTS", "IF false AND NOT EXISTS"),
        probes=(_of_stage(TestTheLastAdmin().test_stays_when_he_wants, _DEMOTE_ME),),
    ),
    "nobody waits for the other admin": Mutation(
        edit("find_member", "PERFORM FROM public.companies c FOR UPDATE;", "PERFORM pg_catalog.pg_sleep(0.3);"),
        probes=(_of_stage(TestTwoAdmins().test_who_leave_at_once_leave_one),),
    ),
    "old snapshots count, and sessions of the demoted go on": Mutation(
        both(
            edit("check_isolation", "<> 'read committed'", "= 'none'"),
            edit("set_role", "PERFORM hub_api.end_connections(l.login_role) FROM", "PERFORM 1 FROM"),
        ),
        probes=(
            _of_stage(
                TestSomebodyWhoWasDemoted().test_does_nothing_with_his_former_rights_in_an_old_snapshot, DEEDS["promotes"], SNAPSHOTS[0]
            ),
        ),
    ),
    "expired invites are good": Mutation(
        edit("redeem", "i.expires_at < pg_catalog.clock_timestamp()", "false"), ("redeem an invite that is too old",)
    ),
    "time stands still for invites": Mutation(
        edit("redeem", "pg_catalog.clock_timestamp()", "pg_catalog.now()"),
        probes=(_of_stage(TestTime().test_that_stands_still_in_a_transaction_prolongs_no_invite),),
    ),
    "invites outlive their makers": Mutation(
        both(
            edit("end_invites_of", "WHERE", "WHERE false AND"),
            edit("redeem", "u.is_active AND u.role = 'admin'", "true"),
        ),
        probes=(_of_stage(TestAnInviteThatIsNoLongerGood().test_does_not_outlive_its_maker_who_leaves),),
    ),
    "removal leaves the group": Mutation(
        edit("shut_out", "EXECUTE pg_catalog.format('REVOKE %I FROM %I', rights, login);", ""),
        probes=(_with_all(TestARemovedMember().test_has_no_right_left_even_where_the_host_lets_the_login_in_again),),
    ),
    "removal leaves the person": Mutation(
        edit("let_go", "SET is_active = false, removed_at", "SET removed_at"),
        probes=(_with_ann(TestARemovedMember().test_leaves_his_posts_to_the_company),),
    ),
    "removal lets the login in": Mutation(
        edit("shut_out", "NOLOGIN CONNECTION LIMIT 0", "LOGIN"),
        probes=(_with_all(TestARemovedMember().test_logs_in_to_no_database_of_the_server),),
    ),
    "whoever begins something holds the team up": Mutation(
        edit("clear_the_way", "1..20", "1..0"),
        probes=(_with_ann(TestNobodyHoldsTheTeamUp().test_by_leaving_halfway_while_another_is_removed),),
    ),
}  # fmt: skip
