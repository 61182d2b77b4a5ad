"""What people and agents are told to type: every command in slash commands, documents and error messages must parse."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml
from django.core.management import load_command_class

from hub.management.base import PsnCommand

ROOT = Path(__file__).resolve().parents[1]
SLASH_COMMANDS = sorted((ROOT / ".claude" / "commands" / "psn").glob("*.md"))
DOCUMENTS = [*SLASH_COMMANDS, ROOT / "README.md", ROOT / "AGENTS.md"]
_LINE = re.compile(r"python3 manage\.py (psn_[^`\n#)]+)")
_NEXT = re.compile(r'(?:next_command=|command_line\(|_next\(|mend=)f?"(psn_[^"]*)"')
_SECOND = re.compile(r'f?"[^"]*", f?"(psn_(?:post|account|worker|setup|hub) [^"]*)"')  # an answer's second field
_ID = "01a1f82c-afb1-7c55-8a66-4f2cdb399a03"


def read_commands(path: Path) -> list[str]:
    """Find every psn command a document names, without shell around it."""
    return [found.split("<")[0].strip() for found in _LINE.findall(path.read_text(encoding="utf-8"))]


def parse(command: str) -> None:
    """Parse a command as its own process would; raises when that would refuse it."""
    filled = re.sub(r"\{[^}]*\}", _ID, command).replace("…", "x")
    name, *arguments = shlex.split(filled)
    loaded = load_command_class("hub", name)
    assert isinstance(loaded, PsnCommand)
    loaded.create_parser("manage.py", name).parse_args(arguments)


def front_matter(path: Path) -> dict[str, str]:
    """Read a slash command's front matter."""
    _, head, _ = path.read_text(encoding="utf-8").split("---\n", 2)
    values: dict[str, str] = yaml.safe_load(head)
    return values


class TestDocuments:
    @pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
    def test_name_only_commands_that_parse(self, path: Path) -> None:
        commands = read_commands(path)
        assert commands
        for command in commands:
            if ":*" not in command and "psn_…" not in command:
                parse(command)

    def test_name_the_real_commands_in_the_table_of_readme(self) -> None:
        named = set(re.findall(r"^\| `(psn_\w+)`", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE))
        present = {path.stem for path in (ROOT / "hub" / "management" / "commands").glob("psn_*.py")}
        assert named == present


class TestNextCommands:
    def test_in_error_messages_parse(self) -> None:
        found = {
            command
            for path in [*(ROOT / "hub").rglob("*.py"), *(ROOT / "psn").rglob("*.py")]
            for pattern in (_NEXT, _SECOND)
            for command in pattern.findall(path.read_text(encoding="utf-8"))
        }
        assert len(found) > 20
        for command in sorted(found):
            parse(command.replace("{following}", "show"))


class TestSlashCommands:
    @pytest.mark.parametrize("path", SLASH_COMMANDS, ids=lambda path: path.stem)
    def test_have_a_description_and_stay_short(self, path: Path) -> None:
        assert front_matter(path)["description"]
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 40

    @pytest.mark.parametrize("path", SLASH_COMMANDS, ids=lambda path: path.stem)
    def test_run_before_reading_only_what_is_allowed_and_never_the_persons_words(self, path: Path) -> None:
        allowed = re.findall(r"Bash\((.*?)\)", front_matter(path)["allowed-tools"])
        for command in re.findall(r"!`([^`]+)`", path.read_text(encoding="utf-8")):
            assert "$" not in command
            assert any(
                command == rule or (rule.endswith(":*") and command.startswith(rule[:-2])) for rule in allowed
            ), command

    def test_may_use_only_verbs_that_exist(self) -> None:
        for path in SLASH_COMMANDS:
            for rule in re.findall(r"Bash\(python3 manage\.py (.*?)\)", front_matter(path)["allowed-tools"]):
                assert (ROOT / "hub" / "management" / "commands" / f"{rule.split(':')[0].split()[0]}.py").exists(), rule


class TestSettings:
    def test_allow_nothing_that_publishes_connects_or_shows_a_secret(self) -> None:
        permissions = json.loads((ROOT / ".claude" / "settings.json").read_text(encoding="utf-8"))["permissions"]
        risky = (
            "post approve",
            "approve approve",
            "approve reject",
            "claim",
            "release",
            "invite",
            "leave",
            "remove",
            "role",
            "policy",
            "rollback",
            "move",
            "publish",
            "schedule",
            "create",
            "edit",
            "connect",
            "keys set",
            "keys rotate",
            "restore",
            "disconnect",
        )
        for rule in permissions["allow"]:
            assert not any(word in rule for word in risky), rule
        for word in risky:
            assert any(word in rule for rule in permissions["ask"]), word
        assert "Read(./config/*.env)" in permissions["deny"]
