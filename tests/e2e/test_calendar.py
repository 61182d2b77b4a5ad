"""`psn_calendar` as people use it: a personal hub and a company's, two people at once, hubs that are not there (PLAN-6)."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import icalendar
import pytest

from tests.e2e.companies import Company, found, join
from tests.e2e.workspace import Outcome, Workspace, make_workspace, read_outcome
from tests.servers import need_server


@dataclass(frozen=True)
class World:
    """Bea, who has a personal hub and is in a team; Ada, who made the team and has nothing else."""

    company: Company
    bea: Workspace

    @property
    def ada(self) -> Workspace:
        return self.company.admin

    def claim(self, who: Workspace, day: date, *more: str) -> Outcome:
        return who.run("psn_calendar", "claim", str(day), "x", *more, "--hub", self.company.slug)

    @contextmanager
    def misled(self, workspace: Workspace, port: int) -> Iterator[None]:
        """Let a workspace look for the company's hub at another port."""
        path = workspace.root / "config" / "connections" / f"{self.company.slug}.env"
        before = path.read_text()
        path.write_text(before.replace(f":{self.company.server.port}/", f":{port}/"))
        try:
            yield
        finally:
            path.write_text(before)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    bea = make_workspace()
    try:
        bea.ok("psn_setup")
        with found(need_server("18")) as company:
            assert join(bea, company.invite("Bea")).exit_code == 0
            yield World(company, bea)
    finally:
        bea.remove()


def day_in(days: int) -> date:
    """Some day that no other test of this file takes."""
    return datetime.now(UTC).date() + timedelta(days=days)


def states(outcome: Outcome) -> dict[str | None, str]:
    return {hub["hub"]: hub["state"] for hub in outcome.result["data"]["hubs"]}


def entries(outcome: Outcome, day: date) -> list[dict[str, Any]]:
    (found,) = [one["entries"] for one in outcome.data["days"] if one["date"] == str(day)]
    return list(found)


class TestTwoHubs:
    def test_are_one_calendar(self, world: World) -> None:
        day = day_in(10)
        at = f"{day}T09:00:00+00:00"
        post = world.bea.ok("psn_post", "create", "--account", "@sandbox", "--text", "Hello", "--at", at, "--approve")[
            "post"
        ]
        slot = world.claim(world.bea, day).data["slot"]
        shown = world.bea.run("psn_calendar", "show", "--from", str(day - timedelta(days=1)), "--days", "3")
        assert states(shown) == {None: "ok", world.company.slug: "ok"}
        assert [(one["kind"], one["hub"], one["id"]) for one in entries(shown, day)] == [
            ("slot", world.company.slug, slot["id"]),
            ("post", None, post["id"]),
        ]
        assert shown.data["conflicts"] == []
        of_company = world.bea.run(
            "psn_calendar", "show", "--from", str(day), "--days", "1", "--hub", world.company.slug
        )
        assert [one["kind"] for one in entries(of_company, day)] == ["slot"]

    def test_are_written_into_one_file_that_another_program_reads(self, world: World, tmp_path: Path) -> None:
        day = day_in(12)
        world.claim(world.bea, day)
        file = tmp_path / "mine.ics"
        exported = world.bea.ok("psn_calendar", "export", "--from", str(day), "--days", "1", "--to", str(file))
        assert (exported["events"], exported["file"], exported["size_bytes"]) == (1, str(file), file.stat().st_size)
        (event,) = icalendar.Calendar.from_ical(file.read_bytes()).walk("VEVENT")
        assert event.decoded("DTSTART") == day
        assert str(event["SUMMARY"]) == f"{world.company.slug}: x is Bea's"
        again = world.bea.ok("psn_calendar", "export", "--from", str(day), "--days", "1")
        assert again["calendar"].encode() == file.read_bytes()


class TestClaiming:
    def test_has_one_winner_when_two_people_ask_at_once(self, world: World) -> None:
        for number in range(3):
            day = day_in(20 + number)
            people = [world.ada, world.bea, world.ada, world.bea]
            begun = [who.launch("psn_calendar", "claim", str(day), "x", "--hub", world.company.slug) for who in people]
            ended = [
                read_outcome(one.returncode, out, err) for one in begun for out, err in [one.communicate(timeout=120)]
            ]
            codes = [one.exit_code for one in ended]
            assert codes in ([0, 7, 0, 7], [7, 0, 7, 0]), [one.result for one in ended]
            assert [one.code for one in ended if one.exit_code] == ["slot.taken"] * 2
            assert sorted(one.data["already"] for one in ended if not one.exit_code) == [False, True]
            assert world.company.count(f"SELECT count(*) FROM slots WHERE \"on\" = '{day}'") == 1

    def test_finds_the_only_team_by_itself_and_gives_back_what_it_took(self, world: World) -> None:
        day = day_in(30)
        claimed = world.bea.ok("psn_calendar", "claim", str(day), "linkedin")
        assert (claimed["hub"], claimed["slot"]["holder"]) == (world.company.slug, "Bea")
        taken = world.ada.refused(
            "psn_calendar", "claim", str(day), "linkedin", "--hub", world.company.slug, code="slot.taken", exit_code=7
        )
        assert "Bea holds linkedin" in taken.result["error"]["message"]
        assert taken.next_command is not None
        assert taken.next_command.endswith(f"--hub {world.company.slug}")
        assert world.bea.ok("psn_calendar", "release", str(day), "linkedin")["posts"] == []
        world.bea.refused("psn_calendar", "release", str(day), "linkedin", code="slot.not_found", exit_code=1)

    def test_of_others_is_for_admins_to_take_back(self, world: World) -> None:
        day = day_in(31)
        world.claim(world.ada, day)
        world.bea.refused("psn_calendar", "release", str(day), "x", code="slot.not_yours", exit_code=1)
        world.claim(world.bea, day_in(32))
        world.ada.ok("psn_calendar", "release", str(day_in(32)), "x", "--hub", world.company.slug)

    @pytest.mark.parametrize(
        ("arguments", "code", "exit_code"),
        [
            (("claim", "2020-01-01", "x"), "day.too_far", 5),
            (("claim", "yesterday", "x"), "day.unreadable", 5),
            (("claim", "today", "myspace"), "platform.unknown", 5),
            (("claim", "today", "x", "--post", "nonsense"), "post.not_found", 1),
            (("claim", "today"), "usage", 2),
            (("show", "--days", "0"), "calendar.days", 5),
            (("show", "--days", "many"), "usage", 2),
            (("show", "--platform", "myspace"), "platform.unknown", 5),
            (("show", "--account", "@nobody"), "account.not_found", 1),
            (("export", "--to", "/nowhere/psn.ics"), "export.path", 3),
        ],
    )
    def test_and_the_other_verbs_refuse_bad_input(
        self, world: World, arguments: tuple[str, ...], code: str, exit_code: int
    ) -> None:
        world.bea.refused("psn_calendar", *arguments, code=code, exit_code=exit_code)


class TestAHubThatIsNotThere:
    def test_is_named_and_ends_nothing(self, world: World) -> None:
        with world.misled(world.bea, port=1):
            shown = world.bea.run("psn_calendar", "show")
        assert (shown.exit_code, states(shown)) == (0, {None: "ok", world.company.slug: "away"})
        (finding,) = shown.result["findings"]
        assert (finding["code"], finding["target"]) == ("hub.away", world.company.slug)

    def test_and_says_nothing_is_given_up(self, world: World) -> None:
        with socket.create_server(("127.0.0.1", 0)) as deaf, world.misled(world.bea, port=deaf.getsockname()[1]):
            began = time.monotonic()
            shown = world.bea.run("psn_calendar", "show")
        assert (shown.exit_code, states(shown)) == (0, {None: "ok", world.company.slug: "away"})
        assert time.monotonic() - began < 30

    def test_and_is_the_only_one_ends_it_with_a_way_on(self, world: World) -> None:
        with world.misled(world.ada, port=1):
            world.ada.refused("psn_calendar", "show", "--hub", world.company.slug, code="calendar.no_hub", exit_code=4)

    def test_may_not_even_be_set_up(self) -> None:
        workspace = make_workspace()
        try:
            workspace.refused("psn_calendar", "show", code="hub.missing", exit_code=3)
        finally:
            workspace.remove()
