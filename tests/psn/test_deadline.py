from __future__ import annotations

import time

import pytest

from psn import deadline
from psn.deadline import Deadline


class TestADeadline:
    def test_is_over_when_its_time_has_passed(self) -> None:
        ends = Deadline(0.05)
        assert not ends.is_over()
        time.sleep(0.06)
        assert ends.is_over()

    def test_can_be_over_from_the_start(self) -> None:
        assert Deadline(-0.001).is_over()

    def test_moves(self) -> None:
        assert not Deadline(-1).moved(2).is_over()
        assert Deadline(1).moved(-2).is_over()

    @pytest.mark.parametrize(
        "which", range(3), ids=["a stopped process", "a laptop that slept", "a machine that was moved"]
    )
    def test_is_over_when_any_clock_says_so(self, monkeypatch: pytest.MonkeyPatch, which: int) -> None:
        ends = Deadline(60)
        clocks = list(deadline._CLOCKS)
        real = clocks[which]
        clocks[which] = lambda: real() + 61
        monkeypatch.setattr(deadline, "_CLOCKS", tuple(clocks))
        assert ends.is_over()

    def test_is_not_over_when_the_wall_clock_goes_back(self, monkeypatch: pytest.MonkeyPatch) -> None:
        ends = Deadline(60)
        clocks = deadline._CLOCKS
        monkeypatch.setattr(deadline, "_CLOCKS", (*clocks[:2], lambda: time.time() - 3600))
        assert not ends.is_over()
