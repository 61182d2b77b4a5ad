"""Containers: what Meta calls a prepared post. Nobody sees one, and it is published at most once (PUB-3, PUB-6).

developers.facebook.com/documentation/instagram-platform/content-publishing and /threads/posts (read 2026-11-20). A container that
is not published within 24 hours expires. Meta advises to ask for its state once a minute, five minutes at most; an image is
usually ready within a second, so the first questions come sooner.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from psn.errors import Unavailable

WAITS = (1.0, 5.0, 10.0, 20.0, 40.0, 60.0, 60.0, 60.0, 44.0)  # seconds between two questions; 300 in all

FINISHED, IN_PROGRESS, PUBLISHED = "FINISHED", "IN_PROGRESS", "PUBLISHED"
DEAD = frozenset({"ERROR", "EXPIRED"})  # these were not published and never will be


@dataclass(frozen=True, slots=True)
class Container:
    """A container as the platform describes it.

    Args:
        state: `IN_PROGRESS`, `FINISHED`, `PUBLISHED`, `ERROR` or `EXPIRED`.
        detail: what the platform says about an error.
    """

    state: str
    detail: str = ""


def await_ready(
    look: Callable[[], Container], *, title: str, name: str, waits: Iterator[float], sleep: Callable[[float], object]
) -> Container:
    """Ask until a container is done, and give it in whatever state that is.

    Args:
        waits: seconds between two questions; used up together by all containers of one post.

    Raises:
        Unavailable: not ready in time.
    """
    while (container := look()).state == IN_PROGRESS:
        wait = next(waits, None)
        if wait is None:
            raise Unavailable(f"{title} has not got the post ready in time.", code=f"{name}.media_not_ready")
        sleep(wait)
    return container
