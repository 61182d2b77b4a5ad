"""procrastinate: a queue in Postgres, with processes of its own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import procrastinate
import psycopg

from benchmarks.rivals import jobs
from benchmarks.rivals.place import Place
from benchmarks.rivals.program import run

DATABASE = "procrastinate"
POLL_SECONDS = 0.2  # its default is 5; delayed jobs are found by polling alone


class Procrastinate:
    def prepare(self, place: Place) -> None:
        place.create_database(DATABASE)
        app = _make_app(procrastinate.SyncPsycopgConnector(conninfo=place.conninfo(DATABASE)))
        with psycopg.connect(place.conninfo(DATABASE), autocommit=True) as admin, app.open():
            made = admin.execute("SELECT to_regclass('procrastinate_jobs')").fetchone()
            if not made or made[0] is None:
                app.schema_manager.apply_schema()
            admin.execute("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")

    def work(self, place: Place, *, workers: int, way: str) -> None:
        app = _make_app(procrastinate.PsycopgConnector(conninfo=place.conninfo(DATABASE)))
        app.run_worker(concurrency=workers, fetch_job_polling_interval=POLL_SECONDS)

    def connect(self, place: Place) -> None:
        self._app = _make_app(procrastinate.SyncPsycopgConnector(conninfo=place.conninfo(DATABASE))).open()
        self._connection = psycopg.connect(place.conninfo(DATABASE), autocommit=True)

    def ring(self, count: int) -> None:
        self._app.configure_task("post").batch_defer(*({"number": str(number)} for number in range(count)))

    def ring_later(self, dues: Sequence[float]) -> None:
        for due in dues:
            self._app.configure_task("stamp", schedule_at=datetime.fromtimestamp(due, UTC)).defer(due=repr(due))

    def left(self) -> int:
        unfinished = "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"
        row = self._connection.execute(unfinished).fetchone()
        return int(row[0]) if row else 0


def _make_app(connector: procrastinate.BaseConnector) -> procrastinate.App:
    app = procrastinate.App(connector=connector)
    app.task(name="post")(jobs.post)
    app.task(name="stamp")(jobs.stamp)
    return app


if __name__ == "__main__":
    run(Procrastinate())
