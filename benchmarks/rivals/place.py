"""Where one run of the benchmark keeps its things; travels to its processes in one environment variable."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import psycopg

from psn.providers.local import PORT

VARIABLE = "PSN_BENCH_PLACE"


@dataclass(frozen=True, slots=True)
class Place:
    """One run's folder and servers.

    Args:
        folder: temporary, removed at the end.
        data, socket_dir: of the Postgres server.
        redis_port: 0 when there is no Redis.
    """

    folder: str
    data: str
    socket_dir: str
    stub_port: int
    redis_port: int

    @property
    def stamps(self) -> Path:
        """Where delayed tasks write when they were due and when they ran."""
        return Path(self.folder) / "stamps"

    def to_environment(self) -> dict[str, str]:
        """Give the variable that `find_place` reads."""
        return {VARIABLE: json.dumps(asdict(self))}

    def conninfo(self, database: str) -> str:
        """Give the superuser's way into a database of the run's server."""
        return psycopg.conninfo.make_conninfo(host=self.socket_dir, port=PORT, user="postgres", dbname=database)

    def create_database(self, name: str) -> None:
        """Make a database on the run's server unless it is there."""
        with psycopg.connect(self.conninfo("postgres"), autocommit=True) as admin:
            if not admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
                admin.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name)))


def find_place() -> Place:
    """Read the place of the run that started this process."""
    return Place(**json.loads(os.environ[VARIABLE]))
