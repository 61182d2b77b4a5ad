"""Days of a company's calendar: one holder each, whoever is faster."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connections

from hub.actions.calendars.slots import claim_slot, release_slot
from hub.management.shapes import post_shape
from hub.models import AuditEntry, Post, Slot
from psn.errors import Conflict, InvalidInput, NotAllowed, NotFound
from tests.factories import People
from tests.hub.actions.colleagues import Team

NOW = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)  # half past midnight on the 21st in Madrid, where the company is
TODAY = date(2026, 11, 21)
DAY = date(2026, 12, 1)


@pytest.fixture
def team(whole_team: Team, hub: People) -> Team:
    """The team, with nothing posted or claimed."""
    whole_team.forget_posts()
    whole_team.set_policy("free")
    return whole_team


def claim(day: str = str(DAY), platform: str = "x", **more: Any) -> Any:
    return claim_slot(day, platform=platform, now=NOW, **more)


def release(day: str = str(DAY), platform: str = "x", **more: Any) -> Any:
    return release_slot(day, platform=platform, now=NOW, **more)


def holders(team: Team) -> list[tuple[str, date, str]]:
    return team.ask(
        'SELECT u.name, s."on", s.platform FROM slots s JOIN users u ON u.id = s.claimed_by_id ORDER BY 1, 2, 3'
    )


class TestClaiming:
    def test_gives_the_day_to_who_asks_first(self, team: Team) -> None:
        with team.at_keyboard("mia"):
            assert claim().is_new
        assert holders(team) == [("Mia", DAY, "x")]

    def test_refuses_whoever_comes_later_and_says_who_has_it(self, team: Team) -> None:
        with team.at_keyboard("mia"):
            claim()
        with team.at_keyboard("tom"), pytest.raises(Conflict, match="Mia holds x on 2026-12-01") as refused:
            claim()
        assert refused.value.error_code == "slot.taken"
        assert holders(team) == [("Mia", DAY, "x")]

    def test_twice_by_the_same_person_changes_nothing(self, team: Team) -> None:
        with team.at_keyboard("mia"):
            first, again = claim(), claim()
            assert (first.is_new, again.is_new, again.slot.id) == (True, False, first.slot.id)
            assert AuditEntry.objects.filter(action="slot.claimed").count() == 1

    def test_is_for_one_platform_and_one_day(self, team: Team) -> None:
        with team.at_keyboard("mia"):
            claim()
        with team.at_keyboard("tom"):
            assert claim(platform="linkedin").is_new
            assert claim(day="2026-12-02").is_new

    @pytest.mark.parametrize(("ending", "winner"), [("COMMIT", "Tom"), ("ROLLBACK", "Mia")])
    def test_waits_for_somebody_who_is_about_to_claim_it(self, team: Team, ending: str, winner: str) -> None:
        with team.enter("tom") as rival, ThreadPoolExecutor(1) as pool:
            rival.execute("BEGIN")
            rival.execute(
                'INSERT INTO slots (id, user_id, "on", platform, claimed_by_id) VALUES (gen_random_uuid(), %s, %s, %s, %s)',
                [team.company.id, DAY, "x", team.people["tom"].id],
            )
            with team.at_keyboard("mia"):
                waiting = pool.submit(in_a_thread, claim)
                wait_for_lock(team)
                rival.execute(ending)
                error = waiting.exception(timeout=20)
        assert isinstance(error, Conflict) is (winner == "Tom")
        assert holders(team) == [(winner, DAY, "x")]

    def test_ends_where_one_person_would_have_all_days(self, team: Team) -> None:
        team.execute(
            'INSERT INTO slots (id, user_id, "on", platform, claimed_by_id) '
            "SELECT gen_random_uuid(), %s, current_date + 30 + i, 'x', %s FROM generate_series(1, 200) i",
            team.company.id, team.people["mia"].id,
        )  # fmt: skip
        with team.at_keyboard("mia"), pytest.raises(Conflict) as refused:
            claim(platform="linkedin")
        assert refused.value.error_code == "slot.too_many"
        with team.at_keyboard("tom"):
            assert claim(platform="linkedin").is_new

    def test_writes_down_who_did_it(self, team: Team) -> None:
        with team.at_keyboard("mia") as mia:
            claim()
            (entry,) = AuditEntry.objects.filter(action="slot.claimed")
        assert (entry.actor, entry.detail) == (str(mia.id), {"slot": "x on 2026-12-01"})

    def test_can_be_rehearsed(self, team: Team) -> None:
        with team.at_keyboard("mia"):
            assert claim(dry_run=True).is_new
        assert holders(team) == []
        assert team.ask("SELECT count(*) FROM audit_log WHERE action LIKE 'slot%%'") == [(0,)]

    def test_says_when_the_company_could_not_post_there(self, team: Team) -> None:
        team.connect_account(platform="x")
        with team.at_keyboard("mia"):
            assert claim(platform="x").has_account
            assert not claim(platform="linkedin").has_account

    @pytest.mark.parametrize(
        ("day", "code"),
        [
            ("2026-11-20", "day.past"),  # it is the 21st in the company's zone
            ("2020-01-01", "day.too_far"),
            ("2099-01-01", "day.too_far"),
            ("2026-02-30", "day.unreadable"),
            ("next week", "day.unreadable"),
            ("2026-12-01T09:00", "day.unreadable"),
            ("'; DROP TABLE slots; --", "day.unreadable"),
            ("", "day.unreadable"),
            ("2026-12-01\n", "day.unreadable"),
        ],
    )
    def test_refuses_what_is_no_day_to_come(self, team: Team, day: str, code: str) -> None:
        with team.at_keyboard("mia"), pytest.raises(InvalidInput) as refused:
            claim(day=day)
        assert refused.value.error_code == code

    @pytest.mark.parametrize(
        ("day", "on"), [("today", TODAY), ("tomorrow", TODAY + timedelta(days=1)), (str(TODAY), TODAY)]
    )
    def test_counts_days_where_the_company_is(self, team: Team, day: str, on: date) -> None:
        with team.at_keyboard("mia"):
            assert claim(day=day).slot.on == on

    @pytest.mark.parametrize("platform", ["twitter", "X", "", "x'--", "x" * 5000])
    def test_refuses_a_platform_that_there_is_not(self, team: Team, platform: str) -> None:
        with team.at_keyboard("mia"), pytest.raises(InvalidInput, match="Known: x, linkedin") as refused:
            claim(platform=platform)
        assert len(refused.value.message) < 200

    def test_is_for_teams(self, hub: People) -> None:
        with pytest.raises(InvalidInput) as refused:
            claim()
        assert refused.value.error_code == "calendar.personal"


class TestClaimingForAPost:
    def test_takes_one_on_that_day_and_platform(self, team: Team) -> None:
        post = write(team, "mia", at=datetime(2026, 11, 30, 23, 30, tzinfo=UTC))  # the 1st in Madrid
        with team.at_keyboard("mia"):
            assert claim(post_id=str(post)).is_new

    @pytest.mark.parametrize(("day", "platform"), [("2026-11-30", "x"), ("2026-12-01", "linkedin")])
    def test_refuses_one_that_it_would_not_serve(self, team: Team, day: str, platform: str) -> None:
        post = write(team, "mia", at=datetime(2026, 11, 30, 23, 30, tzinfo=UTC))
        with team.at_keyboard("mia"), pytest.raises(InvalidInput) as refused:
            claim(day=day, platform=platform, post_id=str(post))
        assert refused.value.error_code == "slot.other_post"
        assert holders(team) == []

    def test_refuses_one_that_there_is_not(self, team: Team) -> None:
        with team.at_keyboard("mia"), pytest.raises(NotFound):
            claim(post_id="01a1f82c-afb1-7c55-8a66-4f2cdb399a03")


class TestReleasing:
    @pytest.mark.parametrize("who", ["mia", "ann"], ids=["its holder", "an admin"])
    def test_is_for_its_holder_and_for_admins(self, team: Team, who: str) -> None:
        team.claim("mia", DAY)
        with team.at_keyboard(who) as person:
            release()
            assert AuditEntry.objects.get(action="slot.released").actor == str(person.id)
        assert holders(team) == []

    @pytest.mark.parametrize("who", ["tom", "bob"], ids=["a member", "an approver"])
    def test_is_for_nobody_else(self, team: Team, who: str) -> None:
        team.claim("mia", DAY)
        with team.at_keyboard(who), pytest.raises(NotAllowed, match="Mia holds x on 2026-12-01"):
            release()
        assert holders(team) == [("Mia", DAY, "x")]

    def test_is_refused_by_the_hub_itself_to_anybody_else(self, team: Team) -> None:
        team.claim("mia", DAY)
        with team.at_keyboard("tom"):
            assert Slot.objects.all().delete()[0] == 0
        assert holders(team) == [("Mia", DAY, "x")]

    def test_says_when_there_is_nothing_to_give_back(self, team: Team) -> None:
        with team.at_keyboard("mia"), pytest.raises(NotFound, match="Nobody holds x on 2026-12-01"):
            release()

    def test_can_be_rehearsed(self, team: Team) -> None:
        team.claim("mia", DAY)
        with team.at_keyboard("mia"):
            release(dry_run=True)
        assert holders(team) == [("Mia", DAY, "x")]

    def test_lets_somebody_else_have_it(self, team: Team) -> None:
        team.claim("mia", DAY)
        with team.at_keyboard("mia"):
            release()
        with team.at_keyboard("tom"):
            assert claim().is_new


class TestReleasingASlotInUse:
    @pytest.fixture
    def post(self, team: Team) -> Any:
        team.set_policy("calendar")
        team.claim("mia", DAY)
        return write(team, "mia", at=datetime(2026, 11, 30, 23, 30, tzinfo=UTC), status="scheduled")

    def test_is_refused_and_names_the_post(self, team: Team, post: Any) -> None:
        with team.at_keyboard("mia"), pytest.raises(Conflict, match=str(post)) as refused:
            release()
        assert refused.value.error_code == "slot.in_use"
        assert holders(team) == [("Mia", DAY, "x")]

    def test_is_done_when_the_person_insists_and_the_post_stays_scheduled(self, team: Team, post: Any) -> None:
        with team.at_keyboard("mia"):
            assert [post_shape(one)["id"] for one in release(force=True).posts] == [str(post)]
            assert Post.objects.get(id=post).status == "scheduled"
        assert holders(team) == []

    def test_is_no_matter_where_posts_need_no_slot(self, team: Team, post: Any) -> None:
        team.set_policy("free")
        with team.at_keyboard("mia"):
            assert release().posts == ()

    def test_is_no_matter_for_a_post_of_somebody_else_of_another_day_or_in_another_state(self, team: Team) -> None:
        team.set_policy("calendar")
        team.claim("mia", DAY)
        write(team, "tom", at=datetime(2026, 12, 1, 12, 0, tzinfo=UTC), status="scheduled")
        write(team, "mia", at=datetime(2026, 12, 1, 23, 30, tzinfo=UTC), status="scheduled")  # the 2nd in Madrid
        write(team, "mia", at=datetime(2026, 12, 1, 12, 0, tzinfo=UTC), status="draft")
        with team.at_keyboard("mia"):
            assert release().posts == ()


def write(team: Team, author: str, *, at: datetime, status: str = "draft") -> Any:
    """Put a post into the company's hub, past every law."""
    found = team.ask("SELECT id FROM accounts WHERE platform = 'x'")
    account = found[0][0] if found else team.connect_account(platform="x").id
    ((post,),) = team.ask(
        "INSERT INTO posts (id, user_id, account_id, author_id, status, scheduled_at, due_at, scheduled_zone, scheduled_wall, phase, "
        "lease_owner, fence, tries, content_hash, approved_hash, approved_by, platform_post_id, url, error_code, error_message) "
        "VALUES (gen_random_uuid(), %s, %s, %s, 'draft', %s, %s, 'UTC', '', '', '', 0, 0, 'h', '', '', '', '', '', '') RETURNING id",
        team.company.id, account, team.people[author].id, at, at,
    )  # fmt: skip
    if status != "draft":
        team.execute(
            "SET session_replication_role = replica; "
            f"UPDATE posts SET status = '{status}', approved_hash = 'h' WHERE id = '{post}'"
        )
    return post


def in_a_thread(action: Any) -> Any:
    try:
        return action()
    finally:
        connections.close_all()


def wait_for_lock(team: Team) -> None:
    """Wait until somebody waits for somebody."""
    for _ in range(200):
        if team.ask("SELECT 1 FROM pg_locks WHERE NOT granted"):
            return
        connections.close_all()
    raise AssertionError("nobody waits")
