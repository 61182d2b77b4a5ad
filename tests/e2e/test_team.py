"""`psn_team` as people use it: a hub made, people invited, joined, given roles, removed; and all that can go wrong (TEAM-1)."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from psn.config.bundles import Bundle, make_bundle
from psn.config.database import DatabaseUrl, read_url
from tests.cable import lay_cable
from tests.e2e.companies import CREATE, Company, another_workspace, create, found, join, kill_during, new_slug
from tests.e2e.workspace import Workspace, tree_of
from tests.servers import Absent, Server, need_server, pgbouncer

STEPS = ["server", "hub", "schema", "company", "login"]
POSTS = "SELECT count(*) FROM posts"


@pytest.fixture(scope="module")
def server() -> Server:
    return need_server("18")


@pytest.fixture(scope="module")
def company(server: Server) -> Iterator[Company]:
    """A company's hub that the tests of this module share."""
    with found(server) as made:
        yield made


@pytest.fixture
def elsewhere() -> Iterator[Workspace]:
    """The workspace of somebody who was in no team yet."""
    with another_workspace() as workspace:
        yield workspace


@pytest.fixture
def place(server: Server) -> Iterator[tuple[str, str]]:
    """A short name and the address of who may create roles, with an empty database of that name."""
    slug = new_slug()
    yield slug, server.make_admin(slug)
    server.drop(slug, f"{slug}_")


def check_made(slug: str, workspace: Workspace, server: Server) -> None:
    """What one undisturbed run leaves behind, and nothing more of it."""
    made = Company(slug=slug, server=server, admin=workspace, admin_url="")
    shown = made.team("list").data
    assert [(person["name"], person["role"]) for person in shown["members"]] == [("Ada", "admin")]
    counts = {
        "users": made.count("SELECT count(*) FROM users"),
        "companies": made.count("SELECT count(*) FROM companies"),
        "logins": made.count("SELECT count(*) FROM logins WHERE is_active"),
    }
    assert counts == {"users": 2, "companies": 1, "logins": 2}
    members = made.count(f"SELECT count(*) FROM pg_roles WHERE rolname LIKE '{slug}\\_m\\_%' AND rolcanlogin")
    assert members == 1
    assert set(made.file()) >= {
        "PROVIDER",
        "PREFIX",
        "DATABASE_URL",
        "OWNER_URL",
        "WORKER_URL",
        "HUB_ENCRYPTION_KEY",
        "SECRET_KEY",
    }


class TestCreate:
    def test_makes_a_hub_whose_admin_is_in_with_a_login_of_their_own(self, company: Company) -> None:
        check_made(company.slug, company.admin, company.server)
        path = company.admin.root / "config" / "connections" / f"{company.slug}.env"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        logins = {name: read_url(text).user for name, text in company.file().items() if name.endswith("_URL")}
        assert (logins["OWNER_URL"], logins["WORKER_URL"]) == (f"{company.slug}_owner", f"{company.slug}_worker")
        assert logins["DATABASE_URL"].startswith(f"{company.slug}_m_")

    def test_does_nothing_the_second_time_and_asks_for_no_address(self, company: Company) -> None:
        before = company.file()
        outcome = create(company.admin, company.slug, "")
        assert [step["status"] for step in outcome.data["steps"]] == ["skip"] * len(STEPS)
        assert outcome.next_command == f"python3 manage.py psn_worker start --hub {company.slug}"
        assert company.file() == before

    def test_warns_that_nobody_reaches_a_server_on_this_computer(self, company: Company) -> None:
        outcome = create(company.admin, company.slug, "")
        assert [finding["code"] for finding in outcome.result["findings"]] == ["hub.loopback"]

    def test_never_shows_a_secret(self, place: tuple[str, str], elsewhere: Workspace, server: Server) -> None:
        slug, admin_url = place
        outcome = create(elsewhere, slug, admin_url)
        assert outcome.exit_code == 0, outcome.stderr[-3000:]
        file = Company(slug=slug, server=server, admin=elsewhere, admin_url=admin_url).file()
        secrets = [read_url(text).password for name, text in file.items() if name.endswith("_URL")]
        secrets += [file["HUB_ENCRYPTION_KEY"], file["SECRET_KEY"], read_url(admin_url).password]
        kept = "".join(path.read_text(errors="replace") for path in elsewhere.folder.rglob("*") if path.is_file())
        assert read_url(admin_url).password not in kept
        for secret in secrets:
            assert secret
            assert secret not in outcome.stdout + outcome.stderr

    def test_looks_and_changes_nothing_in_a_dry_run(
        self, place: tuple[str, str], elsewhere: Workspace, server: Server
    ) -> None:
        slug, admin_url = place
        before = tree_of(elsewhere.root)
        shown = create(elsewhere, slug, admin_url, "--dry-run").data
        assert [step["status"] for step in shown["steps"]] == ["done", *["to do"] * 4]
        assert tree_of(elsewhere.root) == before
        with server.connect() as admin:
            assert admin.execute("SELECT count(*) FROM pg_roles WHERE rolname LIKE %s", [f"{slug}\\_%"]).fetchone() == (
                0,
            )

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("step", "delay"),
        [
            ("server", 0.0), ("hub", 0.0), ("hub", 0.04), ("hub", 0.08), ("schema", 0.05), ("schema", 0.4), ("schema", 0.8),
            ("company", 0.0), ("company", 0.04), ("login", 0.0),
        ],
    )  # fmt: skip
    def test_killed_in_any_step_and_run_again_ends_the_same(
        self, place: tuple[str, str], elsewhere: Workspace, server: Server, step: str, delay: float
    ) -> None:
        slug, admin_url = place
        number = f"{STEPS.index(step) + 1}/{len(STEPS)}"
        kill_during(
            elsewhere, *CREATE, slug, stdin=admin_url, delay=delay,
            when=lambda line: line.get("step") == number and line["status"] == "start",
        )  # fmt: skip
        outcome = create(elsewhere, slug, admin_url)
        assert outcome.exit_code == 0, f"{outcome.result}\n{outcome.stderr[-3000:]}"
        check_made(slug, elsewhere, server)

    @pytest.mark.slow
    def test_cut_off_anywhere_says_so_and_goes_on_when_the_network_is_back(
        self, place: tuple[str, str], elsewhere: Workspace, server: Server
    ) -> None:
        slug, admin_url = place
        codes = set()
        with lay_cable(server.port) as cable:
            through = admin_url.replace(f":{server.port}/", f":{cable.port}/")
            for messages in (1, 12, 30, 60, 100, 200):
                cable.sent, cable.cut_after = 0, messages
                outcome = create(elsewhere, slug, through)
                if outcome.exit_code == 0:
                    break
                assert outcome.exit_code == 3, f"{outcome.result}\n{outcome.stderr[-3000:]}"
                codes.add(outcome.code)
            cable.mend()
            outcome = create(elsewhere, slug, through)
            assert outcome.exit_code == 0, f"{outcome.result}\n{outcome.stderr[-3000:]}"
            check_made(slug, elsewhere, server)
        assert codes <= {"server.unreachable", "hub.unreachable"}
        assert codes

    @pytest.mark.parametrize(
        ("arguments", "code"),
        [
            (("psn_x",), "hub.slug"), (("../x",), "hub.slug"),
            (("acme", "--provider", "local"), "team.local"), (("acme", "--provider", "neom"), "provider.unknown"),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, tuple) else value,
    )  # fmt: skip
    def test_refuses_what_is_no_team_s_hub_before_it_asks_for_an_address(
        self, elsewhere: Workspace, arguments: tuple[str, ...], code: str
    ) -> None:
        elsewhere.refused("psn_team", "create", *arguments, "--name", "Acme", code=code, exit_code=5)

    @pytest.mark.parametrize(
        ("address", "code"), [("", "url.missing"), ("hello", "url.invalid"), ("http://a:b@c/d", "url.invalid")]
    )
    def test_refuses_an_address_that_is_none(self, elsewhere: Workspace, address: str, code: str) -> None:
        assert create(elsewhere, "acme", address).code == code

    def test_says_what_is_wrong_with_the_server(
        self, server: Server, elsewhere: Workspace, place: tuple[str, str]
    ) -> None:
        slug, admin_url = place
        url = read_url(admin_url)
        cases: dict[str, Callable[[], DatabaseUrl]] = {
            "server.wrong_password": lambda: url.with_login(url.user, "wrong"),
            "server.no_database": lambda: DatabaseUrl(url.host, "not_there", url.user, url.password, url.port),
            "server.unreachable": lambda: DatabaseUrl(url.host, url.name, url.user, url.password, 1),
            "server.no_createrole": lambda: self._powerless(server, slug),
        }
        for code, make in cases.items():
            outcome = create(elsewhere, slug, make().to_text())
            assert (outcome.exit_code, outcome.code) == (3, code)
            assert outcome.result["next_action"]["ask"]
        assert list((elsewhere.root / "config").rglob("*.env")) == []

    def _powerless(self, server: Server, slug: str) -> DatabaseUrl:
        name = f"{slug}_powerless"
        with server.connect() as admin:
            admin.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'weak'").format(sql.Identifier(name)))
            admin.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(sql.Identifier(slug), sql.Identifier(name)))
        return DatabaseUrl(server.host, slug, name, "weak", server.port)

    def test_refuses_a_server_that_is_too_old(self, elsewhere: Workspace) -> None:
        old = need_server("15")
        slug = new_slug()
        try:
            assert create(elsewhere, slug, old.make_admin(slug)).code == "server.too_old"
        finally:
            old.drop(slug)

    def test_refuses_a_way_through_a_pooler(self, server: Server, elsewhere: Workspace, place: tuple[str, str]) -> None:
        slug, admin_url = place
        try:
            with pgbouncer(server) as pooler:
                through = admin_url.replace(f":{server.port}/", f":{pooler.port}/")
                assert create(elsewhere, slug, through).code == "server.pooled"
        except Absent as reason:
            pytest.skip(str(reason))

    def test_refuses_a_name_that_another_hub_of_that_server_has(
        self, company: Company, elsewhere: Workspace, place: tuple[str, str]
    ) -> None:
        _, admin_url = place
        assert create(elsewhere, company.slug, admin_url).code == "team.slug_taken"

    def test_refuses_a_database_that_has_a_hub_or_somebody_s_tables(
        self, company: Company, elsewhere: Workspace, place: tuple[str, str], server: Server
    ) -> None:
        assert create(elsewhere, company.slug, company.admin_url).code == "server.other_hub"
        slug, admin_url = place
        with psycopg.connect(admin_url) as admin:
            admin.execute("CREATE TABLE theirs ()")
        assert create(elsewhere, slug, admin_url).code == "server.not_empty"

    def test_refuses_to_make_what_this_workspace_joined(self, company: Company, elsewhere: Workspace) -> None:
        assert join(elsewhere, make_bundle(company.invite_quickly("Joiner"))).exit_code == 0
        assert create(elsewhere, company.slug, company.admin_url).code == "team.joined"

    def test_trusts_no_certificate_that_nobody_vouches_for(self, elsewhere: Workspace) -> None:
        tls, slug = need_server("18-tls"), new_slug()
        try:
            admin_url = f"{tls.make_admin(slug)}?sslmode=verify-full"
            assert create(elsewhere, slug, admin_url).code == "server.tls"
            outcome = create(elsewhere, slug, admin_url, "--ssl-root-cert", str(tls.ca_file))
            assert outcome.exit_code == 0, f"{outcome.result}\n{outcome.stderr[-3000:]}"
            made = Company(slug=slug, server=tls, admin=elsewhere, admin_url=admin_url)
            assert made.team("list").data["members"][0]["name"] == "Ada"
        finally:
            tls.drop(slug, f"{slug}_")


class TestJoin:
    def test_puts_somebody_into_the_team_with_a_login_of_their_own(
        self, company: Company, elsewhere: Workspace
    ) -> None:
        outcome = join(elsewhere, company.invite("Bob Ray", "--role", "approver"))
        assert (outcome.data["you"]["name"], outcome.data["you"]["role"]) == ("Bob Ray", "approver")
        assert (outcome.data["hub"], outcome.data["already"]) == (company.slug, False)
        kept = company.file(elsewhere)
        assert not set(kept) & {"OWNER_URL", "WORKER_URL", "HUB_ENCRYPTION_KEY"}
        assert stat.S_IMODE((elsewhere.root / "config" / "connections" / f"{company.slug}.env").stat().st_mode) == 0o600
        shown = elsewhere.ok("psn_team", "list")
        assert "Bob Ray" in [person["name"] for person in shown["members"]]
        assert shown["invites"] is None
        assert outcome.next_command is not None

    def test_shows_hub_and_host_before_it_connects(self, company: Company, elsewhere: Workspace) -> None:
        outcome = join(elsewhere, make_bundle(company.invite_quickly("Shown")))
        assert outcome.lines[0]["detail"] == f"{company.slug} at 127.0.0.1:{company.server.port}/{company.slug}"

    def test_never_shows_the_invite_or_the_login(self, company: Company, elsewhere: Workspace) -> None:
        line = make_bundle(company.invite_quickly("Quiet"))
        outcome = join(elsewhere, line)
        password = read_url(company.file(elsewhere)["DATABASE_URL"]).password
        for secret in (line, password):
            assert secret not in outcome.stdout + outcome.stderr

    def test_in_a_dry_run_asks_nobody_and_writes_nothing(self, elsewhere: Workspace) -> None:
        url = DatabaseUrl("127.0.0.1", "hub", "acme_m_0123456789ab", "pw", port=1)
        line = make_bundle(Bundle("acme", url, datetime.now(UTC) - timedelta(days=1)))
        before = tree_of(elsewhere.root)
        shown = join(elsewhere, line, "--dry-run").data
        assert (shown["hub"], shown["host"], shown["expired"]) == ("acme", "127.0.0.1", True)
        assert tree_of(elsewhere.root) == before

    def test_works_once(self, company: Company, elsewhere: Workspace) -> None:
        line = make_bundle(company.invite_quickly("Once"))
        assert join(elsewhere, line).data["already"] is False
        assert join(elsewhere, line).data["already"] is True
        with another_workspace() as thief:
            outcome = join(thief, line)
            assert (outcome.exit_code, outcome.code) == (1, "invite.invalid")
            assert "used" in outcome.result["error"]["message"]
            assert not (thief.root / "config" / "connections" / f"{company.slug}.env").exists()

    def test_is_refused_when_the_invite_was_taken_back_or_ran_out(self, company: Company, elsewhere: Workspace) -> None:
        taken_back, late = (make_bundle(company.invite_quickly(name)) for name in ("Taken back", "Late"))
        assert company.team("invite", "--revoke", "Taken back").data["invite"]["revoked_at"]
        with company.server.connect(database=company.slug) as everything:
            everything.execute("ALTER TABLE invites DISABLE TRIGGER USER")
            everything.execute("UPDATE invites SET expires_at = now() - interval '1 minute' WHERE name = 'Late'")
            everything.execute("ALTER TABLE invites ENABLE TRIGGER USER")
        for line in (taken_back, late):
            outcome = join(elsewhere, line)
            assert (outcome.exit_code, outcome.code) == (1, "invite.invalid")
            assert "psn_team invite" in outcome.result["next_action"]["ask"]

    @pytest.mark.parametrize(
        ("text", "code"), [("", "invite.malformed"), ("hello", "invite.malformed"), ("psn2.abcd", "invite.version")]
    )
    def test_refuses_what_is_no_invite(self, elsewhere: Workspace, text: str, code: str) -> None:
        outcome = join(elsewhere, text)
        assert (outcome.exit_code, outcome.code) == (5, code)

    def test_says_when_nobody_answers(self, elsewhere: Workspace) -> None:
        url = DatabaseUrl("127.0.0.1", "hub", "acme_m_0123456789ab", "pw", port=1)
        outcome = join(elsewhere, make_bundle(Bundle("acme", url, datetime.now(UTC) + timedelta(days=1))))
        assert (outcome.exit_code, outcome.code) == (3, "server.unreachable")
        assert "pw" not in outcome.result["error"]["message"].split()

    @pytest.mark.slow
    @pytest.mark.parametrize("delay", [0.0, 0.02, 0.04, 0.06, 0.08, 0.12, 0.2])
    def test_killed_anywhere_and_run_again_with_the_same_invite_is_in(
        self, company: Company, elsewhere: Workspace, delay: float
    ) -> None:
        name = f"Killed {delay}"
        line = make_bundle(company.invite_quickly(name))
        kill_during(elsewhere, "join", stdin=line, delay=delay, when=lambda line: line.get("status") == "start")
        assert join(elsewhere, line).data["you"]["name"] == name
        names = [person["name"] for person in elsewhere.ok("psn_team", "list")["members"]]
        assert names.count(name) == 1

    def test_keeps_two_teams_apart(self, company: Company, elsewhere: Workspace, server: Server) -> None:
        with found(server) as second:
            assert join(elsewhere, make_bundle(company.invite_quickly("Both"))).exit_code == 0
            assert join(elsewhere, make_bundle(second.invite_quickly("Both"))).exit_code == 0
            elsewhere.refused("psn_team", "list", code="team.which", exit_code=2)
            for team in (company, second):
                assert team.team("list", workspace=elsewhere).data["hub"] == team.slug


class TestInvite:
    def test_is_shown_once_and_listed_without_its_secret(self, company: Company) -> None:
        outcome = company.team("invite", "Carla")
        line, made = outcome.data["invite"]["bundle"], outcome.data["invite"]
        assert "trust" in outcome.data["note"]
        shown = company.team("list")
        assert line not in shown.stdout
        (listed,) = [invite for invite in shown.data["invites"] if invite["id"] == made["id"]]
        assert (listed["state"], listed["role"], listed["created_by"]) == ("open", "member", "Ada")
        left = datetime.fromisoformat(listed["expires_at"]) - datetime.now(UTC)
        assert timedelta(days=6, hours=23) < left <= timedelta(days=7)

    def test_tells_what_became_of_it(self, company: Company, elsewhere: Workspace) -> None:
        used, _ = (make_bundle(company.invite_quickly(name)) for name in ("Used", "Unused"))
        join(elsewhere, used)
        company.team("invite", "--revoke", "Unused")
        states = {invite["name"]: invite["state"] for invite in company.team("list").data["invites"]}
        assert (states["Used"], states["Unused"]) == ("redeemed", "revoked")

    def test_again_gives_a_member_another_login(self, company: Company, elsewhere: Workspace) -> None:
        join(elsewhere, company.invite("Dora"))
        with another_workspace() as laptop:
            outcome = join(laptop, company.invite("--again", "Dora"))
            assert outcome.data["you"]["id"] == elsewhere.ok("psn_team", "list")["you"]["id"]
            names = [person["name"] for person in laptop.ok("psn_team", "list")["members"]]
            assert names.count("Dora") == 1

    def test_changes_nothing_in_a_dry_run(self, company: Company) -> None:
        before = company.count("SELECT count(*) FROM invites")
        shown = company.team("invite", "Nobody", "--dry-run").data
        assert shown["invite"]["bundle"] is None
        assert company.count("SELECT count(*) FROM invites") == before

    @pytest.mark.parametrize(
        ("arguments", "exit_code", "code"),
        [
            ((), 2, "usage"), (("Eve", "--again", "Ada"), 2, "usage"), (("--again", "Ada", "--role", "admin"), 2, "usage"),
            (("Eve", "--role", "owner"), 5, "team.role"), (("Eve", "--days", "0"), 5, "invite.days"),
            (("Eve", "--days", "31"), 5, "invite.days"), ((" ",), 5, "team.name"), (("x" * 101,), 5, "team.name"),
            (("--again", "Nobody"), 1, "team.no_member"), (("--revoke", "Nobody"), 1, "invite.not_found"),
        ],
        ids=lambda value: " ".join(value)[:30] if isinstance(value, tuple) else None,
    )  # fmt: skip
    def test_refuses_what_makes_no_sense(
        self, company: Company, arguments: tuple[str, ...], exit_code: int, code: str
    ) -> None:
        outcome = company.team("invite", *arguments)
        assert (outcome.exit_code, outcome.code) == (exit_code, code)


class TestMembers:
    @pytest.fixture
    def bob(self, company: Company, elsewhere: Workspace) -> Workspace:
        """The workspace of a plain member."""
        assert join(elsewhere, make_bundle(company.invite_quickly("Bob"))).exit_code == 0
        return elsewhere

    @pytest.fixture(autouse=True)
    def alone(self, company: Company) -> Iterator[None]:
        """Remove everybody but the admin when a test ends."""
        yield
        company.keep_only("Ada")

    def test_who_is_removed_has_no_next_statement(self, company: Company, bob: Workspace) -> None:
        with company.connect(bob) as session:
            assert session.execute(POSTS).fetchone() == (0,)
            dry = company.team("remove", "bob", "--dry-run").data
            assert session.execute(POSTS).fetchone() == (0,)
            outcome = company.team("remove", "bob")
            assert (dry["sessions_ended"], outcome.data["sessions_ended"]) == (0, 1)
            with pytest.raises(psycopg.Error):
                session.execute(POSTS)
        refused = bob.refused("psn_team", "list", code="team.not_member", exit_code=1)
        assert "psn_team leave" in refused.result["next_action"]["ask"]
        (shown,) = [
            person for person in company.team("list").data["members"] if person["id"] == outcome.data["member"]["id"]
        ]
        assert shown["active"] is False
        assert shown["removed_at"]

    def test_a_role_is_changed_by_an_admin_alone(self, company: Company, bob: Workspace) -> None:
        for verb in (("role", "Bob", "admin"), ("remove", "Ada"), ("invite", "Eve"), ("policy", "approval")):
            outcome = bob.run("psn_team", *verb)
            assert (outcome.exit_code, outcome.code) == (1, "team.not_admin"), verb
            assert "Ada" in outcome.result["next_action"]["ask"]
        changed = company.team("role", "Bob", "approver").data
        assert (changed["former_role"], changed["member"]["role"]) == ("member", "approver")
        assert bob.ok("psn_team", "list")["you"]["role"] == "approver"

    def test_the_last_admin_stays(self, company: Company) -> None:
        for verb in (("remove", "Ada"), ("role", "Ada", "member"), ("leave", "--discard-keys")):
            for rehearsed in ([], ["--dry-run"]):
                outcome = company.team(*verb, *rehearsed)
                assert (outcome.exit_code, outcome.code) == (7, "team.last_admin"), verb
        assert company.file()["DATABASE_URL"]
        assert company.team("list").data["you"]["role"] == "admin"

    def test_two_of_one_name_are_told_apart_by_id(self, company: Company, bob: Workspace) -> None:
        with another_workspace() as second:
            join(second, make_bundle(company.invite_quickly("BOB")))
            outcome = company.team("role", "bob", "approver")
            assert (outcome.exit_code, outcome.code) == (7, "team.ambiguous")
            named = [
                person
                for person in company.team("list").data["members"]
                if person["name"] == "BOB" and person["active"]
            ]
            assert company.team("role", named[0]["id"], "approver").data["member"]["name"] == "BOB"

    @pytest.mark.parametrize(
        "verb", [("remove", "01a1f82c-afb1-7c55-8a66-4f2cdb399a03"), ("role", "'; DROP TABLE users; --", "admin")]
    )
    def test_somebody_who_is_not_there_is_not_found(self, company: Company, verb: tuple[str, ...]) -> None:
        outcome = company.team(*verb)
        assert (outcome.exit_code, outcome.code) == (1, "team.no_member")

    def test_who_leaves_is_out_and_keeps_nothing(self, company: Company, bob: Workspace) -> None:
        path = bob.root / "config" / "connections" / f"{company.slug}.env"
        assert bob.ok("psn_team", "leave", "--dry-run")["left"] is True
        assert path.exists()
        assert bob.ok("psn_team", "leave")["left"] is True
        assert not path.exists()
        assert [person["name"] for person in company.team("list").data["members"] if person["active"]] == ["Ada"]
        bob.refused("psn_team", "list", code="team.none", exit_code=3)

    def test_who_was_removed_can_forget_the_team(self, company: Company, bob: Workspace) -> None:
        company.team("remove", "Bob")
        assert bob.ok("psn_team", "leave")["left"] is False
        assert not (bob.root / "config" / "connections" / f"{company.slug}.env").exists()

    def test_the_keys_of_the_hub_are_never_thrown_away_by_leaving(self, company: Company, bob: Workspace) -> None:
        company.team("role", "Bob", "admin")
        before = company.file()
        outcome = company.team("leave")
        assert (outcome.exit_code, outcome.code) == (7, "team.holds_keys")
        assert company.file() == before
        company.team("role", "Bob", "member")


class TestPolicy:
    def test_is_shown_and_set(self, company: Company) -> None:
        assert company.team("policy").data["company"]["policy"] == "free"
        rehearsed = company.team("policy", "approval", "--dry-run").data["company"]
        assert rehearsed["policy"] == "approval"
        assert company.team("policy").data["company"]["policy"] == "free"
        changed = company.team("policy", "approval", "--self-approval", "allowed").data["company"]
        assert (changed["policy"], changed["self_approval"]) == ("approval", "allowed")
        assert company.team("list").data["company"] == changed
        company.team("policy", "free", "--self-approval", "refused")

    def test_that_there_is_not_is_refused(self, company: Company) -> None:
        outcome = company.team("policy", "anarchy")
        assert (outcome.exit_code, outcome.code) == (5, "team.policy")


class TestWithoutATeam:
    @pytest.mark.parametrize("verb", [("list",), ("invite", "Bob"), ("leave",)])
    def test_every_verb_says_how_to_get_into_one(self, elsewhere: Workspace, verb: tuple[str, ...]) -> None:
        outcome = elsewhere.refused("psn_team", *verb, code="team.none", exit_code=3)
        assert "psn_team join" in outcome.result["next_action"]["ask"]

    def test_a_file_that_others_can_read_is_refused(self, company: Company, elsewhere: Workspace) -> None:
        join(elsewhere, make_bundle(company.invite_quickly("Careless")))
        path: Path = elsewhere.root / "config" / "connections" / f"{company.slug}.env"
        path.chmod(0o644)
        outcome = elsewhere.run("psn_team", "list")
        assert (outcome.exit_code, outcome.code) == (3, "config.not_private")


def test_a_workspace_without_a_hub_of_its_own_can_be_in_a_team(company: Company) -> None:
    with another_workspace() as workspace:
        assert join(workspace, make_bundle(company.invite_quickly("Bare"))).exit_code == 0
        assert not workspace.hub_env.exists()
        assert workspace.ok("psn_team", "list")["hub"] == company.slug
