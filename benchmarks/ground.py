"""A whole hub for a benchmark: its own server, schema, person, accounts at a stand-in for X, posts by the thousand, and a worker."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx2
import psycopg

from benchmarks.rivals.servers import process, tail
from benchmarks.timing import PYTHON

FOLDER = Path(tempfile.mkdtemp(prefix="psn-publishing-"))
if os.geteuid() == 0:
    FOLDER.chmod(0o711)  # the server's own OS user must get through
os.environ.update(
    PSN_HOME=str(FOLDER / "home"),
    PSN_WORKSPACE=str(FOLDER / "workspace"),
    PSN_NO_BOOTSTRAP="1",
    DJANGO_SETTINGS_MODULE="psn.settings",
)

import django  # noqa: E402  (settings read the environment that was just made)

django.setup()

from django.conf import settings  # noqa: E402
from django.db import connections  # noqa: E402

from hub.actions import hubs  # noqa: E402
from hub.connections import OWNER, reload_hub  # noqa: E402
from hub.models import Account, OAuthToken, User  # noqa: E402
from hub.queue import bells  # noqa: E402
from hub.sealing import context_of, opening  # noqa: E402
from psn.config.hub import HubConfig, get_hub_config, write_hub_config  # noqa: E402
from psn.config.workspace import Workspace  # noqa: E402
from psn.crypto import create_key  # noqa: E402
from psn.providers.local import PORT  # noqa: E402

WEB = httpx2.Client(trust_env=False, timeout=600)


@dataclass(frozen=True, slots=True)
class Ground:
    """A running hub and platform.

    Args:
        platform_url: of the stand-in.
    """

    config: HubConfig
    platform_url: str

    def sql(self, *, user: str = "postgres") -> psycopg.Connection[Any]:
        """Connect to the hub's database beside Django; as `postgres` the laws of rows do not apply."""
        return psycopg.connect(
            host=str(self.config.socket_dir), port=PORT, user=user, dbname=self.config.name, autocommit=True
        )

    def arrivals(self, *, count: int, seconds: float) -> list[tuple[float, str]]:
        """Wait for so many posts at the platform, at most so long; give (arrival, text)."""
        reply = WEB.get(f"{self.platform_url}/arrivals", params={"count": str(count), "seconds": str(seconds)})
        return [(float(at), str(text)) for at, text in reply.json()]

    def forget_arrivals(self, *, delay_seconds: float = 0.0) -> None:
        """Begin anew; from now on the platform answers after so long."""
        WEB.put(f"{self.platform_url}/reset", params={"delay": str(delay_seconds)})

    def clear(self) -> None:
        """Remove all posts and bells."""
        with self.sql() as connection:
            connection.execute(
                "TRUNCATE approvals, posts, post_parts, post_media, attempts, audit_log, notices, django_q_ormq"
            )
            connection.execute("UPDATE accounts SET next_allowed_at = NULL, next_catch_up_at = NULL")


@contextmanager
def make_ground(*, accounts: int) -> Iterator[Ground]:
    """Make a hub with so many accounts; stop everything and remove it at the end."""
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, FOLDER, ignore_errors=True)
        workspace = Workspace(FOLDER / "workspace")
        workspace.root.mkdir(parents=True)
        config = hubs.create_hub(workspace)
        stack.callback(hubs.stop_hub, config)
        write_hub_config(workspace, replace(get_hub_config(workspace), key=create_key().to_text()))
        reload_hub()
        hubs.migrate_hub(name="bench", timezone="UTC")
        platform = stack.enter_context(_process("-m", "benchmarks.platform"))
        assert platform.stdout is not None
        url = f"http://127.0.0.1:{int(platform.stdout.readline())}"
        _make_accounts(accounts, url=url)
        yield Ground(config=config, platform_url=url)
        connections.close_all()


def make_posts(
    ground: Ground,
    *,
    count: int,
    due: str,
    prefix: str,
    bells_too: bool = True,
    first: int = 0,
    analyze: bool = True,
) -> None:
    """Make scheduled, approved posts of one part by SQL, spread over the accounts, each with its bell.

    Args:
        due: a SQL expression of the time in which `i` counts from 1.
        prefix: of the text; the number follows.
    """
    with ground.sql() as connection:
        with connection.transaction():
            _insert_posts(connection, count=count, due=due, prefix=prefix, bells_too=bells_too, first=first)
        if analyze:
            connection.execute("ANALYZE")  # what autovacuum does within a minute
        connection.execute("SELECT pg_notify(%s, '')", [bells.CHANNEL])


def _insert_posts(
    connection: psycopg.Connection[Any], *, count: int, due: str, prefix: str, bells_too: bool, first: int
) -> None:
    connection.execute("SET LOCAL session_replication_role = replica")  # the laws would run a million times
    connection.execute(
        f"""
        CREATE TEMP TABLE made ON COMMIT DROP AS
        SELECT gen_random_uuid() AS id, a.id AS account_id, a.user_id, i, {due} AS due, %s::text || i AS text
        FROM generate_series(%s::int, %s::int) i
        JOIN (SELECT id, user_id, row_number() OVER (ORDER BY id) - 1 AS n, count(*) OVER () AS all_of_them FROM accounts) a
          ON a.n = i %% a.all_of_them""",
        [prefix, first + 1, first + count],
    )
    # what is approved is a hash of account, time, texts and media: the one of hub/publishing/content.py
    connection.execute(
        r"""
        INSERT INTO posts (id, user_id, account_id, status, scheduled_at, scheduled_zone, scheduled_wall, due_at, phase,
          lease_owner, fence, tries, content_hash, approved_hash, approved_by, platform_post_id, url, error_code, error_message)
        SELECT id, user_id, account_id, 'scheduled', due, 'UTC', '', due, '', '', 0, 0, h, h, 'person', '', '', '', ''
        FROM made, LATERAL (SELECT encode(sha256(convert_to(
          '{"account": "' || account_id || '", "parts": [{"index": 0, "kind": "post", "media": [], "text": ' || to_json(text)
          || '}], "scheduled_at": "' || to_char(due AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US') || '+00:00", "v": 1}',
          'UTF8')), 'hex') AS h) AS hashed"""
    )
    connection.execute(
        "INSERT INTO post_parts (id, user_id, post_id, index, kind, text, state, platform_post_id, url) "
        "SELECT gen_random_uuid(), user_id, id, 0, 'post', text, 'waiting', '', '' FROM made"
    )
    if bells_too:
        connection.execute(
            "INSERT INTO django_q_ormq (key, payload, lock) SELECT %s, "
            '\'{"task": "publish_post", "ids": {"post_id": "\' || id || \'"}}\', due FROM made',
            [bells.QUEUE],
        )


@contextmanager
def run_worker(**environment: str) -> Iterator[subprocess.Popen[str]]:
    """Run a worker's cluster until the end of the block; it is ready when the block begins."""
    with psycopg.connect(host=str(_server().socket_dir), port=PORT, user="postgres", dbname=_server().name) as sql:
        sql.execute("DELETE FROM worker_heartbeats")
        sql.commit()
        name = f"bench@here:{secrets.token_hex(4)}"
        with _process("-m", "hub.worker", PSN_LOGIN="worker", PSN_WORKER=name, **environment) as process:
            give_up = time.monotonic() + 60
            while not sql.execute("SELECT 1 FROM worker_heartbeats").fetchone():
                sql.commit()
                if process.poll() is not None or time.monotonic() > give_up:
                    sys.exit("the worker did not start")
                time.sleep(0.05)
            time.sleep(1.0)
            yield process


def memory_of(process: subprocess.Popen[str]) -> float:
    """Give the megabytes of a process group, shared pages counted once (PSS)."""
    total = 0
    for pid in pids_of(process):
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def cpu_of(process: subprocess.Popen[str]) -> float:
    """Give the CPU seconds that a process group has used so far."""
    ticks = 0
    for pid in pids_of(process):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
        except OSError:
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def pids_of(process: subprocess.Popen[str]) -> list[int]:
    """Give the ids of a process's session."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(") ")[2].split()
            except OSError:
                continue
            if int(fields[3]) == process.pid:
                found.append(int(entry.name))
    return found


def _make_accounts(count: int, *, url: str) -> None:
    user = User.objects.using(OWNER).get()
    keyring = opening()
    now = django.utils.timezone.now()
    accounts = [
        Account(
            user_id=user.id, platform="x", platform_account_id=str(n), handle=f"bench{n}", base_url=url, is_sandbox=True
        )
        for n in range(count)
    ]
    tokens = [OAuthToken(user_id=user.id, account_id=account.id, obtained_at=now) for account in accounts]
    for token in tokens:
        token.access_token_sealed = keyring.seal("bench", context=context_of(token, "access_token_sealed"))
    Account.objects.using(OWNER).bulk_create(accounts, batch_size=1000)
    OAuthToken.objects.using(OWNER).bulk_create(tokens, batch_size=1000)


def _server() -> HubConfig:
    assert settings.HUB is not None
    return settings.HUB


@contextmanager
def _process(*arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """Run a Python process until the end of the block; show the end of its log when it stumbled."""
    log = FOLDER / "worker.log"
    with process([PYTHON, *arguments], log=log, environment=environment, speaks=True) as started:
        yield started
    if "traceback" in log.read_text().lower():
        print(tail(log), file=sys.stderr)
