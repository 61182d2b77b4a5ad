"""Never more than the platform's own limits or the user's cap (PLAT-3, PUB-12)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone
from psycopg.types.json import Jsonb

from hub.models import Account, Post, Status
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


def newest_of_day(account: Account, count: int) -> list[datetime]:
    """Say when so many of the account's newest posts of the last 24 hours went out; those that may have are among them."""
    doubtful = Post.objects.filter(account_id=account.id, status=Status.UNKNOWN, updated_at__gt=from_now(-DAY))
    times = [*posts_of_day(account).values_list("published_at", flat=True)[:count]]
    times += doubtful.order_by("-updated_at").values_list("updated_at", flat=True)[:count]
    return sorted((at for at in times if at is not None), reverse=True)[:count]


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
    taken = newest_of_day(post.account, limit)
    if len(taken) == limit:
        wait = taken[-1] + DAY - hub_now()  # a span of the hub's clock: this computer's own may be wrong
        raise RateLimited(
            f"{limit} post{'s' if limit != 1 else ''} of {post.account} went out in the last 24 hours, which is its limit.",
            retry_at=timezone.now() + wait,
        )


def describe_limits(limits: Mapping[str, RateLimit]) -> tuple[Jsonb | None, float | None]:
    """Give what is left of a platform's limits for the account's row, and for how many seconds it must rest when one is spent.

    It never fails, whatever headers said: it is stored with the answer that a part is live. No reset is further off than a day.
    """
    if not limits:
        return None, None
    now = datetime.now(UTC)
    waits = {endpoint: min(max(one.resets_at - now, timedelta(0)), DAY) for endpoint, one in limits.items()}
    told = {
        endpoint: {
            "limit": one.limit,
            "remaining": one.remaining,
            "resets_at": (now + waits[endpoint]).isoformat(),
        }
        for endpoint, one in limits.items()
    }
    spent = [waits[endpoint] for endpoint, one in limits.items() if one.remaining <= 0]
    return Jsonb(told), max(spent).total_seconds() if spent else None
