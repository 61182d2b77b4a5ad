"""`psn_migrate`: bring the hub's schema up to date."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from hub.actions import hubs
from hub.management.base import PsnCommand
from psn.config.strategy import read_strategy


class Command(PsnCommand):
    help = "Bring the hub's schema up to date."

    def add_arguments(self, parser: Any) -> None:
        """Declare the arguments; there is one verb only."""
        parser.add_argument("--dry-run", action="store_true", help="name the migrations that would run")
        parser.set_defaults(verb=self.migrate)

    def migrate(self, dry_run: bool) -> dict[str, Any]:
        """Run the pending migrations."""
        if dry_run:
            return {"pending": hubs.schema_state().pending, "dry_run": True}
        strategy = read_strategy(settings.WORKSPACE.strategy)
        return {"applied": hubs.migrate_hub(name=strategy.name, timezone=strategy.timezone)}
