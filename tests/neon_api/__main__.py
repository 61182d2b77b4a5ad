"""Run the stand-in until Ctrl-C: `python -m tests.neon_api [postgresql://superuser:password@host:port ...]`, one server a project."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from urllib.parse import unquote, urlsplit

from tests.neon_api import World, run_neon_api
from tests.neon_api.postgres import Postgres


def main() -> None:
    """Start it and say how to reach it."""
    world = World(servers=[_read_server(text) for text in sys.argv[1:]])
    with run_neon_api(world) as api, suppress(KeyboardInterrupt):
        for name, value in api.environment.items():
            print(f"export {name}={value}", flush=True)
        while True:
            time.sleep(60)


def _read_server(text: str) -> Postgres:
    parts = urlsplit(text)
    return Postgres(
        parts.hostname or "127.0.0.1",
        parts.port or 5432,
        unquote(parts.username or "postgres"),
        unquote(parts.password or ""),
    )


if __name__ == "__main__":
    main()
