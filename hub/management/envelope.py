"""The envelope `psn.cli/1`: JSON Lines on stdout, exactly one result, last (SPEC CLI-1).

The file descriptor of stdout is kept aside and stdout itself is pointed at stderr, so that stray prints, child processes and C
libraries cannot break the stream.
"""

from __future__ import annotations

import json
import os
import select
import sys
import traceback
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from psn.errors import Finding, InvalidInput, Problem

VERSION = "psn.cli/1"
# What is wrong in a file of the person's: any command that reads the file fails in the same way, so none of them is the next step
_IN_A_FILE = ("config.", "key.missing", "key.malformed", "key.unknown", "key.wrong", "key.damaged")
_TYPED = ("config.value",)  # what the person just typed, before it comes to a file
KEY_BACK = (
    "Put HUB_ENCRYPTION_KEY back into config/hub.env from your copy of that file. "
    "A hub whose set-up never ended has none yet: then run psn_setup again."
)
EXIT_BUG = 70
EXIT_INTERRUPTED = 130  # by Ctrl-C or by SIGTERM: either way somebody wanted it to end
# JSON lets them stand in a text, and many a reader takes them for the end of the line
_LINE_BREAKS = {number: f"\\u{number:04x}" for number in (0x85, 0x2028, 0x2029)}


class Stream:
    """One run's lines.

    When nobody takes them any more (a reader that left, a full disk), the work goes on: `lost` then says why.

    Args:
        descriptor: where lines are written.
    """

    def __init__(self, descriptor: int, *, command: str) -> None:
        self.command = command
        self.run = uuid.uuid4().hex[:8]
        self.descriptor = descriptor
        self.lost: OSError | None = None
        self._seq = 0

    def progress(self, *, step: str, name: str, status: str, detail: Mapping[str, Any] | str | None = None) -> None:
        """Say how long work goes on: to the program as a line, to the person on stderr."""
        self._write(
            "progress", {"step": step, "name": name, "status": status, **({"detail": detail} if detail else {})}
        )
        if status != "start" or detail is None:
            note = f": {detail}" if isinstance(detail, str) else ""
            say(f"[{step}] {name} … {status}{note}")

    def result(
        self,
        *,
        ok: bool,
        data: Any = None,
        findings: Iterable[Finding] = (),
        error: Mapping[str, str] | None = None,
        next_action: Mapping[str, Any] | None = None,
    ) -> None:
        """Write the one result line."""
        body: dict[str, Any] = {"ok": ok, "command": self.command}
        listed = [finding.to_dict() for finding in findings]
        optional = {"data": data, "findings": listed or None, "error": error, "next_action": next_action}
        self._write("result", body | {key: value for key, value in optional.items() if value is not None})

    def _write(self, kind: str, body: Mapping[str, Any]) -> None:
        self._seq += 1
        line = {"v": VERSION, "run": self.run, "seq": self._seq, "ts": datetime.now(UTC), "type": kind, **body}
        text = json.dumps(line, ensure_ascii=False, default=_plain).translate(_LINE_BREAKS)
        self.write(f"{text}\n")

    def write(self, text: str) -> None:
        """Write what stands on stdout, all of it or, from the first failure on, nothing."""
        raw = text.encode("utf-8", "backslashreplace")
        while raw and self.lost is None:
            try:
                raw = raw[os.write(self.descriptor, raw) :]
            except BlockingIOError:  # a pipe that does not block, and is full
                select.select([], [self.descriptor], [])
            except OSError as error:
                self.lost = error


def _plain(value: object) -> str:
    """Write an instant as UTC with milliseconds; ids, paths and enumerations as text."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return str(value)


def take_stdout() -> int:
    """Point stdout at stderr and give the descriptor that was stdout."""
    sys.stdout.flush()
    descriptor = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return descriptor


def say(text: str) -> None:
    """Tell people something on stderr; when that is closed or full, go on without. What would steer their terminal is left out."""
    text = "".join(sign for sign in text if sign.isprintable() or sign in "\n\t")
    try:
        print(text, file=sys.stderr, flush=True)
    except OSError:  # what is left in the buffer would fail again at the end of the process
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def command_line(command: str) -> str:
    """Make a psn command complete, so that it runs as it stands from the workspace and on the same hub."""
    hub = os.environ.get("PSN_HUB", "")
    return f"python3 manage.py {command}{f' --hub {hub}' if hub and '--hub' not in command else ''}"


def report(stream: Stream, error: BaseException) -> int:
    """Turn whatever ended the command into its result line, and give the exit code."""
    if isinstance(error, Problem):
        stream.result(
            ok=False,
            findings=error.findings,
            error={"code": error.error_code, "message": error.message},
            next_action=_next_action(error, command=stream.command),
        )
        say(error.message)
        return error.exit_code
    if isinstance(error, KeyboardInterrupt):
        stream.result(
            ok=False,
            error={"code": "interrupted", "message": "Stopped by you. Run the same command again to go on."},
            next_action={"needs": "none"},
        )
        return EXIT_INTERRUPTED
    say("".join(traceback.format_exception(error)).rstrip())
    message = f"This is a bug in PSN: {type(error).__name__}. The traceback is on stderr under this reference."
    stream.result(
        ok=False,
        error={"code": "bug", "message": message, "ref": stream.run},
        next_action={"needs": "human", "ask": "Report it with the traceback; leave out what is private in it."},
    )
    say(f"reference: {stream.run}")
    return EXIT_BUG


def is_in_a_file(code: str) -> bool:
    """Whether a code says that a file of the person's is wrong, which no command mends."""
    return code.startswith(_IN_A_FILE) and code not in _TYPED


def ask_to_mend(error: Problem) -> str:
    """Say what a person must do about a file; the message names the file and the line."""
    return error.ask or (KEY_BACK if error.error_code.startswith("key.") else error.message)


def _next_action(error: Problem, *, command: str) -> dict[str, Any]:
    """Name the next step; where the error names none, input is corrected by the command's help and the rest by a person."""
    if is_in_a_file(error.error_code):
        return {"needs": "human", "ask": ask_to_mend(error)}
    by_help = isinstance(error, InvalidInput) and not error.ask
    following = error.next_command or (f"{command} --help" if by_help else None)
    ask = error.ask or (None if following else error.message)
    action: dict[str, Any] = {"needs": "human" if ask else "agent"}
    if following:
        action["command"] = command_line(following)
    if ask:
        action["ask"] = ask
    return action
