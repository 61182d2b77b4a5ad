"""LinkedIn's numbers, pure: what to ask, and what the answers say (ANLYT-1).

A member's posts: memberCreatorPostAnalytics, one call for each number, for apps with the vetted Community Management product
(learn.microsoft.com/linkedin/marketing/community-management/members/post-statistics, read 2026-11-20). A page's posts:
organizationalEntityShareStatistics and networkSizes (…/organizations, likewise).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import AliasChoices, Field

from psn.http import Reply
from psn.platforms.linkedin.addresses import encode_urn
from psn.platforms.linkedin.wire import TITLE, build_list
from psn.platforms.replies import Tolerant, read_answer
from psn.platforms.values import MAX_COUNT, Number, pick_counts

# LinkedIn's name: ours. What the older versions do not know is answered 400 and stays unknown.
MEMBER_QUERIES = {
    "IMPRESSION": "impressions",
    "MEMBERS_REACHED": "reach",
    "REACTION": "likes",
    "COMMENT": "comments",
    "RESHARE": "reposts",
    "POST_SAVE": "saves",  # from 202604 on, as the next two
    "POST_SEND": "shares",
    "LINK_CLICKS": "clicks",
}
_ORGANIZATION_COUNTS = {
    "impressionCount": "impressions",
    "uniqueImpressionsCount": "reach",
    "likeCount": "likes",
    "commentCount": "comments",
    "shareCount": "reposts",
    "clickCount": "clicks",
}


def build_member_query(urn: str, *, query_type: str) -> str | None:
    """Build the address of one number of a member's post; None for a post of which there are none (an `activity`)."""
    kind = {"share": "share", "ugcPost": "ugc"}.get(urn.split(":")[2])
    if kind is None:
        return None
    entity = f"({kind}:{encode_urn(urn)})"
    return f"/rest/memberCreatorPostAnalytics?q=entity&entity={entity}&queryType={query_type}&aggregation=TOTAL"


def build_share_query(urns: Sequence[str], *, organization: str) -> str:
    """Build the address of the numbers of a page's posts."""
    lists = {
        "shares": [urn for urn in urns if ":share:" in urn],
        "ugcPosts": [urn for urn in urns if ":ugcPost:" in urn],
    }
    wanted = "".join(f"&{name}={build_list(some)}" for name, some in lists.items() if some)
    return (
        "/rest/organizationalEntityShareStatistics?q=organizationalEntity"
        f"&organizationalEntity={encode_urn(organization)}{wanted}"
    )


def build_follower_query(organization: str) -> str:
    """Build the address of the number of a page's followers."""
    return f"/rest/networkSizes/{encode_urn(organization)}?edgeType=COMPANY_FOLLOWED_BY_MEMBER"


def read_member_count(reply: Reply) -> int | None:
    """Read one number of a member's post; None when LinkedIn has none.

    Raises:
        Unavailable: the answer cannot be read.
    """
    counts = [
        element.count for element in read_answer(_Totals, reply, title=TITLE).elements if element.count is not None
    ]
    return sum(counts) if counts else None


def read_share_counts(reply: Reply) -> dict[str, dict[str, int]]:
    """Read the numbers of a page's posts by name. LinkedIn leaves posts out with which nobody has done anything yet.

    Raises:
        Unavailable: the answer cannot be read.
    """
    elements = read_answer(_Statistics, reply, title=TITLE).elements
    return {element.urn: pick_counts(element.totals, _ORGANIZATION_COUNTS) for element in elements if element.urn}


def read_followers(reply: Reply) -> dict[str, int]:
    """Read the number of a page's followers.

    Raises:
        Unavailable: the answer cannot be read.
    """
    size = read_answer(_Network, reply, title=TITLE).size
    return {} if size is None else {"followers": size}


class _Total(Tolerant):
    count: int | None = Field(
        None, validation_alias=AliasChoices("count", "value"), ge=0, le=MAX_COUNT
    )  # digests of the page differ


class _Totals(Tolerant):
    elements: list[_Total]


class _Statistic(Tolerant):
    urn: str = Field("", validation_alias=AliasChoices("share", "ugcPost"))
    totals: dict[str, Any] = Field({}, validation_alias="totalShareStatistics")


class _Statistics(Tolerant):
    elements: list[_Statistic]


class _Network(Tolerant):
    size: Number | None = Field(None, validation_alias="firstDegreeSize")
