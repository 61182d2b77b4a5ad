"""What a calendar over many hubs costs: `.venv/bin/python -m benchmarks.calendars`.

`ask_hubs` over five hubs, one of them slow, against the slow one alone     at most 1.5x
the same as whole processes of `psn_calendar show`                          at most 1.5x

Real hubs: a personal one with its own server, four companies' on another, all with posts; the slow one is reached through a proxy that
holds every message up for some milliseconds each way, as a network does.
"""

from __future__ import annotations

import argparse
import os
import secrets
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.timing import PYTHON, run_pairs

FOLDER = Path(tempfile.mkdtemp(prefix="psn-calendars-"))
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
from django.utils import timezone  # noqa: E402

from hub.actions import hubs  # noqa: E402
from hub.actions.calendars.across import Answered, ask_hubs  # noqa: E402
from hub.actions.calendars.planned import Planned, read_planned  # noqa: E402
from hub.connections import reload_hub, switch_hub  # noqa: E402
from psn.config.hub import HubConfig, get_hub_config, write_hub_config  # noqa: E402
from psn.config.workspace import Workspace  # noqa: E402
from psn.crypto import create_key  # noqa: E402
from psn.planning.calendar import reading_window  # noqa: E402
from tests.servers import run_server  # noqa: E402
from tests.teams.company import Company, make_company  # noqa: E402

COMPANIES = 4
DAYS = 14
LIMIT = 1.5
_CONNECT = """
    INSERT INTO accounts (id, user_id, platform, platform_account_id, handle, name, base_url, is_sandbox, status, status_reason)
    SELECT gen_random_uuid(), id, 'x', '1', 'bench', '', '', true, 'active', '' FROM users
    ORDER BY kind = 'company' DESC LIMIT 1"""
_WRITE = """
    INSERT INTO posts (id, user_id, account_id, status, scheduled_at, due_at, scheduled_zone, scheduled_wall, phase, lease_owner, fence,
      tries, content_hash, approved_hash, approved_by, platform_post_id, url, error_code, error_message)
    SELECT gen_random_uuid(), a.user_id, a.id, 'draft', now() + i * interval '1 hour', now() + i * interval '1 hour', 'UTC', '', '', '', 0,
      0, 'h', '', '', '', '', '', ''
    FROM accounts a, generate_series(1, %s) i"""


def main() -> None:
    """Print the ratios."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--delay-ms", type=float, default=15.0, help="each way; twice that is a round trip")
    options.add_argument("--runs", type=int, default=9)
    options.add_argument("--posts", type=int, default=200, help="of each hub, an hour apart")
    asked = options.parse_args()
    with _make_hubs(delay_seconds=asked.delay_ms / 1000, posts=asked.posts) as slow:
        alone = _make_alone(slow)
        inside = [_time_inside(slow) for _ in range(asked.runs + 1)][1:]
        show = [PYTHON, "manage.py", "psn_calendar", "show"]
        # the environment decides the workspace, so each side names its own
        processes = run_pairs(
            [*_in(settings.WORKSPACE), *show], [*_in(alone), *show, "--hub", slow.slug], runs=asked.runs
        )
    print(
        f"{COMPANIES + 1} hubs, {asked.posts} posts in each, a round trip to the slow one takes {asked.delay_ms * 2:.0f} ms"
    )
    _tell("asking all of them / the slow one alone", inside)
    _tell("psn_calendar show over all / over the slow one", processes)


def _tell(what: str, pairs: list[tuple[float, float]]) -> None:
    ratio = median(a / b for a, b in pairs)
    ours, theirs = (median(column) * 1000 for column in zip(*pairs, strict=True))
    print(f"{what}: {ratio:.2f}x ({ours:.0f} ms against {theirs:.0f} ms; at most {LIMIT}x)")


def _in(workspace: Workspace) -> list[str]:
    return ["/usr/bin/env", f"PSN_WORKSPACE={workspace.root}"]


def _time_inside(slow: HubConfig) -> tuple[float, float]:
    """Ask all hubs, then the slow one, from one process; give the seconds of both."""
    since, until = reading_window(timezone.now().date(), count=DAYS)
    read = partial(read_planned, since=since, until=until)
    switch_hub("")
    everything = _seconds(lambda: ask_hubs(read), count=COMPANIES + 1)
    switch_hub(slow.slug)
    settings.OTHER_HUBS = {}
    alone = _seconds(lambda: ask_hubs(read), count=1)
    return everything, alone


def _seconds(ask: Callable[[], Sequence[Answered[Planned]]], *, count: int) -> float:
    began = time.perf_counter()
    answers = ask()
    spent = time.perf_counter() - began
    assert [answer.state for answer in answers] == ["ok"] * count, answers
    return spent


@contextmanager
def _make_hubs(*, delay_seconds: float, posts: int) -> Iterator[HubConfig]:
    """Make all hubs and give the slow one; remove everything at the end."""
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, FOLDER, ignore_errors=True)
        _make_personal_hub(posts)
        stack.callback(_stop_personal_hub)
        server = stack.enter_context(run_server("18"))
        names = [f"b{secrets.token_hex(3)}" for _ in range(COMPANIES)]
        companies = [stack.enter_context(make_company(server, slug=name)) for name in names]
        for company in companies:
            _fill(company, posts)
            _join(company, port=server.port)
        port = stack.enter_context(_hold_up(server.port, seconds=delay_seconds))
        _join(companies[0], port=port)
        yield get_hub_config(settings.WORKSPACE, companies[0].slug)


def _make_personal_hub(posts: int) -> None:
    settings.WORKSPACE.root.mkdir(parents=True)
    config = hubs.create_hub(settings.WORKSPACE)
    write_hub_config(settings.WORKSPACE, replace(config, key=create_key().to_text()))
    reload_hub()
    hubs.migrate_hub(name="bench", timezone="UTC")
    with hubs.connect(get_hub_config(settings.WORKSPACE), "owner") as owner:
        owner.execute(_CONNECT)
        owner.execute(_WRITE, [posts])


def _stop_personal_hub() -> None:
    switch_hub("")
    hubs.stop_hub(get_hub_config(settings.WORKSPACE))


def _fill(company: Company, posts: int) -> None:
    with company.enter_as_superuser() as everything:
        everything.execute(_CONNECT)
        everything.execute(_WRITE, [posts])


def _join(company: Company, *, port: int, workspace: Workspace | None = None) -> None:
    """Let the workspace enter a company's hub as its admin, through this port."""
    url = replace(company.config.url("app"), port=port)
    config = replace(company.config, urls={"app": url}, folder=FOLDER / company.slug)
    write_hub_config(workspace or settings.WORKSPACE, config)


def _make_alone(slow: HubConfig) -> Workspace:
    """Make a workspace that has nothing but the slow hub."""
    alone = Workspace(FOLDER / "alone")
    alone.connections.mkdir(parents=True)
    write_hub_config(alone, slow)
    return alone


@contextmanager
def _hold_up(upstream: int, *, seconds: float) -> Iterator[int]:
    """Forward to a port and back, every piece so many seconds later; give the port to connect to."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, upstream, seconds), daemon=True).start()
        yield listener.getsockname()[1]


def _accept(listener: socket.socket, upstream: int, seconds: float) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            server = socket.create_connection(("127.0.0.1", upstream))
            for ends in ((client, server), (server, client)):
                threading.Thread(target=_carry, args=(*ends, seconds), daemon=True).start()


def _carry(source: socket.socket, target: socket.socket, seconds: float) -> None:
    """Carry bytes one way, late; pieces that come together leave together."""
    with suppress(OSError):
        while chunk := source.recv(65536):
            time.sleep(seconds)
            target.sendall(chunk)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


if __name__ == "__main__":
    main()
