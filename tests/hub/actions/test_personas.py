"""As whom a post speaks: what an agent is told, from which hubs, and that nothing moves between them (POST-1, POST-5)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest

from hub.actions.personas import PERSONAS, gather_context
from hub.management.context_shapes import context_action, context_shape, silent_findings
from hub.models import Account, HubSetting, User
from psn.errors import InvalidInput, NotReady
from tests.factories import OWNER, People, make_account
from tests.hub.actions.calendars.neighbours import beside, own_hub, working_on
from tests.hub.actions.calendars.test_calendar import login_of, put
from tests.hub.actions.calendars.test_slots import write
from tests.hub.actions.colleagues import Team
from tests.hub.publishing.stage import lawless
from tests.hub.worlds import connect_as

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
DAY = date(2026, 11, 24)
NINE = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@pytest.fixture
def team(whole_team: Team, hub: People) -> Team:
    """The team, with one account and nothing posted."""
    whole_team.forget_posts()
    whole_team.set_policy("approval")
    whole_team.connect_account(platform="x", handle="acme")
    return whole_team


@pytest.fixture
def account(me: User) -> Account:
    return make_account(me, platform="x", handle="ana")


@contextmanager
def both(team: Team, name: str = "mia") -> Iterator[None]:
    """Work on the personal hub, with the company's beside it."""
    with beside({"another": login_of(team, name)}):
        yield


@contextmanager
def on_company(team: Team, name: str = "mia") -> Iterator[None]:
    """Work on the company's hub, with the personal one beside it."""
    with working_on(login_of(team, name), others={"another": own_hub()}):
        yield


def gather(persona: str | None = None) -> dict[str, Any]:
    return context_shape(gather_context(persona, now=NOW))


def prefer(person: User, persona: str) -> None:
    value = {"persona": {"default": persona}}
    HubSetting.objects.using(OWNER).create(user_id=person.id, name="preferences", version=1, value=value)


def accounts_of(shown: dict[str, Any]) -> list[str]:
    return [account["account"] for account in shown["lands_in"]["accounts"]]


class TestAPersona:
    @pytest.mark.parametrize(
        ("persona", "where", "accounts", "company"),
        [
            ("personal", "personal", ["x:@ana"], None),
            ("brand-ambassador", "personal", ["x:@ana"], "acme"),
            ("brand-operator", "acme", ["x:@acme"], "acme"),
        ],
    )
    def test_says_where_its_posts_land_and_whose_context_it_has(
        self, team: Team, account: Account, persona: str, where: str, accounts: list[str], company: str | None
    ) -> None:
        with both(team):
            shown = gather(persona)
        assert (shown["persona"], shown["lands_in"]["hub"], accounts_of(shown)) == (persona, where, accounts)
        assert (shown["company"] or {}).get("slug") == company
        assert shown["ready"]

    def test_names_a_command_for_the_hub_where_the_post_belongs(
        self, team: Team, account: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with both(team):
            assert " --hub " not in gather("personal")["lands_in"]["command"]
            assert " --hub acme " in gather("brand-operator")["lands_in"]["command"]
        monkeypatch.setenv("PSN_HUB", "acme")  # of the process: other commands get it by themselves
        with on_company(team):
            assert " --hub " not in gather("brand-ambassador")["lands_in"]["command"]

    def test_is_the_persons_own_unless_they_prefer_another(self, team: Team, me: User, account: Account) -> None:
        with both(team):
            assert gather()["persona"] == "personal"
            prefer(me, "brand-ambassador")
            assert (gather()["persona"], gather()["company"]["slug"]) == ("brand-ambassador", "acme")

    def test_that_is_preferred_without_a_company_is_the_persons_own(self, me: User, account: Account) -> None:
        prefer(me, "brand-operator")
        assert (gather()["persona"], gather()["lands_in"]["hub"]) == ("personal", "personal")

    def test_is_the_companys_in_a_process_that_works_on_its_hub(self, team: Team) -> None:
        with on_company(team):
            shown = gather()
        assert (shown["persona"], shown["lands_in"]["hub"], accounts_of(shown)) == (
            "brand-operator",
            "acme",
            ["x:@acme"],
        )

    def test_personal_in_such_a_process_is_still_the_persons_own(self, team: Team, hub: People) -> None:
        make_account(hub.other, platform="x", handle="own")
        with on_company(team):
            shown = gather("personal")
        assert (shown["lands_in"]["hub"], accounts_of(shown), shown["company"]) == ("personal", ["x:@own"], None)
        assert [answer["hub"] for answer in shown["hubs"]] == ["personal"]

    def test_that_nobody_knows_is_refused_with_those_there_are(self, account: Account) -> None:
        with pytest.raises(InvalidInput, match="personal, brand-operator, brand-ambassador") as refusal:
            gather("brand")
        assert refusal.value.error_code == "persona.unknown"

    @pytest.mark.parametrize("persona", ["brand-operator", "brand-ambassador"])
    def test_of_a_company_without_a_company_is_refused_and_says_how_to_get_one(
        self, account: Account, persona: str
    ) -> None:
        with pytest.raises(InvalidInput) as refusal:
            gather(persona)
        assert refusal.value.error_code == "persona.no_company"
        assert "psn_team join" in (refusal.value.ask or "")

    def test_of_several_companies_asks_which(self, team: Team, account: Account) -> None:
        hubs = {"another": login_of(team, "mia"), "worker": replace(login_of(team, "tom"), slug="beta")}
        with beside(hubs), pytest.raises(InvalidInput, match="acme, beta") as refusal:
            gather("brand-operator")
        assert refusal.value.error_code == "persona.which_company"
        assert refusal.value.next_command == "psn_post context --persona brand-operator --hub acme"

    def test_needs_no_choice_among_companies_to_be_personal(self, team: Team, account: Account) -> None:
        with beside({"another": login_of(team, "mia"), "worker": replace(login_of(team, "tom"), slug="beta")}):
            assert (gather()["persona"], gather()["company"]) == ("personal", None)


class TestTheContext:
    def test_has_the_rules_of_each_account(self, account: Account) -> None:
        (rules,) = gather()["lands_in"]["accounts"]
        assert rules["text"] == {"limit": 280, "unit": "units"}
        assert {"text", "thread", "image"} <= set(rules["abilities"])
        assert rules["media"]["image"]["max_bytes"] > 0
        assert rules["posts_per_day"] == {"yours": None, "platform": None}

    def test_has_what_the_person_decided(self, me: User, account: Account) -> None:
        HubSetting.objects.using(OWNER).create(
            user_id=me.id, name="strategy", version=1, value={"name": "Ana", "targets": {"x": 7}}
        )
        shown = gather()
        assert (shown["personal"]["strategy"]["targets"], shown["timezone"]) == ({"x": 7}, "Europe/Madrid")
        assert "conflict_minutes" in shown["personal"]["preferences"]["calendar"]
        (days,) = shown["days"]
        assert days["wanted"][0] == {"on": "2026-11-20", "platform": "x", "missing_this_week": 7}

    def test_has_what_the_person_may_do_in_the_company(self, team: Team, account: Account) -> None:
        with both(team, "bob"):
            company = gather("brand-ambassador")["company"]
        assert {key: company[key] for key in ("name", "role", "policy", "self_approval", "timezone", "untrusted")} == {
            "name": "Acme Ltd",
            "role": "approver",
            "policy": "approval",
            "self_approval": False,
            "timezone": "Europe/Madrid",
            "untrusted": True,
        }
        assert "targets" in company["strategy"]

    def test_lists_what_is_coming_in_both_hubs_and_the_days_that_are_free_in_each(
        self, team: Team, account: Account
    ) -> None:
        mine = put(account, NINE + timedelta(days=1), text="Mine")
        theirs = write(team, "tom", at=NINE, status="scheduled")
        with both(team):
            shown = gather("brand-ambassador")
        assert [(post["hub"], post["id"]) for post in shown["upcoming"]] == [
            ("acme", str(theirs)),
            ("personal", str(mine.id)),
        ]
        free = {days["hub"]: days["free"] for days in shown["days"]}
        assert [len(days) for days in free.values()] == [13, 13]
        assert (str(DAY) in free["acme"], str(DAY) in free["personal"]) == (False, True)

    def test_counts_what_is_out_by_now_among_the_days_that_are_taken(self, account: Account) -> None:
        put(account, NOW, text="Out since noon")
        post = put(account, NOW, text="Still to come")
        with lawless() as database:
            database.execute(
                "UPDATE posts SET status = 'published', published_at = scheduled_at, platform_post_id = '1' WHERE id <> %s",
                [post.id],
            )
        assert [post["text"] for post in gather()["upcoming"]] == ["Still to come"]
        with lawless() as database:
            database.execute("DELETE FROM posts WHERE id = %s", [post.id])
        (days,) = gather()["days"]
        assert (gather()["upcoming"], "2026-11-20" in days["free"]) == ([], False)

    def test_marks_what_others_wrote(self, team: Team, account: Account) -> None:
        put(account, NINE, text="Mine")
        write(team, "tom", at=NINE, status="scheduled")
        with both(team):
            company, own = sorted(gather("brand-operator")["upcoming"], key=lambda post: str(post["hub"]))
        assert (company["untrusted"], company["author"], company["is_yours"]) == (True, "Tom", False)
        assert "untrusted" not in own

    def test_leaves_the_company_out_of_a_personal_post(self, team: Team, account: Account) -> None:
        theirs = write(team, "tom", at=NINE, status="scheduled")
        with both(team):
            shown = gather("personal")
        assert (shown["company"], shown["upcoming"]) == (None, [])
        assert str(theirs) not in str(shown)

    def test_is_not_ready_without_an_account(self, me: User) -> None:
        context = gather_context(None, now=NOW)
        assert context_shape(context)["ready"] is False
        assert context_action(context)["needs"] == "human"

    def test_has_nothing_secret(self, team: Team, account: Account) -> None:
        with both(team):
            shown = str(gather("brand-operator"))
        for person in team.people.values():
            assert person.password not in shown
            assert person.login not in shown


class TestAHubThatDoesNotAnswer:
    def test_is_named_and_the_rest_is_there(self, team: Team, account: Account) -> None:
        with beside({"another": login_of(team, "mia", password="another")}):
            context = gather_context("brand-ambassador", now=NOW)
        shown = context_shape(context)
        assert [(answer["hub"], answer["state"]) for answer in shown["hubs"]] == [
            ("personal", "ok"),
            ("acme", "refused"),
        ]
        assert (shown["ready"], shown["company"]) == (True, {"slug": "acme", "answered": False})
        (finding,) = silent_findings(context)
        assert (finding.code, finding.level, finding.target) == ("hub.refused", "warning", "acme")

    def test_keeps_a_post_that_would_land_there_from_being_ready(self, team: Team, account: Account) -> None:
        with beside({"another": login_of(team, "mia", password="another")}):
            context = gather_context("brand-operator", now=NOW)
        assert context_shape(context)["ready"] is False
        assert context_action(context)["command"] == "python3 manage.py psn_hub status --hub acme"


class TestNothing:
    @pytest.mark.parametrize("persona", PERSONAS)
    def test_changes_in_either_hub(self, team: Team, account: Account, persona: str) -> None:
        """Neither is a row copied from one to the other, nor written at all: no statement even tries to."""
        put(account, NINE, text="Mine")
        write(team, "tom", at=NINE, status="scheduled")
        before = rows_of_both(team)
        with both(team):
            gather(persona)
        assert rows_of_both(team) == before
        assert all(before)

    def test_can_be_written_by_what_reads(self, team: Team, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
        """Were a reader to write by mistake, the hub's own server would refuse it."""

        def write_something(alias: str, **_: Any) -> Any:
            Account.objects.using(alias).update(name="copied")

        monkeypatch.setattr("hub.actions.personas.read_planned", write_something)
        with both(team), pytest.raises(Exception, match="read-only transaction"):
            gather("brand-ambassador")

    def test_needs_a_hub(self, settings: Any) -> None:
        settings.HUB = None
        context = gather_context(None, now=NOW)
        shown = context_shape(context)
        assert (shown["ready"], shown["persona"], shown["hubs"]) == (False, "personal", [])
        assert context_action(context)["command"] == "python3 manage.py psn_setup"

    def test_is_made_up_for_a_company_that_is_not_there(self, settings: Any) -> None:
        settings.HUB, settings.HUB_SLUG = None, "nowhere"
        with pytest.raises(NotReady) as refusal:
            gather_context(None, now=NOW)
        assert refusal.value.error_code == "hub.missing"


def rows_of_both(team: Team) -> list[list[tuple[str, str]]]:
    """Every row of both hubs, as a digest of each table."""
    with connect_as("postgres") as personal, team.company.enter_as_superuser() as company:
        return [digests_of(personal), digests_of(company)]


def digests_of(hub: psycopg.Connection[Any]) -> list[tuple[str, str]]:
    names = hub.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1").fetchall()
    digests = []
    for (name,) in names:
        row = hub.execute(
            f"SELECT md5(coalesce(string_agg(t::text || xmin::text, ',' ORDER BY t::text), '')) FROM {name} t".encode()
        ).fetchone()
        assert row is not None
        digests.append((name, row[0]))
    return digests
