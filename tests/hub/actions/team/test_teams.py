"""Joining when the network or the process ends in the middle, and what a join may and may not do to a file (TEAM-1).

As processes, the commands are tested in `tests/e2e/test_team.py`.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.actions.sources import Source
from hub.actions.team import joining
from hub.actions.team.founding import Founding, check_founding, plan_founding
from hub.actions.team.invites import InviteState, state_of
from hub.actions.team.joining import join_team
from hub.actions.team.leaving import leave_team
from hub.actions.turns import take_turn_at_teams
from hub.models import Invite
from hub.queue.supervisor import worker_daemon
from psn.config.bundles import Bundle
from psn.config.hub import HubConfig, find_hub_config, get_hub_config, write_hub_config
from psn.config.workspace import Workspace
from psn.errors import Conflict, InvalidInput, NotAllowed, NotReady
from tests.cable import How, lay_cable
from tests.e2e.companies import Company, found
from tests.servers import Absent, need_server, pgbouncer

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def company() -> Iterator[Company]:
    with found(need_server("18")) as made:
        yield made


@pytest.fixture
def bundle(company: Company) -> Bundle:
    """An invite that nobody used yet."""
    return company.invite_quickly("Joiner")


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("PSN_HOME", str(tmp_path / "home"))
    (tmp_path / "w").mkdir()
    return Workspace(tmp_path / "w")


def through(bundle: Bundle, port: int) -> Bundle:
    """The same invite by another way to the same server."""
    return replace(bundle, url=replace(bundle.url, port=port))


class TestJoinTeam:
    def test_keeps_a_password_that_the_invite_does_not_hold(self, bundle: Bundle, workspace: Workspace) -> None:
        joined = join_team(workspace, bundle)
        kept = get_hub_config(workspace, bundle.slug)
        assert joined.config == kept
        assert (kept.url("app").user, kept.url("app").place) == (bundle.url.user, bundle.url.place)
        assert kept.url("app").password not in ("", bundle.url.password)
        assert (kept.has_owner, kept.has_worker, kept.key) == (False, False, "")

    def test_leaves_nothing_beside_the_file(self, bundle: Bundle, workspace: Workspace) -> None:
        join_team(workspace, bundle)
        assert [path.name for path in workspace.connections.iterdir()] == [f"{bundle.slug}.env"]

    @pytest.mark.parametrize(("how", "pause"), [("lost", 0.0), ("unheard", 0.0), ("unheard", 0.5)])
    def test_goes_on_with_the_same_invite_when_the_commit_or_its_answer_is_lost(
        self, company: Company, bundle: Bundle, workspace: Workspace, how: How, pause: float
    ) -> None:
        with lay_cable(company.server.port) as cable:
            cable.piece, cable.how, cable.pause = b"COMMIT", how, pause
            cut = through(bundle, cable.port)
            with pytest.raises(NotReady) as refused:
                join_team(workspace, cut)
            assert (refused.value.error_code, cable.struck) == ("server.unreachable", True)
            assert find_hub_config(workspace, bundle.slug) is None
            cable.mend()
            assert join_team(workspace, cut).member.name == "Joiner"

    def test_goes_on_with_the_same_invite_wherever_the_network_ends(
        self, company: Company, bundle: Bundle, workspace: Workspace
    ) -> None:
        refused = []
        with lay_cable(company.server.port) as cable:
            cut = through(bundle, cable.port)
            for messages in range(60):
                cable.sent, cable.cut_after = 0, messages
                try:
                    joined = join_team(workspace, cut)
                except NotReady as error:
                    refused.append(error.error_code)
                    continue
                break
        assert len(refused) > 5
        assert set(refused) == {"server.unreachable"}
        assert joined.member.name == "Joiner"

    @pytest.mark.parametrize("place", ["redeem", "write_hub_config", "find_member"])
    def test_goes_on_with_the_same_invite_when_the_process_ends(
        self, bundle: Bundle, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, place: str
    ) -> None:
        class Killed(BaseException):
            pass

        def die(*_: object, **__: object) -> None:
            raise Killed

        with monkeypatch.context() as broken:
            broken.setattr(joining, {"redeem": "write_env_file"}.get(place, place), die)
            with pytest.raises(Killed):
                join_team(workspace, bundle)
        assert join_team(workspace, bundle).member.name == "Joiner"

    def test_wastes_no_invite_where_nothing_can_be_written(
        self, bundle: Bundle, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: object, **__: object) -> None:
            raise NotReady("No space left.", code="config.not_writable")

        with monkeypatch.context() as broken:
            broken.setattr(joining, "write_env_file", full)
            with pytest.raises(NotReady, match="No space"):
                join_team(workspace, bundle)
        assert join_team(workspace, bundle).is_new

    def test_never_overwrites_a_login_that_works(self, company: Company, bundle: Bundle, workspace: Workspace) -> None:
        join_team(workspace, bundle)
        before = workspace.hub_file(bundle.slug).read_bytes()
        second = company.invite_quickly("Second")
        with pytest.raises(Conflict) as refused:
            join_team(workspace, second)
        assert refused.value.error_code == "team.joined"
        assert workspace.hub_file(bundle.slug).read_bytes() == before
        assert company.count(
            f"SELECT count(*) FROM invites WHERE login_role = '{second.url.user}' AND redeemed_at IS NULL"
        )

    def test_replaces_a_login_that_is_dead_and_keeps_what_runs_the_hub(
        self, company: Company, bundle: Bundle, workspace: Workspace
    ) -> None:
        own = get_hub_config(Workspace(company.admin.root), company.slug)
        dead = own.url("app").with_login(own.url("app").user, "forgotten")
        write_hub_config(workspace, replace(own, urls={**own.urls, "app": dead}))
        joined = join_team(workspace, bundle)
        assert joined.member.name == "Joiner"
        kept = get_hub_config(workspace, company.slug)
        assert (kept.url("owner"), kept.url("worker"), kept.key) == (own.url("owner"), own.url("worker"), own.key)

    def test_never_touches_the_file_of_another_hub_of_that_name(self, bundle: Bundle, workspace: Workspace) -> None:
        other = replace(bundle.url, host="db.example.com")
        config = HubConfig(
            slug=bundle.slug,
            provider="url",
            prefix=bundle.slug,
            name=other.name,
            urls={"app": other},
            folder=Path("/tmp/x"),
        )
        write_hub_config(workspace, config)
        with pytest.raises(Conflict) as refused:
            join_team(workspace, bundle)
        assert refused.value.error_code == "team.other_hub"
        assert get_hub_config(workspace, bundle.slug) == config

    def test_knows_a_pooler(self, company: Company, bundle: Bundle, workspace: Workspace) -> None:
        try:
            with pgbouncer(company.server) as pooler:
                joined = join_team(workspace, through(bundle, pooler.port))
                assert (joined.member.name, joined.config.is_pooled) == ("Joiner", True)
        except Absent as reason:
            pytest.skip(str(reason))

    def test_takes_no_hub_for_another(self, company: Company, bundle: Bundle, workspace: Workspace) -> None:
        other = replace(bundle, slug="other", url=replace(bundle.url, user=bundle.url.user))
        with pytest.raises(NotReady) as refused:
            join_team(workspace, other)
        assert refused.value.error_code == "team.not_this_hub"
        assert join_team(workspace, bundle).is_new

    def test_says_that_a_used_invite_may_have_been_stolen(
        self, bundle: Bundle, workspace: Workspace, tmp_path: Path
    ) -> None:
        join_team(workspace, bundle)
        (tmp_path / "w2").mkdir()
        with pytest.raises(NotAllowed, match="was used") as refused:
            join_team(Workspace(tmp_path / "w2"), bundle)
        assert "somebody else" in (refused.value.ask or "")

    def test_checks_the_file_of_authorities_first(self, workspace: Workspace, bundle: Bundle) -> None:
        with pytest.raises(InvalidInput) as refused:
            join_team(workspace, bundle, ssl_root_cert="/not/there.crt")
        assert refused.value.error_code == "url.ssl_root_cert"


class TestLeaveTeam:
    def test_never_leaves_a_worker_behind(self, bundle: Bundle, workspace: Workspace, tmp_path: Path) -> None:
        urls = {"app": bundle.url, "worker": bundle.url}
        config = HubConfig(slug=bundle.slug, provider="url", prefix=bundle.slug, urls=urls, folder=tmp_path / "home")
        write_hub_config(workspace, config)
        lock = worker_daemon(config).lock_path
        lock.parent.mkdir(parents=True)
        with lock.open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            with pytest.raises(Conflict) as refused:
                leave_team(workspace, bundle.slug, discard_keys=True)
        assert refused.value.error_code == "team.worker_here"
        with pytest.raises(Conflict) as refused:
            leave_team(workspace, bundle.slug)
        assert refused.value.error_code == "team.holds_keys"
        assert get_hub_config(workspace, bundle.slug) == replace(config, name=bundle.url.name)

    def test_forgets_nothing_while_the_hub_cannot_be_asked(
        self, bundle: Bundle, workspace: Workspace, tmp_path: Path
    ) -> None:
        urls = {"app": replace(bundle.url, port=1)}
        config = HubConfig(slug=bundle.slug, provider="url", prefix=bundle.slug, urls=urls, folder=tmp_path / "home")
        write_hub_config(workspace, config)
        with pytest.raises(NotReady) as refused:
            leave_team(workspace, bundle.slug)
        assert refused.value.error_code == "server.unreachable"
        assert "delete config/connections/" in (refused.value.ask or "")
        assert workspace.hub_file(bundle.slug).exists()


class TestStateOf:
    @pytest.mark.parametrize(
        ("changes", "state"),
        [
            ({}, "open"),
            ({"expires_at": NOW}, "expired"),
            ({"expires_at": NOW - timedelta(days=1), "redeemed_at": NOW}, "redeemed"),
            ({"revoked_at": NOW}, "revoked"),
            ({"expires_at": NOW - timedelta(days=1), "revoked_at": NOW}, "expired"),
        ],
    )
    def test_tells_what_became_of_an_invite(self, changes: dict[str, datetime], state: InviteState) -> None:
        assert state_of(Invite(**{"expires_at": NOW + timedelta(seconds=1), **changes}), now=NOW) == state


class TestFounding:
    @staticmethod
    def make(workspace: Workspace, provider: str) -> Founding:
        """A run that must ask nobody for a database."""

        def ask() -> Source:
            raise AssertionError("it asked")

        return Founding(
            workspace, "acme", name="Acme", timezone="UTC", admin_name="Ada", provider=provider, find_source=ask
        )

    @pytest.mark.parametrize(
        ("wrong", "code"),
        [
            ({"provider": "local"}, "team.local"), ({"provider": "neom"}, "provider.unknown"), ({"slug": "psn"}, "hub.slug"),
            ({"name": " "}, "team.name"), ({"name": "A\x1b[2J"}, "team.name"), ({"admin_name": "x" * 101}, "team.name"),
            ({"timezone": "Mars/Base"}, "time.zone"), ({"timezone": "../../etc/passwd"}, "time.zone"),
        ],
        ids=str,
    )  # fmt: skip
    def test_never_asks_for_an_address_of_what_it_refuses(
        self, workspace: Workspace, wrong: dict[str, Any], code: str
    ) -> None:
        with pytest.raises(InvalidInput) as refused:
            check_founding(replace(self.make(workspace, "url"), **wrong))
        assert refused.value.error_code == code

    def test_makes_no_project_at_neon_in_a_dry_run(self, workspace: Workspace) -> None:
        plan = plan_founding(self.make(workspace, "neon"))
        assert [step["status"] for step in plan] == ["to do"] * 5


class TestTakeTurn:
    def test_lets_one_work_at_a_time(self, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("hub.actions.turns.TURN_SECONDS", 0.2)
        with take_turn_at_teams(workspace), pytest.raises(Conflict), take_turn_at_teams(workspace):
            pass
        with take_turn_at_teams(workspace):
            pass
