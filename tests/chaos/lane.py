"""A lane: one hub, one sandbox and its workers, in a folder of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from django.db import connections
from django.utils import timezone

from hub.actions.connecting import connect_sandbox
from hub.actions.hubs import local_server
from hub.actions.setup import run_setup
from hub.actions.steps import Run
from psn.config.hub import get_hub_config
from psn.config.workspace import ROOT, Workspace
from psn.providers.local import LocalServer
from psn.providers.local.places import socket_path
from tests import media_files
from tests.chaos.gate import Crossing, Gate
from tests.chaos.hubside import HubSide
from tests.chaos.orders import ACCOUNTS, HANDLES
from tests.chaos.platformside import PlatformSide
from tests.chaos.processes import Cluster, read_cluster
from tests.chaos.proxy import Proxy
from tests.chaos.vendors import VENDORS

STEPS = ("environment", "hub", "schema", "config")
MEDIA = {"picture": "picture.jpg", "video": "video.mp4"}
START_SECONDS = 60.0
STOP_SECONDS = 10.0


@dataclass
class Worker:
    """A supervised worker: started again when its supervisor is gone, as a computer's own service manager would."""

    name: str
    folder: Path
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0

    def ensure(self) -> None:
        """Start it if it does not run."""
        if self.process is not None and self.process.poll() is None:
            return
        self.folder.mkdir(exist_ok=True)
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.supervisor", str(self.folder), self.name],
                cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        self.starts += 1

    def stop(self) -> None:
        """End it at once; its processes end with it."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(STOP_SECONDS)
        self.process = None

    def drain(self) -> None:
        """Ask it to finish what is going out and to end."""
        if self.process is not None:
            self.process.terminate()

    def look(self, *, roles: Path) -> Cluster | None:
        """Look at its processes; None when it does not run."""
        return None if self.process is None else read_cluster(self.process.pid, roles=roles)


@dataclass
class Lane:
    """Everything a history needs, alive."""

    folder: Path
    server: LocalServer
    hub: HubSide
    platform: PlatformSide
    proxy: Proxy
    gate: Gate
    environment: dict[str, str]
    workers: list[Worker] = field(default_factory=list)
    accounts: dict[tuple[str, int], str] = field(default_factory=dict)
    witness: str = ""
    broken: str = ""
    visit: Callable[[Crossing], float] = lambda _crossing: 0.0

    @property
    def roles(self) -> Path:
        return self.folder / "roles"

    def use_workers(self, *, witness: str, broken: str, rival: bool) -> None:
        """Have the workers of this kind run, and hear."""
        if (witness, broken) != (self.witness, self.broken):
            self.stop_workers()
            self.witness, self.broken = witness, broken
        wanted = 2 if rival else 1
        for worker in self.workers[wanted:]:
            worker.stop()
        del self.workers[wanted:]
        while len(self.workers) < wanted:
            name = f"worker-{'ab'[len(self.workers)]}"
            environment = self.environment | {
                "DJANGO_SETTINGS_MODULE": "tests.chaos.settings",
                "PSN_LOGIN": "worker",
                "PSN_LOG_LEVEL": "INFO",
                "PSN_WORKERS": "2",
                "PSN_THREADS": "4",
                "CHAOS_WITNESS": witness,
                "CHAOS_BREAK": broken,
            }
            self.workers.append(Worker(name, self.folder / name, environment))
        self._wait_until_heard()

    def ensure(self) -> None:
        """Start again what was killed and is not supervised by the product itself."""
        self.platform.ensure()
        for worker in self.workers:
            worker.ensure()

    def connect_all(self, platform: str) -> list[str]:
        """Connect the platform's accounts that are not connected, and give the ids of all."""
        lost = self.hub.lost_accounts()
        for number in range(ACCOUNTS):
            known = self.accounts.get((platform, number))
            if known is None or known in lost:
                self.accounts[platform, number] = self._connect(platform, number)
        return [self.accounts[platform, number] for number in range(ACCOUNTS)]

    def _connect(self, platform: str, number: int) -> str:
        page = "" if number else VENDORS[platform].organization
        account = connect_sandbox(
            platform=platform,
            sandbox_url=self.platform.url,
            handle=HANDLES[number],
            organization=page,
            now=timezone.now(),
        )
        connections.close_all()
        return str(account.id)

    def stop_workers(self) -> None:
        """End every worker."""
        for worker in self.workers:
            worker.stop()
        self.workers.clear()

    def close(self) -> None:
        """Take everything down."""
        self.stop_workers()
        self.gate.close()
        self.proxy.close()
        self.hub.close()
        self.platform.close()
        self.server.stop("immediate")

    def _wait_until_heard(self) -> None:
        give_up = time.monotonic() + START_SECONDS
        names = [worker.name for worker in self.workers]
        while True:
            self.ensure()  # again and again: it may still have been ending
            heard = self.hub.ask(
                "SELECT count(*) FROM worker_heartbeats WHERE name = ANY (%s) AND beat_at > now() - interval '5 s'",
                names,
            )
            if heard[0][0] == len(names):
                return
            if time.monotonic() > give_up:
                raise RuntimeError(f"no worker is heard: {(self.workers[0].folder / 'log').read_text()[-3000:]}")
            time.sleep(0.05)


def make_lane(folder: Path) -> Lane:
    """Set a lane up: as `psn_setup` does, but for its worker, its sandbox and its proof."""
    for name in ("roles", "proxy", "sandbox"):
        (folder / name).mkdir()
    run = Run(Workspace(Path(os.environ["PSN_WORKSPACE"])))
    for step in STEPS:
        for _ in run_setup(run, only=step):
            pass
    config = get_hub_config(run.workspace)
    server = local_server(config)
    proxy = Proxy(folder=folder / "proxy", server=socket_path(server.socket_dir))
    proxy.start()
    for alias in ("default", "queue"):  # commands go through the proxy too
        connections.settings[alias]["HOST"] = str(proxy.folder)
    shutil.copyfile(media_files.jpeg(320, 320), folder / MEDIA["picture"])
    shutil.copyfile(media_files.mp4(360, 640, seconds=3), folder / MEDIA["video"])
    environment = dict(os.environ) | {
        "CHAOS_PROXY": str(proxy.folder),
        "CHAOS_GATE": str(folder / "gate"),
        "CHAOS_ROLES": str(folder / "roles"),
    }
    platform = PlatformSide(folder / "sandbox", environment, folder / "sandbox.log")
    platform.start()
    lane: Lane

    def visit(crossing: Crossing) -> float:
        return lane.visit(crossing)

    lane = Lane(
        folder=folder,
        server=server,
        hub=HubSide(config.local_places[1], config.name),
        platform=platform,
        proxy=proxy,
        gate=Gate(folder / "gate", visit),
        environment=environment,
    )
    connections.close_all()
    return lane


def remove_roles(lane: Lane) -> None:
    """Forget the roles of processes that ended."""
    for file in lane.roles.iterdir():
        if not Path(f"/proc/{file.name}").exists():
            with suppress(FileNotFoundError):
                file.unlink()
