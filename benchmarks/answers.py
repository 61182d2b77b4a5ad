"""All platforms on one port, as a process: `python -m benchmarks.answers` prints its address; `/x`, `/linkedin`, … lie below it.

It answers with what `tests.psn.platforms.canned` has, and swallows what is uploaded.
"""

from __future__ import annotations

import sys
from dataclasses import replace

from tests.psn.platforms.canned import CASES, find_answer
from tests.psn.platforms.stub import Request, serve_stub

_RULES = {case.name.replace(" ", "-"): case.rules for case in CASES}


def main() -> None:
    """Serve until standard input is closed."""
    with serve_stub(lambda _request: None) as stub:

        def answer(request: Request) -> bytes:
            _, name, target = request.target.split("/", 2)
            return find_answer(_RULES[name], replace(request, target=f"/{target}")).to_bytes(f"{stub.url}/{name}")

        stub.answer = answer
        print(stub.url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
