"""A company's hub comes back from a backup with its people; who may come in is what this server says (HUB-12, TEAM-1)."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from psn.config.hub import write_hub_config
from psn.config.workspace import ROOT, Workspace
from tests.e2e.workspace import Outcome, read_outcome
from tests.servers import need_server
from tests.teams.company import Company, Invited, Member, make_company

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Admin:
    """The computer of the company's admin, which has the owner's login."""

    company: Company
    folder: Path

    def run(self, *arguments: str, stdin: bytes = b"") -> Outcome:
        """Run a command on the company's hub."""
        around = {
            **os.environ,
            "PSN_WORKSPACE": str(self.folder),
            "PSN_HOME": str(self.folder / "home"),
            "PSN_NO_BOOTSTRAP": "1",
        }
        around.pop("DJANGO_SETTINGS_MODULE", None)
        command = [sys.executable, str(ROOT / "manage.py"), *arguments, "--hub", self.company.slug]
        done = subprocess.run(command, cwd=ROOT, env=around, input=stdin, capture_output=True, timeout=120, check=False)
        return read_outcome(done.returncode, done.stdout, done.stderr)

    def names(self) -> set[str]:
        """Who is in the team, as its own admin sees it."""
        with self.company.enter(self.company.ann) as ann:
            return {name for (name,) in ann.execute("SELECT name FROM users WHERE kind = 'person' AND is_active")}


def settle_in(company: Company, folder: Path) -> Admin:
    write_hub_config(Workspace(folder), company.config)
    return Admin(company, folder)


@pytest.fixture
def slug() -> str:
    return f"t{secrets.token_hex(4)}"


@pytest.fixture
def admin(slug: str, tmp_path: Path) -> Iterator[Admin]:
    with make_company(need_server("18"), slug=slug) as company:
        yield settle_in(company, tmp_path / "here")


def is_in(company: Company, who: Member | Invited) -> bool:
    """Whether somebody's login is one of the team's people."""
    try:
        with company.enter(who) as connection:
            return connection.execute("SELECT hub_api.current_user_id() IS NOT NULL").fetchone() == (True,)
    except psycopg.Error:
        return False


class TestACompanysBackup:
    def test_lets_nobody_in_or_back_in_whom_this_server_does_not_know_so(self, admin: Admin, tmp_path: Path) -> None:
        company = admin.company
        bob, dan = company.join("Bob"), company.join("Dan", "admin")
        cats, fays = company.invite("Cat"), company.invite("Fay")
        file = tmp_path / "acme.psn"
        assert admin.run("psn_hub", "backup", "--to", str(file)).data["backup"]["rows"]["users"] == 4
        eve, cat = company.join("Eve"), company.redeem(cats, name="Cat")
        guses = company.invite("Gus")
        with company.enter(company.ann) as ann:
            ann.execute("SELECT hub_api.remove_member(%s)", [bob.id])
        assert admin.names() == {"Ann", "Cat", "Dan", "Eve"}

        with company.enter(eve) as open_session:
            restored = admin.run("psn_hub", "restore", str(file), "--yes").data["restored"]
            with pytest.raises(psycopg.Error):
                open_session.execute("SELECT 1 FROM posts")

        assert (restored["me"], restored["without_login"]) == ("Ann", ["Bob"])
        assert admin.names() == {"Ann", "Bob", "Dan"}
        assert [is_in(company, who) for who in (company.ann, dan, bob, eve, cat, guses)] == [True, True, *[False] * 4]
        fay = company.redeem(fays, name="Fay")
        assert is_in(company, fay)
        with company.enter(company.ann) as ann:
            row = ann.execute(
                "SELECT login_role, one_time_password FROM hub_api.create_invite('', 'member', '1 day', %s)", [bob.id]
            ).fetchone()
        assert row is not None
        again = company.redeem(Invited(bob.id, *row), name="Bob")
        assert again.id == bob.id
        assert is_in(company, again)
        checks = admin.run("psn_validate").result["data"]["checks"]
        assert [check["status"] for check in checks if check["name"] == "isolation"] == ["pass"]

    def test_comes_back_on_another_server_with_a_login_for_who_restores_it(
        self, admin: Admin, slug: str, tmp_path: Path
    ) -> None:
        bob = admin.company.join("Bob", "approver")
        file = tmp_path / "acme.psn"
        admin.run("psn_hub", "backup", "--to", str(file))
        key = (tmp_path / "here" / "config" / "connections" / f"{slug}.env").read_text()
        (line,) = [line for line in key.splitlines() if line.startswith("HUB_ENCRYPTION_KEY=")]
        with make_company(need_server("16"), slug=slug) as company:
            elsewhere = settle_in(company, tmp_path / "there")
            assert elsewhere.run("psn_hub", "restore", str(file), "--yes").code == "key.unknown"
            outcome = elsewhere.run("psn_hub", "restore", str(file), "--yes", "--key-stdin", stdin=line.encode())
            assert outcome.data["restored"]["without_login"] == ["Bob"]
            with company.enter(company.ann) as ann:
                me = ann.execute("SELECT hub_api.current_user_id(), hub_api.current_company_id()").fetchone()
                assert me == (admin.company.ann.id, admin.company.id)
                invite = "SELECT login_role, one_time_password FROM hub_api.create_invite('', 'member', '1 day', %s)"
                row = ann.execute(invite, [bob.id]).fetchone()
            assert row is not None
            again = company.redeem(Invited(bob.id, *row), name="Bob")
            with company.enter(again) as connection:
                role = connection.execute("SELECT role FROM users WHERE id = hub_api.current_user_id()").fetchone()
            assert role == ("approver",)

    def test_is_not_taken_for_another_hub_s(self, admin: Admin, tmp_path: Path) -> None:
        file = tmp_path / "acme.psn"
        admin.run("psn_hub", "backup", "--to", str(file))
        with make_company(need_server("18"), slug=f"t{secrets.token_hex(4)}") as company:
            other = settle_in(company, tmp_path / "there")
            (line,) = [
                line
                for line in Workspace(admin.folder).hub_file(admin.company.slug).read_text().splitlines()
                if line.startswith("HUB_ENCRYPTION_KEY=")
            ]
            refused = other.run("psn_hub", "restore", str(file), "--yes", "--key-stdin", stdin=line.encode())
            assert refused.code == "backup.other_hub"
            assert other.names() == {"Ann"}

    def test_is_not_for_members(self, admin: Admin, tmp_path: Path) -> None:
        path = Workspace(admin.folder).hub_file(admin.company.slug)
        owners = path.read_text()
        kept = [line for line in owners.splitlines() if not line.startswith(("OWNER_URL", "WORKER_URL", "HUB_ENC"))]
        path.write_text("\n".join(kept) + "\n")
        for command in (("backup", "--to", str(tmp_path / "x.psn")), ("restore", str(path), "--yes")):
            outcome = admin.run("psn_hub", *command)
            assert (outcome.code, outcome.result["next_action"]["needs"]) == ("hub.no_owner", "human")

    def test_is_no_way_to_move(self, admin: Admin) -> None:
        assert admin.run("psn_hub", "move", "--provider", "local").code == "move.company"
