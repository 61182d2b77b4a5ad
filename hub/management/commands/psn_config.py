"""`psn_config`: keys, given on stdin and never as an argument."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from hub.actions import keys
from hub.management.base import PsnCommand
from hub.management.stdin import read_secret


class Command(PsnCommand):
    help = "Configuration: your vendors' keys, and the hub's own."

    def add_verbs(self, verbs: Any) -> None:
        """Declare the verbs."""
        parser = verbs.add_parser("keys", help="set, list and rotate keys")
        of_keys = parser.add_subparsers(dest="keys_verb", metavar="VERB", required=True)
        set_ = self.add_verb(of_keys, "set", self.set, help="store a vendor's key, read from stdin", under="keys")
        set_.add_argument("name", help="OPENAI_API_KEY, …")
        set_.add_argument("--dry-run", action="store_true", help="check the value, store nothing")
        self.add_verb(of_keys, "list", self.list, help="list the keys by name; values are never shown", under="keys")
        remove = self.add_verb(of_keys, "remove", self.remove, help="forget a vendor's key", under="keys")
        remove.add_argument("name")
        remove.add_argument("--dry-run", action="store_true", help="say where it is, change nothing")
        rotate = self.add_verb(
            of_keys, "rotate", self.rotate, help="replace the hub's own key and seal everything anew", under="keys"
        )
        rotate.add_argument(
            "--dry-run", action="store_true", help="open everything sealed and count it, change nothing"
        )

    def set(self, name: str, dry_run: bool, **_: Any) -> dict[str, Any]:
        """Store a key."""
        example = f'printf %s "$KEY" | python3 manage.py psn_config keys set {name}'
        value = read_secret(code="key.value", example=example)
        return {"key": keys.set_key(settings.WORKSPACE, name=name, value=value, dry_run=dry_run), "dry_run": dry_run}

    def list(self, **_: Any) -> dict[str, Any]:
        """List keys."""
        return {"keys": keys.list_keys(settings.WORKSPACE)}

    def remove(self, name: str, dry_run: bool, **_: Any) -> dict[str, Any]:
        """Forget a key."""
        removed = keys.remove_key(settings.WORKSPACE, name=name, dry_run=dry_run)
        return {"removed": removed} | ({"dry_run": True} if dry_run else {})

    def rotate(self, dry_run: bool, **_: Any) -> dict[str, Any]:
        """Rotate the hub's key."""
        return {"rotation": keys.rotate(dry_run=dry_run), "dry_run": dry_run}
