"""Getting containers ready, using one again, and asking one what became of its publication (PUB-3, PUB-6)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import NoReturn

from psn.errors import CameToNothing, Duplicate, PlatformError, Rejected, Unavailable, UnknownOutcome
from psn.platforms.base import Prepared, Published
from psn.platforms.meta.containers import DEAD, FINISHED, IN_PROGRESS, PUBLISHED, Container, await_ready
from psn.platforms.meta.meanings import MEDIA_FAILED, Meaning
from psn.platforms.meta.refusals import explain_meaning

FORMER_SPAN = timedelta(days=30)  # how far back to look for what an earlier call has published

FindLive = Callable[[], Published | None]


class Containers:
    """The containers of one account.

    Args:
        look: asks the platform for one by its id.
        explain: says what a failed one's `detail` means.
        waits: seconds between two questions; the sum is all the patience there is for one post.
        sleep: waits.
    """

    def __init__(
        self,
        *,
        name: str,
        title: str,
        look: Callable[[str], Container],
        explain: Callable[[str], Meaning],
        waits: Sequence[float],
        sleep: Callable[[float], object],
    ) -> None:
        self._name = name
        self._title = title
        self._look = look
        self._explain = explain
        self._waits = tuple(waits)
        self._sleep = sleep

    def begin_waiting(self) -> Iterator[float]:
        """Give the patience for one post: its containers use it up together."""
        return iter(self._waits)

    def await_finished(self, container_id: str, *, waits: Iterator[float]) -> None:
        """Wait until a container can be published.

        Raises:
            Rejected: its files are not taken.
            Unavailable: not ready in time, or to be made anew.
        """
        container = self._await(container_id, waits)
        if container.state != FINISHED:
            self._refuse(container)

    def take_former(self, former: str, *, find_live: FindLive) -> Prepared | None:
        """Give the container of an earlier call when that settles it; None when a new one is needed.

        One that was published has its post in `handle`: nothing is left to be called (`check_live`).

        Raises:
            UnknownOutcome: it was published, but where cannot be seen yet.
            Unavailable: not ready in time.
        """
        container = self._find(lambda: self._await(former, self.begin_waiting())) if former else None
        if container is None or container.state in DEAD:
            return None
        if container.state == FINISHED:
            return Prepared(reference=former)
        live = find_live()
        if live is None:
            raise UnknownOutcome(
                f"{self._title} calls the post {container.state}, and does not show it among the account's posts yet.",
                code=f"{self._name}.not_shown",
            )
        return Prepared(reference=former, handle=f"{live.platform_post_id} {live.url}")

    def check_live(self, prepared: Prepared) -> None:
        """Refuse to publish what is published.

        Raises:
            Duplicate: it is, and this is where.
        """
        platform_post_id, _, url = prepared.handle.partition(" ")
        if platform_post_id:
            raise Duplicate(
                f"{self._title} has published this already.",
                code=f"{self._name}.duplicate",
                platform_post_id=platform_post_id,
                url=url,
            )

    def find_outcome(self, reference: str, *, find_live: FindLive) -> Published | None:
        """Say what became of the call that should have published a container; None when it did not.

        Raises:
            CameToNothing: the platform says that it never will, and why.
            Unavailable: nobody can tell yet.
        """
        with self.doubting():
            container = self._find(lambda: self._look(reference)) if reference else None
            if container is None:
                return self._get_live(container, find_live)
            if container.state == "ERROR":
                self._check_final(container)
            if container.state in (FINISHED, *DEAD):
                return None
            if container.state == IN_PROGRESS:
                raise Unavailable(f"{self._title} is still at work on it.", code=f"{self._name}.media_not_ready")
            return self._get_live(container, find_live)

    @contextmanager
    def doubting(self) -> Iterator[None]:
        """While looking, a refusal says nothing about the call that is looked for."""
        try:
            yield
        except CameToNothing:
            raise
        except Rejected as refusal:
            raise Unavailable(
                refusal.message,
                code=refusal.error_code,
                http_status=refusal.http_status,
                request_id=refusal.request_id,
            ) from refusal

    def _await(self, container_id: str, waits: Iterator[float]) -> Container:
        return await_ready(
            lambda: self._look(container_id), title=self._title, name=self._name, waits=waits, sleep=self._sleep
        )

    def _find(self, ask: Callable[[], Container]) -> Container | None:
        """Ask for a container; None when the platform does not know it any more."""
        try:
            return ask()
        except PlatformError as problem:
            if problem.error_code in (f"{self._name}.container_gone", f"{self._name}.not_found"):
                return None
            raise

    def _check_final(self, container: Container) -> None:
        meaning = self._explain(container.detail)
        if issubclass(meaning.kind, Rejected) and meaning is not MEDIA_FAILED:
            refusal = explain_meaning(meaning, container.detail[:300], title=self._title, name=self._name)
            raise CameToNothing(refusal.message, code=refusal.error_code)

    def _get_live(self, container: Container | None, find_live: FindLive) -> Published:
        live = find_live() if container is None or container.state == PUBLISHED else None
        if live is not None:
            return live
        seen = "does not know the prepared post any more" if container is None else f"calls the post {container.state}"
        raise Unavailable(
            f"{self._title} {seen}, and does not show it among the account's posts.", code=f"{self._name}.not_shown"
        )

    def _refuse(self, container: Container) -> NoReturn:
        if container.state == "ERROR":
            raise explain_meaning(
                self._explain(container.detail), container.detail[:300], title=self._title, name=self._name
            )
        raise Unavailable(
            f"{self._title} calls the prepared post {container.state}: it is made anew.",
            code=f"{self._name}.container_gone",
        )


def find_url(read: Callable[[], str], *, otherwise: str) -> str:
    """Give the address of what is live already: trouble in finding it out must not pass for trouble in publishing."""
    with suppress(PlatformError):
        return read() or otherwise
    return otherwise
