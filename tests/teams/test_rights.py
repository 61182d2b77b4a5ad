"""What a company's members may do with every table: right by right, and with rows that are not theirs (SPEC HUB-9).

A new model makes these tests fail until somebody has said here what members may do with it.
"""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from django.apps import apps
from django.db import models

from hub.models import (
    Account,
    ApiKey,
    Approval,
    Attempt,
    AuditEntry,
    Company,
    HubSetting,
    Invite,
    Login,
    MediaChunk,
    Notice,
    OAuthToken,
    Post,
    PostMedia,
    PostPart,
    Slot,
    User,
    WorkerHeartbeat,
)
from hub.rls.audit import CHECKS
from tests.teams.stage import Stage
from tests.teams.trying import ended

MODELS = list(apps.get_app_config("hub").get_models())
RIGHTS: dict[type[models.Model], set[str]] = {
    # secrets, and who is whom
    Login: set(),
    OAuthToken: set(),
    ApiKey: set(),
    # shown: changed by the hub's functions and the worker alone
    User: {"SELECT"},
    Company: {"SELECT"},
    Invite: {"SELECT"},  # by admins
    Account: {"SELECT"},
    Approval: {"SELECT"},
    Attempt: {"SELECT"},
    WorkerHeartbeat: {"SELECT"},
    # written by their authors
    Post: {"SELECT", "INSERT", "UPDATE"},
    PostPart: {"SELECT", "INSERT", "UPDATE", "DELETE"},
    PostMedia: {"SELECT", "INSERT", "DELETE"},
    MediaChunk: {"SELECT", "INSERT"},
    Slot: {"SELECT", "INSERT", "DELETE"},
    # added to, never rewritten; a notice is seen
    AuditEntry: {"SELECT", "INSERT"},
    HubSetting: {"SELECT", "INSERT"},  # by admins
    Notice: {"SELECT", "UPDATE"},
}
NOT_OWNED = {Login, User, Company, WorkerHeartbeat}
OTHERS = {"django_migrations": {"SELECT"}, "django_q_ormq": set(), "django_q_schedule": set(), "django_q_task": set()}
VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
REFUSALS = ("nothing", "42501", "23514", "23503")
OWNED = [model for model in MODELS if model not in NOT_OWNED]
every_owned_model = pytest.mark.parametrize("model", OWNED, ids=lambda model: model.__name__)
by_everybody = pytest.mark.parametrize("who", ["bob", "cat", "ann"], ids=["member", "approver", "admin"])


def table_of(model: type[models.Model]) -> str:
    return f"public.{model._meta.db_table}"


class TestTheCatalog:
    def test_shows_nothing_that_is_open(self, superuser: psycopg.Connection[Any]) -> None:
        assert {
            code: found for code, query in CHECKS.items() if (found := superuser.execute(query.encode()).fetchall())
        } == {}


class TestEveryTable:
    def test_has_been_thought_of(self, superuser: psycopg.Connection[Any]) -> None:
        assert set(MODELS) == set(RIGHTS), "say what members of a team may do with the rows of a new model"
        asked = "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND relnamespace = 'public'::regnamespace"
        tables = {name for (name,) in superuser.execute(asked).fetchall()}
        assert tables == {model._meta.db_table for model in MODELS} | set(OTHERS)

    @by_everybody
    def test_gives_members_exactly_these_rights(
        self, who: str, stage: Stage, superuser: psycopg.Connection[Any]
    ) -> None:
        login = stage.people[who].login
        for table, rights in {**{table_of(model): rights for model, rights in RIGHTS.items()}, **OTHERS}.items():
            found = {
                verb
                for verb in VERBS
                if superuser.execute("SELECT has_table_privilege(%s, %s, %s)", [login, table, verb]).fetchone()
                == (True,)
            }
            assert found == rights, table
            columns = superuser.execute(
                "SELECT count(*) FROM pg_attribute WHERE attrelid = %s::regclass AND attacl IS NOT NULL", [table]
            ).fetchone()
            assert columns == (0,), f"{table} has rights on single columns"

    def test_gives_an_invited_none(self, stage: Stage, superuser: psycopg.Connection[Any]) -> None:
        login = stage.invites["open"].login
        asked = """SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
            AND has_table_privilege(%s, oid, %s)"""
        assert [superuser.execute(asked, [login, verb]).fetchall() for verb in VERBS] == [[]] * len(VERBS)

    def test_of_the_functions_an_invited_may_run_one(self, stage: Stage, superuser: psycopg.Connection[Any]) -> None:
        assert functions_of(superuser, stage.invites["open"].login) == {"redeem"}

    def test_of_the_functions_a_member_may_run_these(self, stage: Stage, superuser: psycopg.Connection[Any]) -> None:
        """The hub asks who he is; the rest ask for themselves what he may do."""
        assert functions_of(superuser, stage.people["bob"].login) == {
            "current_user_id", "current_company_id", "current_owner_id", "current_role_is", "is_service", "writes_as_member",
            "columns_of_authors", "approve_post", "reject_post", "ask_deletion",
            "create_invite", "revoke_invite", "expire_invites", "remove_member", "leave_team", "set_role", "set_policy", "set_name",
        }  # fmt: skip


@every_owned_model
@by_everybody
class TestRows:
    def test_of_another_owner_are_not_seen(self, who: str, model: type[models.Model], stage: Stage) -> None:
        with stage.enter(who) as session:
            for condition in ("user_id = '{stranger}'", "1 / (CASE WHEN user_id = '{stranger}' THEN 0 ELSE 1 END) = 0"):
                asked = f"SELECT 1 FROM {table_of(model)} WHERE {condition.format_map(stage.names)}"
                assert ended(session, asked) in (("nothing",) if "SELECT" in RIGHTS[model] else ("42501",))

    def test_of_the_company_are_seen_where_they_are_shown(
        self, who: str, model: type[models.Model], stage: Stage
    ) -> None:
        with stage.enter(who) as session:
            if "SELECT" not in RIGHTS[model]:
                assert ended(session, f"SELECT 1 FROM {table_of(model)}") == "42501"
                return
            (count,) = session.execute(
                f"SELECT count(*) FROM {table_of(model)} WHERE user_id = %s", [stage.company.id]
            ).fetchone() or (0,)
        assert (count > 0) == (model is not Invite or who == "ann")

    @pytest.mark.parametrize("verb", ["update", "delete"])
    def test_of_others_stay_as_they_are(
        self, verb: str, who: str, model: type[models.Model], stage: Stage, superuser: psycopg.Connection[Any]
    ) -> None:
        """All that are not his, at once: rows of colleagues, and of another owner."""
        mine = WRITER[model]
        others = f"{mine} <> '{stage.people[who].id}'" if mine else "true"
        if model is Slot and who == "ann" and verb == "delete":
            others = f"user_id = '{stage.names['stranger']}'"  # admins release days
        before = rows_of(superuser, model)
        with stage.enter(who) as session:
            statement = (
                f"UPDATE {table_of(model)} SET id = id WHERE {others}"
                if verb == "update"
                else f"DELETE FROM {table_of(model)} WHERE {others}"
            )
            assert ended(session, statement) in REFUSALS
        assert rows_of(superuser, model) == before

    def test_are_never_made_for_another_owner(
        self, who: str, model: type[models.Model], stage: Stage, superuser: psycopg.Connection[Any]
    ) -> None:
        before = rows_of(superuser, model)
        columns = [field.column for field in model._meta.concrete_fields if field.column not in ("id", "user_id")]
        listed = ", ".join(f'"{column}"' for column in columns)
        for owner in (stage.names["stranger"], str(stage.people[who].id)):
            copied = f"SELECT gen_random_uuid(), '{owner}', {listed} FROM {table_of(model)} LIMIT 1"
            with stage.enter(who) as session:
                statement = f"INSERT INTO {table_of(model)} (id, user_id, {listed}) {copied}"
                assert ended(session, statement) in (*REFUSALS, "23505", "PN422")
        assert rows_of(superuser, model) == before


# whose a row is, beside the company; a row that says nothing of it is nobody's to change
WRITER: dict[type[models.Model], str] = dict.fromkeys(OWNED, "") | {
    Post: "author_id",
    PostPart: "(SELECT p.author_id FROM public.posts p WHERE p.id = post_id)",
    PostMedia: "(SELECT p.author_id FROM public.posts p JOIN public.post_parts q ON q.post_id = p.id WHERE q.id = part_id)",
    Slot: "claimed_by_id",
    MediaChunk: "uploaded_by_id",
    Notice: "recipient_id",
}


def rows_of(superuser: psycopg.Connection[Any], model: type[models.Model]) -> list[Any]:
    return superuser.execute(f"SELECT t.xmin::text, md5(t::text) FROM {table_of(model)} t ORDER BY 2").fetchall()


def functions_of(superuser: psycopg.Connection[Any], login: str) -> set[str]:
    """Name the hub's functions that a login may run; triggers run nothing by hand."""
    asked = """SELECT proname FROM pg_proc WHERE pronamespace = 'hub_api'::regnamespace AND prorettype <> 'trigger'::regtype
        AND has_function_privilege(%s, oid, 'EXECUTE')"""
    return {name for (name,) in superuser.execute(asked, [login]).fetchall()}
