"""When a grant is renewed, by a share of its life, and when it ends for good (AUTH-2)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psn.oauth.renewal import AT_LEAST, Life, can_renew, ends_at, is_due, is_good
from psn.oauth.spec import OAuthSpec, PasswordSpec, SignIn

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
ROTATING = OAuthSpec(authorize_path="/a", token_path="/t", revoke_path="/r", scopes=("a",))
META = replace(ROTATING, renewal="access_token", renew_min_age=timedelta(hours=24))
NONE = replace(ROTATING, renewal="none")
PASSWORD = PasswordSpec(
    open_session=lambda *_, **__: NotImplemented,
    renew_session=lambda *_, **__: NotImplemented,
    close_session=lambda *_, **__: None,
    portal_url="https://a.example",
)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def life(
    whole: timedelta | None, left: timedelta, *, refresh: bool = True, refresh_left: timedelta | None = None
) -> Life:
    return Life(
        obtained_at=NOW + left - whole if whole else NOW - DAY,
        access_expires_at=NOW + left if whole else None,
        refresh_expires_at=NOW + refresh_left if refresh_left else None,
        has_refresh_token=refresh,
    )


class TestIsDue:
    @pytest.mark.parametrize(
        ("spec", "whole", "left", "on_demand", "ahead"),
        [
            (ROTATING, 2 * HOUR, HOUR, False, False),
            (ROTATING, 2 * HOUR, timedelta(minutes=23), False, True),
            (ROTATING, 2 * HOUR, timedelta(minutes=11), True, True),
            (ROTATING, 2 * HOUR, -HOUR, True, True),
            (ROTATING, 60 * DAY, 13 * DAY, False, False),
            (ROTATING, 60 * DAY, 11 * DAY, False, True),
            (PASSWORD, 2 * HOUR, timedelta(minutes=11), True, True),
            (META, 60 * DAY, 31 * DAY, False, False),
            (META, 60 * DAY, 29 * DAY, False, True),
            (META, 60 * DAY, 5 * DAY, True, True),
            (META, 60 * DAY, -DAY, False, False),
            (META, HOUR, timedelta(minutes=1), False, False),
            (NONE, 2 * HOUR, timedelta(minutes=1), False, False),
            (ROTATING, None, DAY, False, False),
        ],
    )
    def test_goes_by_a_share_of_the_life(
        self, spec: SignIn, whole: timedelta | None, left: timedelta, on_demand: bool, ahead: bool
    ) -> None:
        one = life(whole, left, refresh=spec is not META)
        assert (is_due(spec, one, now=NOW), is_due(spec, one, now=NOW, ahead=True)) == (on_demand, ahead)

    def test_never_comes_for_what_cannot_be_renewed(self) -> None:
        assert not is_due(ROTATING, life(2 * HOUR, timedelta(0), refresh=False), now=NOW)

    @given(st.integers(1, 10**7), st.floats(-1, 1))
    def test_on_demand_is_never_sooner_than_ahead(self, seconds: int, share: float) -> None:
        one = life(timedelta(seconds=seconds), timedelta(seconds=seconds * share))
        assert not is_due(ROTATING, one, now=NOW) or is_due(ROTATING, one, now=NOW, ahead=True)

    @given(st.integers(1, 10**7))
    def test_never_comes_right_after_a_renewal(self, seconds: int) -> None:
        one = life(timedelta(seconds=seconds), timedelta(seconds=seconds))
        assert not is_due(ROTATING, one, now=NOW, ahead=True)


class TestCanRenew:
    @pytest.mark.parametrize(("age", "possible"), [(23 * HOUR, False), (24 * HOUR, True), (60 * DAY, False)])
    def test_by_the_token_itself_only_while_it_lives_and_is_not_too_young(self, age: timedelta, possible: bool) -> None:
        assert can_renew(META, life(60 * DAY, 60 * DAY - age, refresh=False), now=NOW) is possible


class TestEndsAt:
    @pytest.mark.parametrize(
        ("spec", "one", "left"),
        [
            (ROTATING, life(2 * HOUR, HOUR), None),
            (ROTATING, life(60 * DAY, DAY, refresh_left=9 * DAY), 9 * DAY),
            (ROTATING, life(60 * DAY, DAY, refresh=False), DAY),
            (META, life(60 * DAY, DAY, refresh=False), DAY),
            (NONE, life(None, DAY, refresh=False), None),
        ],
    )
    def test_is_what_nobody_can_renew(self, spec: SignIn, one: Life, left: timedelta | None) -> None:
        assert ends_at(spec, one) == (NOW + left if left else None)


class TestIsGood:
    def test_lasts_for_a_publish(self) -> None:
        assert is_good(life(2 * HOUR, AT_LEAST * 2), now=NOW)
        assert not is_good(life(2 * HOUR, AT_LEAST / 2), now=NOW)
        assert is_good(life(None, DAY), now=NOW)
