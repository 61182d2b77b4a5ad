"""`psn_migrate`: bring the schema of every hub up to date whose owner is here (HUB-5)."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from hub.actions import migrating
from hub.management.base import PsnCommand, Result
from hub.management.envelope import command_line


class Command(PsnCommand):
    help = "Bring the schema of your hub and of your companies' hubs up to date, where their owner's login is here."

    def add_arguments(self, parser: Any) -> None:
        """Declare the arguments; there is one verb only."""
        parser.add_argument("--dry-run", action="store_true", help="name the migrations that would run")
        parser.set_defaults(verb=self.migrate)

    def migrate(self, dry_run: bool) -> Result:
        """Run the pending migrations, hub by hub."""
        slugs = [settings.HUB_SLUG] if settings.HUB_SLUG else migrating.list_hubs(settings.WORKSPACE)
        done = []
        for number, slug in enumerate(slugs, 1):
            outcome = migrating.migrate(settings.WORKSPACE, slug, dry_run=dry_run)
            status = {"away": "fail", "somebody_else": "skip"}.get(outcome.state, "done")
            self.stream.progress(
                step=f"{number}/{len(slugs)}", name=outcome.name, status=status, detail=outcome.message
            )
            done.append(outcome)
        data = {"hubs": [outcome.to_dict() for outcome in done], "applied": done[0].migrations, "dry_run": dry_run}
        failed = [outcome for outcome in done if outcome.state == "away"]
        if not failed:
            return Result(data)
        return Result(
            data,
            exit_code=failed[0].exit_code,
            error={"code": failed[0].code, "message": f"{failed[0].name}: {failed[0].message}"},
            next_action={"needs": "agent", "command": command_line("psn_validate")},
        )
