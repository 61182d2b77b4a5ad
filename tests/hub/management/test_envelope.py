"""The envelope `psn.cli/1`: what is written on stdout, and nothing else is (CLI-1)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from hub.management.envelope import Stream, report
from psn.errors import (
    ApprovalNeeded,
    Conflict,
    Finding,
    InvalidInput,
    NeedsReconnect,
    NotAllowed,
    NotFound,
    NotReady,
    Problem,
    RateLimited,
    Rejected,
    Unavailable,
    UnknownOutcome,
    Usage,
)

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = json.loads((ROOT / "hub" / "management" / "cli.schema.json").read_text())
LINES = Draft202012Validator(SCHEMA)
NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def write(*actions: Callable[[Stream], Any]) -> list[dict[str, Any]]:
    """Run something with a stream and give the lines it wrote, each valid."""
    read_end, write_end = os.pipe()
    with os.fdopen(read_end, "rb") as stream:
        with os.fdopen(write_end, "wb"):
            lines = Stream(write_end, command="psn_post show")
            for action in actions:
                action(lines)
        written = [json.loads(line) for line in stream.read().decode().splitlines()]
    for line in written:
        LINES.validate(line)
    return written


class TestTheSchema:
    def test_is_one(self) -> None:
        Draft202012Validator.check_schema(SCHEMA)

    @pytest.mark.parametrize(
        "spoil",
        [
            {"v": "psn.cli/2"},
            {"seq": 0},
            {"ts": "2026-11-20T09:00:00+01:00"},
            {"type": "results"},
            {"ok": False},
            {"extra": 1},
            {"error": {"code": "a.b", "message": "a sentence"}},
            {"findings": []},
            {"next_action": {"needs": "agent"}},
            {"next_action": {"needs": "human"}},
            {"next_action": {"needs": "agent", "command": "psn_setup"}},
        ],
        ids=str,
    )
    def test_refuses_a_line_that_is_none(self, spoil: dict[str, Any]) -> None:
        (line,) = write(lambda stream: stream.result(ok=True, data={}))
        assert LINES.is_valid(line)
        assert not LINES.is_valid(line | spoil)


class TestAStream:
    def test_counts_its_lines_and_names_its_run(self) -> None:
        lines = write(
            lambda stream: stream.progress(step="1/2", name="A step", status="start"),
            lambda stream: stream.progress(step="1/2", name="A step", status="done", detail="it is done"),
            lambda stream: stream.result(ok=True, data={"a": 1}),
        )
        assert [line["seq"] for line in lines] == [1, 2, 3]
        assert len({line["run"] for line in lines}) == 1
        assert "detail" not in lines[0]

    def test_writes_instants_as_utc_whatever_their_zone(self) -> None:
        there = NOW.astimezone(timezone(timedelta(hours=5, minutes=45)))
        (line,) = write(lambda stream: stream.result(ok=True, data={"at": there}))
        assert line["data"]["at"] == "2026-11-20T09:00:00.000Z"

    @given(text=st.text(st.characters(exclude_categories=[])))
    def test_keeps_any_text_on_one_line(self, text: str) -> None:
        (line,) = write(lambda stream: stream.result(ok=True, data={"text": text}))
        assert line["data"]["text"].encode("utf-16", "surrogatepass") == text.encode("utf-16", "surrogatepass")


class TestReport:
    @pytest.mark.parametrize(
        ("error", "exit_code", "code"),
        [
            (Problem("A sentence."), 1, "problem"),
            (NotFound("A sentence."), 1, "not_found"),
            (NotAllowed("A sentence."), 1, "not_allowed"),
            (Usage("A sentence."), 2, "usage"),
            (NotReady("A sentence."), 3, "not_ready"),
            (NeedsReconnect("A sentence."), 4, "account.needs_reconnect"),
            (Unavailable("A sentence."), 4, "platform.unavailable"),
            (InvalidInput("A sentence."), 5, "validation.failed"),
            (ApprovalNeeded("A sentence."), 6, "approval.needed"),
            (Conflict("A sentence."), 7, "conflict"),
            (RateLimited("A sentence.", retry_at=NOW), 8, "platform.rate_limited"),
            (Rejected("A sentence."), 1, "platform.rejected"),
            (UnknownOutcome("A sentence."), 9, "publish.unknown"),
            (KeyboardInterrupt(), 130, "interrupted"),
            (ZeroDivisionError("never shown"), 70, "bug"),
        ],
        ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
    )
    def test_gives_every_error_its_exit_code_and_a_next_step(
        self, error: BaseException, exit_code: int, code: str
    ) -> None:
        codes: list[int] = []
        (line,) = write(lambda stream: codes.append(report(stream, error)))
        assert (codes, line["error"]["code"], line["ok"]) == ([exit_code], code, False)
        assert "never shown" not in str(line)

    def test_names_the_command_that_mends_it(self) -> None:
        error = Conflict("A sentence.", next_command="psn_post show 1", findings=[Finding("x", "a.b", "A finding.")])
        (line,) = write(lambda stream: report(stream, error))
        assert line["next_action"] == {"needs": "agent", "command": "python3 manage.py psn_post show 1"}
        assert line["findings"] == [{"target": "x", "code": "a.b", "message": "A finding.", "level": "error"}]

    def test_asks_a_person_for_what_only_a_person_can_do(self) -> None:
        (line,) = write(
            lambda stream: report(stream, NotReady("A sentence.", ask="Do this.", next_command="psn_setup"))
        )
        assert line["next_action"] == {"needs": "human", "ask": "Do this.", "command": "python3 manage.py psn_setup"}

    def test_leads_to_the_help_of_the_very_verb_when_the_input_is_wrong(self) -> None:
        (line,) = write(lambda stream: report(stream, InvalidInput("A sentence.")))
        assert line["next_action"]["command"] == "python3 manage.py psn_post show --help"


class TestStdout:
    def test_holds_lines_alone_whatever_else_is_printed(self) -> None:
        """Stray prints, child processes and writes to the descriptor itself end on stderr."""
        code = (
            "import os, subprocess\n"
            "from hub.management.envelope import Stream, take_stdout\n"
            "stream = Stream(take_stdout(), command='x')\n"
            "print('stray'); os.write(1, b'raw\\n'); subprocess.run(['echo', 'child'])\n"
            "stream.result(ok=True)\nprint('late')"
        )
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
        (line,) = done.stdout.splitlines()
        assert json.loads(line)["ok"] is True
        assert {"stray", "raw", "child", "late"} <= set(done.stderr.split())
