"""`psn_worker`: the process that publishes."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from hub.actions import workers
from hub.actions.backup import moving
from hub.management.base import PsnCommand, Result
from hub.management.envelope import command_line
from hub.models.base import hub_now


class Command(PsnCommand):
    help = "The worker: publishes what is due, when it is due."

    def add_verbs(self, verbs: Any) -> None:
        """Declare the verbs."""
        self.add_verb(verbs, "start", self.start, help="start the worker in the background", as_worker="always")
        self.add_verb(verbs, "stop", self.stop, help="let it finish what is going out, then stop it", as_worker="here")
        self.add_verb(verbs, "status", self.status, help="tell whether it lives, and what waits", as_worker="here")
        self.add_verb(verbs, "run", self.run, help="run it here, for a platform that supervises processes itself")

    def start(self) -> dict[str, Any]:
        """Start the worker."""
        moving.check_no_move(settings.WORKSPACE, slug=settings.HUB_SLUG)
        return workers.start_worker(self.hub)

    def stop(self) -> dict[str, Any]:
        """Stop the worker."""
        return {"stopped": workers.stop_worker(self.hub)}

    def status(self) -> Result:
        """Tell how the worker does."""
        data = workers.worker_status(self.hub, now=hub_now())
        return Result(data, next_action=_next_action(data))

    def run(self) -> dict[str, Any]:
        """Run the worker in this process."""
        if settings.LOGIN != "worker":  # begin again under the worker's own login
            self.begin_again_as_worker()
        return {"restarts": workers.run_worker(self.hub)}


def _next_action(status: dict[str, Any]) -> dict[str, Any]:
    """Name what helps first: a worker, then a post that is stuck, then what the person has not seen."""
    if status["state"] in ("down", "deaf"):
        return _run("psn_worker start")
    if stuck := status["stuck"]["posts"]:
        return _run(f"psn_post why {stuck[0]}")
    if status["unseen_notices"]["act"]:
        return _run("psn_post notices")
    return {"needs": "none"}


def _run(command: str) -> dict[str, Any]:
    return {"needs": "agent", "command": command_line(command)}
