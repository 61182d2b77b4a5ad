"""Every command's own arguments, and what every verb says about itself (CLI-2)."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command, load_command_class
from django.db import DatabaseError, OperationalError

from hub.management.base import PsnCommand, _translate
from psn.errors import NotReady, Problem, Usage

COMMANDS = sorted(path.stem for path in (Path(__file__).parents[3] / "hub/management/commands").glob("psn_*.py"))
CHANGES = {  # what changes something that a person would miss
    ("psn_post", "create"), ("psn_post", "edit"), ("psn_post", "approve"), ("psn_post", "schedule"),
    ("psn_post", "publish"), ("psn_post", "cancel"), ("psn_post", "resolve"), ("psn_account", "disconnect"),
    ("psn_account", "connect"), ("psn_config", "keys set"), ("psn_config", "keys remove"), ("psn_config", "keys rotate"),
    ("psn_config", "set"), ("psn_config", "sync"), ("psn_config", "rollback"), ("psn_migrate", ""),
    ("psn_hub", "backup"), ("psn_hub", "restore"), ("psn_hub", "move"),
    ("psn_team", "create"), ("psn_team", "invite"), ("psn_team", "join"), ("psn_team", "role"), ("psn_team", "remove"),
    ("psn_team", "leave"), ("psn_team", "policy"), ("psn_approve", "approve"), ("psn_approve", "reject"),
    ("psn_calendar", "claim"), ("psn_calendar", "release"), ("psn_calendar", "export"),
}  # fmt: skip


def verbs_of(name: str) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every verb of a command with its parser; a command of one verb gives itself."""
    parser: argparse.ArgumentParser = load_command_class("hub", name).create_parser("manage.py", name)
    yield from _below(parser, name)


def _below(parser: argparse.ArgumentParser, name: str) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    groups = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not groups:
        yield name, parser
    for group in groups:
        for verb, below in group.choices.items():
            yield from _below(below, f"{name} {verb}")


VERBS = [(name, verb, parser) for name in COMMANDS for verb, parser in verbs_of(name)]
verbs = pytest.mark.parametrize(("name", "verb", "parser"), VERBS, ids=[verb for _, verb, _ in VERBS])


class TestEveryVerb:
    @verbs
    def test_says_what_it_does(self, name: str, verb: str, parser: argparse.ArgumentParser) -> None:
        assert len(parser.description or "") > 10
        assert parser.prog == f"manage.py {verb}"

    @verbs
    def test_refuses_an_unknown_option_as_usage(self, name: str, verb: str, parser: argparse.ArgumentParser) -> None:
        with pytest.raises(Usage) as refused:
            parser.parse_args(["--no-such-option"])
        assert f"{verb} --help" in refused.value.message

    @verbs
    def test_has_a_method_of_its_own(self, name: str, verb: str, parser: argparse.ArgumentParser) -> None:
        assert callable(parser.get_default("verb"))

    @pytest.mark.parametrize(("name", "verb"), sorted(CHANGES))
    def test_that_changes_something_can_be_rehearsed(self, name: str, verb: str) -> None:
        parser = next(parser for found, parser in verbs_of(name) if found == f"{name} {verb}".strip())
        assert "--dry-run" in parser.format_help()

    @verbs
    def test_takes_no_secret_as_an_argument(self, name: str, verb: str, parser: argparse.ArgumentParser) -> None:
        options = {option for action in parser._actions for option in action.option_strings}
        assert not options & {"--token", "--key", "--secret", "--password", "--value"}


class TestCallCommand:
    def test_is_refused_because_commands_are_processes(self) -> None:
        class Nothing(PsnCommand):
            def add_arguments(self, parser: Any) -> None:
                parser.set_defaults(verb=dict)

            def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
                return super(PsnCommand, self).create_parser(prog_name, subcommand, **kwargs)

        with pytest.raises(CommandError):
            call_command(Nothing())


class TestWhatTheDatabaseSays:
    @pytest.mark.parametrize(
        ("error", "code", "following"),
        [
            (OperationalError("connection refused\nmore"), "hub.unreachable", "psn_hub status"),
            (OperationalError('database "psn" does not exist'), "hub.incomplete", "psn_setup"),
            (DatabaseError('relation "posts" does not exist'), "hub.schema", "psn_migrate"),
            (DatabaseError("permission denied for table posts"), "hub.schema", "psn_migrate"),
        ],
        ids=["unreachable", "no database", "no table", "no right"],
    )
    def test_becomes_something_a_person_can_do(self, error: Exception, code: str, following: str) -> None:
        problem = _translate(error)
        assert isinstance(problem, NotReady)
        assert (problem.error_code, problem.next_command) == (code, following)
        assert "\n" not in problem.message

    def test_is_a_bug_when_nobody_knows_it(self) -> None:
        assert not isinstance(_translate(DatabaseError("integer out of range")), Problem)
