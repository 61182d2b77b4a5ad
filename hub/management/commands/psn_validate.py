"""`psn_validate`: a checklist of everything that must hold."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.conf import settings

from hub.actions import validation
from hub.management.base import PsnCommand, Result
from hub.management.envelope import KEY_BACK, ask_to_mend, command_line
from psn.errors import Problem


class Command(PsnCommand):
    help = "Check every connection and setting; each failure names the command that mends it."
    requires_hub = False

    def add_arguments(self, parser: Any) -> None:
        """Declare the arguments; there is one verb only."""
        parser.add_argument("--live", action="store_true", help="also ask the real platforms, read-only")
        parser.set_defaults(verb=self.validate, as_worker="here", needs_hub=False)

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
        findings = [check.to_finding() for check in failed]
        return Result(data, findings=findings, exit_code=5, error=error, next_action=_next_action(failed[0]))


def _next_action(first: validation.Check) -> dict[str, Any]:
    """Name what mends the first failure; no command does when the hub's key is gone, and this one never mends anything."""
    try:
        if settings.HUB is not None:
            settings.HUB.keyring()
    except Problem as error:
        return {"needs": "human", "ask": ask_to_mend(error)}
    if first.next_command == "psn_validate":  # what a value that does not open proposes everywhere else
        return {"needs": "human", "ask": f"{first.message} {KEY_BACK}"}
    if first.next_command:
        return {"needs": "agent", "command": command_line(first.next_command)}
    return {"needs": "human", "ask": first.ask or first.message}
