"""A company's team: who is in it, as what, and by which rules its posts go out (TEAM-1, TEAM-2).

The hub itself decides who may do what; what is checked here comes before it only to say it in plain words.
"""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connections

from hub.actions import people
from hub.connections import switch_hub
from hub.models import Company, Post, Role, Status, User
from hub.rls.refusals import refused
from psn.config.hub import HubConfig, get_hub_config, list_company_slugs
from psn.config.workspace import Workspace
from psn.errors import Conflict, InvalidInput, NotAllowed, NotFound, NotReady, Usage

ROLES = tuple(Role.values)
POLICIES = tuple(Company.Policy.values)
MAX_NAME = 100
_UNDER_WAY = (Status.DRAFT, Status.PENDING_APPROVAL, Status.APPROVED, Status.SCHEDULED, Status.PUBLISHING)


@dataclass(frozen=True, slots=True)
class Removal:
    """What the end of a membership left behind.

    Args:
        posts: how many of the member's posts remain the company's, by state.
        sessions: database sessions that were ended.
    """

    member: User
    posts: dict[str, int]
    sessions: int = 0


def enter_team(workspace: Workspace) -> HubConfig:
    """Work on a team's hub: the one that `--hub` named, or the only one that this workspace has; give its file.

    Raises:
        NotReady: the workspace is in no team.
        Usage: it is in several, and none was named.
    """
    if settings.HUB_SLUG:
        return get_hub_config(workspace, settings.HUB_SLUG)
    slugs = list_company_slugs(workspace)
    if not slugs:
        raise NotReady(
            "This workspace is in no team.",
            code="team.none",
            ask="Join one with the invite that its admin gives you (psn_team join), or make one (psn_team create).",
        )
    if len(slugs) > 1:
        raise Usage(
            f"This workspace is in several teams. Say which: --hub {' or --hub '.join(slugs)}.", code="team.which"
        )
    switch_hub(slugs[0])
    return get_hub_config(workspace, slugs[0])


def get_company() -> Company:
    """Give the company whose hub this is.

    Raises:
        NotAllowed: this login is in the team no longer.
    """
    company = people.find_company()
    if company is None:
        raise _not_in_team()
    return company


def list_members() -> list[User]:
    """List people of the team, those who left last."""
    people_ = User.objects.filter(kind=User.Kind.PERSON)
    return sorted(people_, key=lambda person: (not person.is_active, person.created_at, person.id))


def get_member(which: str) -> User:
    """Find an active member by id or name.

    Raises:
        NotFound: there is none.
        Conflict: several have that name.
    """
    active = [person for person in list_members() if person.is_active]
    if by_id := [person for person in active if str(person.id) == which.strip().lower()]:
        return by_id[0]
    named = [person for person in active if person.name.casefold() == " ".join(which.split()).casefold()]
    if len(named) > 1:
        ids = ", ".join(str(person.id) for person in named)
        raise Conflict(f"{len(named)} members are called {which!r}. Name one by the id: {ids}.", code="team.ambiguous")
    if not named:
        raise NotFound(
            f"Nobody in the team is called {which[:100]!r}.", code="team.no_member", next_command="psn_team list"
        )
    return named[0]


def check_name(name: str) -> str:
    """Give a person's or a company's name with single spaces.

    Raises:
        InvalidInput: it is none.
    """
    clean = " ".join(name.split())
    if not clean or len(clean) > MAX_NAME or not clean.isprintable():
        raise InvalidInput(f"A name is one line of at most {MAX_NAME} characters.", code="team.name")
    return clean


def check_role(role: str) -> None:
    """Refuse what is no role.

    Raises:
        InvalidInput: with the roles there are.
    """
    if role not in ROLES:
        raise InvalidInput(f"There is no role {role[:40]!r}. Known: {', '.join(ROLES)}.", code="team.role")


def is_admin() -> bool:
    """Whether this login's person is an admin of the team."""
    return people.get_me().role == Role.ADMIN


def check_admin() -> None:
    """Refuse what only admins may do, in words; the hub would refuse it anyway.

    Raises:
        NotAllowed: this login's person is none.
    """
    if not is_admin():
        admins = ", ".join(person.name for person in list_members() if person.is_active and person.role == Role.ADMIN)
        raise NotAllowed(
            f"Only an admin of the team may do this: {admins}.",
            code="team.not_admin",
            ask=f"Ask one of the admins: {admins}.",
        )


def set_role(which: str, role: str, *, dry_run: bool = False) -> tuple[User, str]:
    """Give a member another role; give the member and the former one.

    Raises:
        NotAllowed: by an admin alone.
        Conflict: the team would be without an admin.
    """
    check_admin()
    check_role(role)
    member = get_member(which)
    former = member.role
    if role != Role.ADMIN:
        check_admin_stays(member)
    if not dry_run and role != former:
        _call("SELECT hub_api.set_role(%s, %s)", member.id, role)
        member.refresh_from_db()
    return member, former


def remove_member(which: str, *, dry_run: bool = False) -> Removal:
    """End a membership: the member's next statement is refused. Posts and what they belong to stay.

    Raises:
        NotAllowed: by an admin alone.
        Conflict: the team would be without an admin.
    """
    check_admin()
    member = get_member(which)
    check_admin_stays(member)
    removal = Removal(member, posts=count_posts(member))
    if dry_run:
        return removal
    sessions = _call("SELECT hub_api.remove_member(%s)", member.id)
    member.refresh_from_db()
    return Removal(member, posts=removal.posts, sessions=int(sessions or 0))


def set_policy(policy: str | None, *, self_approval: bool | None, dry_run: bool = False) -> Company:
    """Change by which rules members' posts go out; what is None stays.

    Raises:
        InvalidInput: there is no such policy.
        NotAllowed: by an admin alone.
    """
    company = get_company()
    if policy is not None and policy not in POLICIES:
        raise InvalidInput(f"There is no policy {policy[:40]!r}. Known: {', '.join(POLICIES)}.", code="team.policy")
    wanted: dict[str, Any] = {"posting_policy": policy, "self_approval": self_approval}
    changes = {name: value for name, value in wanted.items() if value is not None}
    if not changes:
        return company
    check_admin()
    for name, value in changes.items():
        setattr(company, name, value)
    if not dry_run:
        _call("SELECT hub_api.set_policy(%s, %s)", company.posting_policy, company.self_approval)
    return company


def check_admin_stays(member: User) -> None:
    """Refuse to go on without an admin, in words; the hub would refuse it anyway.

    Raises:
        Conflict: this member is the only one.
    """
    admins = [person for person in list_members() if person.is_active and person.role == Role.ADMIN]
    if [admin.id for admin in admins] == [member.id]:
        raise Conflict(
            f"{member.name} is the only admin, and a team is never without one.",
            code="team.last_admin",
            ask="Make another member an admin first: psn_team role MEMBER admin",
        )


def count_posts(member: User) -> dict[str, int]:
    """Count what a member has under way, by state."""
    states = Post.objects.filter(author=member, status__in=_UNDER_WAY).values_list("status", flat=True)
    return dict(sorted(Counter(map(str, states)).items()))


def _call(statement: str, *parameters: uuid.UUID | str | bool) -> Any:
    with refused(), connections["default"].cursor() as cursor:
        cursor.execute(statement, parameters)
        row = cursor.fetchone()
    return row[0] if row else None


def _not_in_team() -> NotAllowed:
    return NotAllowed(
        "This login is in the team no longer.",
        code="team.not_member",
        ask="Ask an admin for a new invite, or forget the team: psn_team leave",
    )
