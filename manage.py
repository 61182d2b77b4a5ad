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
        if sys.version_info < (3, 11):
            _fail(
                command,
                "boot.python_version",
                f"PSN needs Python 3.11 or newer; this is {sys.version.split()[0]}.",
                exit_code=3,
            )
        from psn.bootstrap import CannotBootstrap, ensure_environment

        try:
            ensure_environment([os.path.join(ROOT, "manage.py"), *argv[1:]])
        except CannotBootstrap as error:
            _fail(command, error.code, error.message, exit_code=3)
        _run(argv)
    except KeyboardInterrupt:
        _fail(command, "interrupted", "Stopped by you.", exit_code=130)


def _run(argv: list[str]) -> None:
    import django
    from django.core.management import ManagementUtility, get_commands, load_command_class

    name = argv[1] if len(argv) > 1 else "help"
    if not name.startswith("psn_"):
        ManagementUtility(argv).execute()
        return
    try:
        django.setup()
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
    print(json.dumps(line, ensure_ascii=False))
    print(message, file=sys.stderr)
    sys.exit(exit_code)


if __name__ == "__main__":
    main(sys.argv)
