"""`psn_hub`: the database of this workspace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings

from hub.actions import hubs, workers
from hub.management.base import PsnCommand
from psn.errors import ApprovalNeeded


class Command(PsnCommand):
    help = "Your hub: start and stop its server, back it up, restore it."

    def add_verbs(self, verbs: Any) -> None:
        """Declare the verbs."""
        self.add_verb(verbs, "start", self.start, help="start the hub's server; every command does it by itself")
        self.add_verb(verbs, "stop", self.stop, help="stop the worker, then the hub's server")
        self.add_verb(verbs, "status", self.status, help="tell where the hub is and how it does")
        backup = self.add_verb(verbs, "backup", self.backup, help="write the whole hub to one file")
        backup.add_argument("file", nargs="?", help="hub.dump in this folder when left out; never overwritten")
        restore = self.add_verb(verbs, "restore", self.restore, help="put a backup in the place of the hub's data")
        restore.add_argument("file")
        restore.add_argument("--yes", action="store_true", help="a person said yes: the present data are put aside")

    def start(self) -> dict[str, Any]:
        """Start the server."""
        return {"started": hubs.start_hub(settings.WORKSPACE), "hub": hubs.hub_status(settings.WORKSPACE)}

    def stop(self) -> dict[str, Any]:
        """Stop the worker and the server."""
        stopped = workers.stop_with_hub(settings.WORKSPACE, self.hub)
        return {"stopped": stopped, "hub": hubs.hub_status(settings.WORKSPACE)}

    def status(self) -> dict[str, Any]:
        """Show the hub."""
        return {"hub": hubs.hub_status(settings.WORKSPACE)}

    def backup(self, file: str | None) -> dict[str, Any]:
        """Back the hub up."""
        return {"backup": hubs.backup_hub(settings.WORKSPACE, target=Path(file or "hub.dump").expanduser())}

    def restore(self, file: str, yes: bool) -> dict[str, Any]:
        """Restore a backup."""
        if not yes:
            raise ApprovalNeeded(
                "A restore puts the hub's present data aside.",
                next_command=f"psn_hub restore '{file}' --yes",
                ask="Is this the backup, and may it take the place of what is in the hub?",
            )
        return {
            "restored": workers.restore_without_worker(settings.WORKSPACE, self.hub, source=Path(file).expanduser())
        }
