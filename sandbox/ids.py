"""Numbers that grow with time, for posts and everything else that is made here, and numbers fixed by a name."""

from __future__ import annotations

import hashlib
import threading

from django.db.models import Max

from sandbox import clock
from sandbox.models import Post
from sandbox.snowflakes import make_id

_last: dict[str, int | None] = {"number": None}
_turn = threading.Lock()


def numeric_id(seed: str, *, digits: int = 17) -> str:
    """Give a number of so many digits that belongs to this seed, for an account's id: `numeric_id("p ann")`."""
    low = int(10 ** (digits - 1))
    return str(low + int(hashlib.sha256(seed.encode()).hexdigest(), 16) % (9 * low))


def next_number() -> int:
    """Give a number above all that were given before; it tells its instant (`sandbox.snowflakes.instant_of`)."""
    with _turn:
        if _last["number"] is None:  # the first since the start: go on behind what an earlier server gave
            _last["number"] = Post.objects.aggregate(last=Max("id"))["last"]
        _last["number"] = number = make_id(clock.now(), after=_last["number"])
        return number


def forget() -> None:
    """Begin anew, after a reset."""
    with _turn:
        _last["number"] = None
