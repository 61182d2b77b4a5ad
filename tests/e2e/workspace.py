"""A workspace of its own, and commands in it as the processes they are."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from jsonschema import Draft202012Validator

REPOSITORY = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((REPOSITORY / "hub" / "management" / "cli.schema.json").read_text())
LINES = Draft202012Validator(SCHEMA)
WEB = httpx2.Client(trust_env=False, timeout=20, follow_redirects=True)  # one for the run: making one takes longest
PATIENCE_SECONDS = 120.0  # with a busy machine; nothing here takes a tenth of it


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    exit_code: int
    lines: list[dict[str, Any]]
    stdout: str
    stderr: str

    @property
    def result(self) -> dict[str, Any]:
        """The one result line."""
        return self.lines[-1]

    @property
    def data(self) -> dict[str, Any]:
        """The data of a command that ended well."""
        assert self.exit_code == 0, f"{self.result}\n{self.stderr[-3000:]}"
        data: dict[str, Any] = self.result.get("data", {})
        return data

    @property
    def code(self) -> str:
        """The stable code of a refusal."""
        assert self.exit_code != 0, self.result
        return str(self.result["error"]["code"])

    @property
    def next_command(self) -> str | None:
        """What the command says to run next."""
        command: str | None = self.result.get("next_action", {}).get("command")
        return command


@dataclass(frozen=True)
class Workspace:
    """One person's workspace and hub, away from everybody else's.

    Args:
        folder: holds everything below, and nothing else does.
        prefix: before the command: `runuser -u somebody --`.
        repository: whose `manage.py` runs.
        python: what runs it; the tests' own environment, unless somebody else cannot reach that.
    """

    folder: Path
    root: Path
    home: Path
    prefix: tuple[str, ...] = ()
    repository: Path = REPOSITORY
    python: str = sys.executable
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def hub_env(self) -> Path:
        return self.root / "config" / "hub.env"

    @property
    def strategy(self) -> Path:
        return self.root / "config" / "strategy.yaml"

    @property
    def hub_home(self) -> Path:
        """The folder of the hub, with its logs."""
        (found,) = self.home.glob("hub-*")
        return found

    @property
    def sandbox_url(self) -> str:
        return str(json.loads((self.hub_home / "sandbox" / "sandbox.json").read_text())["url"])

    def run(self, *arguments: str, stdin: bytes = b"", seconds: float = PATIENCE_SECONDS) -> Outcome:
        """Run a command to its end and check everything that holds for every command."""
        process = self.launch(*arguments)
        try:
            stdout, stderr = process.communicate(stdin, timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        return read_outcome(process.returncode, stdout, stderr)

    def ok(self, *arguments: str, stdin: bytes = b"") -> dict[str, Any]:
        """Run a command that ends well and give its data."""
        return self.run(*arguments, stdin=stdin).data

    def refused(self, *arguments: str, code: str, exit_code: int, stdin: bytes = b"") -> Outcome:
        """Run a command that refuses."""
        outcome = self.run(*arguments, stdin=stdin)
        assert (outcome.exit_code, outcome.result.get("error", {}).get("code")) == (exit_code, code), (
            f"{outcome.result}\n{outcome.stderr[-3000:]}"
        )
        return outcome

    def launch(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a command in a bare environment."""
        bare = {
            "HOME": str(self.folder),
            "PATH": "/usr/bin:/bin:/usr/local/bin",
            "PSN_WORKSPACE": str(self.root),
            "PSN_HOME": str(self.home),
            "PSN_NO_BOOTSTRAP": "1",  # the tests' own environment is the one to test with
            **self.environment,
        }
        return subprocess.Popen(
            [*self.prefix, self.python, str(self.repository / "manage.py"), *arguments],
            env=bare,
            cwd=self.repository,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run_until(self, *arguments: str, when: Callable[[dict[str, Any]], bool], delay: float = 0.0) -> bool:
        """Run a command and kill it (-9) a moment after the first line that `when` knows; False when it ended before."""
        process = self.launch(*arguments)
        assert process.stdout is not None
        for line in process.stdout:
            if when(json.loads(line)):
                time.sleep(delay)
                process.kill()
                break
        for pipe in (process.stdin, process.stdout, process.stderr):  # children of what was killed keep their ends open
            assert pipe is not None
            pipe.close()
        return process.wait(PATIENCE_SECONDS) == -signal.SIGKILL

    def ask_sandbox(self, path: str, **query: str) -> Any:
        """Read from the sandbox's control API."""
        return WEB.get(f"{self.sandbox_url}/_sandbox/{path}", params=query).raise_for_status().json()

    def sandbox_posts(self, handle: str) -> list[dict[str, Any]]:
        """What the sandbox's X shows of one account, oldest first."""
        return list(reversed(self.ask_sandbox("posts", handle=handle, limit="1000")))

    def commits(self, handle: str | None = None) -> list[dict[str, Any]]:
        """Every `POST /2/tweets` that reached the sandbox, oldest first."""
        calls = [
            call
            for call in self.ask_sandbox("calls", limit="1000")
            if (call["method"], call["path"]) == ("POST", "/2/tweets")
        ]
        return [call for call in reversed(calls) if handle is None or call["handle"] == handle]

    def processes(self) -> dict[int, str]:
        """Every process that belongs to this workspace, by its environment or its working directory, with its command line."""
        return {pid: line for pid in _pids() if (line := _belongs(pid, os.fsencode(self.folder))) is not None}

    def remove(self) -> None:
        """Stop what runs and remove the folder, whatever state a test left it in."""
        for command in ("psn_sandbox", "psn_hub"):  # psn_hub stop stops the worker too
            if not self.processes():
                break  # nothing runs: a command that says so takes half a second
            with suppress(subprocess.TimeoutExpired, AssertionError):
                self.run(command, "stop", seconds=60)
        for _ in range(50):
            left = self.processes()
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if not left:
                break
            time.sleep(0.05)
        shutil.rmtree(self.folder, ignore_errors=True)


def make_workspace(name: str = "", *, below: Path | None = None) -> Workspace:
    """Make the folders of a workspace that nothing was done in yet.

    Args:
        name: what is peculiar about its paths.
        below: the folder to make it in; one that other OS users can enter, for root's server is none of root's.
    """
    folder = Path(tempfile.mkdtemp(prefix="psn-e2e-", dir=below))
    folder.chmod(0o711)
    place = folder / name if name else folder
    place.mkdir(parents=True, exist_ok=True)
    (place / "workspace").mkdir()
    return Workspace(folder=folder, root=place / "workspace", home=place / "home")


@contextmanager
def set_up_workspace() -> Iterator[Workspace]:
    """Make a workspace in which `psn_setup` ran; take it away at the end."""
    workspace = make_workspace()
    try:
        workspace.ok("psn_setup")
        yield workspace
    finally:
        workspace.remove()


def copy_clone(target: Path) -> Path:
    """Copy what a clone would hold."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in listed.stdout.split("\0"):
        if (REPOSITORY / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(REPOSITORY / name, target / name)
    return target


def read_outcome(exit_code: int, stdout: bytes, stderr: bytes) -> Outcome:
    """Check what holds for every command, however it ended (CLI-1)."""
    text = stdout.decode()
    assert text.endswith("\n"), f"stdout has no line: {text!r}\n{stderr.decode(errors='replace')[-3000:]}"
    lines = [json.loads(line) for line in text.removesuffix("\n").split("\n")]
    for number, line in enumerate(lines, 1):
        problems = [f"{list(problem.absolute_path)}: {problem.message}" for problem in LINES.iter_errors(line)]
        assert not problems, (
            f"{line} does not keep to the schema: {problems}\n{stderr.decode(errors='replace')[-3000:]}"
        )
        assert (line["seq"], line["run"]) == (number, lines[0]["run"])
    assert [line["type"] for line in lines].count("result") == 1
    assert lines[-1]["type"] == "result"
    assert lines[-1]["ok"] is (exit_code == 0), f"exit code {exit_code}: {lines[-1]}"
    return Outcome(exit_code, lines, text, stderr.decode(errors="replace"))


def new_handle(name: str) -> str:
    """Give a handle nobody has."""
    return f"{name}_{secrets.token_hex(3)}"


def tree_of(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Every file and folder with its mode, size and content."""
    return {
        str(path.relative_to(folder)): (
            path.lstat().st_mode,
            path.lstat().st_mtime_ns,
            path.read_bytes() if path.is_file() and not path.is_symlink() else b"",
        )
        for path in sorted(folder.rglob("*"))
    }


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _belongs(pid: int, folder: bytes) -> str | None:
    """Give the command line of a process that belongs to the folder; a zombie belongs to nobody."""
    place = Path("/proc") / str(pid)
    try:
        here = folder in (place / "environ").read_bytes() or os.fsencode((place / "cwd").readlink()).startswith(folder)
        return (place / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace") if here else None
    except OSError:
        return None
