"""What chaos says of the platforms is what they say of themselves."""

from __future__ import annotations

import pytest

from psn.platforms.registry import get_platform, platform_names
from sandbox.platforms.registry import get_platform as get_stand_in
from tests.chaos.vendors import NAMES, VENDORS

every_vendor = pytest.mark.parametrize("name", NAMES)


class TestTheVendors:
    def test_are_all_platforms(self) -> None:
        assert set(NAMES) == set(platform_names())

    @every_vendor
    def test_commit_by_the_call_that_the_sandbox_calls_so(self, name: str) -> None:
        assert VENDORS[name].is_commit(get_stand_in(name).commit)

    @every_vendor
    def test_prepare_and_look_by_other_calls(self, name: str) -> None:
        vendor = VENDORS[name]
        assert not any(vendor.is_commit(operation) for operation in (*vendor.prepares, *vendor.lookups))

    @every_vendor
    def test_are_looked_at_as_often_as_their_witness_says(self, name: str) -> None:
        assert len(get_platform(name).witness.looks) == VENDORS[name].looks

    @every_vendor
    def test_make_nothing_of_a_repeat_where_their_witness_says_so(self, name: str) -> None:
        if get_platform(name).witness.repeat_within is not None:
            assert VENDORS[name].again in ("window", "never")
        else:
            assert VENDORS[name].again in ("post", "never")

    @every_vendor
    def test_offer_what_their_posts_need(self, name: str) -> None:
        vendor, abilities = VENDORS[name], get_platform(name).abilities
        needed = {"picture": "image", "video": "video", "": "text"}
        assert {needed[media] for media in vendor.media} <= abilities
        assert max(vendor.parts) == 1 or ("comment" if vendor.follows == "comment" else "thread") in abilities
