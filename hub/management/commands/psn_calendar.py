"""`psn_calendar`: one calendar of your own hub and of every company's (PLAN-6)."""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.utils import timezone

from hub.actions.calendars import calendar, slots
from hub.actions.calendars.across import Answered
from hub.actions.calendars.planned import Planned
from hub.actions.team import teams
from hub.management.base import PsnCommand, Result
from hub.management.envelope import command_line
from hub.management.paths import user_path
from hub.management.shapes import post_shape
from hub.models import Slot
from psn.errors import Finding
from psn.planning.calendar import ClaimedSlot, Day, Entry, Gap, PlannedPost, read_zone
from psn.planning.clashes import Clash
from psn.times import wall_time

DAYS = 14
EXPORTED_DAYS = 60
SHOWN_CHARACTERS = 140


class Command(PsnCommand):
    help = "Your calendar over all hubs: what goes out when, what does not go together, which days are taken."

    def add_verbs(self, verbs: Any) -> None:
        """Declare the verbs."""
        show = self.add_verb(
            verbs, "show", self.show, help="show posts, claimed slots, conflicts and empty days of every hub"
        )
        self._add_days(show, days=DAYS)
        show.add_argument("--platform", help="only this one")
        show.add_argument("--account", help="only this one: @handle, x:@handle or id")
        claim = self._add_slot(verbs, "claim", self.claim, help="reserve a day of the company's for a post of yours")
        claim.add_argument("--post", metavar="ID", help="which it is for; refused when it is on another day")
        release = self._add_slot(verbs, "release", self.release, help="give a day back that you claimed")
        release.add_argument("--force", action="store_true", help="even when an approved post goes out on it")
        export = self.add_verb(verbs, "export", self.export, help="write the calendar for other programs (iCalendar)")
        self._add_days(export, days=EXPORTED_DAYS)
        export.add_argument(
            "--to", metavar="FILE.ics", help="in the result when left out; a calendar there is replaced"
        )
        export.add_argument("--dry-run", action="store_true", help="count, write nothing")

    def show(self, start: str, days: int, platform: str | None, account: str | None) -> Result:
        """Show the calendar."""
        shown = calendar.show_calendar(start, days=days, now=timezone.now(), platform=platform, account=account)
        reasons: dict[str, list[Clash]] = defaultdict(list)
        for clash in shown.clashes:
            for one in clash.ids:
                reasons[one].append(clash)
        data = {
            "from": shown.days[0].on,
            "to": shown.days[-1].on,
            "timezone": shown.zone.key,
            "hubs": [_hub_shape(answer) for answer in shown.answers],
            "days": [_day_shape(day, zone=shown.zone.key, reasons=reasons) for day in shown.days],
            "conflicts": [_clash_shape(clash) for clash in shown.clashes],
            "untrusted": True,  # it quotes what others in the team wrote
        }
        return Result(data, findings=calendar.findings_of(shown.answers))

    def claim(self, day: str, platform: str, post: str | None, dry_run: bool) -> Result:
        """Reserve a day."""
        hub = teams.enter_team(settings.WORKSPACE).slug
        claim = slots.claim_slot(day, platform=platform, now=timezone.now(), post_id=post, dry_run=dry_run)
        data = {
            "hub": hub,
            "slot": _own_slot_shape(claim.slot),
            "timezone": claim.zone,
            "already": not claim.is_new,
            "dry_run": dry_run,
        }
        lacking = Finding(
            target=platform,
            code="slot.no_account",
            level="warning",
            message=f"The company has no connected account on {platform}, so no post could go out on this day yet.",
        )
        action = {"needs": "agent", "command": command_line(f"psn_post show {post}")} if post and not dry_run else None
        return Result(data, findings=[] if claim.has_account else [lacking], next_action=action)

    def release(self, day: str, platform: str, force: bool, dry_run: bool) -> Result:
        """Give a day back."""
        hub = teams.enter_team(settings.WORKSPACE).slug
        release = slots.release_slot(day, platform=platform, now=timezone.now(), force=force, dry_run=dry_run)
        data = {
            "hub": hub,
            "slot": _own_slot_shape(release.slot),
            "posts": [post_shape(post) for post in release.posts],
            "dry_run": dry_run,
        }
        relied = Finding(
            target=platform,
            code="slot.in_use",
            level="warning",
            message=f"{len(release.posts)} approved post(s) still go out on this day. Whoever edits one needs a slot again, "
            "and somebody else may claim the day now.",
        )
        return Result(data, findings=[relied] if release.posts else [])

    def export(self, start: str, days: int, to: str | None, dry_run: bool) -> Result:
        """Write the calendar for other programs."""
        exported = calendar.export_calendar(
            start,
            days=days,
            now=timezone.now(),
            file=user_path(to, code="export.path") if to is not None else None,
            dry_run=dry_run,
        )
        data = {
            "events": exported.events,
            "file": str(exported.file) if exported.file else None,
            "size_bytes": len(exported.content),
            "hubs": [_hub_shape(answer) for answer in exported.answers],
            "dry_run": dry_run,
            "untrusted": True,  # it quotes what others in the team wrote
        }
        if to is None and not dry_run and exported.events:
            data["calendar"] = exported.content.decode()
        return Result(data, findings=calendar.findings_of(exported.answers))

    def _add_days(self, parser: argparse.ArgumentParser, *, days: int) -> None:
        parser.add_argument("--from", dest="start", metavar="DATE", default="today", help="2026-12-01, today, tomorrow")
        parser.add_argument("--days", type=int, default=days)

    def _add_slot(self, verbs: Any, name: str, verb: Any, *, help: str) -> argparse.ArgumentParser:
        parser = self.add_verb(verbs, name, verb, help=help, needs_hub=False)  # `enter_team` finds the team's
        parser.add_argument("day", metavar="DATE", help="2026-12-01, today, tomorrow: in the company's time zone")
        parser.add_argument("platform", metavar="PLATFORM")
        parser.add_argument("--dry-run", action="store_true", help="check, change nothing")
        return parser


def _hub_shape(answer: Answered[Planned]) -> dict[str, Any]:
    """Show whether a hub answered, and as what the person is known there."""
    shape: dict[str, Any] = {"hub": answer.slug or None, "state": answer.state}
    if answer.value is None:
        return shape | {"message": answer.message}
    value = answer.value
    return shape | {
        "name": value.name,
        "role": value.role,
        "policy": value.plan.policy or None,
        "timezone": str(value.plan.zone),
        "cut": value.is_cut,
    }


def _day_shape(day: Day, *, zone: str, reasons: Mapping[str, Sequence[Clash]]) -> dict[str, Any]:
    return {
        "date": day.on,
        "weekday": day.on.strftime("%A"),
        "entries": [_entry_shape(entry, zone=zone, clashes=reasons.get(entry.id, ())) for entry in day.entries],
        "gaps": [_gap_shape(gap) for gap in day.gaps],
    }


def _entry_shape(entry: Entry, *, zone: str, clashes: Sequence[Clash]) -> dict[str, Any]:
    shape = _slot_shape(entry) if isinstance(entry, ClaimedSlot) else _planned_shape(entry, zone=zone)
    return shape | {"conflicts": [{"code": clash.code, "message": clash.message} for clash in clashes]}


def _planned_shape(post: PlannedPost, *, zone: str) -> dict[str, Any]:
    """Show a post: when, on the person's clock and on the one its time was said in."""
    own = read_zone(post.zone or zone).key
    return {
        "kind": "post",
        "hub": post.hub or None,
        "id": post.id,
        "platform": post.platform,
        "account": post.account,
        "status": post.status,
        "at": post.at,
        "local": wall_time(post.at, zone=zone),
        "own_zone": {"local": wall_time(post.at, zone=own), "timezone": own} if own != zone else None,
        "author": post.author,
        "mine": post.is_mine,
        "text": post.text[:SHOWN_CHARACTERS] + ("…" if len(post.text) > SHOWN_CHARACTERS else ""),
        "url": post.url or None,
    }


def _slot_shape(slot: ClaimedSlot) -> dict[str, Any]:
    return {
        "kind": "slot",
        "hub": slot.hub or None,
        "id": slot.id,
        "platform": slot.platform,
        "date": slot.on,
        "holder": slot.holder,
        "mine": slot.is_mine,
    }


def _own_slot_shape(slot: Slot) -> dict[str, Any]:
    return {"id": str(slot.id), "date": slot.on, "platform": slot.platform, "holder": slot.claimed_by.name}


def _gap_shape(gap: Gap) -> dict[str, Any]:
    return {"hub": gap.hub or None, "platform": gap.platform, "missing_this_week": gap.missing}


def _clash_shape(clash: Clash) -> dict[str, Any]:
    return {"code": clash.code, "message": clash.message, "ids": list(clash.ids)}
