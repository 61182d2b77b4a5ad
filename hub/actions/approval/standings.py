"""Who may say yes to a post of a company, and what stands in the way (POST-4, TEAM-2).

The law is the database's own (`hub_api.approve_post`): whatever this computer thinks, nobody but an allowed person brings a post to
`scheduled`. Here the same rules are told beforehand, so that people know whom they wait for.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from hub.actions.people import find_company, get_me
from hub.models import Approval, AuditEntry, Company, Post, Role, Slot, Status, User
from psn.errors import ApprovalNeeded, NotAllowed, Problem

MAX_NAMED = 5  # people in one sentence
RULERS = (Role.APPROVER, Role.ADMIN)


class Hurdle(StrEnum):
    """Why this person's yes to a post does not count; the codes of the database's refusals."""

    NOT_APPROVER = "approve.not_approver"
    OWN_POST = "approve.own_post"
    NO_SLOT = "approve.no_slot"


@dataclass(frozen=True, slots=True)
class Standing:
    """How the approval of a company's post stands, as this person sees it.

    Args:
        policy: the company's posting policy.
        hurdle: what is in the way of this person's yes; None when nothing is.
        approvers: whose yes counts, by name.
        day: of the slot that the post needs, in the company's zone; None when the policy wants none, or it has no time.
        has_slot: whether its author holds that slot.
        asked_at: since when it waits.
        sent_back: the verdict that made it a draft again, while it is as it was then; None when none did.
    """

    company: str
    policy: str
    hurdle: Hurdle | None
    approvers: tuple[str, ...]
    day: date | None
    has_slot: bool
    asked_at: datetime | None
    sent_back: Approval | None = None


def look_at(post: Post) -> Standing | None:
    """Say how the approval of a post stands; None in a personal hub."""
    company = find_company()
    return look_at_all([post], company=company)[0] if company is not None else None


def look_at_all(posts: Sequence[Post], *, company: Company) -> list[Standing]:
    """Say how the approvals of several posts stand, in as many statements as for one."""
    me, rulers = get_me(), list(_rulers())
    days = [slot_day(post, company=company) for post in posts]
    held = _held_slots(company, days={day for day in days if day is not None})
    asked, sent_back = _asked_at(posts), _sent_back(posts)
    standings = []
    for post, day in zip(posts, days, strict=True):
        has_slot = (day, post.account.platform, post.author_id) in held
        standing = Standing(
            company=company.user.name,
            policy=company.posting_policy,
            hurdle=find_hurdle(post, me=me, company=company, has_slot=has_slot),
            approvers=_whose_yes_counts(post, company=company, rulers=rulers),
            day=day,
            has_slot=has_slot,
            asked_at=asked.get(str(post.id)),
            sent_back=sent_back.get(post.id),
        )
        standings.append(standing)
    return standings


def find_hurdle(post: Post, *, me: User, company: Company, has_slot: bool) -> Hurdle | None:
    """Say what is in the way of a person's yes to a post, as the database will; None when nothing is."""
    is_author, needs_approver = post.author_id == me.id, company.posting_policy == Company.Policy.APPROVAL
    if me.role not in RULERS and (needs_approver or not is_author):
        return Hurdle.NOT_APPROVER
    if is_author and needs_approver and not company.self_approval:
        return Hurdle.OWN_POST
    if company.posting_policy != Company.Policy.FREE and not has_slot:
        return Hurdle.NO_SLOT
    return None


def slot_day(post: Post, *, company: Company) -> date | None:
    """Give the day, in the company's zone, whose slot a post needs; None when it needs none or has no time."""
    if company.posting_policy == Company.Policy.FREE or post.scheduled_at is None:
        return None
    return post.scheduled_at.astimezone(ZoneInfo(company.user.timezone)).date()


def explain_waiting(post: Post) -> Problem:
    """Say why a post waits though its writer wanted it to go out, and what comes next.

    Returns:
        ApprovalNeeded: a person's yes is needed, this one's or another's; or NotAllowed: the author must claim its day first.
    """
    standing = look_at(post)
    if standing is not None and standing.hurdle == Hurdle.NO_SLOT:
        is_mine = post.author_id == get_me().id
        return NotAllowed(
            f"Post {post.id} waits: at {standing.company} a post needs its author's slot, and nobody claimed "
            f"{standing.day} on {post.account.platform} for it.",
            code=Hurdle.NO_SLOT,
            next_command=f"psn_calendar claim {standing.day} {post.account.platform}" if is_mine else None,
            ask=None if is_mine else "Ask its author to claim that day: psn_calendar claim.",
        )
    if standing is None or standing.hurdle is None:
        return ApprovalNeeded(
            f"Post {post.id} waits for approval; its time is noted.",
            next_command=f"psn_post approve {post.id}",
            ask="Show the post to the person and approve it only if they say yes.",
        )
    return ApprovalNeeded(
        f"Post {post.id} waits for a yes from {name_approvers(standing)}; its time is noted.",
        next_command=f"psn_post why {post.id}",
        ask=f"Tell {name_approvers(standing)} that it waits: they find it with `psn_approve list`.",
    )


def name_approvers(standing: Standing) -> str:
    """Name the people whose yes counts, in words."""
    names = standing.approvers[:MAX_NAMED]
    if not names:
        return "an approver, of whom the team has none yet (an admin makes one: psn_team role)"
    more = len(standing.approvers) - len(names)
    if more:
        return f"{', '.join(names)} or {more} others"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def _rulers() -> Iterable[User]:
    return User.objects.filter(kind=User.Kind.PERSON, is_active=True, role__in=RULERS).order_by("name", "id")


def _whose_yes_counts(post: Post, *, company: Company, rulers: Sequence[User]) -> tuple[str, ...]:
    """Name whose yes to a post counts, the author first where his own does."""
    own = company.posting_policy != Company.Policy.APPROVAL
    others = [ruler.name for ruler in rulers if ruler.id != post.author_id]
    rules_himself = any(ruler.id == post.author_id for ruler in rulers)
    if post.author is not None and (own or (rules_himself and company.self_approval)):
        return (post.author.name, *others)
    return tuple(others)


def _held_slots(company: Company, *, days: set[date]) -> set[tuple[date | None, str, object]]:
    if not days:
        return set()
    slots = Slot.objects.filter(user_id=company.user_id, on__in=days)
    return set(slots.values_list("on", "platform", "claimed_by_id"))


def _asked_at(posts: Sequence[Post]) -> dict[str, datetime]:
    """Tell since when posts wait, by their ids."""
    waiting = [str(post.id) for post in posts if post.status == Status.PENDING_APPROVAL]
    asked = AuditEntry.objects.filter(subject="post", subject_id__in=waiting, to_state=Status.PENDING_APPROVAL)
    return dict(asked.order_by("at", "id").values_list("subject_id", "at"))


def _sent_back(posts: Sequence[Post]) -> dict[uuid.UUID, Approval]:
    """Give the verdicts that made posts drafts, by their ids; one that was changed since is on its way anew."""
    drafts = {post.id: post.content_hash for post in posts if post.status == Status.DRAFT}
    if not drafts:
        return {}
    said = Approval.objects.select_related("by").filter(post_id__in=drafts, verdict=Approval.Verdict.REJECTED)
    return {one.post_id: one for one in said.order_by("at", "id") if one.content_hash == drafts[one.post_id]}
