"""Inviting people into a company's team, and taking an invite back (TEAM-1)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from django.db import connections, transaction

from hub.actions.team import teams
from hub.models import Invite, User
from hub.rls.refusals import refused
from psn.config.bundles import Bundle, make_bundle
from psn.config.database import DatabaseUrl
from psn.config.hub import HubConfig
from psn.errors import Conflict, InvalidInput, NotFound

DAYS = 7  # that an invite is good, where nothing is said
MAX_DAYS = 30

InviteState = Literal["open", "expired", "redeemed", "revoked"]


@dataclass(frozen=True, slots=True)
class Invited:
    """An invite that was just made.

    Args:
        bundle: the line to send; a secret until it is used, and kept nowhere. Empty in a dry run, as `id` is.
        host_is_here: the hub's address is this computer's own, so nobody else gets there.
    """

    name: str
    role: str
    expires_at: datetime
    id: str = ""
    bundle: str = ""
    host_is_here: bool = False


def invite(name: str, *, hub: HubConfig, role: str, days: int, now: datetime, dry_run: bool = False) -> Invited:
    """Invite somebody new.

    Raises:
        NotAllowed: by an admin alone.
        InvalidInput: a name, a role or a number of days that is none.
    """
    teams.check_admin()
    clean = teams.check_name(name)
    teams.check_role(role)
    return _invite(clean, hub=hub, role=role, days=days, member=None, now=now, dry_run=dry_run)


def invite_again(member: str, *, hub: HubConfig, days: int, now: datetime, dry_run: bool = False) -> Invited:
    """Invite a member once more: for another computer, or because the answer to the first invite got lost.

    Raises:
        NotAllowed: by an admin alone.
        NotFound: there is no such member.
    """
    teams.check_admin()
    found = teams.get_member(member)
    return _invite(found.name, hub=hub, role=found.role, days=days, member=found, now=now, dry_run=dry_run)


def list_invites() -> list[Invite]:
    """List invites, newest first."""
    return list(Invite.objects.select_related("created_by").order_by("-created_at"))


def state_of(invite: Invite, *, now: datetime) -> InviteState:
    """Tell what became of an invite."""
    if invite.redeemed_at is not None:
        return "redeemed"
    if invite.revoked_at is not None:  # the hub takes back by itself what ran out
        return "revoked" if invite.revoked_at < invite.expires_at else "expired"
    return "open" if invite.expires_at > now else "expired"


def revoke_invite(which: str, *, now: datetime, dry_run: bool = False) -> Invite:
    """Take an invite back: its login is gone.

    Args:
        which: an id, or the name of whoever it was for.

    Raises:
        NotFound: there is no such invite.
        Conflict: it was used already, or several were made for that name.
    """
    teams.check_admin()
    found = _get_open(which, list_invites(), now=now)
    if not dry_run:
        with refused(), connections["default"].cursor() as cursor:
            cursor.execute("SELECT hub_api.revoke_invite(%s)", [found.id])
        found.refresh_from_db()
    return found


def _invite(
    name: str, *, hub: HubConfig, role: str, days: int, member: User | None, now: datetime, dry_run: bool
) -> Invited:
    if not 1 <= days <= MAX_DAYS:
        raise InvalidInput(f"An invite is good for 1 to {MAX_DAYS} days, not {days}.", code="invite.days")
    here = hub.url("app").is_loopback
    if dry_run:
        return Invited(name=name, role=role, expires_at=now + timedelta(days=days), host_is_here=here)
    with refused(), transaction.atomic(), connections["default"].cursor() as cursor:
        cursor.execute("SELECT hub_api.expire_invites()")  # the logins of those that nobody used are of no use any more
        cursor.execute(
            "SELECT invite_id, login_role, one_time_password, expires_at "
            "FROM hub_api.create_invite(%s, %s, make_interval(days => %s), %s)",
            [name, role, days, member.id if member else None],
        )
        invite_id, login, password, expires_at = cursor.fetchone()
        bundle = _bundle_for(hub, login=login, password=password, expires_at=expires_at)  # a bad one is never committed
    return Invited(name, role, expires_at, id=str(invite_id), bundle=bundle, host_is_here=here)


def _bundle_for(hub: HubConfig, *, login: str, password: str, expires_at: datetime) -> str:
    own = hub.url("app")
    url = DatabaseUrl(
        host=own.host, port=own.port, name=own.name, user=login, password=password,
        sslmode="" if own.is_loopback else "verify-full", channel_binding=own.channel_binding,
    )  # fmt: skip
    return make_bundle(Bundle(slug=hub.slug, url=url, expires_at=expires_at))


def _get_open(which: str, invites: Iterable[Invite], *, now: datetime) -> Invite:
    if by_id := [invite for invite in invites if str(invite.id) == which.lower()]:
        return _check_unused(by_id[0], now=now)
    named = [invite for invite in invites if invite.name.casefold() == which.casefold()]
    unused = [invite for invite in named if state_of(invite, now=now) in ("open", "expired")]
    if len(unused) > 1:
        ids = ", ".join(str(invite.id) for invite in unused)
        raise Conflict(f"{len(unused)} invites are for {which!r}. Name one by its id: {ids}.", code="invite.ambiguous")
    if unused:
        return unused[0]
    if named:
        return _check_unused(named[0], now=now)
    raise NotFound(f"There is no invite {which[:100]!r}.", code="invite.not_found", next_command="psn_team list")


def _check_unused(invite: Invite, *, now: datetime) -> Invite:
    state = state_of(invite, now=now)
    if state == "redeemed":
        raise Conflict(
            f"{invite.name} used this invite already. To end the membership: psn_team remove.",
            code="invite.redeemed",
            next_command="psn_team list",
        )
    return invite
