"""`psn_sandbox`: the stand-ins for the platforms."""

from __future__ import annotations

import argparse
from typing import Any

from hub.actions import sandbox
from hub.management.base import PsnCommand
from psn.platforms.registry import platform_names


class Command(PsnCommand):
    help = "Rehearse: platforms that answer like the real ones, over real HTTP, on this computer alone."

    def add_verbs(self, verbs: Any) -> None:
        """Declare the verbs."""
        start = self._add(verbs, "start", self.start, help="start the sandbox")
        start.add_argument("--port", type=int, help="any free one when left out")
        self._add(verbs, "stop", self.stop, help="stop it; what it holds is kept")
        self._add(verbs, "status", self.status, help="tell whether it runs, where, and which faults wait")
        posts = self._add(verbs, "posts", self.posts, help="list what its platforms show, newest first")
        posts.add_argument("--limit", type=int, choices=range(1, 1001), metavar="1..1000", default=20)
        fault = self._add(verbs, "fault", self.fault, help="order a failure, or clear them all")
        fault.add_argument(
            "kind",
            choices=[
                "latency",
                "status",
                "drop_before",
                "drop_after",
                "expired_token",
                "garbage",
                "html",
                "huge",
                "redirect",
                "invisible",
                "slow_processing",
                "fail_processing",
                "clear",
            ],
        )
        fault.add_argument("--platform", default="x", choices=platform_names())
        fault.add_argument(
            "--match",
            default="commit",
            help="method and path below the platform; commit for the call that makes a post public, * for all",
        )
        fault.add_argument("--status", type=int, help="for status: 400 to 599")
        fault.add_argument("--seconds", type=float, help="for latency, invisible and slow_processing")
        fault.add_argument("--times", type=int, default=1, help="how many calls it hits")
        fault.add_argument("--retry-after", type=int, dest="retry_after", help="seconds, for status 429")

    def _add(self, verbs: Any, name: str, verb: Any, *, help: str) -> argparse.ArgumentParser:
        """Declare a verb; a company's sandbox runs where its worker does, for that is who talks to it."""
        return self.add_verb(verbs, name, verb, help=help, as_worker="always")

    def start(self, port: int | None) -> dict[str, Any]:
        """Start the sandbox."""
        url, started = sandbox.start_sandbox(self.hub, port=port)
        return {"url": url, "started": started}

    def stop(self) -> dict[str, Any]:
        """Stop the sandbox."""
        return {"stopped": sandbox.stop_sandbox(self.hub)}

    def status(self) -> dict[str, Any]:
        """Tell how the sandbox does."""
        return sandbox.sandbox_status(self.hub)

    def posts(self, limit: int) -> dict[str, Any]:
        """List its posts."""
        return {"posts": sandbox.list_sandbox_posts(self.hub, limit=limit), "untrusted": True}

    def fault(self, kind: str, **order: Any) -> dict[str, Any]:
        """Order a failure or clear them."""
        if kind == "clear":
            return {"cleared": sandbox.clear_faults(self.hub)}
        given = {name: value for name, value in order.items() if value is not None}
        return {"fault": sandbox.add_fault(self.hub, {"kind": kind, **given})}
