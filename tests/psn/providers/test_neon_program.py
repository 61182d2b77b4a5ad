"""How PSN runs `neonctl`, shown with small programs in its place that do what the real one does only on bad days (HUB-5)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from psn.errors import Conflict, InvalidInput, NotReady, Problem, RateLimited, Unavailable
from psn.providers.neon import NeonCli, find_neonctl, program, wire
from psn.providers.neon.program import Finished, Program, check_key, clean
from psn.providers.neon.refusals import read_refusal

KEY = "napi_0123456789abcdef"
NOW = datetime(2026, 12, 1, tzinfo=UTC)
REPOSITORY = Path(__file__).resolve().parents[3]
MakeProgram = Callable[..., Program]


@pytest.fixture
def make_program(tmp_path: Path) -> MakeProgram:
    """Make a program of a few lines of shell, and what runs it."""

    def make(script: str, *, seconds: float = 20.0, **environment: str) -> Program:
        path = write_script(tmp_path / "neonctl", script)
        around = {"PATH": os.environ["PATH"], **environment}
        return Program(path, key=KEY, folder=tmp_path / "folder", environment=around, seconds=seconds)

    return make


def write_script(path: Path, script: str, *, shell: str = "/bin/sh") -> Path:
    path.write_text(f"#!{shell}\n{textwrap.dedent(script)}")
    path.chmod(0o755)
    return path


def run(ready: Program, *arguments: str, tell: Callable[[str], None] = lambda _: None) -> Finished:
    return ready.run(*arguments, tell=tell)


class TestTheKey:
    def test_goes_into_the_environment_and_never_onto_the_command_line(self, make_program: MakeProgram) -> None:
        finished = run(make_program('printf "%s " "$@"; env'), "projects", "list")
        line, *environment = finished.output.splitlines()
        assert KEY not in line
        assert any(entry.endswith(f"NEON_API_KEY={KEY}") for entry in [line, *environment])

    def test_is_the_only_secret_that_the_program_gets(self, make_program: MakeProgram) -> None:
        around = {"X_CLIENT_SECRET": "hush-x", "HUB_ENCRYPTION_KEY": "hush-hub", "NODE_OPTIONS": "--inspect"}
        said = run(make_program("env", **around, NEON_PROFILE="work", HTTPS_PROXY="http://proxy.example")).output
        assert "hush" not in said
        assert "NODE_OPTIONS" not in said
        assert "NEON_PROFILE" not in said
        assert "HTTPS_PROXY=http://proxy.example" in said

    def test_is_in_nothing_that_comes_back(self, make_program: MakeProgram) -> None:
        finished = run(make_program('echo "ERROR: Bearer $NEON_API_KEY is bad, so is $NEON_API_KEY" >&2; exit 1'))
        assert KEY not in f"{finished.message}{finished!r}"
        assert KEY not in repr(make_program("true"))

    @pytest.mark.parametrize("text", ["", "  ", "\n"])
    def test_is_missed(self, text: str) -> None:
        with pytest.raises(NotReady) as caught:
            check_key(text)
        assert caught.value.error_code == "neon.no_key"

    @pytest.mark.parametrize("text", ["napi_with space", "napi_line\nbreak", "short", "napi_ünicode", "x" * 600])
    def test_is_refused_without_being_repeated(self, text: str) -> None:
        with pytest.raises(NotReady) as caught:
            check_key(text)
        assert caught.value.error_code == "neon.bad_key"
        assert text not in f"{caught.value.message}{caught.value.ask}"

    def test_of_the_environment_goes_before_the_saved_one(self, tmp_path: Path) -> None:
        around = {"PSN_NEONCTL": "/bin/true", "NEON_API_KEY": f" {KEY}\n"}
        assert NeonCli.from_environment(around, folder=tmp_path, key="napi_saved_one").program.key == KEY
        del around["NEON_API_KEY"]
        assert NeonCli.from_environment(around, folder=tmp_path, key="napi_saved_one").program.key == "napi_saved_one"

    @pytest.mark.parametrize("name", ["PSN_NEON_PROJECT", "PSN_NEON_ORG", "PSN_NEON_REGION"])
    def test_comes_with_no_option_in_the_place_of_an_id(self, tmp_path: Path, name: str) -> None:
        around = {"PSN_NEONCTL": "/bin/true", "NEON_API_KEY": KEY, name: "--api-host=http://evil.example"}
        with pytest.raises(InvalidInput) as caught:
            NeonCli.from_environment(around, folder=tmp_path)
        assert caught.value.error_code == "neon.bad_id"


class TestAChoice:
    def test_of_a_person_goes_before_what_a_hub_was_begun_with(self, tmp_path: Path) -> None:
        around = {"PSN_NEONCTL": "/bin/true", "NEON_API_KEY": KEY, "PSN_NEON_REGION": "aws-us-east-2"}
        begun = NeonCli.from_environment(around, folder=tmp_path, project_id="begun-1")
        assert (begun.project_id, begun.org_id, begun.region) == ("begun-1", "", "aws-us-east-2")
        around |= {"PSN_NEON_PROJECT": " chosen-2\n", "PSN_NEON_ORG": "org-3"}
        chosen = NeonCli.from_environment(around, folder=tmp_path, project_id="begun-1")
        assert (chosen.project_id, chosen.org_id) == ("chosen-2", "org-3")


class TestFindingIt:
    @pytest.mark.parametrize("name", ["neonctl", "neon"])
    def test_looks_on_the_path(self, tmp_path: Path, name: str) -> None:
        made = write_script(tmp_path / name, "true")
        assert find_neonctl({"PATH": str(tmp_path)}) == made

    def test_takes_what_was_named_and_nothing_else(self, tmp_path: Path) -> None:
        write_script(tmp_path / "neonctl", "true")
        mine = write_script(tmp_path / "mine", "true")
        assert find_neonctl({"PATH": str(tmp_path), "PSN_NEONCTL": str(mine)}) == mine
        with pytest.raises(NotReady) as caught:
            find_neonctl({"PATH": str(tmp_path), "PSN_NEONCTL": str(tmp_path / "gone")})
        assert caught.value.error_code == "neon.no_cli"

    def test_tells_how_to_install_it(self, tmp_path: Path) -> None:
        with pytest.raises(NotReady) as caught:
            find_neonctl({"PATH": str(tmp_path)})
        assert caught.value.error_code == "neon.no_cli"
        assert "npm install -g neonctl" in (caught.value.ask or "")

    def test_tells_that_node_is_missing(self, make_program: MakeProgram, tmp_path: Path) -> None:
        ready = make_program("true")
        write_script(ready.path, "", shell="/usr/bin/env no-such-node")
        with pytest.raises(NotReady) as caught:
            run(ready)
        assert caught.value.error_code == "neon.no_cli"
        assert "Node.js" in caught.value.message

    def test_tells_that_it_cannot_be_started(self, make_program: MakeProgram) -> None:
        ready = make_program("true")
        ready.path.chmod(0o644)
        with pytest.raises(NotReady) as caught:
            run(ready)
        assert caught.value.error_code == "neon.no_cli"


class TestARun:
    def test_is_never_asked_and_never_shows_a_browser(self, make_program: MakeProgram) -> None:
        said = run(make_program('read answer && echo "was answered"; echo "CI=$CI"; echo "$@"'), "orgs", "list").output
        assert "was answered" not in said
        assert "CI=1" in said
        assert "orgs list --output json --no-analytics --no-color --config-dir" in said

    def test_is_ended_with_all_that_it_started(self, make_program: MakeProgram, tmp_path: Path) -> None:
        mark = tmp_path / "still-there"
        ready = make_program(f"(sleep 3; touch {mark}) & sleep 60", seconds=0.5)
        began = time.monotonic()
        with pytest.raises(Unavailable) as caught:
            run(ready)
        assert caught.value.error_code == "neon.unavailable"
        assert time.monotonic() - began < 3
        time.sleep(3.5)
        assert not mark.exists()

    def test_waits_for_one_whose_starter_was_killed(self, make_program: MakeProgram, tmp_path: Path) -> None:
        """It may be making a project at this moment: a look at the list now would not see it."""
        begun, done = tmp_path / "begun", tmp_path / "done"
        ready = make_program(f"[ $1 = look ] && cat {done} && exit; touch {begun}; sleep 1.5; echo made > {done}")
        starter = start_and_kill(ready, begun)
        assert starter == -signal.SIGKILL
        assert not done.exists()
        heard: list[str] = []
        assert run(ready, "look", tell=heard.append).output == "made\n"
        assert heard == ["Waiting for another command that talks to Neon."]

    def test_does_not_wait_for_ever(self, make_program: MakeProgram, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(program, "TURN_SECONDS", 0.3)
        ready = make_program("sleep 4")
        process = start(ready)
        try:
            while not (ready.folder / ".neonctl.lock").exists():
                time.sleep(0.02)
            time.sleep(0.2)
            with pytest.raises(Conflict) as caught:
                run(ready)
            assert caught.value.error_code == "neon.busy"
        finally:
            process.kill()
            process.wait()

    def test_makes_its_folder_private(self, make_program: MakeProgram) -> None:
        ready = make_program("true")
        run(ready)
        assert ready.folder.stat().st_mode & 0o777 == 0o700
        assert (ready.folder / ".neonctl.lock").stat().st_mode & 0o777 == 0o600


# What neonctl 5.0.1 says, word for word; stack frames left out. The last one is Node.js itself.
SAID = {
    401: "DEBUG: 401 Unauthorized\nDEBUG: Stack: NeonApiError: x\nERROR: Authentication failed: the Neon API rejected the API key.",
    403: "DEBUG: 403 Forbidden\nERROR: forbidden\nDEBUG: status: 403 Forbidden | path: /api/v2/users/me/organizations",
    422: "DEBUG: 422 Unprocessable Entity\nERROR: projects limit exceeded\nDEBUG: status: 422 Unprocessable Entity | path: /x",
    423: "DEBUG: 423 Locked\nERROR: project already has running operations\nDEBUG: status: 423 Locked | path: /x",
    429: "DEBUG: 429 Too Many Requests\nERROR: too many requests\nDEBUG: status: 429 Too Many Requests | path: /x",
    502: "DEBUG: GET https://x\nDEBUG: 502 Bad Gateway\nDEBUG: status: 502 Bad Gateway | path: /x",
}
REFUSALS = [
    (SAID[401], NotReady, "neon.bad_key"),
    (SAID[403], InvalidInput, "neon.refused"),
    (SAID[422], InvalidInput, "neon.refused"),
    (SAID[423], Unavailable, "neon.unavailable"),
    (SAID[429], RateLimited, "platform.rate_limited"),
    (SAID[502], Unavailable, "neon.unavailable"),
    ("ERROR: Could not reach the Neon API. Please check your internet connection.", Unavailable, "neon.unavailable"),
    ("ERROR: Request timed out", Unavailable, "neon.unavailable"),
    ("ERROR: Cannot run interactive auth in CI", NotReady, "neon.no_key"),
    ("DEBUG: 200 OK\nERROR: Database not found: neondb", NotReady, "neon.cli_failed"),
    ("SyntaxError: Unexpected token '?'\n    at wrapSafe (node:internal)", NotReady, "neon.cli_failed"),
    ("", NotReady, "neon.cli_failed"),
]


class TestARefusal:
    @pytest.mark.parametrize(
        ("said", "problem", "code"), REFUSALS, ids=[said[:30] or "nothing" for said, *_ in REFUSALS]
    )
    def test_is_read_from_what_neonctl_says(
        self, make_program: MakeProgram, tmp_path: Path, said: str, problem: type[Problem], code: str
    ) -> None:
        (tmp_path / "said").write_text(said)
        finished = run(make_program(f"cat {tmp_path / 'said'} >&2; exit 1"))
        refusal = read_refusal(finished, now=NOW)
        assert (type(refusal), refusal.error_code) == (problem, code)
        words = said.partition("ERROR: ")[2].partition("\n")[0]
        assert words in refusal.message or code in ("neon.bad_key", "neon.no_key")

    def test_to_be_waited_for_says_until_when(self) -> None:
        refusal = read_refusal(Finished(1, "", 429, "slow"), now=NOW)
        assert isinstance(refusal, RateLimited)
        assert (refusal.retry_at - NOW).total_seconds() == 60

    @pytest.mark.parametrize(
        "text",
        [
            "postgresql://neondb_owner:npg_s3cret@ep-x.neon.tech/neondb",
            "password npg_s3cret-Xx_y",
            "key napi_s3cret",
            "Authorization: Bearer s3cret",
            "https://ana:s3cret@proxy.example refused",
        ],
    )
    def test_shows_no_secret(self, text: str) -> None:
        assert "s3cret" not in clean(text)
        assert "s3cret" not in clean(f"of s3cret: {text}", key="s3cret")


class TestAnAnswer:
    def test_lists_projects_with_and_without_those_of_others(self) -> None:
        mine = '[{"id": "a-1", "name": "psn", "region_id": "x"}]'
        assert [project.id for project in wire.read_projects(mine)] == ["a-1"]
        shared = f'{{"projects": {mine}, "shared_with_you": [{{"id": "b-2", "name": "psn"}}]}}'
        assert [project.id for project in wire.read_projects(shared)] == ["a-1"]

    @pytest.mark.parametrize("text", ["", "[]x", "{}", '[{"id": 1}]', "null", '[{"id": "a", "nome": "npg_s3cret"}]'])
    def test_that_is_something_else_is_never_repeated(self, text: str) -> None:
        with pytest.raises(ValueError) as caught:
            wire.read_projects(text)
        assert "s3cret" not in str(caught.value)
        assert caught.value.__cause__ is None

    @pytest.mark.parametrize(
        ("newest_first", "failed"),
        [
            ("create_timeline:finished", None),
            ("start_compute:failed create_timeline:finished", None),
            ("create_timeline:failed", "create_timeline"),
            ("create_timeline:finished create_timeline:failed", None),
            ("create_timeline:error create_timeline:finished", "create_timeline"),
            ("check_availability:failed", None),
        ],
    )
    def test_says_whether_a_project_was_made(self, newest_first: str, failed: str | None) -> None:
        pairs = [one.split(":") for one in newest_first.split()]
        found = wire.find_failed([wire.Operation(action=action, status=status) for action, status in pairs])
        assert (found.action if found else None) == failed


def start(ready: Program) -> subprocess.Popen[bytes]:
    """Run a program from a process of its own."""
    code = (
        "import sys; from pathlib import Path; from psn.providers.neon.program import Program\n"
        f"Program(Path({str(ready.path)!r}), key={KEY!r}, folder=Path({str(ready.folder)!r}), "
        f"environment={dict(ready.environment)!r}).run('make', tell=print)"
    )
    return subprocess.Popen([sys.executable, "-c", code], cwd=REPOSITORY, stdout=subprocess.DEVNULL)


def start_and_kill(ready: Program, begun: Path) -> int:
    """Kill the one who runs a program, and not the program; gives how he ended."""
    process = start(ready)
    while not begun.exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    return process.wait()
