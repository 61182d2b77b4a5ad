"""Never more than the platform's own limits or the user's cap (PLAT-3, PUB-12)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone
from psycopg.types.json import Jsonb

from hub.models import Account, Post
from hub.models.base import hub_now
from hub.models.posts import from_now
from psn.errors import RateLimited
from psn.platforms.base import RateLimit
from psn.platforms.registry import get_platform

DAY = timedelta(hours=24)


def daily_limit(account: Account) -> int | None:
    """How many posts of the account may go out in 24 hours: the platform's limit or the user's cap, whichever is less."""
    limits = [one for one in (get_platform(account.platform).posts_per_day, account.daily_cap) if one is not None]
    return min(limits, default=None)


def posts_of_day(account: Account) -> QuerySet[Post]:
    """The account's posts of the last 24 hours, newest first."""
    return Post.objects.filter(account_id=account.id, published_at__gt=from_now(-DAY)).order_by("-published_at")


def check_quota(post: Post) -> None:
    """Make a post wait that would be one too many.

    Raises:
        RateLimited: until the first of the day's posts is a day old.
    """
    limit = daily_limit(post.account)
    if limit is None:
        return
    if limit == 0:
        raise RateLimited(
            f"{post.account} has a cap of no posts at all; raise it with `psn_account cap`.",
            retry_at=timezone.now() + DAY,
        )
    taken = posts_of_day(post.account).values_list("published_at", flat=True)[limit - 1 : limit]
    for oldest in taken:
        assert oldest is not None
        wait = oldest + DAY - hub_now()  # a span of the hub's clock: this computer's own may be wrong
        raise RateLimited(
            f"{limit} post{'s' if limit != 1 else ''} of {post.account} went out in the last 24 hours, which is its limit.",
            retry_at=timezone.now() + wait,
        )


def describe_limits(limits: Mapping[str, RateLimit]) -> tuple[Jsonb | None, float | None]:
    """Give what is left of a platform's limits for the account's row, and for how many seconds it must rest when one is spent."""
    if not limits:
        return None, None
    told = {
        endpoint: {
            "limit": one.limit,
            "remaining": one.remaining,
            "resets_at": one.resets_at.astimezone(UTC).isoformat(),
        }
        for endpoint, one in limits.items()
    }
    now = datetime.now(UTC)
    spent = [one.resets_at - now for one in limits.values() if one.remaining <= 0]
    wait = max(min(max(spent), DAY), timedelta(0)).total_seconds() if spent else None
    return Jsonb(told), wait
