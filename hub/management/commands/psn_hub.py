"""`psn_hub`: the database of this workspace."""

from __future__ import annotations

import shlex
from typing import Any

from django.conf import settings
from django.utils import timezone

from hub.actions import backups, hubs, workers
from hub.management.base import PsnCommand
from hub.management.paths import user_path
from hub.management.stdin import read_secret
from psn.crypto import Key, read_key
from psn.errors import ApprovalNeeded


class Command(PsnCommand):
    help = "Your hub: start and stop its server, back it up, restore it."

    def add_verbs(self, verbs: Any) -> None:
        """Declare the verbs."""
        self.add_verb(verbs, "start", self.start, help="start the hub's server; every command does it by itself")
        self.add_verb(verbs, "stop", self.stop, help="stop the worker, then the hub's server")
        self.add_verb(verbs, "status", self.status, help="tell where the hub is and how it does")
        backup = self.add_verb(verbs, "backup", self.backup, help="write the hub's database to one file")
        backup.add_argument("file", nargs="?", help="hub.dump in this folder when left out; never overwritten")
        backup.add_argument("--dry-run", action="store_true", help="check, write nothing")
        restore = self.add_verb(verbs, "restore", self.restore, help="put a backup in the place of the hub's data")
        restore.add_argument("file")
        restore.add_argument("--yes", action="store_true", help="a person said yes: the present data are put aside")
        restore.add_argument(
            "--resume",
            action="store_true",
            help="keep the schedule: the hub of the backup never publishes again and did nothing since",
        )
        restore.add_argument(
            "--key-stdin", action="store_true", help="the HUB_ENCRYPTION_KEY of the backup's hub.env, on stdin"
        )
        restore.add_argument(
            "--dry-run", action="store_true", help="say what would become of its posts, exchange nothing"
        )

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

    def backup(self, file: str | None, dry_run: bool) -> dict[str, Any]:
        """Back the hub up."""
        target = user_path(file or "hub.dump", code="backup.path")
        return {"backup": backups.backup_hub(settings.WORKSPACE, target=target, dry_run=dry_run), "dry_run": dry_run}

    def restore(self, file: str, yes: bool, resume: bool, key_stdin: bool, dry_run: bool) -> dict[str, Any]:
        """Restore a backup."""
        if not (yes or dry_run):
            raise ApprovalNeeded(
                "A restore puts the hub's present data aside.",
                next_command=f"psn_hub restore {shlex.quote(file)} --yes",
                ask="Is this the backup, and may it take the place of what is in the hub?",
            )
        restored = backups.restore_hub(
            settings.WORKSPACE,
            source=user_path(file, code="backup.path"),
            now=timezone.now(),
            old_key=_read_old_key() if key_stdin else None,
            resume=resume,
            dry_run=dry_run,
        )
        return {"restored": restored, "dry_run": dry_run}


def _read_old_key() -> Key:
    """Read the backup's key; a line copied whole from its hub.env will do."""
    text = read_secret(code="key.value", example="psn_hub restore FILE --yes --key-stdin < old-hub-key")
    return read_key(text.strip().removeprefix("HUB_ENCRYPTION_KEY="))
