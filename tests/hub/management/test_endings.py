"""However a command ends, it says so once: in one result line, or on stderr when stdout takes none (CLI-1)."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.e2e.workspace import REPOSITORY, Workspace, copy_clone, make_workspace, read_outcome

NO_PACKAGES = ["-I", "-S"]  # neither the environment's packages nor the user's


@pytest.fixture
def bare() -> Iterator[Workspace]:
    """A workspace without a hub; nothing here needs one."""
    workspace = make_workspace()
    yield workspace
    workspace.remove()


@pytest.fixture(scope="module")
def clone() -> Iterator[Workspace]:
    """A clone of its own, which a test may break."""
    workspace = make_workspace()
    yield replace(workspace, repository=copy_clone(workspace.folder / "clone"))
    workspace.remove()


def shell(workspace: Workspace, command: str, redirection: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command as a person's shell does, with its output redirected."""
    line = f"{shlex.quote(sys.executable)} manage.py {command} {redirection}"
    environment = {
        "HOME": str(workspace.folder),
        "PSN_WORKSPACE": str(workspace.root),
        "PSN_HOME": str(workspace.home),
        "PSN_NO_BOOTSTRAP": "1",
    }
    return subprocess.run(
        ["/bin/bash", "-c", line], cwd=REPOSITORY, env=environment, capture_output=True, check=False, timeout=60
    )


class TestHelp:
    @pytest.mark.parametrize(
        "arguments",
        [["psn_post", "--help"], ["psn_post", "create", "-h"], ["psn_config", "keys", "set", "--help"], ["psn_setup", "-h"]],
        ids=" ".join,
    )  # fmt: skip
    def test_is_text_on_stdout(self, bare: Workspace, arguments: list[str]) -> None:
        process = bare.launch(*arguments)
        stdout, _ = process.communicate(timeout=60)
        assert (process.returncode, stdout[:6]) == (0, b"usage:")

    @pytest.mark.parametrize(
        "arguments",
        [
            ["psn_post", "bogus", "--help"],
            ["psn_post", "create", "--account", "@a", "--text", "-h"],
            ["psn_post", "list", "--limit", "many", "--help"],
            ["psn_post", "show", "--", "-h", "more"],
        ],
        ids=" ".join,
    )
    def test_is_no_answer_to_a_command_that_is_wrong(self, bare: Workspace, arguments: list[str]) -> None:
        bare.refused(*arguments, code="usage", exit_code=2)

    def test_is_not_asked_for_by_a_value(self, bare: Workspace) -> None:
        bare.refused("psn_post", "create", "--account", "@a", "--text=-h", code="hub.missing", exit_code=3)


class TestAnAbbreviation:
    @pytest.mark.parametrize("option", ["--app", "--approv", "--dry", "--acc"])
    def test_is_no_option(self, bare: Workspace, option: str) -> None:
        """Consent is typed whole (POST-4)."""
        value = ["@a"] if option == "--acc" else []
        account = [] if value else ["--account", "@a"]
        bare.refused("psn_post", "create", *account, "--text", "x", option, *value, code="usage", exit_code=2)

    def test_is_no_yes_to_a_restore(self, bare: Workspace) -> None:
        bare.refused("psn_hub", "restore", "a.dump", "--y", code="usage", exit_code=2)


class TestAnEnvironmentThatLacksSomething:
    def run(self, repository: Path, *, python: list[str], command: str = "psn_setup") -> tuple[int, bytes, bytes]:
        done = subprocess.run(
            [*python, str(repository / "manage.py"), command],
            env={"PSN_NO_BOOTSTRAP": "1", "PATH": "/usr/bin:/bin"},
            cwd=repository,
            capture_output=True,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    @pytest.mark.parametrize("command", ["psn_setup", "check"])
    def test_is_told_what_to_do(self, command: str) -> None:
        outcome = read_outcome(*self.run(REPOSITORY, python=[sys.executable, *NO_PACKAGES], command=command))
        assert (outcome.exit_code, outcome.code) == (3, "boot.no_packages")
        assert "PSN_NO_BOOTSTRAP" in outcome.result["error"]["message"]
        assert outcome.result["next_action"]["needs"] == "human"

    @pytest.mark.parametrize(
        "spoil", ["raise RuntimeError('spoilt')", "this is no Python", "import no_such_package"], ids=str
    )
    def test_names_a_command_that_does_not_load(self, clone: Workspace, spoil: str) -> None:
        module = clone.repository / "hub/management/commands/psn_setup.py"
        before = module.read_text()
        module.write_text(f"{spoil}\n")
        try:
            outcome = read_outcome(*self.run(clone.repository, python=[sys.executable]))
        finally:
            module.write_text(before)
        assert (outcome.exit_code, outcome.code) == (
            3,
            "boot.no_packages" if "no_such" in spoil else "boot.failed",
        )
        assert outcome.result["next_action"]["needs"] == "human"

    @pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
    def test_may_speak_ascii_alone(self, bare: Workspace, encoding: str) -> None:
        narrow = replace(bare, environment={"PYTHONIOENCODING": encoding, "LC_ALL": "C"})
        outcome = narrow.refused("psn_é", code="usage.unknown_command", exit_code=2)
        assert "é" in outcome.result["error"]["message"].encode("utf-8", "surrogateescape").decode()


class TestASignal:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
    def test_ends_in_one_result_line(self, bare: Workspace, number: signal.Signals) -> None:
        bare.hub_env.parent.mkdir()
        bare.hub_env.write_text(f"PROVIDER=local\nDATA={bare.home}/pg\nSOCKET_DIR={bare.home}\nNAME=psn\n")
        bare.hub_env.chmod(0o600)
        process = bare.launch("psn_account", "connect", "x", "--token-stdin")  # waits for stdin
        wait_until_it_reads(process.pid)
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=30)
        outcome = read_outcome(process.returncode, stdout, stderr)
        assert (outcome.exit_code, outcome.code) == (130, "interrupted")


class TestAStdoutThatTakesNothing:
    def test_is_refused_before_anything_is_done_when_it_is_closed(self, bare: Workspace) -> None:
        done = shell(bare, "psn_setup --only environment", ">&-")
        assert (done.returncode, done.stdout) == (2, b"")
        assert b"stdout is closed" in done.stderr
        assert b"Traceback" not in done.stderr
        assert list(bare.root.iterdir()) == []

    @pytest.mark.parametrize("redirection", [">/dev/full", "| true; exit ${PIPESTATUS[0]}"], ids=["full", "no reader"])
    def test_is_a_bug_for_the_caller_once_the_work_is_done(self, bare: Workspace, redirection: str) -> None:
        done = shell(bare, "psn_setup --only environment", redirection)
        assert done.returncode == 70, done.stderr
        assert b"The work is done" in done.stderr
        assert b"Traceback" not in done.stderr
        assert (bare.root / "config").is_dir()

    def test_keeps_the_exit_code_of_a_refusal(self, bare: Workspace) -> None:
        done = shell(bare, "psn_post list", ">/dev/full")
        assert done.returncode == 3
        assert b"This workspace has no hub yet." in done.stderr
        assert b"could not be written" in done.stderr

    def test_is_said_of_help_and_of_unknown_commands_too(self, bare: Workspace) -> None:
        assert shell(bare, "psn_post --help", ">/dev/full").returncode == 70
        done = shell(bare, "psn_sing", ">/dev/full")
        assert (done.returncode, b"Traceback" in done.stderr) == (2, False)


class TestAStderrThatTakesNothing:
    @pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full"])
    def test_changes_nothing_on_stdout(self, bare: Workspace, redirection: str) -> None:
        done = shell(bare, "psn_setup --only environment", redirection)
        assert json.loads(done.stdout.splitlines()[-1])["ok"] is True
        assert done.returncode == 0

    @pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full"])
    def test_keeps_a_refusal_s_exit_code(self, bare: Workspace, redirection: str) -> None:
        done = shell(bare, "psn_post list", redirection)
        assert (done.returncode, len(done.stdout.splitlines())) == (3, 1)


class TestAStdinThatIsClosed:
    def test_is_no_text_and_no_secret(self, bare: Workspace) -> None:
        done = shell(bare, "psn_account connect x --token-stdin", "<&-")
        assert json.loads(done.stdout)["error"]["code"] in ("account.token_document", "hub.missing")


class TestASettingThatCannotBeRead:
    @pytest.mark.parametrize("command", ["psn_setup", "psn_validate", "psn_post list", "psn_hub status"])
    @pytest.mark.parametrize(
        ("text", "code"),
        [("what is this\n", "config.env_line"), ("PROVIDER=neom\n", "provider.unknown"), ("PROVIDER=local\n", "config.field")],
        ids=["line", "provider", "field"],
    )  # fmt: skip
    def test_is_mended_by_a_person_and_by_no_command(self, bare: Workspace, command: str, text: str, code: str) -> None:
        bare.hub_env.parent.mkdir()
        bare.hub_env.write_text(text)
        bare.hub_env.chmod(0o600)
        outcome = bare.refused(*command.split(), code=code, exit_code=5)
        action = outcome.result["next_action"]
        assert action["needs"] == "human"
        assert "command" not in action
        assert str(bare.hub_env) in action["ask"]

    def test_may_be_a_folder(self, bare: Workspace) -> None:
        bare.hub_env.mkdir(parents=True)
        outcome = bare.refused("psn_setup", code="config.unreadable", exit_code=3)
        assert "is a folder" in outcome.result["error"]["message"]
        assert "chmod" not in outcome.stdout


def wait_until_it_reads(pid: int) -> None:
    """Wait until a process sleeps in a read of its stdin."""
    give_up = time.monotonic() + 30
    while time.monotonic() < give_up:
        try:
            call = Path(f"/proc/{pid}/syscall").read_text().split()
        except OSError:
            call = []
        if call[:2] == ["0", "0x0"] or (call[:2] and call[0] == "63" and call[1] == "0x0"):  # read on x86-64, on arm64
            return
        time.sleep(0.02)
    raise AssertionError("it never read")
