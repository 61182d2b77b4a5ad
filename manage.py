#!/usr/bin/env python3
"""Makes the environment if it is missing, then Django's command line."""

import os
import sys

ROOT = os.path.dirname(os.path.abspath(__file__))


def main(argv: list[str]) -> None:
    """Run one command; whatever fails before it exists still ends in one result line (SPEC CLI-1)."""
    sys.path.insert(0, ROOT)
    command = argv[1] if len(argv) > 1 else "help"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "psn.settings")
    try:
        _check_streams()
        _end_like_ctrl_c()
        if sys.version_info < (3, 11):
            _fail(
                command,
                "boot.python_version",
                f"PSN needs Python 3.11 or newer; this is {sys.version.split()[0]}.",
                exit_code=3,
            )
        _enter_environment(command, argv)
        _run(argv)
    except KeyboardInterrupt:
        _fail(command, "interrupted", "Stopped by you.", exit_code=130)
    except ImportError as error:
        _fail(command, "boot.no_packages", _missing_package(error), exit_code=3)
    except Exception as error:  # a command, or Django itself, that does not load
        sys.excepthook(type(error), error, error.__traceback__)
        _fail(
            command,
            "boot.failed",
            f"PSN does not load: {type(error).__name__}: {error}. The traceback is on stderr.",
            exit_code=3,
        )


def _check_streams() -> None:
    """Leave none of the three descriptors closed: the next file to be opened would take its number."""
    if sys.stdout is None:
        if sys.stderr is not None:
            print("stdout is closed, so the result has nowhere to go. Nothing was done.", file=sys.stderr)
        sys.exit(2)
    for number, name, mode in ((0, "stdin", "r"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
            os.set_inheritable(number, True)
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115  (as long as the process)


def _end_like_ctrl_c() -> None:
    """Let SIGTERM end a command as Ctrl-C does: one result line, exit code 130. The worker has its own way to stop."""
    import signal  # here and below: standard library that the version of Python above must not depend on

    signal.signal(signal.SIGTERM, signal.default_int_handler)


def _enter_environment(command: str, argv: list[str]) -> None:
    from psn.bootstrap import CannotBootstrap, ensure_environment

    try:
        ensure_environment([os.path.join(ROOT, "manage.py"), *argv[1:]])
    except CannotBootstrap as error:
        _fail(command, error.code, error.message, exit_code=3)


def _run(argv: list[str]) -> None:
    import django
    from django.core.management import ManagementUtility, get_commands, load_command_class

    name = argv[1] if len(argv) > 1 else "help"
    if not name.startswith("psn_"):
        ManagementUtility(argv).execute()
        return
    argv = _choose_hub(argv)
    try:
        django.setup()
    except ImportError:
        raise
    except Exception as error:  # settings that do not import end in a result line too
        from hub.management.base import report_problem

        report_problem(name, error)
    if name not in get_commands():
        _fail(
            name,
            "usage.unknown_command",
            f"There is no command {name}. `python3 manage.py help` lists them.",
            exit_code=2,
            following="python3 manage.py help",
        )
    load_command_class("hub", name).run_from_argv(argv)


def _choose_hub(argv: list[str]) -> list[str]:
    """Take `--hub acme` out of the arguments: it says which hub the settings are about to be read for."""
    rest: list[str] = []
    words = iter(argv)
    for word in words:
        if word == "--":
            return [*rest, word, *words]
        if word == "--hub" or word.startswith("--hub="):
            slug = word[6:] if word.startswith("--hub=") else next(words, "")
            if not slug or slug.startswith("-"):
                _fail(argv[1], "usage", "--hub needs the short name of a company.", exit_code=2)
            os.environ["PSN_HUB"] = slug
        else:
            rest.append(word)
    return rest


def _missing_package(error: ImportError) -> str:
    how = (
        "PSN_NO_BOOTSTRAP=1 keeps PSN from preparing its own: unset it and run the same command again, or install requirements.txt here."
        if os.environ.get("PSN_NO_BOOTSTRAP") == "1"
        else "Remove .venv and run the same command again."
    )
    return f"This Python ({sys.executable}) lacks a package of PSN: {error}. {how}"


def _fail(command: str, code: str, message: str, *, exit_code: int, following: str = "") -> None:
    import json  # here and below only when something went wrong: these imports would cost every start
    import time
    import uuid

    line = {
        "v": "psn.cli/1",
        "run": uuid.uuid4().hex[:8],
        "seq": 1,
        "ts": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "type": "result",
    }
    action = {"needs": "agent", "command": following} if following else {"needs": "human", "ask": message}
    line |= {"ok": False, "command": command, "error": {"code": code, "message": message}, "next_action": action}
    _write(1, f"{json.dumps(line)}\n")  # ASCII: the locale may know nothing else
    _write(2, f"{message}\n")
    sys.exit(exit_code)


def _write(descriptor: int, text: str) -> None:
    try:
        os.write(descriptor, text.encode("utf-8", "backslashreplace"))
    except OSError:  # nobody reads it; the exit code still says how it ended
        return


if __name__ == "__main__":
    main(sys.argv)
