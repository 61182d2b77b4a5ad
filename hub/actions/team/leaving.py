"""Leaving a company's team: the membership in the hub first, then the file of this workspace (TEAM-1)."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import OperationalError, connections

from hub.actions import people
from hub.actions.team import teams
from hub.actions.team.joining import Member, find_member, pending_path
from hub.actions.turns import take_turn_at_teams
from hub.queue.supervisor import worker_daemon
from hub.rls.refusals import refused
from psn.config.hub import HubConfig, get_hub_config
from psn.config.workspace import Workspace
from psn.errors import Conflict, NotReady


@dataclass(frozen=True, slots=True)
class Left:
    """How a leave ended.

    Args:
        member: who left; None when the hub knew this login no longer.
        posts: how many of the member's posts remain the company's, by state.
    """

    config: HubConfig
    member: Member | None
    posts: dict[str, int]


def leave_team(workspace: Workspace, slug: str, *, discard_keys: bool = False, dry_run: bool = False) -> Left:
    """End one's own membership and forget the hub.

    Args:
        discard_keys: forget what opens and runs the hub as well, because another admin has it.

    Raises:
        Conflict: the team would be without an admin, or nobody would have the hub's keys.
        NotReady: the hub cannot be reached, so that it would still count this member.
    """
    with take_turn_at_teams(workspace):
        config = get_hub_config(workspace, slug)
        _check_keys(config, discard_keys=discard_keys)
        member = _find_me(config)
        posts = _check_leave() if member else {}
        if dry_run:
            return Left(config, member, posts)
        if member:
            _end_membership(config)
        connections.close_all()
        workspace.hub_file(slug).unlink(missing_ok=True)
        pending_path(workspace, slug).unlink(missing_ok=True)
        return Left(config, member, posts)


def _check_keys(config: HubConfig, *, discard_keys: bool) -> None:
    if config.has_worker and worker_daemon(config).is_running():
        raise Conflict(
            f"The worker of {config.slug} runs on this computer, and publishes for the whole team.",
            code="team.worker_here",
            next_command=f"psn_worker stop --hub {config.slug}",
        )
    if (config.has_owner or config.has_worker or config.key) and not discard_keys:
        raise Conflict(
            f"{config.file_name} holds what runs the hub: the owner's and the worker's logins, and the key to its secrets.",
            code="team.holds_keys",
            ask=f"Give OWNER_URL, WORKER_URL, HUB_ENCRYPTION_KEY and SECRET_KEY from {config.file_name} to another admin first. "
            "When they have them: psn_team leave --discard-keys",
        )


def _find_me(config: HubConfig) -> Member | None:
    if "app" not in config.urls:
        return None
    try:
        return find_member(config, config.url("app"))
    except NotReady as error:
        error.ask = error.ask or (
            f"Try again when the hub answers. To forget it on this computer all the same, delete {config.file_name}; "
            "the team counts you as a member until an admin removes you."
        )
        raise


def _check_leave() -> dict[str, int]:
    me = people.get_me()
    teams.check_admin_stays(me)
    return teams.count_posts(me)


def _end_membership(config: HubConfig) -> None:
    try:
        with refused(), connections["default"].cursor() as cursor:
            cursor.execute("SELECT hub_api.leave_team()")
    except OperationalError:  # the answer was lost, or the hub ended this very session
        if find_member(config, config.url("app")) is not None:
            raise
