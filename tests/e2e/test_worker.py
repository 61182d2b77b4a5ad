"""The worker as processes: one of it, no orphans, and nothing lost when it is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

from tests.e2e.workspace import Workspace, read_outcome

MUTE = "import sys, time; from pathlib import Path; from psn.daemons import hold_lock; lock = hold_lock(Path(sys.argv[1])); time.sleep(600)"


def workers(workspace: Workspace) -> dict[int, str]:
    """The supervisor and the cluster with its children."""
    return {
        pid: line for pid, line in workspace.processes().items() if "psn_worker run" in line or "hub.worker" in line
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
        assert (status["workers"][0]["state"], status["workers"][0]["beat_age_seconds"] < 60) == ("working", True)
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


class TestSilent:
    def test_worker_is_started_anew(self, ready: Workspace) -> None:
        ready.ok("psn_worker", "stop")
        lock = ready.hub_home / "worker" / "worker.lock"
        mute = subprocess.Popen([sys.executable, "-c", MUTE, str(lock)], cwd=ready.repository)
        try:
            until(lambda: lock.read_text().strip() == str(mute.pid))
            hours_ago = time.time() - 7200
            os.utime(lock, (hours_ago, hours_ago))
            assert ready.ok("psn_worker", "start")["started"] is True
            assert mute.wait(timeout=10) == -signal.SIGTERM
        finally:
            if mute.poll() is None:
                mute.kill()
                mute.wait()
            ready.ok("psn_worker", "start")
        assert ready.ok("psn_worker", "status")["state"] == "running"


class TestKilled:
    def test_server_is_started_again_by_a_worker_that_goes_on_beating(
        self, ready: Workspace, create: Callable[..., str]
    ) -> None:
        before = ready.ok("psn_worker", "status")
        os.kill(int(ready.ok("psn_hub", "status")["hub"]["pid"]), signal.SIGKILL)
        killed = datetime.now(UTC)

        def has_beaten() -> bool:
            status = ready.ok("psn_worker", "status")
            beats = [datetime.fromisoformat(worker["beat_at"]) for worker in status["workers"]]
            return status["state"] == "running" and any(beat > killed for beat in beats)

        until(has_beaten)
        after = ready.ok("psn_worker", "status")
        assert (after["pid"], after["workers"][0]["pid"]) == (before["pid"], before["workers"][0]["pid"])
        post = create("After the server", "--at", "+0s", "--approve")
        assert ready.ok("psn_post", "wait", post)["post"]["status"] == "published"

    def test_server_while_the_platform_answers_costs_no_answer(
        self, ready: Workspace, account: str, create: Callable[..., str]
    ) -> None:
        ready.ok("psn_sandbox", "fault", "latency", "--seconds", "4")
        before = len(ready.commits())
        post = create("Answered to a dead hub", "--at", "+0s", "--approve")
        pid = int(ready.ok("psn_hub", "status")["hub"]["pid"])
        until(lambda: len(ready.commits()) > before)
        os.kill(pid, signal.SIGKILL)
        assert ready.ok("psn_post", "wait", post)["post"]["status"] == "published"
        (attempt,) = ready.ok("psn_post", "attempts", post)["attempts"]
        assert (attempt["outcome"], len(ready.commits(account))) == ("ok", 1)

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

    def test_cluster_in_the_middle_of_a_call_leaves_a_doubt_that_the_platform_settles(
        self, ready: Workspace, account: str, create: Callable[..., str]
    ) -> None:
        ready.ok("psn_sandbox", "fault", "latency", "--seconds", "3")
        post = create("Cut off", "--at", "+0s", "--approve")
        until(lambda: any(call["outcome"] == "open" for call in ready.ok("psn_post", "attempts", post)["attempts"]))
        for pid, line in workers(ready).items():
            if "hub.worker" in line:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:  # the kernel ended it with its parent
                    continue
        outcome = ready.run("psn_post", "wait", post, "--timeout", "60")
        assert outcome.data["post"]["status"] == "published"
        assert "post is unknown" in [line["name"] for line in outcome.lines if line["type"] == "progress"]
        assert [text["text"] for text in ready.sandbox_posts(account)] == ["Cut off"]
        assert len(ready.commits(account)) == 1
        following = create("The next one", "--at", "+0s", "--approve")
        assert ready.ok("psn_post", "wait", following)["post"]["status"] == "published"


class TestItsStatus:
    def test_has_every_figure(self, ready: Workspace, create: Callable[..., str]) -> None:
        post = create("Measured", "--at", "+1s", "--approve")
        ready.ok("psn_post", "wait", post)
        later = create("Tomorrow", "--at", "+1d", "--approve")
        status = ready.ok("psn_worker", "status")
        assert (status["scheduled"] >= 1, status["publishing"], status["stuck"]["posts"]) == (True, 0, [])
        assert (status["queue"]["due"], status["queue"]["later"] >= 1) == (0, True)
        lateness = status["lateness_ms"]
        assert lateness["count"] >= 1
        assert 0 <= lateness["p50"] <= lateness["p95"] <= lateness["p99"] <= lateness["max"]
        assert set(status["waiting"]) == {"too_late", "paused", "catch_up", "behind_another"}
        ready.ok("psn_post", "cancel", later)

    def test_of_a_stopped_worker_names_the_command_that_starts_it(self, ready: Workspace) -> None:
        ready.ok("psn_worker", "stop")
        try:
            outcome = ready.run("psn_worker", "status")
            assert (outcome.data["state"], outcome.next_command) == ("down", "python3 manage.py psn_worker start")
        finally:
            ready.ok("psn_worker", "start")


class TestItsQueue:
    def test_is_rung_by_the_validation_and_answers(self, ready: Workspace) -> None:
        outcome = ready.run("psn_validate")
        checks = {check["name"]: check for check in outcome.result["data"]["checks"]}
        assert (checks["queue"]["status"], checks["stuck"]["status"]) == ("pass", "pass")
        assert "a bell was answered in " in checks["queue"]["message"]
        names = [name.partition(":")[0] for name in checks]
        assert names.index("worker") + 1 == names.index("queue") == names.index("stuck") - 1
