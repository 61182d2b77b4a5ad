"""`psn_hub`: the database of this workspace."""

from __future__ import annotations

import shlex
from typing import Any

from django.conf import settings
from django.utils import timezone

from hub.actions import hubs, sources, workers
from hub.actions.backup import archives, backups, moving
from hub.management.base import PsnCommand
from hub.management.paths import user_path
from hub.management.stdin import read_secret
from psn.crypto import Key, read_key
from psn.errors import ApprovalNeeded, Usage


class Command(PsnCommand):
    help = "Your hub: start and stop its server, back it up, restore it, move it."
    _told = 0

    def add_verbs(self, verbs: Any) -> None:
        """Declare the verbs."""
        self.add_verb(verbs, "start", self.start, help="start the hub's server; every command does it by itself")
        self.add_verb(verbs, "stop", self.stop, help="stop the worker, then the hub's server")
        self.add_verb(verbs, "status", self.status, help="tell where the hub is and how it does")
        backup = self.add_verb(verbs, "backup", self.backup, help="write what is in the hub to one encrypted file")
        backup.add_argument(
            "--to", metavar="FILE", help="psn-backup-<date>-<time>.psn here when left out; never overwritten"
        )
        backup.add_argument("--dry-run", action="store_true", help="check, write nothing")
        verify = self.add_verb(verbs, "verify", self.verify, help="check a backup and say what is in it")
        verify.add_argument("file")
        verify.add_argument(
            "--key-stdin", action="store_true", help="the HUB_ENCRYPTION_KEY it was made with, on stdin"
        )
        restore = self.add_verb(verbs, "restore", self.restore, help="put a backup in the place of what is in the hub")
        restore.add_argument("file")
        restore.add_argument("--yes", action="store_true", help="a person said yes: what is in the hub now is replaced")
        restore.add_argument(
            "--resume",
            action="store_true",
            help="keep the schedule: the hub of the backup never publishes again and did nothing since",
        )
        restore.add_argument(
            "--key-stdin", action="store_true", help="the HUB_ENCRYPTION_KEY of the backup's hub.env, on stdin"
        )
        restore.add_argument(
            "--dry-run", action="store_true", help="say what would become of its posts, change nothing"
        )

        move = self.add_verb(verbs, "move", self.move, help="take the hub to another provider, with everything in it")
        move.add_argument("--provider", help="local, neon or url (the database's address on stdin)")
        move.add_argument(
            "--ssl-root-cert", default="", help="a file of certificate authorities, for a server of your own"
        )
        move.add_argument("--back", action="store_true", help="undo a move that did not end")
        move.add_argument("--dry-run", action="store_true", help="check the new place, make nothing")

    def start(self) -> dict[str, Any]:
        """Start the server."""
        return {"started": hubs.start_hub(self.hub), "hub": hubs.hub_status(self.hub)}

    def stop(self) -> dict[str, Any]:
        """Stop the worker and the server."""
        stopped = workers.stop_with_hub(self.hub)
        return {"stopped": stopped, "hub": hubs.hub_status(self.hub)}

    def status(self) -> dict[str, Any]:
        """Show the hub."""
        return {"hub": hubs.hub_status(self.hub)}

    def backup(self, to: str | None, dry_run: bool) -> dict[str, Any]:
        """Back the hub up."""
        now = timezone.now()
        target = user_path(to or archives.archive_name(now), code="backup.path")
        backup = backups.backup_hub(settings.WORKSPACE, target=target, now=now, dry_run=dry_run, tell=self._tell)
        return {"backup": backup, "dry_run": dry_run}

    def verify(self, file: str, key_stdin: bool) -> dict[str, Any]:
        """Check a backup."""
        source = user_path(file, code="backup.path")
        old_key = _read_old_key() if key_stdin else None
        return {"verified": backups.verify_backup(settings.WORKSPACE, source=source, old_key=old_key)}

    def restore(self, file: str, yes: bool, resume: bool, key_stdin: bool, dry_run: bool) -> dict[str, Any]:
        """Restore a backup."""
        if not (yes or dry_run):
            raise ApprovalNeeded(
                "A restore replaces what is in the hub now, and keeps it in a file.",
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
            tell=self._tell,
        )
        return {"restored": restored, "dry_run": dry_run}

    def move(self, provider: str | None, ssl_root_cert: str, back: bool, dry_run: bool) -> dict[str, Any]:
        """Move the hub, or undo a move that did not end."""
        if bool(provider) == back:
            raise Usage(
                "Give either --provider or --back.",
                ask="Say where the hub is to go (--provider neon), or undo a move that did not end (--back).",
            )
        if provider is None:
            return {"moved_back": moving.go_back(settings.WORKSPACE)}
        moved = moving.move_hub(
            settings.WORKSPACE,
            provider=provider,
            find_source=lambda: sources.find_source(provider, workspace=settings.WORKSPACE, read_url=_read_url),
            now=timezone.now(),
            ssl_root_cert=ssl_root_cert,
            dry_run=dry_run,
            tell=self._tell,
        )
        return {"moved": moved, "dry_run": dry_run}

    def _tell(self, what: str, amount: str) -> None:
        """Say what is done of something that takes long."""
        self._told += 1
        self.stream.progress(step=str(self._told), name=what, status="done", detail=amount)


def _read_url() -> str:
    """Read the address of the database, with the login of who may create roles there."""
    return read_secret(code="url.missing", example="psn_hub move --provider url < a file with the address").strip()


def _read_old_key() -> Key:
    """Read the backup's key; a line copied whole from its hub.env will do."""
    text = read_secret(code="key.value", example="psn_hub restore FILE --yes --key-stdin < old-hub-key")
    return read_key(text.strip().removeprefix("HUB_ENCRYPTION_KEY="))
