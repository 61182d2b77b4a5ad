"""The shapes of answers that both platforms use: ids, pages, insights, quotas; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from psn.errors import UnknownOutcome
from psn.http import Reply
from psn.platforms.base import RateLimit
from psn.platforms.replies import Tolerant, read_answer
from psn.platforms.values import Number

Id = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,25}$")]


class Created(Tolerant):
    """The answer to nearly every POST: an id, and where a video is uploaded to."""

    id: Id
    uri: str = ""


class Cursors(Tolerant):
    after: str = Field(default="", max_length=4000)


class Paging(Tolerant):
    cursors: Cursors = Cursors()
    next: str = ""  # address of the next page; absent on the last one


class _Value(Tolerant):
    value: Any = None


class _Insight(Tolerant):
    name: str
    values: list[_Value] = []
    total_value: _Value | None = None


class _Insights(Tolerant):
    data: list[_Insight]


class QuotaConfig(Tolerant):
    quota_total: Number
    quota_duration: int = Field(default=86400, ge=1, le=366 * 86400)  # seconds


@dataclass(frozen=True, slots=True)
class Quota:
    """How much an account may still publish.

    Args:
        span: of the rolling window it is counted in.
    """

    used: int
    total: int
    span: timedelta

    @property
    def left(self) -> int:
        """How many more; never below zero."""
        return max(0, self.total - self.used)

    def to_rate_limit(self, *, now: datetime) -> RateLimit:
        """Give it as what is left of a limit; the last of the window's places is free again after its span."""
        return RateLimit(limit=self.total, remaining=self.left, resets_at=now + self.span)


def read_created(reply: Reply, *, title: str) -> Created:
    """Read the id of what was just made.

    Raises:
        Unavailable: the answer cannot be read.
    """
    return read_answer(Created, reply, title=title)


def read_published_id(reply: Reply, *, title: str) -> str:
    """Read the id of what was just made public.

    Raises:
        UnknownOutcome: the platform said yes, but not in words we can read.
    """
    return read_answer(Created, reply, title=title, lost_means=UnknownOutcome).id


def read_quota(used: int | None, config: QuotaConfig | None) -> Quota | None:
    """Give the quota, or None when the platform tells only half of it."""
    if used is None or config is None:
        return None
    return Quota(used=used, total=config.quota_total, span=timedelta(seconds=config.quota_duration))


def read_insights(reply: Reply, *, title: str, names: Mapping[str, str]) -> dict[str, int]:
    """Read the metrics of one post, by our names.

    Missing data is an empty list there, and stays unknown here (ANLYT-1).

    Args:
        names: the platform's to ours.

    Raises:
        Unavailable: the answer cannot be read.
    """
    found = {insight.name: _read_value(insight) for insight in read_answer(_Insights, reply, title=title).data}
    return {ours: value for theirs, ours in names.items() if (value := found.get(theirs)) is not None}


def _read_value(insight: _Insight) -> int | None:
    value = insight.total_value.value if insight.total_value else None
    if value is None and insight.values:
        value = insight.values[-1].value
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**63:
        return None
    return int(value)
