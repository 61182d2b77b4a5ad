"""Which platforms there are."""

from __future__ import annotations

from datetime import timedelta

import pytest

from psn.errors import InvalidInput
from psn.platforms.registry import get_platform, platform_names


class TestGetPlatform:
    @pytest.mark.parametrize("name", platform_names())
    def test_gives_the_one_that_was_asked_for(self, name: str) -> None:
        platform = get_platform(name)
        assert platform.name == name
        assert platform.sign_in.portal_url.startswith("https://")

    @pytest.mark.parametrize("name", platform_names())
    def test_says_how_the_platform_bears_witness(self, name: str) -> None:
        witness = get_platform(name).witness
        assert witness.looks or witness.repeat_within
        assert list(witness.looks) == sorted(set(witness.looks))

    def test_lets_x_look_once_soon_and_once_when_a_lag_must_be_over(self) -> None:
        first, second = get_platform("x").witness.looks
        assert timedelta(seconds=5) <= first <= timedelta(seconds=15)
        assert second - first >= timedelta(seconds=60)

    @pytest.mark.parametrize("name", ["", "myspace", "os", "X"])
    def test_names_the_known_ones_instead_of_an_unknown_one(self, name: str) -> None:
        with pytest.raises(InvalidInput, match="Known: x") as caught:
            get_platform(name)
        assert caught.value.error_code == "platform.unknown"
