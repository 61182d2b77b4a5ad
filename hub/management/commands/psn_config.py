"""`psn_config`: what is in force, its versions, and the keys, which come in on stdin and never as an argument."""

from __future__ import annotations

import argparse
from typing import Any

from django.conf import settings

from hub.actions import keys
from hub.actions.config import configuration
from hub.actions.people import get_me
from hub.management.base import PsnCommand, Result, Verb
from hub.management.configuration_shapes import (
    changed_shape,
    history_shape,
    key_shape,
    tell_differences,
    view_shape,
    warn_of,
)
from hub.management.stdin import read_secret

LISTED = 20  # versions, where nobody says how many


class Command(PsnCommand):
    help = "Configuration: what is in force and since when, your vendors' keys, and the hub's own."

    def add_verbs(self, verbs: Any) -> None:
        """Declare the verbs."""
        self._add_readers(verbs)
        self._add_changers(verbs)
        self._add_keys(verbs.add_parser("keys", help="set, list and rotate keys"))

    def _add_readers(self, verbs: Any) -> None:
        show = self.add_verb(verbs, "show", self.show, help="show what is in force, and where each value comes from")
        show.add_argument(
            "name", nargs="?", help="strategy, preferences; company in a company's hub. All when left out"
        )
        show.add_argument("--version", type=int, metavar="N", help="as it was in this version")
        history = self.add_verb(verbs, "history", self.history, help="list a document's versions, newest first")
        history.add_argument("name", nargs="?", help="all documents when left out")
        history.add_argument(
            "--limit", type=int, default=LISTED, help=f"at most so many of each; {LISTED} when left out"
        )
        history.add_argument("--before", type=int, metavar="N", help="only versions older than this one")

    def _add_changers(self, verbs: Any) -> None:
        set_ = self.add_verb(verbs, "set", self.set, help="set a preference")
        set_.add_argument("key", help="calendar.conflict_minutes, …: psn_config show preferences names them all")
        set_.add_argument("value", help="or `default`, to go back to what PSN takes by itself")
        sync = self.add_verb(verbs, "sync", self.sync, help="put in force what your files say")
        back = self.add_verb(verbs, "rollback", self.rollback, help="put an old version in force again, as a new one")
        back.add_argument("name", help="strategy, preferences; company in a company's hub")
        back.add_argument("--to", type=int, required=True, metavar="N", help="the version")
        for parser in (set_, sync, back):
            parser.add_argument("--dry-run", action="store_true", help="say what would change, change nothing")

    def _add_keys(self, parser: Any) -> None:
        verbs = parser.add_subparsers(dest="keys_verb", metavar="VERB", required=True)
        set_ = self._add_key(verbs, "set", self.set_key, help="store a vendor's key, read from stdin")
        set_.add_argument("name", help="OPENAI_API_KEY, …")
        set_.add_argument("--dry-run", action="store_true", help="check the value, store nothing")
        self._add_key(verbs, "list", self.list_keys, help="list the keys by name; values are never shown")
        remove = self._add_key(verbs, "remove", self.remove_key, help="forget a vendor's key")
        remove.add_argument("name")
        remove.add_argument("--dry-run", action="store_true", help="say where it is, change nothing")
        rotate = self.add_verb(
            verbs, "rotate", self.rotate_key, help="replace the hub's own key and seal everything anew", under="keys"
        )
        rotate.add_argument(
            "--dry-run", action="store_true", help="open everything sealed and count it, change nothing"
        )

    def _add_key(self, verbs: Any, name: str, verb: Verb, *, help: str) -> argparse.ArgumentParser:
        """Declare a verb for vendors' keys: a company's are seen by its worker alone."""
        return self.add_verb(verbs, name, verb, help=help, under="keys", as_worker="always")

    def show(self, name: str | None, version: int | None) -> Result:
        """Show what is in force, or was."""
        views, zone = configuration.show(settings.WORKSPACE, name=name, version=version), get_me().timezone
        findings = [finding for view in views for finding in warn_of(view.file)]
        return Result({"documents": [view_shape(view, zone=zone) for view in views]}, findings=findings)

    def history(self, name: str | None, limit: int, before: int | None) -> dict[str, Any]:
        """List versions."""
        histories = configuration.list_history(name=name, limit=limit, before=before)
        return {"documents": [history_shape(one, zone=get_me().timezone) for one in histories]}

    def set(self, key: str, value: str, dry_run: bool) -> dict[str, Any]:
        """Set a preference."""
        with self._rights_of_worker("always" if configuration.needs_worker(key) else "never"):
            changed = configuration.set_key(settings.WORKSPACE, key=key, value=value, dry_run=dry_run)
        return {"setting": key_shape(changed), "dry_run": dry_run}

    def sync(self, dry_run: bool) -> dict[str, Any]:
        """Put the files in force."""
        changed = configuration.sync(settings.WORKSPACE, dry_run=dry_run)
        return {"documents": [changed_shape(one) for one in changed], "dry_run": dry_run}

    def rollback(self, name: str, to: int, dry_run: bool) -> Result:
        """Put an old version in force again."""
        with self._rights_of_worker("here" if name == "preferences" else "never"):  # an account's grace may follow
            changed = configuration.roll_back(settings.WORKSPACE, name=name, to=to, dry_run=dry_run)
        file, following = changed.file, None
        if file is not None and file.state == "differs":
            ask = (
                f"{file.path} still says otherwise: {tell_differences(file)}. Change the file to what the hub has, "
                "or the next psn_config sync brings the file's words back; psn_setup runs it, too."
            )
            following = {"needs": "human", "ask": ask}
        data = {"document": changed_shape(changed), "dry_run": dry_run}
        return Result(data, findings=list(warn_of(file)), next_action=following)

    def set_key(self, name: str, dry_run: bool, **_: Any) -> dict[str, Any]:
        """Store a key."""
        example = f'printf %s "$KEY" | python3 manage.py psn_config keys set {name}'
        value = read_secret(code="key.value", example=example)
        return {"key": keys.set_key(settings.WORKSPACE, name=name, value=value, dry_run=dry_run), "dry_run": dry_run}

    def list_keys(self, **_: Any) -> dict[str, Any]:
        """List keys."""
        return {"keys": keys.list_keys(settings.WORKSPACE)}

    def remove_key(self, name: str, dry_run: bool, **_: Any) -> dict[str, Any]:
        """Forget a key."""
        removed = keys.remove_key(settings.WORKSPACE, name=name, dry_run=dry_run)
        return {"removed": removed} | ({"dry_run": True} if dry_run else {})

    def rotate_key(self, dry_run: bool, **_: Any) -> dict[str, Any]:
        """Rotate the hub's key, where this computer may write everybody's rows."""
        self.hub.options("owner")
        return {"rotation": keys.rotate(dry_run=dry_run), "dry_run": dry_run}
