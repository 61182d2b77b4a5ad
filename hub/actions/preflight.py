"""What may be said of a post before it goes out (PUB-11): rules, grant, quota, price, repetition, addresses.

Errors keep it from being scheduled; warnings and remarks are shown and keep nobody from anything.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from difflib import SequenceMatcher
from itertools import pairwise

from django.db.models import QuerySet

from hub.models import Account, Post, PostPart, Status
from hub.models.posts import from_now
from hub.publishing import checks, quota
from hub.publishing.addresses import check_addresses
from hub.publishing.content import facts_of
from psn.errors import Finding
from psn.platforms.base import Part
from psn.platforms.registry import get_platform

NEAR = 0.85  # of the characters alike, in order; then readers take two texts for the same
SEVEN_DAYS = timedelta(days=7)
NEAR_PAIRS = 0.4  # of the words alike, two by two: with fewer, long texts cannot be near; their letters always are
ENOUGH_PAIRS = 8  # in a text that this can be said of
MAX_COMPARED = 200  # of the account's texts of a week
MAX_COMPARED_CHARACTERS = 1000  # of each: the beginning is what readers recognise
_LIVE = (Status.SCHEDULED, Status.PUBLISHING, Status.PUBLISHED, Status.DELIVERED, Status.UNKNOWN)


def check(
    account: Account, parts: Sequence[Part], *, at: datetime | None = None, post_id: uuid.UUID | None = None
) -> list[Finding]:
    """Check content for an account.

    Args:
        at: when it is meant to go out; now when left out.
        post_id: the post's own, if it is stored already.
    """
    findings = checks.check_content(account, parts, facts=facts_of(account))
    findings += _check_addresses(account, parts)
    findings += _check_quota(account, at=at, post_id=post_id)
    findings += _check_repetition(account, parts, post_id=post_id)
    findings += _tell_price(account, parts)
    return findings


def _check_addresses(account: Account, parts: Sequence[Part]) -> list[Finding]:
    """Say that a platform which fetches media has nowhere to fetch them from."""
    fetches = get_platform(account.platform).fetches
    if not any(media.kind in fetches for part in parts for media in part.media):
        return []
    found = check_addresses(account)
    return [found] if found else []


def _check_quota(account: Account, *, at: datetime | None, post_id: uuid.UUID | None) -> Iterator[Finding]:
    """Say that a post would wait because the day is full."""
    limit = quota.daily_limit(account)
    if limit is None:
        return
    around = quota.posts_of_day(account).count()
    if at is not None:
        planned = Post.objects.filter(
            account_id=account.id, status=Status.SCHEDULED, due_at__gt=at - quota.DAY, due_at__lte=at
        )
        out = Post.objects.filter(account_id=account.id, published_at__gt=at - quota.DAY, published_at__lte=at)
        around = _without(planned, post_id).count() + out.count()
    if around >= limit:
        yield Finding(
            target=account.platform,
            code="quota.day",
            level="warning",
            message=f"{account} has {around} posts in these 24 hours already; this one would wait.",
            limit=limit,
            got=around + 1,
            fix="Choose another time, or raise your own cap with `psn_account cap`, if it is yours.",
        )


def _check_repetition(account: Account, parts: Sequence[Part], *, post_id: uuid.UUID | None) -> Iterator[Finding]:
    """Say that the account said nearly the same in the last seven days, or is about to."""
    if not parts or not parts[0].text.strip():
        return
    week = Post.objects.filter(account_id=account.id, status__in=_LIVE, created_at__gt=from_now(-SEVEN_DAYS))
    recent = PostPart.objects.filter(index=0, post_id__in=_without(week, post_id).values("id"))
    text = _comparable(parts[0].text)
    for part in recent.order_by("-post__created_at")[:MAX_COMPARED]:
        likeness = _likeness(text, _comparable(part.text))
        if likeness >= NEAR:
            yield Finding(
                target=account.platform,
                code="text.near_duplicate",
                level="warning",
                message=f"Post {part.post_id} of the last seven days says nearly the same.",
                at="parts.0",
                limit=f"{NEAR:.0%}",
                got=f"{likeness:.0%}",
                fix="Say something new, or wait: readers notice, and platforms may refuse it.",
            )
            return


def _tell_price(account: Account, parts: Sequence[Part]) -> Iterator[Finding]:
    """Say what the platform charges."""
    estimate = get_platform(account.platform).price_usd
    if estimate is None:
        return
    price = estimate(parts)
    yield Finding(
        target=account.platform,
        code="price",
        level="info",
        message=f"{get_platform(account.platform).title} charges the app's owner about ${price:.3f} for this.",
        got=f"{price:.3f}",
        fix="A post with an address in it costs $0.200 instead of $0.015." if price >= 0.2 else None,
    )


def _without(posts: QuerySet[Post], post_id: uuid.UUID | None) -> QuerySet[Post]:
    return posts if post_id is None else posts.exclude(id=post_id)


def _comparable(text: str) -> str:
    return " ".join(text.casefold().split())[:MAX_COMPARED_CHARACTERS]


def _likeness(one: str, other: str) -> float:
    if one == other:
        return 1.0
    if _share_few_words(one, other):  # thousands of times faster than to compare letter by letter
        return 0.0
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    if matcher.real_quick_ratio() < NEAR or matcher.quick_ratio() < NEAR:
        return 0.0
    return matcher.ratio()


def _share_few_words(one: str, other: str) -> bool:
    pairs = [set(pairwise(words)) for words in (one.split(), other.split())]
    common = 2 * len(pairs[0] & pairs[1])
    return min(map(len, pairs)) >= ENOUGH_PAIRS and common < NEAR_PAIRS * sum(map(len, pairs))
