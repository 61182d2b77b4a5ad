"""When a version of LinkedIn's API gets too old."""

from __future__ import annotations

from datetime import date

import pytest

from psn.platforms.linkedin import PLATFORM, warn_about_version
from psn.platforms.linkedin.versions import DEFAULT_VERSION

TODAY = date(2026, 11, 20)


class TestWarnAboutVersion:
    @pytest.mark.parametrize("version", ["202611", "202610", "202603", "202703"])
    def test_says_nothing_of_a_young_one(self, version: str) -> None:
        assert warn_about_version(version, today=TODAY) == []

    @pytest.mark.parametrize(("version", "level"), [("202602", "warning"), ("202512", "warning"), ("202511", "error")])
    def test_names_the_version_to_take_instead(self, version: str, level: str) -> None:
        (found,) = warn_about_version(version, today=TODAY)
        assert (found.code, found.level) == ("linkedin.version_old", level)
        assert found.fix is not None
        assert found.fix.endswith("202610.")

    def test_goes_back_to_december_in_january(self) -> None:
        (found,) = warn_about_version("202501", today=date(2027, 1, 5))
        assert found.fix is not None
        assert found.fix.endswith("202612.")

    @pytest.mark.parametrize("version", ["", "2026-10", "202613", "202600", "26.10", "latest", "2026101"])
    def test_refuses_what_is_no_version(self, version: str) -> None:
        (found,) = warn_about_version(version, today=TODAY)
        assert (found.code, found.level) == ("linkedin.version", "error")

    def test_begins_with_the_declared_one(self) -> None:
        assert PLATFORM.settings == {"version": DEFAULT_VERSION}
        assert warn_about_version(DEFAULT_VERSION, today=TODAY) == []
