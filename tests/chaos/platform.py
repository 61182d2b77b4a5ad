"""The sandbox of a lane: `python -m tests.chaos.platform serve …`. It keeps the texts of requests, and can be forgiving.

`requests.jsonl` in its state directory holds a line for every `POST /2/tweets` that arrived whole: the journal's id and the text.
While a file `forgiving` is there, X takes the same text twice, so that nothing hides a post that went out twice.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sandbox import __main__, server
from tests.chaos.processes import end_with_parent

REQUESTS = "requests.jsonl"
FORGIVING = "forgiving"
MAKER = "get_wsgi_application"  # what the server calls once Django is set up


def main() -> int:
    """Serve until told to stop, or until the lane is gone."""
    end_with_parent()
    make_application: Callable[[], Any] = vars(server)[MAKER]

    def prepared() -> Any:
        _prepare(Path(os.environ["PSN_SANDBOX_STATE"]))
        return make_application()

    setattr(server, MAKER, prepared)
    return __main__.main()


def _prepare(state: Path) -> None:
    from sandbox import journal  # its models exist only after Django's setup
    from sandbox.platforms.x import posts

    open_call, check_duplicate = journal.open_call, posts._check_duplicate

    def open_and_keep(request: Any, *, platform: str, path: str) -> Any:
        call = open_call(request, platform=platform, path=path)
        if (request.method, path) == ("POST", "/2/tweets"):
            with (state / REQUESTS).open("a") as file:
                file.write(json.dumps([call.pk, json.loads(request.body).get("text", "")]) + "\n")
        return call

    def check_unless_forgiving(*arguments: Any, **named: Any) -> None:
        if not (state / FORGIVING).exists():
            check_duplicate(*arguments, **named)

    journal.open_call = open_and_keep
    posts._check_duplicate = check_unless_forgiving


if __name__ == "__main__":
    sys.exit(main())
