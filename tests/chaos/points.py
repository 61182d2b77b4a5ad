"""The worker's side of the gate: the product's own functions, each with a stop before or after it."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from functools import wraps
from typing import Any

from django.utils import timezone

from hub.models import Post, PostPart
from hub.publishing import claims, looks, recovery, walk
from psn import http
from psn.platforms import x
from psn.platforms.base import Witness
from psn.platforms.x import adapter
from tests.chaos.gate import cross, shift

Any_ = Callable[..., Any]


class _Here(threading.local):
    """What this thread publishes, where a point does not say it."""

    post: object = ""


_here = _Here()


def put_gates() -> None:
    """Put a gate at every point."""
    _wrap(claims, "claim", _claim)
    _wrap(walk, "_write_intent", _write_intent)
    _wrap(walk, "_store_answer", _store_answer)
    _wrap(http._Line, "trace", _trace)
    _wrap(adapter.XAdapter, "create_post", _create_post)
    _wrap(adapter.XAdapter, "upload_media", _upload_media)
    _wrap(looks, "_ask", _ask)
    _wrap(looks, "_look", _look)
    _wrap(recovery, "end_orphan", _end_orphan)


def make_clock_shiftable() -> None:
    """Let the clock of this process be as wrong as the gate says. Monotonic time and the hub's clock stay right."""
    real_time, real_now = time.time, timezone.now
    time.time = lambda: real_time() + shift.seconds
    timezone.now = lambda: real_now() + timedelta(seconds=shift.seconds)

    class Shifted(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]  # a plain datetime will do
            return datetime.now(tz or UTC) + timedelta(seconds=shift.seconds)

    adapter.datetime = Shifted  # type: ignore[attr-defined]


def use_witness(witness: Witness) -> None:
    """Have X bear witness this way."""
    x.PLATFORM = dataclasses.replace(x.PLATFORM, witness=witness)


def _wrap(owner: Any, name: str, around: Any_) -> None:
    real = getattr(owner, name)
    wrapped = wraps(real)(lambda *args, **kwargs: around(real, *args, **kwargs))
    setattr(owner, name, wrapped)


def _claim(real: Any_, post_id: object, *, worker: str) -> Any:
    cross(1, post_id)
    claim = real(post_id, worker=worker)
    if claim is not None:
        _here.post = claim.post_id
        cross(2, claim.post_id)
    return claim


def _write_intent(real: Any_, post: Post, part: PostPart) -> Any:
    cross(3, post.id)
    intent = real(post, part)
    cross(4, post.id)
    return intent


def _trace(real: Any_, line: Any, event: str, info: Mapping[str, Any]) -> None:
    real(line, event, info)
    if event.endswith(".receive_response_headers.started") and line.what == "POST /2/tweets":
        cross(5, _here.post)


def _create_post(real: Any_, *args: Any, **kwargs: Any) -> Any:
    try:
        return real(*args, **kwargs)
    finally:
        cross(6, _here.post)


def _store_answer(real: Any_, post: Post, part: PostPart, *args: Any, parts: list[PostPart]) -> Any:
    stored = real(post, part, *args, parts=parts)
    cross(8 if part is parts[-1] else 7, post.id)
    return stored


def _upload_media(real: Any_, *args: Any, **kwargs: Any) -> Any:
    cross(9, _here.post)
    return real(*args, **kwargs)


def _ask(real: Any_, post: Post, *args: Any, **kwargs: Any) -> Any:
    try:
        return real(post, *args, **kwargs)
    finally:
        cross(10, post.id)


def _look(real: Any_, post: Post, **kwargs: Any) -> Any:
    decided = real(post, **kwargs)
    cross(11, post.id)
    return decided


def _end_orphan(real: Any_, post: Post, **kwargs: Any) -> Any:
    cross(12, post.id)
    return real(post, **kwargs)
