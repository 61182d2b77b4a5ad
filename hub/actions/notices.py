"""What PSN told the person: what went wrong, and what was mended without them (PUB-8).

In a company's hub a notice is for one member (a post's author, an approver), or for the whole team; an admin may see all of them, and is
still told only his own.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from hub.actions.people import find_company, get_me
from hub.models import Notice, Post
from psn.errors import NotFound

MAX_LISTED = 200
MAX_COUNTED = 1000  # nobody reads more; counting on would cost time
EVERYTHING = "all"


@dataclass(frozen=True, slots=True)
class NoticePage:
    """Some notices, newest first.

    Args:
        next_before: give it as `before` for the notices after these; None at the end.
    """

    notices: list[Notice]
    next_before: str | None


def list_notices(*, seen_too: bool, limit: int, before: str | None) -> NoticePage:
    """List notices, newest first, with their posts and accounts.

    Args:
        seen_too: also those that were marked seen.
        before: the id of the last notice of the page before this one.
    """
    notices = _for_me().select_related("post__account", "account")
    if not seen_too:
        notices = notices.filter(seen_at__isnull=True)
    if before:
        last = _get_notice(before)
        notices = notices.filter(at__lte=last.at).exclude(at=last.at, id__gte=last.id)
    limit = min(max(limit, 1), MAX_LISTED)
    found = list(notices.order_by("-at", "-id")[: limit + 1])
    return NoticePage(found[:limit], str(found[limit - 1].id) if len(found) > limit else None)


def notices_of(post: Post) -> Sequence[Notice]:
    """Give the newest notices about a post, oldest first."""
    found = _for_me().filter(user_id=post.user_id, at__gte=post.created_at, post_id=post.id)
    return list(found.order_by("-at", "-id")[:MAX_LISTED])[::-1]


def mark_seen(which: str) -> int:
    """Mark one notice as seen, by its id, or `all`; give how many were not before.

    Raises:
        NotFound: there is no such notice.
    """
    notices = _for_me().filter(seen_at__isnull=True)
    if which != EVERYTHING:
        notices = notices.filter(id=_get_notice(which).id)
    return notices.update(seen_at=Now())


def mark_seen_of(post: Post) -> int:
    """Mark everything about a post as seen: the person has just dealt with it."""
    return Notice.objects.filter(post_id=post.id, user_id=post.user_id, seen_at__isnull=True).update(seen_at=Now())


def count_unseen(level: Notice.Level = Notice.Level.ACT) -> int:
    """Count what the person has not seen yet, up to `MAX_COUNTED`: those that only they can act on, unless told otherwise."""
    return _for_me().filter(seen_at__isnull=True, level=level).order_by()[:MAX_COUNTED].count()


def _for_me() -> QuerySet[Notice]:
    if settings.LOGIN == "worker" or find_company() is None:  # the worker is no member, and sees to everybody's
        return Notice.objects.all()
    return Notice.objects.filter(Q(recipient=None) | Q(recipient=get_me()))


def _get_notice(text: str) -> Notice:
    try:
        found = _for_me().filter(id=uuid.UUID(text)).first()
    except ValueError:
        found = None
    if found is None:
        raise NotFound(f"There is no notice {text}.", code="notice.not_found", next_command="psn_post notices")
    return found
