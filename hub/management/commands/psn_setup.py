"""`psn_setup`: from a bare clone to one post out."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from hub.actions import setup
from hub.actions.steps import STEPS, Run
from hub.management.base import PsnCommand
from psn.config.hub import PROVIDERS


class Command(PsnCommand):
    help = "Set PSN up: hub, schema, keys, worker, sandbox, and one post published as proof. Run it again at any time."
    requires_hub = False

    def add_arguments(self, parser: Any) -> None:
        """Declare the arguments; there is one verb only."""
        parser.add_argument("--provider", default="local", help=f"where the hub lives; one of: {', '.join(PROVIDERS)}")
        parser.add_argument("--plan", action="store_true", help="show what would be done, and do nothing")
        parser.add_argument("--status", action="store_true", help="show what is done; always ends well")
        names = ", ".join(step.name for step in STEPS)
        parser.add_argument("--only", metavar="STEP", help=f"run one step alone: {names}")
        parser.add_argument("--from", metavar="STEP", dest="first", help="begin with this step")
        parser.set_defaults(verb=self.setup)

    def setup(self, provider: str, plan: bool, status: bool, only: str | None, first: str | None) -> dict[str, Any]:
        """Run, plan or show the steps."""
        run = Run(workspace=settings.WORKSPACE, provider=provider)
        if plan or status:
            return self._plan(run)
        steps = []
        for event in setup.run_setup(run, only=only, first=first):
            self.stream.progress(step=event.position, name=event.step.title, status=event.outcome, detail=event.detail)
            if event.outcome != "start":
                steps.append({"name": event.step.name, "status": event.outcome, "detail": event.detail})
        return setup.describe(run) | {"steps": steps, "proof": run.proof or None, "web": {"url": run.web_url}}

    def _plan(self, run: Run) -> dict[str, Any]:
        steps = [
            {"name": step.name, "title": step.title, "status": "done" if holds else "to do"}
            for step, holds in setup.plan_setup(run)
        ]
        ready = all(step["status"] == "done" for step in steps)
        return {"ready": ready, "steps": steps} | ({"proof": run.proof, "web": {"url": run.web_url}} if ready else {})
