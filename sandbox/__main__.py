"""`python -m sandbox serve`: the command line of the sandbox."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from sandbox.server import serve
from sandbox.state import InUse

NOT_READY = 3  # the exit code for an environment that is not ready: the port or the state is taken


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and give its exit code."""
    options = _parser().parse_args(arguments)
    try:
        serve(state_dir=options.state.resolve(), port=options.port, ready_file=options.ready_file)
    except InUse as taken:
        sys.stderr.write(f"{taken}\n")
        return NOT_READY
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("serve", help="serve the platforms' stand-ins on 127.0.0.1 until SIGTERM")
    command.add_argument("--state", type=Path, required=True, metavar="DIR", help="where everything is kept")
    command.add_argument("--port", type=int, default=0, metavar="N", help="0, the default, for any free port")
    command.add_argument("--ready-file", type=Path, metavar="F", help="written once the server answers")
    return parser


if __name__ == "__main__":
    sys.exit(main())
