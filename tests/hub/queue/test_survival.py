"""Whatever is killed, a new bell is answered within seconds, no process is left over, and each post is out once (ENGINE 6, 7, P5).

The hazards of django-q2 that these tests stand for: an idle worker killed while it holds the queue's lock makes the cluster deaf (H3);
a killed monitor has everything run again (H4); a killed pusher delays (H5); a killed sentinel leaves orphans (H6); a killed group loses
what was under way (H7); a stopped process is deaf for ever.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hub.models import Account, WorkerHeartbeat
from hub.queue.supervisor import worker_name
from psn.config.workspace import ROOT
from tests.factories import OWNER, People
from tests.hub.publishing.stage import attempts_of, changes_of, live, look, sent, texts
from tests.hub.queue.family import Family, lives, living_in, read_family
from tests.hub.queue.process import Cluster, schedule, wait_for_life, wait_until, worker_environment
from tests.sandbox.process import Sandbox

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are told apart by /proc")
END_SECONDS = 5.0  # of everything that must end with something else
ANSWER_SECONDS = 20.0  # on a busy machine; a cluster is back within one or two


@dataclass
class Supervised:
    """A supervisor that is at work."""

    workspace: Path
    watcher: Cluster

    @property
    def log(self) -> str:
        return self.watcher.log.read_text()

    def family(self) -> Family:
        """Wait until all processes are there, and give them."""
        found: list[Family] = []

        def is_whole() -> bool:
            family = read_family(self.watcher.process.pid)
            found[:] = [family] if family else []
            return bool(found)

        wait_until(is_whole, self.watcher)
        return found[0]


@pytest.fixture
def supervised(hub: People, tmp_path: Path) -> Iterator[Supervised]:
    """A worker under its supervisor; nothing of it is left in the end."""
    workspace = tmp_path / "worker"
    made = Supervised(workspace, supervise(workspace))
    yield made
    made.watcher.process.kill()
    made.watcher.process.wait()
    try:
        end_by(lambda: not living_in(workspace), what="nothing is left over")
    finally:
        for pid in living_in(workspace):
            os.kill(pid, signal.SIGKILL)


def supervise(workspace: Path) -> Cluster:
    """Start a supervisor and wait until its cluster works."""
    environment = worker_environment(workspace, name="nobody:0")
    log, folder = workspace / "supervisor.log", workspace / "daemon"
    folder.mkdir(exist_ok=True)
    name = worker_name(folder)
    with log.open("ab") as stream:
        command = [sys.executable, "-m", "tests.hub.queue.hasty", "supervisor", str(folder)]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stderr=stream)
    cluster = Cluster(name=name, process=process, log=log)
    wait_for_life(cluster)
    return cluster


VICTIMS: dict[str, Callable[[Family], int]] = {
    "an idle worker": lambda family: family.workers[0],
    "the monitor": lambda family: family.monitor,
    "the pusher": lambda family: family.pusher,
    "the sentinel": lambda family: family.sentinel,
    "the main process": lambda family: family.main,
    "the whole group": lambda family: -family.main,
}


class TestKilling:
    @pytest.mark.parametrize("victim", VICTIMS)
    def test_leaves_nothing_over_and_the_next_bell_is_answered(
        self, account: Account, sandbox: Sandbox, supervised: Supervised, victim: str
    ) -> None:
        family = supervised.family()
        first = schedule(account, "Before")
        wait_until(lambda: look(first).status == "published", supervised.watcher)
        os.kill(VICTIMS[victim](family), signal.SIGKILL)
        end_by(lambda: not any(lives(pid) for pid in family.cluster), what="the cluster ends as a whole")
        post = schedule(account, "After")
        wait_until(lambda: look(post).status == "published", supervised.watcher, seconds=ANSWER_SECONDS)
        assert (texts(sandbox), len(sent(sandbox))) == (["Before", "After"], 2)
        assert changes_of(post)[-2:] == ["scheduled publishing", "publishing published"]
        assert supervised.family().cluster.isdisjoint(family.cluster)

    def test_a_busy_worker_leaves_its_post_to_the_platform_s_word(
        self, account: Account, sandbox: Sandbox, supervised: Supervised
    ) -> None:
        family = supervised.family()
        sandbox.fail("latency", seconds=1.0)
        post = schedule(account, "Under way")
        wait_until(lambda: bool(sent(sandbox)), supervised.watcher)
        busy = int(attempts_of(post)[0].worker.split(":")[2])
        assert busy in family.workers
        os.kill(busy, signal.SIGKILL)
        wait_until(lambda: look(post).status == "published", supervised.watcher, seconds=ANSWER_SECONDS)
        (remote,) = live(sandbox)
        assert (look(post).platform_post_id, len(sent(sandbox))) == (remote["id"], 1)
        assert changes_of(post)[-3:] == ["scheduled publishing", "publishing unknown", "unknown published"]
        assert not any(lives(pid) for pid in family.cluster)

    def test_the_supervisor_ends_everything_and_a_new_one_takes_over(
        self, account: Account, sandbox: Sandbox, supervised: Supervised
    ) -> None:
        family = supervised.family()
        sandbox.fail("latency", seconds=1.0)
        post = schedule(account, "Under way")
        wait_until(lambda: bool(sent(sandbox)), supervised.watcher)
        os.kill(family.supervisor, signal.SIGKILL)
        supervised.watcher.process.wait()
        end_by(lambda: not living_in(supervised.workspace), what="the cluster ends with its supervisor")
        WorkerHeartbeat.objects.using(OWNER).all().delete()
        supervised.watcher = supervise(supervised.workspace)
        wait_until(lambda: look(post).status == "published", supervised.watcher, seconds=ANSWER_SECONDS)
        assert (len(live(sandbox)), len(sent(sandbox))) == (1, 1)


class TestStopping:
    @pytest.mark.parametrize("who", ["one worker", "all workers", "the pusher"])
    def test_processes_in_their_tracks_is_noticed(
        self, account: Account, sandbox: Sandbox, supervised: Supervised, who: str
    ) -> None:
        family = supervised.family()
        stopped = {"one worker": family.workers[:1], "all workers": family.workers, "the pusher": (family.pusher,)}[who]
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        post = schedule(account, "Hello")
        wait_until(lambda: look(post).status == "published", supervised.watcher, seconds=2 * ANSWER_SECONDS)
        assert len(sent(sandbox)) == 1
        if who != "one worker":  # of two, the other may well do all the work
            assert "no bell went through the queue" in supervised.log
            assert not any(lives(pid) for pid in family.cluster)


class TestTheSupervisor:
    def test_stops_the_cluster_politely(self, supervised: Supervised) -> None:
        supervised.watcher.process.terminate()
        assert supervised.watcher.process.wait(timeout=20) == 0
        assert not living_in(supervised.workspace)
        assert not WorkerHeartbeat.objects.using(OWNER).exists()


def end_by(happened: Callable[[], bool], *, what: str) -> None:
    deadline = time.monotonic() + END_SECONDS
    while not happened():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)
