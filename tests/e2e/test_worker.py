"""The worker as processes: one of it, no orphans, and nothing lost when it is killed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

from tests.e2e.workspace import Workspace, read_outcome


def workers(workspace: Workspace) -> dict[int, str]:
    """The supervisor and the cluster with its children."""
    return {
        pid: line for pid, line in workspace.processes().items() if "psn_worker run" in line or "queue.cluster" in line
    }


def until(holds: Callable[[], bool], *, seconds: float = 20) -> None:
    give_up = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < give_up, "it took too long"
        time.sleep(0.05)


class TestStartingAndStopping:
    def test_is_told_by_its_status(self, ready: Workspace) -> None:
        status = ready.ok("psn_worker", "status")
        assert (status["state"], len(status["workers"])) == ("running", 1)
        assert ready.ok("psn_worker", "start")["started"] is False
        try:
            assert ready.ok("psn_worker", "stop") == {"stopped": True}
            assert (ready.ok("psn_worker", "status")["state"], workers(ready)) == ("down", {})
            assert ready.ok("psn_worker", "stop") == {"stopped": False}
        finally:
            assert ready.ok("psn_worker", "start")["started"] is True

    def test_twice_at_once_gives_one_worker(self, ready: Workspace) -> None:
        ready.ok("psn_worker", "stop")
        starting = [ready.launch("psn_worker", "start") for _ in range(3)]
        ends = [(process.communicate(timeout=60), process.returncode) for process in starting]
        outcomes = [read_outcome(code, out, err) for (out, err), code in ends]
        assert [outcome.exit_code for outcome in outcomes] == [0, 0, 0]
        until(lambda: len([line for line in workers(ready).values() if "psn_worker run" in line]) == 1)
        assert len({outcome.data["pid"] for outcome in outcomes}) == 1

    def test_stop_lets_a_post_that_is_going_out_finish(
        self, ready: Workspace, account: str, create: Callable[..., str]
    ) -> None:
        ready.ok("psn_sandbox", "fault", "latency", "--seconds", "3")
        post = create("On its way", "--at", "+0s", "--approve")
        until(lambda: ready.ok("psn_post", "show", post)["post"]["status"] == "publishing")
        try:
            ready.ok("psn_worker", "stop")
            assert ready.ok("psn_post", "show", post)["post"]["status"] == "published"
        finally:
            ready.ok("psn_worker", "start")
        assert len(ready.commits(account)) == 1

    def test_runs_in_the_foreground_until_it_is_told_to_stop(self, ready: Workspace) -> None:
        ready.ok("psn_worker", "stop")
        process = ready.launch("psn_worker", "run")
        try:
            until(lambda: ready.ok("psn_worker", "status")["state"] == "running")
            outcome = ready.refused("psn_worker", "run", code="worker.running", exit_code=7)
            assert outcome.next_command == "python3 manage.py psn_worker status"
            process.send_signal(signal.SIGTERM)
            stdout, stderr = process.communicate(timeout=60)
            assert read_outcome(process.returncode, stdout, stderr).data == {"restarts": 0}
        finally:
            if process.poll() is None:
                process.kill()
            ready.ok("psn_worker", "start")


class TestKilled:
    def test_supervisor_leaves_no_orphans_and_starts_again(self, ready: Workspace, create: Callable[..., str]) -> None:
        pid = ready.ok("psn_worker", "status")["pid"]
        assert len(workers(ready)) > 2
        os.kill(pid, signal.SIGKILL)
        until(lambda: workers(ready) == {})
        assert ready.ok("psn_worker", "status")["state"] != "running"
        assert ready.ok("psn_worker", "start")["started"] is True
        post = create("After the supervisor", "--at", "+0s", "--approve")
        assert ready.ok("psn_post", "wait", post)["post"]["status"] == "published"

    def test_cluster_is_started_again_by_its_supervisor(self, ready: Workspace, create: Callable[..., str]) -> None:
        before = ready.ok("psn_worker", "status")
        (cluster,) = [worker["pid"] for worker in before["workers"]]
        os.kill(cluster, signal.SIGKILL)
        until(lambda: [w["pid"] for w in ready.ok("psn_worker", "status")["workers"]] != [cluster])
        after = ready.ok("psn_worker", "status")
        assert (after["state"], after["pid"]) == ("running", before["pid"])
        assert after["workers"][0]["incarnation"] != before["workers"][0]["incarnation"]
        post = create("After the cluster", "--at", "+0s", "--approve")
        assert ready.ok("psn_post", "wait", post)["post"]["status"] == "published"
