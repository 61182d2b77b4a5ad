"""Reads what one hub has on its calendar, as its login may see it (PLAN-6)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Left

from hub.actions.config import configuration
from hub.actions.people import find_company, get_me
from hub.models import Account, Company, Post, PostPart, Slot, User
from psn.config.preferences import Preferences
from psn.errors import NotReady
from psn.planning.calendar import ClaimedSlot, HubPlan, PlannedPost, PostingPolicy, read_zone
from psn.platforms.registry import platform_names

MAX_POSTS = 5000  # of one hub in one calendar
TEXT_CHARACTERS = 2000  # what others in a team wrote may be of any length
ZONE_CHARACTERS = 64
_READ = (
    *("account_id", "author_id", "status", "scheduled_at", "published_at", "url"),
    *("created_at", "updated_at"),
)
DEFAULT_CONFLICT_MINUTES = Preferences().calendar.conflict_minutes


@dataclass(frozen=True, slots=True)
class Planned:
    """What one hub told.

    Args:
        zone: of the person, by name, as the hub knows it.
        accounts: by id, as people write them.
        conflict_minutes: as the preferences in this hub have it.
        is_cut: there are more posts than were read.
    """

    plan: HubPlan
    name: str
    zone: str
    role: str
    accounts: dict[str, str]
    conflict_minutes: int
    is_cut: bool


@dataclass(frozen=True, slots=True)
class _Who:
    """Who reads, whose rows they are, and how people are called there.

    Args:
        hub: its short name in this workspace, whatever it calls itself.
    """

    hub: str
    me: User
    owner: User
    company: Company | None
    names: dict[uuid.UUID, str]


def read_planned(using: str, *, since: datetime, until: datetime) -> Planned:
    """Read the posts and slots of one hub between two instants.

    Args:
        using: the hub's connection alias.

    Raises:
        NotReady: the login is nobody's there.
    """
    who = _find_out_who(using)
    accounts = {account.id: account for account in Account.objects.using(using).filter(user=who.owner)}
    rows = list(_posts_between(using, since, until, owner=who.owner)[: MAX_POSTS + 1])
    targets, conflict_minutes = _read_configuration(using, who)
    zone = read_zone(who.owner.timezone)
    plan = HubPlan(
        hub=who.hub,
        zone=zone,
        policy=_policy_of(who.company),
        targets=targets,
        posts=tuple(
            _planned(row, accounts[row.account_id], who) for row in rows[:MAX_POSTS] if row.account_id in accounts
        ),
        slots=tuple(_claimed(slot, who) for slot in _slots_between(using, since, until, who=who)),
    )
    return Planned(
        plan=plan,
        name=who.owner.name,
        zone=who.me.timezone,
        role=who.me.role,
        accounts={str(account.id): str(account) for account in accounts.values()},
        conflict_minutes=conflict_minutes,
        is_cut=len(rows) > MAX_POSTS,
    )


def _find_out_who(using: str) -> _Who:
    me, company = get_me(using=using), find_company(using=using)
    names = dict(User.objects.using(using).values_list("id", "name")) if company else {me.id: me.name}
    hub = settings.HUB_SLUG if using == "default" else settings.OTHER_HUBS[using].slug
    return _Who(hub=hub, me=me, owner=company.user if company else me, company=company, names=names)


def _posts_between(using: str, since: datetime, until: datetime, *, owner: User) -> QuerySet[Post]:
    """The posts that were to go out in that time, or went out late in it."""
    in_time = Q(scheduled_at__gte=since, scheduled_at__lt=until)
    late = Q(published_at__gte=since, published_at__lt=until, scheduled_at__lt=since)
    first = PostPart.objects.using(using).filter(user_id=OuterRef("user_id"), post_id=OuterRef("id"), index=0)
    return (
        Post.objects.using(using)
        .filter(in_time | late, user=owner, deleted_at__isnull=True)
        .annotate(
            first_text=Left(Subquery(first.values("text")), TEXT_CHARACTERS),
            zone_text=Left("scheduled_zone", ZONE_CHARACTERS),
        )
        .only(*_READ)
        .order_by("scheduled_at", "id")
    )


def _slots_between(using: str, since: datetime, until: datetime, *, who: _Who) -> Iterable[Slot]:
    """The days that members of the company claimed in that time; in a personal hub every day is its person's."""
    if who.company is None:
        return ()
    slots = Slot.objects.using(using).filter(user=who.owner, on__gte=since.date(), on__lte=until.date())
    return slots.filter(platform__in=platform_names()).order_by("on", "platform")


def _planned(post: Post, account: Account, who: _Who) -> PlannedPost:
    author_id = post.author_id or who.owner.id
    at = post.published_at or post.scheduled_at
    assert at is not None, "only posts with a time are read"
    return PlannedPost(
        id=str(post.id),
        hub=who.hub,
        platform=account.platform,
        profile="|".join((account.platform, account.base_url, account.platform_account_id)),
        account=str(account),
        account_id=str(account.id),
        status=post.status,
        at=at,
        made_at=post.created_at,
        changed_at=post.updated_at,
        zone=getattr(post, "zone_text", ""),
        author_id=str(author_id),
        author=who.names.get(author_id, ""),
        is_mine=author_id == who.me.id,
        text=getattr(post, "first_text", None) or "",
        url=post.url,
    )


def _claimed(slot: Slot, who: _Who) -> ClaimedSlot:
    return ClaimedSlot(
        id=str(slot.id),
        hub=who.hub,
        platform=slot.platform,
        on=slot.on,
        holder_id=str(slot.claimed_by_id),
        holder=who.names.get(slot.claimed_by_id, "somebody"),
        is_mine=slot.claimed_by_id == who.me.id,
        claimed_at=slot.claimed_at,
    )


def _policy_of(company: Company | None) -> PostingPolicy:
    match company.posting_policy if company else "":
        case "free":
            return "free"
        case "calendar":
            return "calendar"
        case "approval":
            return "approval"
        case _:
            return ""


def _read_configuration(using: str, who: _Who) -> tuple[dict[str, int], int]:
    """Give the posts a week by platform, and the minutes between two posts; the defaults for what nobody can read."""
    try:
        wanted = configuration.effective("company" if who.company else "strategy", using=using)
        preferences = configuration.effective("preferences", using=using)
    except NotReady:
        return {}, DEFAULT_CONFLICT_MINUTES
    return {str(platform): count for platform, count in wanted.targets.items()}, preferences.calendar.conflict_minutes
