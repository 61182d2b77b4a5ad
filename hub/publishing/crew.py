"""The threads in which a worker process publishes.

A platform answers in hundreds of milliseconds and a bell is heard in one, so a task only hands over: to a free thread, or to
nobody. A thread that has finished a post takes the one that has been due longest, and ends when there is none; so a post whose bell
found no free thread, or whose account was busy, is not waited for by anybody and is not forgotten either.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from multiprocessing.util import Finalize

from django.conf import settings
from django.db import connections
from django.utils import timezone

from hub.publishing import addresses, ageing, carrying, deleting, looks, walk
from hub.publishing.claims import worker_id
from hub.queue.cluster import is_stopping

log = logging.getLogger(__name__)

AGAIN_SECONDS = 2.0


class Crew:
    """At most `size` threads that publish."""

    def __init__(self, size: int) -> None:
        self._pool = ThreadPoolExecutor(size, thread_name_prefix="crew")
        self._size = size
        self._busy = 0
        self._turned_away = False
        self._closing = False
        self._lock = threading.Lock()

    def take(self, job: Callable[[], object]) -> bool:
        """Do this in a free thread; False when there is none. Then whoever becomes free looks for what is due."""
        with self._lock:
            if self._busy >= self._size or self._is_closing():
                self._turned_away = True
                return False
            self._busy += 1
        self._pool.submit(self._work, job)
        return True

    def close(self) -> None:
        """Let what is going out finish, and begin nothing."""
        with self._lock:
            self._closing = True
        self._pool.shutdown(wait=True)

    def _work(self, job: Callable[[], object]) -> None:
        _undisturbed(job)
        found: object = True
        while self._goes_on(found):
            found = _undisturbed(partial(walk.publish_next, worker=worker_id()))
        connections.close_all()

    def _goes_on(self, found: object) -> bool:
        """Whether this thread looks for another post; when not, it is free from now on."""
        with self._lock:
            if (found or self._turned_away) and not self._is_closing():
                self._turned_away = False
                return True
            self._busy -= 1
            return False

    def _is_closing(self) -> bool:
        return self._closing or is_stopping()


def publish(post_id: str) -> None:
    """Have a post published, if it may go out; by the next free thread when there is none now."""
    _crew().take(partial(walk.publish, post_id, worker=worker_id()))


def look(user_id: str, post_id: str) -> None:
    """Have the platform asked about a post; in a moment, when no thread is free."""
    if not _crew().take(partial(looks.look, user_id, post_id, worker=worker_id())):
        looks.ring_again(user_id, post_id, seconds=AGAIN_SECONDS)


def delete(user_id: str, post_id: str) -> None:
    """Have a post deleted; when no thread is free, the sweep rings again."""
    _crew().take(partial(deleting.delete, user_id, post_id, worker=worker_id()))


def refresh_tokens() -> None:
    """Have every account's grant seen to; by the next run when no thread is free."""
    _crew().take(ageing.see_to_grants)


def forget_media() -> None:
    """Delete from the bucket what has ended, and from the hub what no post needs any more; by the next run when no thread is free."""
    _crew().take(partial(addresses.delete_ended, now=timezone.now()))
    _crew().take(carrying.forget_ended)


@cache
def _crew() -> Crew:
    """Make this process's crew; it ends with the process, not before its posts."""
    crew = Crew(settings.CREW)
    Finalize(None, crew.close, exitpriority=1)
    return crew


def _undisturbed(job: Callable[[], object]) -> object:
    """Do something whose failure must not end the thread: the top of a worker."""
    try:
        return job()
    except Exception:
        log.exception("a thread of the crew stumbled")
        connections.close_all()
        return None
