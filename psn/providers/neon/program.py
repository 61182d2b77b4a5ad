"""Runs `neonctl`: without a browser, without questions, without a trace in the user's own files, and never for ever.

The API key goes to it in its environment alone. Whatever it says is cleaned of the key and of passwords before anybody sees it.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from psn.errors import Conflict, NotReady, Unavailable

INSTALL = "npm install -g neonctl"
CALL_SECONDS = 90.0  # neonctl gives up on Neon after 60 by itself
TURN_SECONDS = 120.0  # longer than a call that nobody waits for any more
# What a program needs to start, and what says how this computer reaches the network. NEON_API_HOST is neonctl's own.
_KEPT = (
    *("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "NEON_API_HOST"),
    *("VOLTA_HOME", "ASDF_DIR", "ASDF_DATA_DIR", "MISE_DATA_DIR"),  # where a chosen Node.js is
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    *("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "SSL_CERT_DIR"),
)
_SECRETS = re.compile(r"napi_\w+|npg_[\w-]+|(?<=://)[^\s/@]+@|(?i:bearer)\s+\S+")
_KEY = re.compile(r"[\x21-\x7e]{8,512}")
_POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Finished:
    """How a run of neonctl ended.

    Args:
        output: what it answered.
        status: HTTP status of Neon's last answer; 0 when there was none.
        message: what it says went wrong, without secrets; empty when it does not say.
    """

    code: int
    output: str = field(repr=False)
    status: int
    message: str


@dataclass(frozen=True, slots=True)
class Program:
    """`neonctl`, ready to be run.

    Args:
        path: of the program.
        key: Neon's API key.
        folder: private and there before the call; it holds a lock and nothing else.
        environment: of this process.
        seconds: before a run is given up.
    """

    path: Path
    key: str = field(repr=False)
    folder: Path
    environment: Mapping[str, str] = field(repr=False)
    seconds: float = CALL_SECONDS

    def run(self, *arguments: str, tell: Callable[[str], None]) -> Finished:
        """Run it to its end; one at a time, even after the one who started it was killed.

        Raises:
            NotReady: neon.no_cli, it cannot be started.
            Unavailable: neon.unavailable, it did not end in time.
            Conflict: neon.busy, another run does not end.
        """
        with _turn(self.folder / ".neonctl.lock", tell=tell) as lock:
            return self._run(arguments, lock=lock)

    def _run(self, arguments: Sequence[str], *, lock: int) -> Finished:
        nowhere = (
            self.folder / ".neonctl"
        )  # never made: with CI set, neonctl reads its files where there are any, and writes none
        command = [
            *(str(self.path), *arguments, "--output", "json", "--no-analytics", "--no-color"),
            *("--config-dir", str(nowhere), "--context-file", str(nowhere / "context")),
        ]
        try:
            process = subprocess.Popen(
                command, env=self._environment(), cwd=self.folder, pass_fds=(lock,), start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
            )  # fmt: skip
        except OSError as error:
            raise _no_program(f"{self.path} cannot be started: {error.strerror}.") from None
        try:
            output, said = process.communicate(timeout=self.seconds)
        except subprocess.TimeoutExpired:
            raise Unavailable(
                f"Neon gave no answer within {self.seconds:.0f} seconds. Run the same command again: it goes on from here.",
                code="neon.unavailable",
            ) from None
        finally:
            _end(process)
        if process.returncode == 127:  # of /usr/bin/env, when what it should run is not there
            raise _no_program(f"{self.path} needs Node.js 20.19 or newer, which is not on the PATH.")
        return _read_ending(process.returncode, output, said, key=self.key)

    def _environment(self) -> dict[str, str]:
        kept = {name: self.environment[name] for name in _KEPT if name in self.environment}
        # CI: never ask, never open a browser. DEBUG: say the status of each answer.
        return kept | {"NEON_API_KEY": self.key, "CI": "1", "DEBUG": "psn", "NO_COLOR": "1"}


def find_neonctl(environment: Mapping[str, str]) -> Path:
    """Find the program: what PSN_NEONCTL names, else `neonctl` or `neon` on the PATH.

    Raises:
        NotReady: neon.no_cli.
    """
    chosen = environment.get("PSN_NEONCTL", "")
    names = (chosen,) if chosen else ("neonctl", "neon")
    for name in names:
        if found := shutil.which(name, path=environment.get("PATH", os.defpath)):
            return Path(found).absolute()
    raise _no_program(
        f"PSN_NEONCTL names no program: {chosen}." if chosen else "Neon's program neonctl is not installed."
    )


def check_key(key: str) -> str:
    """Refuse what is no API key; without one neonctl would look for a person's login.

    Raises:
        NotReady: neon.no_key, neon.bad_key. The message never repeats it.
    """
    if not key.strip():
        raise NotReady(
            "There is no API key of Neon.",
            code="neon.no_key",
            ask="Make a key in Neon's console (Account settings, API keys) and set NEON_API_KEY, or save it in config/keys.env.",
        )
    if not _KEY.fullmatch(key.strip()):
        raise NotReady(
            "NEON_API_KEY is no API key of Neon: one word, as the console shows it once.",
            code="neon.bad_key",
            ask="Copy the key again, or make another in Neon's console (Account settings, API keys).",
        )
    return key.strip()


def clean(text: str, *, key: str = "") -> str:
    """Take secrets out of what a program said."""
    text = text.replace(key, "***") if key else text
    return _SECRETS.sub("***", text)


def _read_ending(code: int, output: str, said: str, *, key: str) -> Finished:
    lines = said.splitlines()
    statuses = [found[1] for line in lines if (found := re.match(r"DEBUG: (?:status: )?(\d{3})\b", line))]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    strange = [line for line in lines if line.strip() and not line.startswith(("DEBUG: ", "    at "))]
    message = " ".join(errors or strange[-3:])
    return Finished(code, output, int(statuses[-1]) if statuses else 0, clean(message, key=key)[:400])


def _end(process: subprocess.Popen[str]) -> None:
    """End what still runs, with all that it started."""
    if process.poll() is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
    process.wait()


@contextmanager
def _turn(path: Path, *, tell: Callable[[str], None]) -> Iterator[int]:
    """Hold a lock that neonctl inherits: a run that was killed may have left one behind that still makes a project."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _wait_for(handle, tell=tell)
        yield handle
    finally:
        os.close(handle)


def _wait_for(handle: int, *, tell: Callable[[str], None]) -> None:
    give_up = time.monotonic() + TURN_SECONDS
    told = False
    while True:
        try:
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > give_up:
                raise Conflict(
                    "Another command of this workspace still talks to Neon. Let it end, then run this one again.",
                    code="neon.busy",
                ) from None
        if not told:
            tell("Waiting for another command that talks to Neon.")
            told = True
        time.sleep(_POLL_SECONDS)


def _no_program(message: str) -> NotReady:
    ask = f"Install it: {INSTALL} (it needs Node.js 20.19 or newer), or set PSN_NEONCTL to where it is."
    return NotReady(f"{message} {ask}", code="neon.no_cli", ask=ask)
