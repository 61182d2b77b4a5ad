"""Numbers: of a member's posts for those who were vetted, of a page's posts for its administrators."""

from __future__ import annotations

import re
from urllib.parse import unquote

from django.http import HttpRequest, HttpResponse, JsonResponse

from sandbox import clock
from sandbox.models import Grant, Post
from sandbox.platforms.linkedin import members, numbers, refusals
from sandbox.platforms.linkedin.endpoint import check_version, endpoint, read_urns
from sandbox.platforms.linkedin.posts import find_post

METRIC_TYPE = "com.linkedin.adsexternalapi.memberanalytics.v1.CreatorPostAnalyticsMetricTypeV1"
_TOTALS = {
    "impressionCount": "IMPRESSION",
    "uniqueImpressionsCount": "MEMBERS_REACHED",
    "likeCount": "REACTION",
    "commentCount": "COMMENT",
    "shareCount": "RESHARE",
    "clickCount": "LINK_CLICKS",
}


@endpoint("memberCreatorPostAnalytics.FINDER-entity", scopes=("r_member_postAnalytics",), per_day=5000)
def read_member_numbers(request: HttpRequest, grant: Grant) -> HttpResponse:
    """Answer one number of one of the member's own posts."""
    raw = re.search(r"(?:^|&)entity=\((share|ugc):([^():&]+)\)", request.META.get("QUERY_STRING", ""))
    query_type = request.GET.get("queryType", "")
    known = numbers.QUERIES if check_version(request) >= "202604" else set(numbers.QUERIES) - numbers.SINCE_202604
    if raw is None or query_type not in known or request.GET.get("aggregation") != "TOTAL":
        raise refusals.Refusal(400, "ILLEGAL_ARGUMENT", "Invalid query parameters passed to request")
    urn = unquote(raw[2])
    post = find_post(urn)
    if post is None or not urn.startswith(f"urn:li:{'ugcPost' if raw[1] == 'ugc' else 'share'}:"):
        raise refusals.not_found(urn)
    if post.account != grant.account:
        raise refusals.access_denied("memberCreatorPostAnalytics.FINDER-entity")
    element = {
        "count": _count(post, query_type),
        "metricType": {METRIC_TYPE: query_type},
        "targetEntity": {raw[1]: urn},
    }
    return JsonResponse({"elements": [element], "paging": {"start": 0, "count": 10, "links": []}})


@endpoint(
    "organizationalEntityShareStatistics.FINDER-organizationalEntity", scopes=("rw_organization_admin",), per_day=5000
)
def read_page_numbers(request: HttpRequest, grant: Grant) -> HttpResponse:
    """Answer the numbers of a page's posts; those with which nobody has done anything are left out."""
    urn = request.GET.get("organizationalEntity", "")
    page = members.get_page(
        grant,
        urn,
        what="organizationalEntityShareStatistics.FINDER-organizationalEntity",
        scope="rw_organization_admin",
    )
    elements = []
    for name, field in (("shares", "share"), ("ugcPosts", "ugcPost")):
        for wanted in read_urns(request, name):
            post = find_post(wanted)
            if post is not None and post.account == page and _count(post, "IMPRESSION"):
                totals = {theirs: _count(post, query_type) for theirs, query_type in _TOTALS.items()}
                totals["engagement"] = 0.05  # type: ignore[assignment]  # a ratio among counts, as LinkedIn has it
                elements.append({"organizationalEntity": urn, field: wanted, "totalShareStatistics": totals})
    return JsonResponse({"elements": elements, "paging": {"start": 0, "count": 10, "links": []}})


def _count(post: Post, query_type: str) -> int:
    return numbers.count(post.id, query_type, age=clock.now() - post.created_at)
