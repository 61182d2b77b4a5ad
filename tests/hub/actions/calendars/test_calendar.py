"""One calendar of several hubs: what is on it, what does not go together, who did not answer."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connections
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as some

from hub.actions.calendars import planned
from hub.actions.calendars.calendar import Shown, export_calendar, findings_of, show_calendar
from hub.models import Account, HubSetting, Post, PostPart, User
from psn.config.database import DatabaseUrl
from psn.config.hub import HubConfig
from psn.errors import Conflict, InvalidInput, NotFound, NotReady, Unavailable
from psn.planning.calendar import PlannedPost
from tests.factories import OWNER, People, make_account, make_post
from tests.hub.actions.calendars.neighbours import beside, own_hub, working_on
from tests.hub.actions.calendars.test_slots import write
from tests.hub.actions.colleagues import Team

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
DAY = date(2026, 12, 1)  # a Tuesday
NINE = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)


@pytest.fixture
def team(whole_team: Team, hub: People) -> Team:
    """The team, with nothing posted or claimed."""
    whole_team.forget_posts()
    whole_team.set_policy("free")
    return whole_team


@pytest.fixture
def account(me: User) -> Account:
    return make_account(me, platform="x", handle="ana")


@contextmanager
def company_beside(team: Team, name: str = "mia", **changes: Any) -> Iterator[None]:
    """Have the company's hub beside the personal one, by the login of one of its members."""
    with beside({"another": login_of(team, name, **changes)}):
        yield


def login_of(team: Team, name: str, *, password: str = "") -> HubConfig:
    member = team.people[name]
    url = team.company.config.url("app").with_login(member.login, password or member.password)
    return replace(team.company.config, slug="acme", urls={"app": url})


def put(
    account: Account, at: datetime, *, status: str = "scheduled", text: str = "Hello", zone: str = "Europe/Madrid"
) -> Post:
    """Put a post of one's own into the personal hub."""
    post = make_post(account, texts=(text,))
    wanted = {"scheduled_at": at, "due_at": at, "scheduled_zone": zone}
    Post.objects.using(OWNER).filter(id=post.id).update(**wanted)
    if status != "draft":
        Post.objects.using(OWNER).filter(id=post.id).update(status=status, approved_hash=post.content_hash)
    post.refresh_from_db()
    return post


def show(start: str = "2026-11-30", *, days: int = 7, **more: Any) -> Shown:
    return show_calendar(start, days=days, now=NOW, **more)


def on(shown: Shown, day: date = DAY) -> list[str]:
    return [entry.id for one in shown.days if one.on == day for entry in one.entries]


def codes(shown: Shown) -> list[str]:
    return [clash.code for clash in shown.clashes]


class TestShowing:
    def test_puts_posts_and_slots_of_all_hubs_on_their_days(self, team: Team, account: Account) -> None:
        mine = put(account, NINE)
        theirs = write(team, "tom", at=NINE + timedelta(hours=2))
        team.claim("tom", DAY, platform="linkedin")
        with company_beside(team):
            shown = show()
        (day,) = [one for one in shown.days if one.on == DAY]
        assert [(type(entry).__name__, entry.hub) for entry in day.entries] == [
            ("ClaimedSlot", "acme"),
            ("PlannedPost", ""),
            ("PlannedPost", "acme"),
        ]
        assert on(shown)[1:] == [str(mine.id), str(theirs)]

    def test_counts_days_in_the_persons_zone(self, me: User, account: Account) -> None:
        post = put(account, datetime(2026, 11, 30, 23, 30, tzinfo=UTC))
        assert on(show()) == [str(post.id)]
        User.objects.using(OWNER).filter(id=me.id).update(timezone="America/New_York")
        assert on(show(), date(2026, 11, 30)) == [str(post.id)]

    @pytest.mark.parametrize("zone", ["Nowhere/Land", "../../etc/passwd", "", "\u202e"])
    def test_stands_a_zone_that_is_none(self, me: User, account: Account, zone: str) -> None:
        User.objects.using(OWNER).filter(id=me.id).update(timezone=zone)
        post = put(account, NINE, zone=zone)
        assert on(show()) == [str(post.id)]

    def test_begins_today_where_the_person_is(self, me: User) -> None:
        User.objects.using(OWNER).filter(id=me.id).update(timezone="Pacific/Kiritimati")
        assert [day.on for day in show("today", days=2).days] == [date(2026, 11, 21), date(2026, 11, 22)]

    def test_knows_who_wrote_what(self, team: Team, account: Account) -> None:
        put(account, NINE)
        write(team, "mia", at=NINE)
        write(team, "tom", at=NINE)
        with company_beside(team, "mia"):
            posts = [entry for day in show().days for entry in day.entries if isinstance(entry, PlannedPost)]
        assert sorted((post.hub, post.author, post.is_mine) for post in posts) == [
            ("", "me", True),
            ("acme", "Mia", True),
            ("acme", "Tom", False),
        ]

    def test_shows_the_beginning_of_the_text_and_when_a_published_post_was_live(self, account: Account) -> None:
        post = put(account, NINE, text="Hello world")
        live = NINE + timedelta(minutes=3)
        force(post, status="published", platform_post_id="1", url="https://x.example/1", published_at=live)
        (shown,) = [entry for day in show().days for entry in day.entries]
        assert isinstance(shown, PlannedPost)
        assert (shown.text, shown.at, shown.url, shown.status) == (
            "Hello world",
            live,
            "https://x.example/1",
            "published",
        )

    def test_shows_what_was_to_go_out_before_and_went_out_late(self, account: Account) -> None:
        post = put(account, NINE - timedelta(days=30))
        force(post, status="published", platform_post_id="1", published_at=NINE)
        assert on(show()) == [str(post.id)]

    def test_leaves_out_what_was_cancelled_or_deleted_or_has_no_time(self, account: Account) -> None:
        force(put(account, NINE), status="cancelled")
        force(
            put(account, NINE),
            status="published",
            platform_post_id="1",
            published_at=NINE,
            delete_asked_at=NINE,
            deleted_at=NINE,
        )
        make_post(account)
        assert on(show()) == []

    def test_is_nobody_elses(self, hub: People) -> None:
        put(make_account(hub.other), NINE)
        assert on(show()) == []

    def test_can_be_of_one_platform_or_one_account(self, me: User, account: Account) -> None:
        other, third = make_account(me, platform="x", handle="bea"), make_account(me, platform="linkedin", handle="ana")
        posts = {name: str(put(one, NINE).id) for name, one in (("ana", account), ("bea", other), ("linked", third))}
        assert on(show(platform="linkedin")) == [posts["linked"]]
        assert on(show(account="x:@ANA")) == [posts["ana"]]
        assert set(on(show(account="@ana"))) == {posts["ana"], posts["linked"]}
        assert on(show(account=str(other.id))) == [posts["bea"]]

    def test_of_one_company_shows_only_that_and_compares_with_all(self, team: Team, hub: People) -> None:
        put(make_account(hub.other, platform="x"), NINE)  # of whoever `another` lets into the personal hub
        theirs = write(team, "mia", at=NINE + timedelta(minutes=40), status="scheduled")
        with working_on(login_of(team, "mia"), others={"another": own_hub()}):
            shown = show()
        assert [answer.state for answer in shown.answers] == ["ok", "ok"]
        assert on(shown) == [str(theirs)]
        assert codes(shown) == ["person.close"]

    def test_says_when_there_is_more_than_it_shows(self, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(planned, "MAX_POSTS", 2)
        for minutes in range(3):
            put(account, NINE + timedelta(hours=minutes))
        shown = show()
        assert len(on(shown)) == 2
        assert [finding.code for finding in findings_of(shown.answers)] == ["calendar.cut"]


class TestConflicts:
    def test_of_one_account_follow_what_the_person_prefers(self, me: User, account: Account) -> None:
        put(account, NINE), put(account, NINE + timedelta(minutes=29))
        assert codes(show()) == ["account.close"]

        HubSetting.objects.create(user=me, name="preferences", version=1, value={"calendar": {"conflict_minutes": 20}})
        assert codes(show()) == []

    def test_over_midnight_are_seen_from_either_side(self, account: Account) -> None:
        (
            put(account, datetime(2026, 11, 30, 22, 50, tzinfo=UTC)),
            put(account, datetime(2026, 11, 30, 23, 10, tzinfo=UTC)),
        )
        assert codes(show("2026-11-30", days=1)) == codes(show("2026-12-01", days=1)) == ["account.close"]
        assert codes(show("2026-12-02", days=1)) == []

    def test_of_one_person_in_two_hubs(self, team: Team, account: Account) -> None:
        put(account, NINE)
        write(team, "mia", at=NINE + timedelta(minutes=40), status="scheduled")
        with company_beside(team, "mia"):
            assert codes(show()) == ["person.close"]
        with company_beside(team, "tom"):
            assert codes(show()) == []

    def test_with_a_slot_that_somebody_else_holds(self, team: Team, hub: People) -> None:
        write(team, "mia", at=NINE, status="pending_approval")
        team.claim("tom", DAY)
        with company_beside(team):
            assert codes(show()) == ["slot.held"]

    def test_with_the_policy(self, team: Team, hub: People) -> None:
        team.set_policy("approval")
        write(team, "mia", at=NINE, status="pending_approval")
        with company_beside(team):
            assert codes(show()) == ["slot.missing"]

    def test_of_an_empty_slot_that_is_near(self, team: Team, hub: People) -> None:
        team.claim("mia", date(2026, 11, 21))
        with company_beside(team):
            assert codes(show("today")) == ["slot.empty"]


class TestEmptyDays:
    def gaps(self, shown: Shown) -> list[tuple[str, str, str, int]]:
        return [(gap.hub, gap.platform, f"{gap.on:%a}", gap.missing) for day in shown.days for gap in day.gaps]

    def test_are_shown_for_what_the_person_aims_at(self, me: User, account: Account) -> None:
        HubSetting.objects.create(user=me, name="strategy", version=1, value={"targets": {"x": 2}})
        put(account, NINE)  # on a Tuesday
        assert self.gaps(show("2026-11-30", days=3)) == [("", "x", "Mon", 1), ("", "x", "Wed", 1)]
        put(account, NINE + timedelta(days=5))  # on Sunday, which is not shown
        assert self.gaps(show("2026-11-30", days=3)) == []

    def test_are_shown_for_what_the_company_aims_at(self, team: Team, hub: People) -> None:
        with working_on(login_of(team, "ann")):
            HubSetting.objects.create(
                user_id=team.company.id, name="company", version=1, value={"targets": {"linkedin": 1}}
            )
        with company_beside(team, "mia"):
            assert self.gaps(show("2026-11-30", days=1)) == [("acme", "linkedin", "Mon", 1)]
        team.execute("TRUNCATE hub_settings")

    def test_are_unknown_when_the_configuration_cannot_be_read(self, me: User, account: Account) -> None:
        HubSetting.objects.create(user=me, name="strategy", version=1, value=["garbage"])
        post = put(account, NINE)
        assert on(show()) == [str(post.id)]


class TestAHubThatDoesNotAnswer:
    def test_is_named_and_the_others_are_shown(self, hub: People, account: Account) -> None:
        post = put(account, NINE)
        gone = HubConfig(
            slug="acme", provider="url", prefix="acme", folder=Path("/nonexistent"),
            urls={"app": DatabaseUrl(host="127.0.0.1", port=1, name="acme", user="acme_m_1", password="hidden-word")},
        )  # fmt: skip
        with beside({"another": gone}):
            shown = show()
        assert on(shown) == [str(post.id)]
        (finding,) = findings_of(shown.answers)
        assert (finding.target, finding.code, finding.level) == ("acme", "hub.away", "warning")
        assert "hidden-word" not in finding.message

    def test_refuses_a_wrong_password(self, team: Team) -> None:
        with company_beside(team, password="wrong-one"):
            (finding,) = findings_of(show().answers)
        assert finding.code == "hub.refused"
        assert "wrong-one" not in finding.message

    def test_refuses_who_was_removed(self, team: Team) -> None:
        gone = team.company.join("Gone")
        people = {**team.people, "gone": gone}
        with team.company.enter(team.company.ann) as admin:
            admin.execute("SELECT hub_api.remove_member(%s)", [gone.id])
        with company_beside(replace(team, people=people), "gone"):
            (finding,) = findings_of(show().answers)
        assert finding.code == "hub.refused"

    def test_ends_it_when_there_is_no_other(self, hub: People) -> None:
        gone = HubConfig(
            slug="acme", provider="url", prefix="acme", folder=Path("/nonexistent"),
            urls={"app": DatabaseUrl(host="127.0.0.1", port=1, name="acme", user="acme_m_1", password="x")},
        )  # fmt: skip
        with working_on(gone), pytest.raises(Unavailable, match="acme: ") as refused:
            show()
        assert (refused.value.error_code, refused.value.exit_code) == ("calendar.no_hub", 4)


class TestAHostileMember:
    """What somebody in a team can write there with the bare driver must spoil nobody's calendar."""

    @pytest.mark.parametrize(
        "change",
        [
            "updated_at = 'infinity'",
            "scheduled_at = 'infinity', due_at = 'infinity'",
            "scheduled_zone = repeat('x', 1000000)",
        ],
    )
    def test_cannot_end_a_calendar_with_a_post(self, team: Team, account: Account, change: str) -> None:
        mine, theirs = put(account, NINE), write(team, "tom", at=NINE)
        with team.enter("tom") as tom, suppress(psycopg.Error):  # where the hub refuses it, all the better
            tom.execute(f"UPDATE posts SET {change} WHERE id = '{theirs}'".encode())
        with company_beside(team):
            assert str(mine.id) in on(show())

    @pytest.mark.parametrize(
        ("platform", "day"), [("x" * 100_000, "2026-12-01"), ("x", "infinity"), ("\n{}", "2026-12-01")]
    )
    def test_cannot_end_a_calendar_with_a_slot(self, team: Team, account: Account, platform: str, day: str) -> None:
        mine = put(account, NINE)
        with team.enter("tom") as tom, suppress(psycopg.Error):
            tom.execute(
                'INSERT INTO slots (id, user_id, "on", platform, claimed_by_id) VALUES (gen_random_uuid(), %s, %s, %s, %s)',
                [team.company.id, day, platform, team.people["tom"].id],
            )
        with company_beside(team):
            shown = show()
        assert on(shown) == [str(mine.id)]
        assert [answer.state for answer in shown.answers] == ["ok", "ok"]


class TestBadInput:
    @pytest.mark.parametrize("days", [0, -1, 367, 10**9])
    def test_is_too_many_days_or_none(self, hub: People, days: int) -> None:
        with pytest.raises(InvalidInput, match="1 to 366 days"):
            show(days=days)

    @pytest.mark.parametrize("start", ["2026-13-01", "soon", "0001-01-01", "9999-12-31", ""])
    def test_is_a_day_that_is_none(self, hub: People, start: str) -> None:
        with pytest.raises(InvalidInput):
            show(start)

    def test_is_an_unknown_platform_or_account(self, hub: People, account: Account) -> None:
        with pytest.raises(InvalidInput, match="Known: x"):
            show(platform="myspace")
        with pytest.raises(NotFound):
            show(account="@nobody")


class TestExporting:
    def export(self, file: Path | None, **more: Any) -> Any:
        return export_calendar("2026-11-30", days=7, now=NOW, file=file, **more)

    def test_writes_every_hub_into_one_private_file(self, team: Team, account: Account, tmp_path: Path) -> None:
        mine, theirs = put(account, NINE, text="From me"), write(team, "tom", at=NINE)
        team.claim("mia", DAY, platform="linkedin")
        with company_beside(team):
            exported = self.export(tmp_path / "psn.ics")
        text = (tmp_path / "psn.ics").read_bytes().decode()
        assert exported.events == text.count("BEGIN:VEVENT") == 3
        assert f"UID:{mine.id}@psn\r\n" in text
        assert f"UID:{theirs}@psn\r\n" in text
        assert "SUMMARY:x:@ana: From me" in text
        assert stat.S_IMODE((tmp_path / "psn.ics").stat().st_mode) == 0o600
        assert [path.name for path in tmp_path.iterdir()] == ["psn.ics"]

    def test_writes_the_days_that_were_asked_for_alone(self, account: Account) -> None:
        for days in (-2, 0, 6):  # the day before the first, and the one after the last
            put(account, NINE + timedelta(days=days))
        assert self.export(None).events == 1

    def test_gives_the_same_bytes_until_something_changes(self, account: Account, tmp_path: Path) -> None:
        post = put(account, NINE)
        before = self.export(None).content
        assert self.export(None).content == before
        force(post, text="Another", updated_at=datetime.now(UTC) + timedelta(minutes=1))
        after = self.export(None).content
        assert after != before
        assert sequence(after) > sequence(before)

    def test_says_what_was_cancelled_so_that_it_disappears_elsewhere(self, account: Account) -> None:
        force(put(account, NINE), status="cancelled")
        assert b"STATUS:CANCELLED" in self.export(None).content

    def test_replaces_a_calendar_and_nothing_else(self, account: Account, tmp_path: Path) -> None:
        put(account, NINE)
        old, other = tmp_path / "old.ics", tmp_path / "diary.txt"
        old.write_bytes(b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n")
        other.write_text("Dear diary")
        assert self.export(old).events == 1
        assert b"BEGIN:VEVENT" in old.read_bytes()
        with pytest.raises(Conflict):
            self.export(other)
        assert other.read_text() == "Dear diary"

    @pytest.mark.parametrize("name", ["nowhere/psn.ics", ".", "file.txt/psn.ics"])
    def test_refuses_a_place_that_is_none(self, account: Account, tmp_path: Path, name: str) -> None:
        (tmp_path / "file.txt").write_text("x")
        with pytest.raises((NotReady, InvalidInput)):
            self.export(tmp_path / name)

    def test_writes_nothing_when_rehearsed_or_empty(self, account: Account, tmp_path: Path) -> None:
        assert self.export(tmp_path / "psn.ics").events == 0
        put(account, NINE)
        assert self.export(tmp_path / "psn.ics", dry_run=True).events == 1
        assert list(tmp_path.iterdir()) == []

    def test_has_no_secret_in_it(self, account: Account) -> None:
        put(account, NINE)
        text = self.export(None).content.decode()
        assert own_hub().key not in text
        assert not any(word in text.lower() for word in ("sealed", "token", "password", "content/media"))

    @how(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(text=some.text(some.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=200))
    def test_keeps_any_text_in_its_place(self, account: Account, text: str) -> None:
        put(account, NINE, text=text + "\r\nEND:VEVENT\r\nBEGIN:VEVENT")
        lines = self.export(None).content.decode().split("\r\n")
        assert lines.count("BEGIN:VEVENT") == lines.count("END:VEVENT") == Post.objects.count()


def force(post: Post, *, text: str = "", **values: Any) -> None:
    """Change a row past every law."""
    with connections[OWNER].cursor() as cursor:
        for table in ("posts", "post_parts"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        Post.objects.using(OWNER).filter(id=post.id).update(**values)
        if text:
            PostPart.objects.using(OWNER).filter(post_id=post.id).update(text=text)
        for table in ("posts", "post_parts"):
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def sequence(content: bytes) -> int:
    (line,) = [line for line in content.split(b"\r\n") if line.startswith(b"SEQUENCE:")]
    return int(line.removeprefix(b"SEQUENCE:"))
