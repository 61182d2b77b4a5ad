"""`psn_validate`: a checklist of everything that must hold."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.conf import settings

from hub.actions import validation
from hub.management.base import PsnCommand, Result
from hub.management.envelope import command_line


class Command(PsnCommand):
    help = "Check every connection and setting; each failure names the command that mends it."
    requires_hub = False

    def add_arguments(self, parser: Any) -> None:
        """Declare the arguments; there is one verb only."""
        parser.add_argument("--live", action="store_true", help="also ask the real platforms, read-only")
        parser.set_defaults(verb=self.validate)

    def validate(self, live: bool) -> Result:
        """Run the checks."""
        checks = []
        for number, check in enumerate(validation.validate(settings.WORKSPACE, live=live), 1):
            status = {"pass": "done", "fail": "fail", "skip": "skip"}[check.status]
            self.stream.progress(step=str(number), name=check.name, status=status, detail=check.message)
            checks.append(check)
        data = {"checks": [asdict(check) for check in checks], "summary": validation.summarize(checks)}
        failed = [check for check in checks if check.status == "fail"]
        if not failed:
            return Result(data)
        error = {
            "code": "validation.failed",
            "message": f"{len(failed)} of {len(checks)} checks failed: {failed[0].message}",
        }
        first = failed[0]
        action = (
            {"needs": "agent", "command": command_line(first.next_command)}
            if first.next_command
            else {"needs": "human", "ask": first.ask or first.message}
        )
        return Result(
            data, findings=[check.to_finding() for check in failed], exit_code=5, error=error, next_action=action
        )
