"""Claims and releases days of a company's calendar (PLAN-6, TEAM-2). A slot has one holder: the database sees to that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NoReturn

from django.db import transaction

from hub.actions import posts
from hub.actions.people import actor, find_company, get_me
from hub.models import Account, AuditEntry, Company, Post, Role, Slot, Status, User
from hub.rls.refusals import refused
from psn.errors import Conflict, InvalidInput, NotAllowed, NotFound
from psn.planning.calendar import read_day, read_zone
from psn.platforms.registry import platform_names

_TRIES = 3  # a slot that is released between two of our statements is free again
_RELIES = (Status.APPROVED, Status.SCHEDULED, Status.PUBLISHING)


@dataclass(frozen=True, slots=True)
class Claim:
    """A slot, and how it stands now.

    Args:
        is_new: False when the same person had claimed it before.
        has_account: the company has an account there that could post.
    """

    slot: Slot
    is_new: bool
    has_account: bool
    zone: str


@dataclass(frozen=True, slots=True)
class Release:
    """A slot that was given back, and the posts that had relied on it."""

    slot: Slot
    posts: tuple[Post, ...]
    policy: str


def claim_slot(day: str, *, platform: str, now: datetime, post_id: str | None = None, dry_run: bool = False) -> Claim:
    """Reserve a day on a platform for a post of mine.

    Args:
        day: in the company's time zone.
        post_id: the post it is for; refused when it is not on that day and platform.

    Raises:
        InvalidInput: the day is past, or the platform unknown.
        Conflict: somebody else holds it, or the person holds as many days as one may.
    """
    company = get_company()
    on = _read_future_day(day, company=company, now=now)
    check_platform(platform)
    if post_id is not None:
        _check_post(post_id, on=on, platform=platform, company=company)
    with transaction.atomic():
        slot, is_new = _take(on, platform, company=company, me=get_me())
        if dry_run:
            transaction.set_rollback(True)
    accounts = Account.objects.filter(user=company.user, platform=platform, status=Account.Status.ACTIVE)
    return Claim(slot=slot, is_new=is_new, has_account=accounts.exists(), zone=company.user.timezone)


def release_slot(day: str, *, platform: str, now: datetime, force: bool = False, dry_run: bool = False) -> Release:
    """Give a slot back: its holder any of his own, an admin anybody's.

    Args:
        force: even when a post that was approved for it is going out on that day.

    Raises:
        NotFound: nobody holds it.
        NotAllowed: somebody else does.
        Conflict: a scheduled post relies on it.
    """
    company = get_company()
    check_platform(platform)
    on = read_day(day, today=now.astimezone(read_zone(company.user.timezone)).date())
    slot = Slot.objects.filter(user=company.user, on=on, platform=platform).select_related("claimed_by").first()
    if slot is None:
        raise NotFound(f"Nobody holds {platform} on {on}.", code="slot.not_found", next_command="psn_calendar show")
    _check_may_release(slot, me=get_me())
    with transaction.atomic():
        if not Slot.objects.filter(id=slot.id).delete()[0]:
            raise Conflict(f"{slot} was given back a moment ago.", code="slot.gone", next_command="psn_calendar show")
        AuditEntry.objects.record(slot, action="slot.released", actor=actor(), detail={"slot": str(slot)})
        relying = _posts_on(slot, company=company) if company.posting_policy != Company.Policy.FREE else ()
        if relying and not force:
            _refuse_release(slot, relying)
        if dry_run:
            transaction.set_rollback(True)
    return Release(slot=slot, posts=tuple(relying), policy=company.posting_policy)


def get_company() -> Company:
    """Give the company this process works for.

    Raises:
        InvalidInput: it works on a personal hub, whose days are all its person's.
    """
    company = find_company()
    if company is None:
        raise InvalidInput(
            "Slots are for teams; in your own hub every day is yours. Name the company's hub with --hub.",
            code="calendar.personal",
            ask="Which company's calendar is it? Its short name goes after --hub.",
        )
    return company


def check_platform(name: str) -> None:
    """Refuse a platform that PSN does not know.

    Raises:
        InvalidInput: with the known names.
    """
    if name not in platform_names():
        raise InvalidInput(
            f"There is no platform {name[:40]!r}. Known: {', '.join(platform_names())}.", code="platform.unknown"
        )


def _read_future_day(text: str, *, company: Company, now: datetime) -> date:
    today = now.astimezone(read_zone(company.user.timezone)).date()
    on = read_day(text, today=today)
    if on < today:
        raise InvalidInput(
            f"{on} is past: in {company.user.timezone}, the company's zone, it is {today}.", code="day.past"
        )
    return on


def _take(on: date, platform: str, *, company: Company, me: User) -> tuple[Slot, bool]:
    """Insert the slot unless somebody was faster; the unique key decides, in one statement.

    Returns:
        the slot, which is mine now, and whether it was not before.
    """
    for _ in range(_TRIES):
        mine = Slot(user=company.user, on=on, platform=platform, claimed_by=me)
        with refused():  # nobody holds hundreds of days
            Slot.objects.bulk_create([mine], ignore_conflicts=True)
        held = Slot.objects.select_related("claimed_by").filter(user=company.user, on=on, platform=platform).first()
        if held is None:
            continue
        if held.claimed_by_id != me.id:
            raise Conflict(
                f"{held.claimed_by.name} holds {platform} on {on} since {held.claimed_at:%Y-%m-%d %H:%M} UTC.",
                code="slot.taken",
                next_command=f"psn_calendar show --from {on - timedelta(days=3)} --days 7 --platform {platform}",
            )
        if held.id == mine.id:
            AuditEntry.objects.record(held, action="slot.claimed", actor=actor(), detail={"slot": str(held)})
        return held, held.id == mine.id
    raise Conflict(f"{platform} on {on} is claimed and given back all the time. Try again.", code="slot.busy")


def _check_post(post_id: str, *, on: date, platform: str, company: Company) -> None:
    """Refuse a post that this slot would not serve."""
    post = posts.get_post(post_id)
    day = post.scheduled_at and post.scheduled_at.astimezone(read_zone(company.user.timezone)).date()
    if (post.account.platform, day) != (platform, on):
        when = f"on {day}" if day else "without a time yet"
        raise InvalidInput(
            f"Post {post.id} is for {post.account.platform} {when}; this slot is {platform} on {on}.",
            code="slot.other_post",
            next_command=f"psn_post show {post.id}",
        )


def _check_may_release(slot: Slot, *, me: User) -> None:
    if slot.claimed_by_id != me.id and me.role != Role.ADMIN:
        raise NotAllowed(
            f"{slot.claimed_by.name} holds {slot}. Only {slot.claimed_by.name} or an admin of the team can give it back.",
            code="slot.not_yours",
            ask=f"Ask {slot.claimed_by.name} for it.",
        )


def _posts_on(slot: Slot, *, company: Company) -> list[Post]:
    """The holder's posts that were approved for this day because of this slot."""
    midnight = datetime.combine(slot.on, time.min, tzinfo=UTC)  # read with a day to spare, then by the company's clock
    found = Post.objects.filter(
        user=slot.user_id,
        author=slot.claimed_by_id,
        account__platform=slot.platform,
        status__in=_RELIES,
        scheduled_at__gte=midnight - timedelta(days=1),
        scheduled_at__lt=midnight + timedelta(days=2),
    ).order_by("scheduled_at", "id")
    zone = read_zone(company.user.timezone)
    return [post for post in found if post.scheduled_at and post.scheduled_at.astimezone(zone).date() == slot.on]


def _refuse_release(slot: Slot, relying: Sequence[Post]) -> NoReturn:
    raise Conflict(
        f"{len(relying)} approved post(s) go out on {slot}, first {relying[0].id}. "
        "With --force it is given back: they go out all the same, and may meet the next holder's; after an edit they need a slot again.",
        code="slot.in_use",
        next_command=f"psn_post show {relying[0].id}",
    )
