"""What a claim needs, read in one statement that is written out: every post runs it, and to make it anew from the models each time
costs more than to run it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import connections, models

from hub.models import Account, OAuthToken, Post, PostMedia, PostPart
from hub.publishing.claims import Claim, LostClaim

Row = TypeVar("Row", bound=models.Model)


def _columns(model: type[models.Model], alias: str) -> str:
    return ", ".join(f"{alias}.{field.column}" for field in model._meta.concrete_fields)


def _build(model: type[Row], values: tuple[Any, ...]) -> Row:
    fields = model._meta.concrete_fields
    read = [  # what Django would do: it has JSON come as text
        json.loads(value) if isinstance(value, str) and isinstance(field, models.JSONField) else value
        for field, value in zip(fields, values, strict=True)
    ]
    return model.from_db("default", [field.attname for field in fields], read)


_CLAIMED = f"""
SELECT {_columns(Post, "p")}, {_columns(Account, "a")}, {_columns(OAuthToken, "t")}, {_columns(PostPart, "q")},
  EXISTS (SELECT FROM post_media m WHERE (m.user_id, m.part_id) = (q.user_id, q.id))
FROM posts p JOIN accounts a ON a.id = p.account_id
LEFT JOIN oauth_tokens t ON (t.user_id, t.account_id) = (p.user_id, p.account_id)
LEFT JOIN post_parts q ON (q.user_id, q.post_id) = (p.user_id, p.id)
WHERE p.id = %s AND p.fence = %s AND p.status = 'publishing'
ORDER BY q.index
"""
_SIZES = [len(model._meta.concrete_fields) for model in (Post, Account, OAuthToken, PostPart)]
_NO_MEDIA = PostMedia.objects.none()
_NO_MEDIA._result_cache = []  # looked at once, it asks nothing


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claimed post with everything that is needed to send it: its account, the account's grant if there is one, its parts."""

    post: Post
    grant: OAuthToken | None
    parts: list[PostPart]


def read_claimed(claim: Claim) -> Claimed:
    """Read a claimed post.

    Raises:
        LostClaim: the claim does not stand any more. Whoever was stopped right after it must not go on with somebody else's.
    """
    with connections["default"].cursor() as cursor:
        cursor.execute(_CLAIMED, [claim.post_id, claim.fence])
        rows = cursor.fetchall()
    if not rows:
        raise LostClaim
    of_post, of_account, of_grant, _, _ = _split(rows[0])
    post = _build(Post, of_post)
    post.account = _build(Account, of_account)
    grant = _build(OAuthToken, of_grant) if of_grant[0] is not None else None
    return Claimed(post=post, grant=grant, parts=_build_parts([_split(row)[3:] for row in rows]))


def _split(row: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """Cut a row into its models' parts; the last is what is left."""
    pieces, start = [], 0
    for size in _SIZES:
        pieces.append(row[start : start + size])
        start += size
    return [*pieces, row[start:]]


def _build_parts(rows: list[list[tuple[Any, ...]]]) -> list[PostPart]:
    parts = [_build(PostPart, of_part) for of_part, _ in rows if of_part[0] is not None]
    if any(has_media for _, (has_media,) in rows):
        models.prefetch_related_objects(parts, "media")
        return parts
    for part in parts:
        part._prefetched_objects_cache = {"media": _NO_MEDIA}  # type: ignore[attr-defined]  # Django's own place for it
    return parts
