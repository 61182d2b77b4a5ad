"""django-q2 with its ORM broker, as it comes or tuned.

Three things in its favour: connections are kept open (Django's default would open one per statement), it logs warnings only, and a
task is not taken for lost after a minute, as by default: on a busy machine it acknowledges so late that it ran 387 of 2,000 tasks twice.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

import django
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction

from benchmarks.rivals.place import Place
from benchmarks.rivals.program import run
from psn.providers.local import PORT

DATABASE = "stock"
WAYS = {
    "": {},
    "tuned": {"save_limit": -1, "bulk": 20, "queue_limit": 64},  # as PSN sets it: what is left is the broker
}


class Stock:
    def prepare(self, place: Place) -> None:
        place.create_database(DATABASE)
        _set_up(place)
        call_command("migrate", verbosity=0)
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE django_q_ormq, django_q_task, django_q_schedule")

    def work(self, place: Place, *, workers: int, way: str) -> None:
        _set_up(place, workers=workers, **WAYS[way])
        call_command("qcluster")

    def connect(self, place: Place) -> None:
        _set_up(place)

    def ring(self, count: int) -> None:
        now = datetime.now(UTC)
        _enqueue([("post", {"number": str(number)}, now) for number in range(count)])

    def ring_later(self, dues: Sequence[float]) -> None:
        _enqueue([("stamp", {"due": repr(due)}, datetime.fromtimestamp(due, UTC)) for due in dues])

    def left(self) -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM django_q_ormq")
            return int(cursor.fetchone()[0])


def _set_up(place: Place, **cluster: int) -> None:
    database = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": DATABASE,
        "HOST": place.socket_dir,
        "PORT": PORT,
        "USER": "postgres",
        "CONN_MAX_AGE": 600,
    }
    settings.configure(
        INSTALLED_APPS=["django_q"],
        DATABASES={"default": database},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
        SECRET_KEY="of a benchmark",
        Q_CLUSTER={"name": "stock", "orm": "default", "retry": 3600, "log_level": "WARNING", **cluster},
    )
    django.setup()


def _enqueue(tasks: Sequence[tuple[str, dict[str, str], datetime]]) -> None:
    """Write queue rows as `async_task` does, in one transaction; a `lock` in the future is a delay."""
    from django_q.conf import Conf  # after the settings are configured
    from django_q.models import OrmQ
    from django_q.signing import SignedPackage

    rows = []
    for name, arguments, due in tasks:
        package = {
            "id": uuid.uuid4().hex,
            "name": name,
            "func": f"benchmarks.rivals.jobs.{name}",
            "args": (),
            "kwargs": arguments,
            "started": datetime.now(UTC),
        }
        rows.append(OrmQ(key=Conf.CLUSTER_NAME, payload=SignedPackage.dumps(package), lock=due))
    with transaction.atomic():
        OrmQ.objects.bulk_create(rows)


if __name__ == "__main__":
    run(Stock())
