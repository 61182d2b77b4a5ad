"""`psn_setup`: from a bare clone to one post out."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from hub.actions import setup
from hub.actions.steps import STEPS, Run
from hub.management.base import PsnCommand
from hub.management.envelope import say
from hub.management.paths import user_path
from hub.management.stdin import read_secret
from psn.config.hub import PROVIDERS
from psn.errors import Usage


class Command(PsnCommand):
    help = "Set PSN up: hub, schema, keys, worker, sandbox, and one post published as proof. Run it again at any time."
    requires_hub = False

    def add_arguments(self, parser: Any) -> None:
        """Declare the arguments; there is one verb only."""
        parser.add_argument(
            "--provider",
            default="",
            help=f"where the hub lives: {', '.join(PROVIDERS)}. local when left out; neon wants NEON_API_KEY; "
            "url reads the address of the database from stdin",
        )
        parser.add_argument("--ssl-root-cert", default="", help="a file of certificate authorities of your own server")
        parser.add_argument("--plan", action="store_true", help="show what would be done, and do nothing")
        parser.add_argument("--status", action="store_true", help="show what is done; always ends well")
        names = ", ".join(step.name for step in STEPS)
        parser.add_argument("--only", metavar="STEP", help=f"run one step alone: {names}")
        parser.add_argument("--from", metavar="STEP", dest="first", help="begin with this step")
        parser.set_defaults(verb=self.setup)

    def setup(
        self, provider: str, ssl_root_cert: str, plan: bool, status: bool, only: str | None, first: str | None
    ) -> dict[str, Any]:
        """Run, plan or show the steps."""
        if settings.HUB_SLUG:
            raise Usage("psn_setup makes your own hub. A company's is made with psn_team create.")
        root_cert = str(user_path(ssl_root_cert, code="url.ssl_root_cert")) if ssl_root_cert else ""
        run = Run(
            workspace=settings.WORKSPACE, provider=provider, read_url=_read_url, ssl_root_cert=root_cert, tell=say
        )
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


def _read_url() -> str:
    return read_secret(code="url.missing", example="psn_setup --provider url < address-of-the-database.txt").strip()
