"""The promises of README, one test each: a whole set-up, real processes, the sandbox's word against ours.

The attacks by the hundred are in `tests/chaos`; these are the sentences themselves.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

import pytest

from tests.e2e.workspace import Workspace

pytestmark = pytest.mark.slow

Create = Callable[..., str]


def texts_of(workspace: Workspace, account: str) -> list[str]:
    return [post["text"] for post in workspace.sandbox_posts(account)]


def wait(workspace: Workspace, post: str, *, seconds: int = 60) -> dict[str, Any]:
    outcome = workspace.run("psn_post", "wait", post, "--timeout", str(seconds))
    ended: dict[str, Any] = outcome.result["data"]["post"]
    return ended


def kill(workspace: Workspace, *, of: str) -> int:
    """Kill -9 every process of the workspace whose command line says so; gives how many that were."""
    pids = [pid for pid, line in workspace.processes().items() if of in line]
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return len(pids)


def kill_hub(workspace: Workspace) -> None:
    """Kill -9 the hub's database server."""
    os.kill(int((workspace.hub_home / "pg" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)


def test_p1_what_was_accepted_survives_any_crash(ready: Workspace, account: str, create: Create) -> None:
    posts = [create(f"Accepted {number}", "--at", "+3s", "--approve") for number in range(3)]
    kill_hub(ready)
    assert kill(ready, of="psn_worker run") + kill(ready, of="hub.worker") > 0
    ready.ok("psn_worker", "start")
    assert [wait(ready, post)["status"] for post in posts] == ["published"] * 3
    assert sorted(texts_of(ready, account)) == ["Accepted 0", "Accepted 1", "Accepted 2"]


def test_p2_nothing_goes_out_without_approval_of_exactly_that_content(
    ready: Workspace, account: str, create: Create
) -> None:
    create("Nobody said yes", "--at", "+1s")
    changed = create("Yes to this", "--at", "+4s", "--approve")
    ready.ok("psn_post", "edit", changed, "--text", "but not to that")
    time.sleep(6)
    assert ready.commits(account) == []
    assert ready.ok("psn_post", "show", changed)["post"]["status"] == "pending_approval"


def test_p3_at_most_one_call_is_in_flight_or_unresolved_per_part(
    ready: Workspace, account: str, create: Create
) -> None:
    ready.ok("psn_sandbox", "fault", "latency", "--seconds", "4")
    post = create("One call", "--at", "+0s", "--approve")
    while not ready.commits():
        time.sleep(0.05)
    assert (
        kill(ready, of="hub.worker") > 0
    )  # in the middle of the call; the next one is not made before this one is explained
    ended = wait(ready, post, seconds=120)
    assert (ended["status"], texts_of(ready, account)) == ("published", ["One call"])
    calls = ready.ok("psn_post", "attempts", post)["attempts"]
    assert [call["kind"] for call in calls].count("commit") == 1


def test_p4_an_unknown_outcome_is_never_repeated_blindly(ready: Workspace, account: str, create: Create) -> None:
    ready.ok("psn_sandbox", "fault", "drop_after")
    post = create("Is it out?", "--at", "+0s", "--approve")
    assert wait(ready, post)["status"] == "published"
    assert (len(ready.commits(account)), texts_of(ready, account)) == (1, ["Is it out?"])
    kinds = [call["kind"] for call in ready.ok("psn_post", "attempts", post)["attempts"]]
    assert kinds == ["commit", "probe"]


def test_p5_a_due_post_is_claimed_within_a_second_and_within_60_seconds_of_a_workers_death(
    ready: Workspace, create: Create
) -> None:
    on_time = wait(ready, create("On time", "--at", "+2s", "--approve"))
    assert on_time["lateness_ms"] < 1000
    post = create("Whoever is there", "--at", "+2s", "--approve")
    assert kill(ready, of="hub.worker") > 0
    killed = time.monotonic()
    assert wait(ready, post)["status"] == "published"
    assert time.monotonic() - killed < 60


def test_p6_platform_limits_are_kept(ready: Workspace, create: Create) -> None:
    before = len(ready.commits())
    ready.ok("psn_sandbox", "fault", "status", "--status", "429", "--retry-after", "4")
    first = create("Too fast", "--at", "+0s", "--approve")
    assert wait(ready, create("Right after it", "--at", "+1s", "--approve"))["status"] == "published"
    assert wait(ready, first)["status"] == "published"
    calls = [datetime.fromisoformat(call["at"]) for call in ready.commits()[before:]]
    assert len(calls) == 3
    assert (calls[1] - calls[0]).total_seconds() >= 3.5  # the reset is told in whole seconds


def test_p7_every_change_of_state_has_an_audit_row_with_its_actor(ready: Workspace, create: Create) -> None:
    post = create("On record", "--at", "+1s", "--approve")
    wait(ready, post)
    story = ready.ok("psn_post", "why", post)["story"]
    assert all(line["who"] and line["what"] and line["at"] for line in story)
    told = " ".join(line["what"] for line in story)
    for change in ("drafted", "approved", "schedule", "took it", "published"):
        assert change in told, told


def test_p8_a_post_never_disappears(ready: Workspace, account: str, create: Create) -> None:
    ready.ok("psn_sandbox", "fault", "status", "--status", "403")
    refused = create("Refused", "--at", "+0s", "--approve")
    assert wait(ready, refused)["status"] == "failed"
    cancelled = create("Never mind", "--at", "+1h", "--approve")
    ready.ok("psn_post", "cancel", cancelled)
    waiting = create("Not yet", "--at", "+1h")
    listed = {post["id"]: post["status"] for post in ready.ok("psn_post", "list", "--account", f"@{account}")["posts"]}
    assert listed == {refused: "failed", cancelled: "cancelled", waiting: "pending_approval"}
    for post in listed:
        assert ready.ok("psn_post", "why", post)["summary"]
    told = [notice["post_id"] for notice in ready.ok("psn_post", "notices")["notices"]]
    assert refused in told
