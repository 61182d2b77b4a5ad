"""What on a calendar does not go together, and why (PLAN-6, TEAM-2). Nothing is forbidden here: a person sees it and decides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from psn.planning.calendar import ClaimedSlot, HubPlan, PlannedPost

SAME_PERSON_SPAN = timedelta(hours=1)  # one person in two hubs at one platform
EMPTY_SLOT_DAYS = 2  # a claimed slot as near as that should have a post

ACCOUNT_CLOSE = "account.close"
PERSON_CLOSE = "person.close"
SLOT_HELD = "slot.held"
SLOT_MISSING = "slot.missing"
SLOT_EMPTY = "slot.empty"


@dataclass(frozen=True, slots=True)
class Clash:
    """Entries that do not go together.

    Args:
        code: stable, dotted.
        ids: of the posts and slots it concerns.
    """

    code: str
    message: str
    ids: tuple[str, ...]


def find_clashes(plans: Sequence[HubPlan], *, now: datetime, conflict_minutes: int) -> list[Clash]:
    """Find everything that does not go together and can still be changed.

    Args:
        conflict_minutes: two posts of one account have at least so many between them.
    """
    posts = sorted((post for plan in plans for post in plan.posts if post.stands), key=lambda post: (post.at, post.id))
    close = list(_close_on_an_account(posts, span=timedelta(minutes=conflict_minutes)))
    told = {clash.ids for clash in close}
    close += [clash for clash in _close_of_a_person(posts) if clash.ids not in told]
    slots = [clash for plan in plans for clash in _about_slots(plan, now=now)]
    return close + sorted(slots, key=lambda clash: (clash.code, clash.ids))


def _close_on_an_account(posts: Iterable[PlannedPost], *, span: timedelta) -> Iterator[Clash]:
    """Two posts of one profile, whichever hubs it is connected in, with less than the span between them."""
    last: dict[str, PlannedPost] = {}
    for post in posts:
        before = last.get(post.profile)
        last[post.profile] = post
        if before is not None and post.at - before.at < span and _can_change(before, post):
            yield _pair(
                ACCOUNT_CLOSE,
                f"{post.account} has two posts {_minutes(before, post)}; you want at least {span // timedelta(minutes=1)} between them.",
                before,
                post,
            )


def _close_of_a_person(posts: Sequence[PlannedPost]) -> Iterator[Clash]:
    """The same person's posts in two hubs at one platform: whoever follows both sees them in a row."""
    pairs = {pair for way in (posts, posts[::-1]) for pair in _neighbours(way)}
    for before, post in sorted(pairs, key=lambda pair: [(one.at, one.id) for one in pair]):
        if _can_change(before, post):
            hubs = " and in ".join(_hub_name(one.hub) for one in (before, post))
            yield _pair(PERSON_CLOSE, f"You post on {post.platform} in {hubs} {_minutes(before, post)}.", before, post)


def _neighbours(posts: Iterable[PlannedPost]) -> Iterator[tuple[PlannedPost, PlannedPost]]:
    """Pair each post of the person's with the last one before it in each other hub, the earlier first."""
    last: dict[tuple[str, str], PlannedPost] = {}
    for post in posts:
        if not post.is_mine:
            continue
        for (platform, hub), other in last.items():
            if platform == post.platform and hub != post.hub and abs(post.at - other.at) < SAME_PERSON_SPAN:
                yield (other, post) if (other.at, other.id) < (post.at, post.id) else (post, other)
        last[post.platform, post.hub] = post


def _about_slots(plan: HubPlan, *, now: datetime) -> Iterator[Clash]:
    """A slot that somebody else holds, one that is missing, one that stays empty."""
    slots = {(slot.platform, slot.on): slot for slot in plan.slots}
    used = set()
    for post in plan.posts:
        day = post.at.astimezone(plan.zone).date()
        slot = slots.get((post.platform, day))
        if post.stands or post.status == "draft":
            used.add((post.platform, day, post.author_id))
        if post.is_movable:
            yield from _about_a_post(post, slot=slot, day=day, plan=plan)
    today = now.astimezone(plan.zone).date()
    for slot in plan.slots:
        if 0 <= (slot.on - today).days <= EMPTY_SLOT_DAYS and (slot.platform, slot.on, slot.holder_id) not in used:
            message = f"{slot.holder} claimed {slot.platform} on {slot.on} in {_hub_name(slot.hub)}, and there is no post for it yet."
            yield Clash(SLOT_EMPTY, message, (slot.id,))


def _about_a_post(post: PlannedPost, *, slot: ClaimedSlot | None, day: date, plan: HubPlan) -> Iterator[Clash]:
    where = f"{post.platform} on {day} in {_hub_name(post.hub)}"
    if slot is not None and slot.holder_id != post.author_id:
        yield Clash(SLOT_HELD, f"{slot.holder} claimed {where}; this post is {post.author}'s.", (post.id, slot.id))
    elif slot is None and plan.policy in ("calendar", "approval") and post.status == "pending_approval":
        yield Clash(
            SLOT_MISSING, f"Nobody claimed {where}, and without a slot the post cannot be approved.", (post.id,)
        )


def _can_change(*posts: PlannedPost) -> bool:
    return any(post.is_movable for post in posts)


def _pair(code: str, message: str, before: PlannedPost, post: PlannedPost) -> Clash:
    return Clash(code, message, (before.id, post.id))


def _minutes(before: PlannedPost, post: PlannedPost) -> str:
    minutes = round((post.at - before.at) / timedelta(minutes=1))
    return "at the same time" if minutes == 0 else f"{minutes} minute{'s' if minutes > 1 else ''} apart"


def _hub_name(hub: str) -> str:
    return hub or "your own hub"
