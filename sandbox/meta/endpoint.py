"""What all endpoints have in common: the token, the version, the shape of answers."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse

from sandbox import access, clock, journal, limits
from sandbox.meta.refusals import Refused, dead_token, invalid, no_permission
from sandbox.models import Account, Post

View = Callable[..., HttpResponse]
CALLS_PER_DAY = 48_000  # 4800 for each impression of the last day, ten of them at least
DAY = timedelta(days=1)
PAGE, MAX_PAGE = 25, 100  # posts


def endpoint(view: View) -> View:
    """Make refusals of a view's into answers."""

    @wraps(view)
    def answering(request: HttpRequest, **path: str) -> HttpResponse:
        try:
            return view(request, **path)
        except Refused as refused:
            return refused.to_response(journal.request_id(request))

    return answering


def by_method(**views: View) -> View:
    """Make one view of several, one per HTTP method."""

    @endpoint
    def view(request: HttpRequest, **path: str) -> HttpResponse:
        chosen = views.get(request.method or "")
        if chosen is None:
            raise invalid(f"Unsupported {str(request.method).lower()} request.")
        return chosen(request, **path)

    return view


def get_account(request: HttpRequest, *, platform: str, scopes: tuple[str, ...]) -> Account:
    """Say who calls, and count the call.

    Raises:
        Refused: no living token of an hour or of sixty days, a scope is missing, or too many calls.
    """
    try:
        grant = access.get_grant(request, platform=platform, scopes=scopes, parameter="access_token")
    except access.NoAccess as no:
        raise no_permission() if no.reason == "scope" else dead_token(no.reason) from None
    spent = limits.spend(grant.account, endpoint="calls", limit=CALLS_PER_DAY, window=DAY, now=clock.now())
    if spent.is_spent:
        raise Refused(4, "(#4) Application request limit reached", status=429)
    return grant.account


def answer(body: Mapping[str, Any], *, account: Account) -> JsonResponse:
    """Give an answer, with how much of the allowed calls is used."""
    left = limits.read_allowance(account, endpoint="calls", limit=CALLS_PER_DAY, window=DAY, now=clock.now())
    percent = 100 - 100 * max(left.remaining, 0) // CALLS_PER_DAY
    usage = {"call_count": percent, "total_cputime": 0, "total_time": 0}
    return JsonResponse(body, headers={"X-App-Usage": json.dumps(usage)})


def read_fields(request: HttpRequest, *, known: frozenset[str], refuse: Callable[[str], Refused]) -> list[str]:
    """Read which fields are asked for; the id always is.

    Raises:
        Refused: there is no such field.
    """
    # what is asked of what is inside a field stands in brackets behind it
    text = re.sub(r"\{[^}]*\}", "", request.GET.get("fields", ""))
    asked = [field.strip() for field in text.split(",") if field.strip()]
    for field in asked:
        if field not in known:
            raise refuse(field)
    return list(dict.fromkeys(["id", *asked]))


def pick(whole: Mapping[str, Any], fields: list[str]) -> dict[str, Any]:
    """Give the fields that are asked for; what an object does not have is left out."""
    return {field: whole[field] for field in fields if whole.get(field) is not None}


def read_page(request: HttpRequest, found: QuerySet[Post]) -> tuple[list[Post], dict[str, Any]]:
    """Cut a page out of posts that are newest first, and give it with its `paging`.

    Raises:
        Refused: limit, cursor or time is none.
    """
    size = _read_number(request, "limit", default=PAGE)
    for name, lookup in (("since", "created_at__gte"), ("until", "created_at__lt")):
        if name in request.GET:
            instant = datetime.fromtimestamp(_read_number(request, name, default=0), tz=clock.now().tzinfo)
            found = found.filter(**{lookup: instant})
    if after := request.GET.get("after"):
        found = found.filter(id__lt=_read_cursor(after))
    posts = list(found[: min(size, MAX_PAGE) + 1])
    page, is_last = posts[: min(size, MAX_PAGE)], len(posts) <= min(size, MAX_PAGE)
    if not page:
        return [], {}
    cursors = {"before": _write_cursor(page[0]), "after": _write_cursor(page[-1])}
    paging: dict[str, Any] = {"cursors": cursors}
    if not is_last:
        query = {name: value for name, value in request.GET.items() if name not in ("after", "access_token")}
        paging["next"] = request.build_absolute_uri(f"?{urlencode({**query, 'after': cursors['after']})}")
    return page, paging


def write_instant(instant: datetime) -> str:
    """Give an instant as Meta writes it: whole seconds, and a zone without a colon."""
    return instant.strftime("%Y-%m-%dT%H:%M:%S+0000")


def _read_number(request: HttpRequest, name: str, *, default: int) -> int:
    text = request.GET.get(name, str(default))
    if not (text.isascii() and text.isdigit() and 0 <= int(text) < 10**11):
        raise invalid(f"Param {name} must be a number")
    return int(text)


def _write_cursor(post: Post) -> str:
    return base64.urlsafe_b64encode(str(post.id).encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        raise invalid("Invalid cursor") from None
