"""What a container's state says about the call that should have published it (PUB-6), without a network."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from psn.errors import CameToNothing, Duplicate, PlatformError, Rejected, Unavailable, UnknownOutcome
from psn.platforms.base import Prepared, Published
from psn.platforms.instagram.wire import explain_failure
from psn.platforms.meta.containers import WAITS, Container
from psn.platforms.meta.publishing import Containers

LIVE = Published("17900000000000001", "https://www.instagram.com/p/ABCDEF/")
SPAM = "Error: Media upload has failed with error code 2207051"
AGAIN = "Error: Media upload has failed with error code 2207053"


def make(*states: str | Exception, detail: str = "", slept: list[float] | None = None) -> Containers:
    """Make an account whose container is in these states, one after the other; the last one stays."""
    left = list(states)

    def look(_: str) -> Container:
        state = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(state, Exception):
            raise state
        return Container(state, detail)

    sleep: Callable[[float], object] = (slept if slept is not None else []).append
    return Containers(name="instagram", title="Instagram", look=look, explain=explain_failure, waits=WAITS, sleep=sleep)


def gone() -> Unavailable:
    return Unavailable("gone", code="instagram.container_gone")


def never() -> Published | None:
    raise AssertionError("nobody should have looked")


class TestAwaitFinished:
    def test_asks_at_once_and_then_ever_less_often(self) -> None:
        slept: list[float] = []
        containers = make("IN_PROGRESS", "IN_PROGRESS", "IN_PROGRESS", "FINISHED", slept=slept)
        containers.await_finished("1", waits=containers.begin_waiting())
        assert slept == [1.0, 5.0, 10.0]

    def test_gives_up_after_five_minutes(self) -> None:
        slept: list[float] = []
        containers = make("IN_PROGRESS", slept=slept)
        with pytest.raises(Unavailable) as caught:
            containers.await_finished("1", waits=containers.begin_waiting())
        assert (caught.value.error_code, sum(slept)) == ("instagram.media_not_ready", 300)

    def test_shares_its_patience_among_the_files_of_a_post(self) -> None:
        slept: list[float] = []
        containers = make("IN_PROGRESS", slept=slept)
        waits = containers.begin_waiting()
        for _ in range(3):
            with pytest.raises(Unavailable):
                containers.await_finished("1", waits=waits)
        assert sum(slept) == 300

    @pytest.mark.parametrize(
        ("detail", "kind", "code"),
        [
            ("Error: code 2207026", Rejected, "instagram.video_format"),
            ("Error: code 2207009", Rejected, "instagram.media_ratio"),
            ("Error: code 2207003", Unavailable, "instagram.media_fetch"),
            ("Error: code 2207001", Unavailable, "instagram.server"),
            ("Error: code 2207999", Rejected, "instagram.media_failed"),
            ("", Rejected, "instagram.media_failed"),
        ],
    )
    def test_says_why_it_failed(self, detail: str, kind: type[PlatformError], code: str) -> None:
        containers = make("ERROR", detail=detail)
        with pytest.raises(kind) as caught:
            containers.await_finished("1", waits=containers.begin_waiting())
        assert caught.value.error_code == code

    @pytest.mark.parametrize("state", ["EXPIRED", "PUBLISHED", "SOMETHING_NEW"])
    def test_never_takes_another_state_for_ready(self, state: str) -> None:
        containers = make(state)
        with pytest.raises(Unavailable):
            containers.await_finished("1", waits=containers.begin_waiting())


class TestTakeFormer:
    def test_needs_a_new_one_when_there_was_none(self) -> None:
        assert make("FINISHED").take_former("", find_live=never) is None

    def test_uses_a_finished_one_again(self) -> None:
        assert make("IN_PROGRESS", "FINISHED").take_former("7", find_live=never) == Prepared(reference="7")

    @pytest.mark.parametrize("state", ["ERROR", "EXPIRED", gone()], ids=str)
    def test_needs_a_new_one_when_it_can_never_be_published(self, state: str | Exception) -> None:
        assert make(state).take_former("7", find_live=never) is None

    def test_makes_no_second_one_when_nobody_can_be_asked(self) -> None:
        with pytest.raises(Unavailable):
            make(Unavailable("the line is dead")).take_former("7", find_live=never)

    def test_calls_nothing_when_it_was_published(self) -> None:
        containers = make("PUBLISHED")
        prepared = containers.take_former("7", find_live=lambda: LIVE)
        assert prepared is not None
        assert prepared.reference == "7"
        with pytest.raises(Duplicate) as caught:
            containers.check_live(prepared)
        assert (caught.value.platform_post_id, caught.value.url) == (LIVE.platform_post_id, LIVE.url)

    def test_stays_in_doubt_when_it_was_published_and_is_not_shown(self) -> None:
        with pytest.raises(UnknownOutcome):
            make("PUBLISHED").take_former("7", find_live=lambda: None)

    def test_stays_in_doubt_in_a_state_nobody_knows(self) -> None:
        with pytest.raises(UnknownOutcome):
            make("SOMETHING_NEW").take_former("7", find_live=lambda: None)

    def test_lets_a_fresh_one_be_published(self) -> None:
        make("FINISHED").check_live(Prepared(reference="7"))


class TestFindOutcome:
    def test_is_live_when_it_was_published(self) -> None:
        assert make("PUBLISHED").find_outcome("7", find_live=lambda: LIVE) == LIVE

    @pytest.mark.parametrize("state", ["FINISHED", "EXPIRED"])
    def test_is_absent_when_it_was_not(self, state: str) -> None:
        assert make(state).find_outcome("7", find_live=never) is None

    def test_came_to_nothing_when_meta_refuses_it_for_good(self) -> None:
        with pytest.raises(CameToNothing) as caught:
            make("ERROR", detail=SPAM).find_outcome("7", find_live=never)
        assert caught.value.error_code == "instagram.suspected_spam"

    @pytest.mark.parametrize("detail", [AGAIN, ""])
    def test_is_absent_when_it_failed_and_may_be_made_anew(self, detail: str) -> None:
        assert make("ERROR", detail=detail).find_outcome("7", find_live=never) is None

    @pytest.mark.parametrize("state", ["IN_PROGRESS", "PUBLISHED", "SOMETHING_NEW"])
    def test_is_open_when_nobody_can_tell_yet(self, state: str) -> None:
        with pytest.raises(Unavailable):
            make(state).find_outcome("7", find_live=lambda: None)

    def test_is_found_without_its_container(self) -> None:
        assert make(gone()).find_outcome("7", find_live=lambda: LIVE) == LIVE
        assert make("FINISHED").find_outcome("", find_live=lambda: LIVE) == LIVE

    def test_is_never_absent_without_its_container(self) -> None:
        with pytest.raises(Unavailable):
            make(gone()).find_outcome("7", find_live=lambda: None)

    def test_is_not_decided_by_a_refusal_to_look(self) -> None:
        with pytest.raises(Unavailable) as caught:
            make(Rejected("no permission", code="instagram.permission")).find_outcome("7", find_live=never)
        assert caught.value.error_code == "instagram.permission"
