"""The versions of a document of configuration: rows that are only ever added, one number each (HUB-10)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, ProgrammingError, transaction
from psycopg.errors import InsufficientPrivilege, UniqueViolation

from hub.actions.people import actor, get_me, get_owner
from hub.models import AuditEntry, HubSetting, User
from psn.config.differences import flatten
from psn.errors import Conflict, NotAllowed, NotFound

DEFAULT_ALIAS = "default"
TRIES = 20  # each fails only because somebody else's write came between, so somebody gets on every time

Change = Callable[[HubSetting | None], dict[str, Any] | None]
Effect = Callable[[User, HubSetting | None, HubSetting | None], None]


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a change.

    Args:
        before: in force until now; None when there was no version yet.
        now: in force from now on; the same as `before` when nothing changed.
    """

    before: HubSetting | None
    now: HubSetting | None

    @property
    def is_changed(self) -> bool:
        return self.now is not self.before


def find_in_force(name: str, *, using: str = DEFAULT_ALIAS) -> HubSetting | None:
    """Give the content that is in force, without who made it and when; None when there is none yet.

    Args:
        using: the hub to read from, as an alias; it may be older than this PSN.
    """
    content = HubSetting.objects.using(using).filter(name=name).only("name", "version", "value")
    return content.order_by("-version").first()


def find_newest(name: str) -> HubSetting | None:
    """Give the version that is in force, with who made it; None when there is none yet."""
    return HubSetting.objects.select_related("created_by").filter(name=name).order_by("-version").first()


def get_version(name: str, number: int) -> HubSetting:
    """Give one version.

    Raises:
        NotFound: there is none of this number.
    """
    found = HubSetting.objects.select_related("created_by").filter(name=name, version=number).first()
    if found is None:
        newest = find_in_force(name)
        there = f"versions 1 to {newest.version}" if newest else "no versions yet"
        raise NotFound(
            f"There is no version {number} of {name}; it has {there}.",
            code="setting.no_version",
            next_command=f"psn_config history {name}",
        )
    return found


def list_versions(name: str, *, limit: int, before: int | None) -> list[HubSetting]:
    """List versions, newest first.

    Args:
        before: only those that are older than this number.
    """
    versions = HubSetting.objects.select_related("created_by").filter(name=name)
    if before is not None:
        versions = versions.filter(version__lt=before)
    return list(versions.order_by("-version")[:limit])


def plan_version(name: str, *, change: Change, note: str) -> Written:
    """Tell what `add_version` would do, and do nothing."""
    before = find_newest(name)
    value = change(before)
    return Written(before, before if value is None else _next(before, name=name, value=value, note=note))


def add_version(name: str, *, change: Change, effect: Effect, note: str) -> Written:
    """Add the version that a change makes of the one in force.

    Two writers at once each change what the other one made, so nothing is lost: who comes second finds his number taken and begins
    anew.

    Args:
        change: gives the new document, or None to leave it as it is; asked again for every try.
        effect: what else must be as the document says, in the same transaction; also when the document stays.
        note: why: it stands in the history.

    Raises:
        NotAllowed: only admins of a company change its configuration.
        Conflict: others change the same document without end.
    """
    owner = get_owner()
    for _ in range(TRIES):
        written = plan_version(name, change=change, note=note)
        try:
            with transaction.atomic():
                if written.is_changed and written.now is not None:
                    _insert(written.now, owner=owner, before=written.before)
                effect(owner, written.before, written.now)
                if written.is_changed or _is_newest(written.now, name=name):
                    return written
                transaction.set_rollback(True)
        except IntegrityError as error:
            if not isinstance(error.__cause__, UniqueViolation):
                raise
    raise Conflict(f"Others are changing {name} at this moment. Run it again.", code="setting.busy")


def _next(before: HubSetting | None, *, name: str, value: dict[str, Any], note: str) -> HubSetting:
    return HubSetting(name=name, version=before.version + 1 if before else 1, value=value, note=note)


def _insert(setting: HubSetting, *, owner: User, before: HubSetting | None) -> None:
    setting.user_id, setting.created_by_id = owner.id, get_me().id
    try:
        setting.save(force_insert=True)
    except ProgrammingError as error:
        if isinstance(error.__cause__, InsufficientPrivilege):
            raise NotAllowed(
                "Only the company's admins change its configuration.",
                code="setting.not_admin",
                ask="Ask one of the company's admins to make this change: psn_team list names them.",
            ) from error
        raise
    detail = {"name": setting.name, "version": setting.version, "keys": _changed_keys(before, setting)}
    AuditEntry.objects.record(setting, action="setting.changed", actor=actor(), detail=detail)
    setting.refresh_from_db()  # the hub itself says who and when


def _changed_keys(before: HubSetting | None, setting: HubSetting) -> list[str]:
    old, new = flatten(before.value if before else {}), flatten(setting.value)
    return sorted(key for key in old | new if old.get(key) != new.get(key))


def _is_newest(setting: HubSetting | None, *, name: str) -> bool:
    newest = find_in_force(name)
    return (newest.version if newest else 0) == (setting.version if setting else 0)
