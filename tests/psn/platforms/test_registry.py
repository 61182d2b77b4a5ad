"""Which platforms there are."""

from __future__ import annotations

import pytest

from psn.errors import InvalidInput
from psn.platforms.registry import get_platform, platform_names


class TestGetPlatform:
    @pytest.mark.parametrize("name", platform_names())
    def test_gives_the_one_that_was_asked_for(self, name: str) -> None:
        platform = get_platform(name)
        assert platform.name == name
        assert platform.oauth.scopes

    @pytest.mark.parametrize("name", ["", "myspace", "os", "X"])
    def test_names_the_known_ones_instead_of_an_unknown_one(self, name: str) -> None:
        with pytest.raises(InvalidInput, match="Known: x") as caught:
            get_platform(name)
        assert caught.value.error_code == "platform.unknown"
