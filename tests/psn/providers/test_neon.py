"""Neon through its real program, against the stand-in of its API (HUB-5)."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from psn.errors import Conflict, InvalidInput, NotReady, Problem, RateLimited, Unavailable
from psn.providers.neon import NeonCli, Project
from psn.providers.url import check_fit, inspect_server
from tests.neon_api import NeonApi, Organisation, World, run_neon_api
from tests.neon_api.postgres import Postgres
from tests.neon_api.program import need_neonctl
from tests.neon_api.world import NOWHERE, Operation
from tests.neon_api.world import Project as Made
from tests.servers import need_server

Connect = Callable[..., NeonCli]


@pytest.fixture
def neonctl() -> Path:
    return need_neonctl()


@pytest.fixture
def api(neonctl: Path) -> Iterator[NeonApi]:
    """An organisation's key, with which neonctl has least to ask."""
    with run_neon_api(World(needs_org=False)) as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where neonctl is run; whatever it leaves is seen there."""
    (tmp_path / "home").mkdir()
    (tmp_path / "folder").mkdir()
    return tmp_path / "folder"


@pytest.fixture
def connect(api: NeonApi, neonctl: Path, folder: Path) -> Connect:
    """Make what talks to the stand-in, as a new process would."""

    def make(*, tell: Callable[[str], None] = lambda _: None, **environment: str) -> NeonCli:
        around = {"PATH": os.environ["PATH"], "HOME": str(folder.parent / "home"), "PSN_NEONCTL": str(neonctl)}
        return NeonCli.from_environment({**around, **api.environment, **environment}, folder=folder, tell=tell)

    return make


def posts(api: NeonApi) -> int:
    """Count how often a project was asked for."""
    return [call.name for call in api.calls].count("POST /projects")


def add_project(api: NeonApi, name: str, number: int = 1) -> Made:
    """Let the account have a project."""
    project = Made(f"project-{number}", name, "", NOWHERE, "npg_x", operations=[Operation("start_compute")])
    api.world.projects.append(project)
    return project


class TestAProject:
    def test_is_made_once_and_found_again(self, api: NeonApi, connect: Connect) -> None:
        made = connect().ensure_project("psn-ana")
        assert made == Project(api.world.projects[0].id, "psn-ana", created=True)
        assert connect().ensure_project("psn-ana") == Project(made.id, "psn-ana", created=False)
        assert posts(api) == 1

    def test_is_what_was_asked_for(self, api: NeonApi, connect: Connect) -> None:
        connect(PSN_NEON_REGION="aws-us-east-2").ensure_project("--name", pg_version=17)
        (made,) = api.world.projects
        assert (made.name, made.region_id, made.pg_version) == ("--name", "aws-us-east-2", 17)

    def test_is_found_past_the_first_page(self, api: NeonApi, connect: Connect) -> None:
        for number in range(120):
            add_project(api, f"other {number}", number)
        wanted = add_project(api, "psn-ana", 999)
        assert connect().ensure_project("psn-ana").id == wanted.id
        assert posts(api) == 0

    def test_is_never_a_guess_between_two(self, api: NeonApi, connect: Connect) -> None:
        first, second = add_project(api, "psn-ana", 1), add_project(api, "psn-ana", 2)
        with pytest.raises(Conflict) as caught:
            connect().ensure_project("psn-ana")
        assert caught.value.error_code == "neon.which_project"
        assert first.id in caught.value.message
        assert second.id in caught.value.message
        assert "PSN_NEON_PROJECT" in (caught.value.ask or "")
        assert connect(PSN_NEON_PROJECT=second.id).ensure_project("psn-ana").id == second.id

    def test_that_was_named_must_be_there(self, api: NeonApi, connect: Connect) -> None:
        with pytest.raises(InvalidInput) as caught:
            connect(PSN_NEON_PROJECT="no-such-1").ensure_project("psn-ana")
        assert caught.value.error_code == "neon.no_project"
        assert posts(api) == 0

    def test_is_refused_in_neons_own_words(self, api: NeonApi, connect: Connect) -> None:
        api.world.limit = 0
        with pytest.raises(InvalidInput) as caught:
            connect().ensure_project("psn-ana")
        assert caught.value.error_code == "neon.refused"
        assert "projects limit exceeded" in caught.value.message

    def test_is_found_again_when_the_answer_to_its_making_was_lost(self, api: NeonApi, connect: Connect) -> None:
        api.fail("POST /projects", kind="lost", times=1)
        with pytest.raises(Unavailable) as caught:
            connect().ensure_project("psn-ana")
        assert caught.value.error_code == "neon.unavailable"
        assert "again" in caught.value.message
        assert posts(api) == 1, "neonctl asks once for what it does not know the end of"
        assert connect().ensure_project("psn-ana").created is False
        assert len(api.world.projects) == 1


class TestAnOrganisation:
    """Neon wants one of every personal key of today."""

    @pytest.fixture(autouse=True)
    def _personal_key(self, api: NeonApi) -> None:
        api.world.needs_org = True

    def test_is_taken_by_itself_where_there_is_only_one(self, api: NeonApi, connect: Connect) -> None:
        connect().ensure_project("psn-ana")
        assert [project.org_id for project in api.world.projects] == [api.world.organisations[0].id]

    def test_is_chosen_by_a_person_where_there_are_several(self, api: NeonApi, connect: Connect) -> None:
        api.world.organisations.append(Organisation("org-second-1", "Studio"))
        with pytest.raises(Conflict) as caught:
            connect().ensure_project("psn-ana")
        assert caught.value.error_code == "neon.which_org"
        assert "Studio (org-second-1)" in caught.value.message
        connect(PSN_NEON_ORG="org-second-1").ensure_project("psn-ana")
        assert [project.org_id for project in api.world.projects] == ["org-second-1"]

    def test_is_missed_where_there_is_none(self, api: NeonApi, connect: Connect) -> None:
        api.world.organisations.clear()
        with pytest.raises(NotReady) as caught:
            connect().ensure_project("psn-ana")
        assert caught.value.error_code == "neon.no_org"


class TestAnAddress:
    def test_is_the_owners_past_the_pooler_with_a_checked_certificate(self, api: NeonApi, connect: Connect) -> None:
        server = need_server("15")
        api.world.servers = [Postgres(server.host, server.port, server.superuser, server.password)]
        url = connect().connection_url(api.world.create_project(name="psn-ana").id)
        try:
            assert (url.user, url.name, url.sslmode, url.is_neon_pooler) == (
                "neondb_owner",
                "neondb",
                "verify-full",
                False,
            )
            facts = inspect_server(url.options(ssl_root_cert=str(server.ca_file)))
            assert (facts.has_tls, facts.bypasses_rls, facts.can_create_roles, facts.is_superuser) == (
                True,
                True,
                True,
                False,
            )
            check_fit(facts, company=False, loopback=False)
        finally:
            server.drop("neondb", "neon_superuser")

    def test_waits_until_neon_has_made_the_project(self, api: NeonApi, connect: Connect) -> None:
        api.world.looks = 2
        heard: list[str] = []
        made = api.world.create_project(name="psn-ana")
        assert connect(tell=heard.append).connection_url(made.id).user == "neondb_owner"
        assert any("start_compute" in line for line in heard)

    def test_is_not_waited_for_for_ever_and_comes_later(self, api: NeonApi, connect: Connect) -> None:
        api.world.looks = -1
        neon = connect()
        neon.ready_seconds = 0.5
        project = api.world.create_project(name="psn-ana")
        with pytest.raises(Unavailable) as caught:
            neon.connection_url(project.id)
        assert caught.value.error_code == "neon.unavailable"
        assert project.id in caught.value.message
        for operation in project.operations:
            operation.looks = 0
        assert connect().connection_url(project.id).name == "neondb"

    def test_is_none_of_a_project_that_neon_could_not_make(self, api: NeonApi, connect: Connect) -> None:
        add_project(api, "psn-ana").operations = [Operation("create_timeline", failed=True)]
        with pytest.raises(NotReady) as caught:
            connect().connection_url("project-1")
        assert caught.value.error_code == "neon.half_made"
        assert "create_timeline" in caught.value.message

    def test_is_none_of_a_project_of_something_else(self, api: NeonApi, connect: Connect) -> None:
        add_project(api, "psn-ana").database = "shop"
        with pytest.raises(NotReady) as caught:
            connect().connection_url("project-1")
        assert caught.value.error_code == "neon.half_made"
        assert "neondb" in caught.value.message


class TestTrouble:
    @pytest.mark.parametrize(
        ("fault", "problem", "code"),
        [
            ({"status": 503, "message": ""}, Unavailable, "neon.unavailable"),
            ({"status": 502, "kind": "garbage"}, Unavailable, "neon.unavailable"),
            ({"kind": "refused"}, Unavailable, "neon.unavailable"),
            ({"status": 429, "message": "slow down"}, RateLimited, "platform.rate_limited"),
            ({"status": 403, "message": "this key may not"}, InvalidInput, "neon.refused"),
            ({"status": 200, "kind": "garbage"}, NotReady, "neon.cli_failed"),
        ],
        ids=lambda value: "-".join(str(one) for one in value.values()) if isinstance(value, dict) else None,
    )
    def test_says_whether_to_try_again(
        self, api: NeonApi, connect: Connect, fault: dict[str, Any], problem: type[Problem], code: str
    ) -> None:
        api.fail("GET /projects", **fault)
        with pytest.raises(problem) as caught:
            connect().ensure_project("psn-ana")
        assert caught.value.error_code == code
        assert fault.get("message", "") in caught.value.message
        assert posts(api) == 0

    def test_is_a_key_that_neon_does_not_know(self, connect: Connect) -> None:
        with pytest.raises(NotReady) as caught:
            connect(NEON_API_KEY="napi_of_somebody_else").ensure_project("psn-ana")
        assert caught.value.error_code == "neon.bad_key"
        assert "napi_of_somebody_else" not in f"{caught.value.message}{caught.value.ask}"

    def test_is_a_neon_that_never_answers(self, api: NeonApi, connect: Connect) -> None:
        api.fail("GET /projects", kind="silent")
        neon = connect()
        object.__setattr__(neon.program, "seconds", 3.0)
        began = time.monotonic()
        with pytest.raises(Unavailable) as caught:
            neon.ensure_project("psn-ana")
        assert caught.value.error_code == "neon.unavailable"
        assert time.monotonic() - began < 10


class TestATrace:
    def test_is_left_nowhere(self, api: NeonApi, connect: Connect, folder: Path) -> None:
        neon = connect()
        neon.connection_url(neon.ensure_project("psn-ana").id)
        with pytest.raises(Unavailable):
            connect(NEON_API_HOST="http://127.0.0.1:9").ensure_project("psn-ana")
        assert [path.name for path in folder.rglob("*")] == [".neonctl.lock"]
        assert list((folder.parent / "home").rglob("*")) == []

    def test_of_another_tool_misleads_nobody(self, api: NeonApi, connect: Connect, folder: Path) -> None:
        """What `neonctl link` and a person's own login leave: another organisation, another key."""
        (folder / ".neon").write_text('{"orgId": "org-of-others-1", "projectId": "project-of-others"}')
        login = folder.parent / "home" / ".config" / "neon"
        login.mkdir(parents=True)
        (login / "credentials.json").write_text('{"access_token": "theirs", "type": "oauth"}')
        made = connect(NEON_PROFILE="theirs", NEON_CONFIG_DIR=str(login)).ensure_project("psn-ana")
        assert [(project.id, project.org_id) for project in api.world.projects] == [(made.id, "")]
        assert {call.authorization for call in api.calls} == {f"Bearer {api.world.key}"}

    def test_of_the_key_is_in_no_message(self, api: NeonApi, connect: Connect) -> None:
        key = api.world.key
        said = f"bad key {key}, see postgresql://neondb_owner:npg_s3cret@host/neondb"
        api.fail("GET /projects", status=400, message=said)
        with pytest.raises(InvalidInput) as caught:
            connect().ensure_project("psn-ana")
        assert "bad key ***" in caught.value.message
        assert key not in caught.value.message
        assert "npg_s3cret" not in caught.value.message
