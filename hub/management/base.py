"""Arguments in, JSON Lines out, errors to exit codes: what every `psn_` command shares."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal, NoReturn

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, OperationalError, connections

from hub.connections import current_hub
from hub.management.envelope import EXIT_BUG, Stream, report, say, take_stdout
from hub.rls.identity import acting_as, acting_for_nobody
from psn.config.hub import HubConfig
from psn.errors import NotAllowed, NotReady, Problem, Usage

Verb = Callable[..., Any]
# what a server says to a login that may not come in (any more): it gives no code while connecting
_LOCKED_OUT = (
    "not permitted to log in",
    "password authentication failed",
    "permission denied for database",
    "too many connections for role",
)
_NO_RIGHT = "42501"  # insufficient_privilege: a right, a policy or a law of the hub says no
AsWorker = Literal["never", "here", "always"]


class _HelpAsked(Exception):
    """A person asked for help, and for nothing that is wrong."""


class _Parser(argparse.ArgumentParser):
    """An argument parser that raises instead of printing and leaving, and takes options typed whole: a yes is no `--app` (POST-4)."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "allow_abbrev": False})

    def print_help(self, file: Any = None) -> None:
        """Give the help to the top of the process, which knows where stdout is."""
        raise _HelpAsked(self.format_help())

    def error(self, message: str) -> NoReturn:
        raise Usage(f"{message[:1].upper()}{message[1:]}. See: {self.prog} --help", code="usage")


class PsnCommand(BaseCommand):
    """A command with verbs; each verb is a method that takes its arguments by keyword and returns the result's `data`.

    A verb that has more to say than data returns a `Result`. Anything it raises becomes the result line.
    """

    requires_system_checks = []  # `manage.py check` is a matter for tests and releases
    requires_hub = True
    stream: Stream

    @property
    def hub(self) -> HubConfig:
        """The hub of this workspace.

        Raises:
            NotReady: there is none yet.
        """
        return current_hub()

    def add_verbs(self, verbs: Any) -> None:
        """Declare the verbs with `self.add_verb`."""

    def add_verb(
        self,
        verbs: Any,
        name: str,
        verb: Verb,
        *,
        help: str,
        under: str = "",
        as_worker: AsWorker = "never",
        needs_hub: bool = True,
    ) -> argparse.ArgumentParser:
        """Declare one verb; its arguments are added to what this returns.

        Args:
            under: the verb above this one: `keys` for `psn_config keys set`.
            as_worker: whether it runs under the worker's login in a company's hub: `always`, because only that may do this, or `here`,
                where this computer has that login.
            needs_hub: False for what also runs on a fresh clone.
        """
        parser: argparse.ArgumentParser = verbs.add_parser(name, help=help, description=help)
        parser.set_defaults(verb=verb, spoken=f"{under} {name}".strip(), as_worker=as_worker, needs_hub=needs_hub)
        _add_hub(parser)
        return parser

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        """Make a parser with this command's own arguments, without Django's."""
        parser = _Parser(prog=f"{os.path.basename(prog_name)} {subcommand}", description=self.help)
        _add_hub(parser)
        self.add_arguments(parser)
        return parser

    def add_arguments(self, parser: Any) -> None:
        """Give every verb a parser of its own."""
        verbs = parser.add_subparsers(dest="verb_name", metavar="VERB", required=True, parser_class=_Parser)
        self.add_verbs(verbs)

    def run_from_argv(self, argv: list[str]) -> None:
        """Run as a process: lines on stdout, a typed exit code, never a traceback on stdout."""
        self.stream = Stream(take_stdout(), command=argv[1])
        try:
            code = self._run(argv)
        except _HelpAsked as help_:
            self.stream.write(str(help_))
            code = 0
        except BaseException as error:  # the very top: everything becomes one result line
            _finish_undisturbed()
            code = report(self.stream, _translate(error))
        finally:
            connections.close_all()
        sys.exit(_final_code(self.stream, code))

    def _run(self, argv: list[str]) -> int:
        options = vars(self.create_parser(argv[0], argv[1]).parse_args(argv[2:]))
        verb, name = options.pop("verb"), options.pop("spoken", None)
        as_worker, needs_hub = options.pop("as_worker", "never"), options.pop("needs_hub", True)
        for taken in ("verb_name", "hub"):
            options.pop(taken, None)
        self.stream.command = f"{argv[1]} {name}" if name else argv[1]
        if self.requires_hub and needs_hub:
            _ = self.hub
        with self._rights_of_worker(as_worker):
            data = verb(**options)
        result = data if isinstance(data, Result) else Result(data)
        _finish_undisturbed()
        self.stream.result(
            ok=result.exit_code == 0,
            data=result.data,
            findings=result.findings,
            error=result.error,
            next_action=result.next_action,
        )
        return result.exit_code

    def _rights_of_worker(self, when: AsWorker) -> AbstractContextManager[None]:
        """Let a verb work with the rights of the company's worker, for the company; a personal hub's person has them.

        Raises:
            NotAllowed: this computer has not the worker's login.
        """
        if (
            when == "never"
            or settings.HUB is None
            or not self.hub.is_company
            or (when == "here" and not self.hub.has_worker)
        ):
            return nullcontext()
        if not self.hub.has_worker:
            raise NotAllowed(
                f"Only the computer of {self.hub.slug}'s worker may do this: its secrets are kept from members.",
                code="team.worker_only",
                ask=f"Do this on the computer whose {self.hub.file_name} has WORKER_URL.",
            )
        if settings.LOGIN != "worker":
            self.begin_again_as_worker()
        from hub.actions.people import (
            company_id,
        )  # here: models need settings, and errors of settings are told by this module

        with acting_for_nobody():
            company = company_id()
        return acting_as(company)

    def begin_again_as_worker(self) -> NoReturn:
        """Run this very command once more, under the worker's own login."""
        os.environ["PSN_LOGIN"] = "worker"
        os.dup2(self.stream.descriptor, 1)
        os.execv(sys.executable, [sys.executable, str(settings.BASE_DIR / "manage.py"), *sys.argv[1:]])

    def handle(self, *args: Any, **options: Any) -> None:
        """Refuse `call_command`: commands are processes."""
        raise CommandError("psn commands run as processes")


def _add_hub(parser: argparse.ArgumentParser) -> None:
    """Show an option that `manage.py` has taken by now: the settings are read for the hub that it names."""
    parser.add_argument(
        "--hub",
        metavar="COMPANY",
        default=argparse.SUPPRESS,
        help="the company whose hub this is about; yours when left out",
    )


class Result:
    """What a verb gives back when data alone does not say it."""

    def __init__(
        self,
        data: Any = None,
        *,
        findings: Sequence[Any] = (),
        exit_code: int = 0,
        error: dict[str, str] | None = None,
        next_action: dict[str, Any] | None = None,
    ) -> None:
        self.data, self.findings, self.exit_code = data, findings, exit_code
        self.error, self.next_action = error, next_action


def report_problem(command: str, error: BaseException) -> NoReturn:
    """End in a result line when settings do not import, so that no command object exists yet, and no command would help."""
    stream = Stream(take_stdout(), command=command)
    problem = (
        error if isinstance(error, Problem) else NotReady(f"PSN's settings cannot be read: {error}", code="boot.failed")
    )
    problem.next_command, problem.ask = None, problem.ask or problem.message
    sys.exit(_final_code(stream, report(stream, problem)))


def _finish_undisturbed() -> None:
    """Let no signal come between the end of the work and its result line, or after it."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def _final_code(stream: Stream, code: int) -> int:
    """Tell on stderr, and by the exit code where it would say that all is well, that nobody got the result."""
    if stream.lost is None:
        return code
    if code:
        say(f"The result line could not be written to stdout: {stream.lost.strerror}.")
        return code
    reason = stream.lost.strerror
    say(f"The work is done, but its result could not be written to stdout: {reason}. Look before you repeat it.")
    return EXIT_BUG


def _translate(error: BaseException) -> BaseException:
    """Name what the database says in PSN's own errors, where a person can do something about it."""
    if isinstance(error, SystemExit):
        return error if not isinstance(error.code, int) else Usage("The command ended early.")
    text = str(error)
    slug = os.environ.get("PSN_HUB")
    if slug and isinstance(error, OperationalError) and any(words in text for words in _LOCKED_OUT):
        return NotAllowed(
            f"The hub of {slug} does not let you in any more: you are not in its team.",
            code="team.not_member",
            ask="Ask an admin of the team. To forget the team on this computer: psn_team leave",
        )
    if isinstance(error, OperationalError) and "does not exist" in text:  # the database or a login
        return NotReady("The hub is not made completely.", code="hub.incomplete", next_command="psn_setup")
    if isinstance(error, OperationalError):
        return NotReady(
            f"The hub cannot be reached: {text.splitlines()[0]}", code="hub.unreachable", next_command="psn_hub status"
        )
    sqlstate = getattr(error.__cause__, "sqlstate", None)
    if isinstance(error, DatabaseError) and sqlstate == _NO_RIGHT and slug:
        return NotAllowed(
            f"The hub of {slug} refuses this: you are not in its team any more, or your role does not allow it.",
            code="team.refused",
            ask="Ask an admin of the team.",
        )
    if isinstance(error, DatabaseError) and ("does not exist" in text or "permission denied for table" in text):
        return NotReady(
            "The hub's schema is older or newer than this PSN.", code="hub.schema", next_command="psn_migrate"
        )
    return error
