"""Plans for tests, made by plain functions."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from psn.planning.calendar import ClaimedSlot, HubPlan, PlannedPost

UTC_ZONE = ZoneInfo("UTC")
NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)  # a Wednesday


def make_post(id: str = "p1", **values: Any) -> PlannedPost:
    """Make a scheduled post of my own at noon."""
    defaults: dict[str, Any] = {
        "id": id, "hub": "", "platform": "x", "profile": "x||1", "account": "x:@ana", "account_id": "a1",
        "status": "scheduled", "at": NOON, "made_at": NOON, "changed_at": NOON, "author_id": "me", "author": "Ana",
    }  # fmt: skip
    return PlannedPost(**(defaults | values))


def make_slot(id: str = "s1", **values: Any) -> ClaimedSlot:
    """Make a slot of mine at acme."""
    defaults: dict[str, Any] = {
        "id": id, "hub": "acme", "platform": "x", "on": date(2026, 11, 25), "holder_id": "me", "holder": "Ana",
        "is_mine": True, "claimed_at": NOON,
    }  # fmt: skip
    return ClaimedSlot(**(defaults | values))


def make_plan(*entries: PlannedPost | ClaimedSlot, hub: str = "", **values: Any) -> HubPlan:
    """Make the plan of a hub in UTC."""
    posts = tuple(entry for entry in entries if isinstance(entry, PlannedPost))
    slots = tuple(entry for entry in entries if isinstance(entry, ClaimedSlot))
    defaults: dict[str, Any] = {"hub": hub, "zone": UTC_ZONE, "posts": posts, "slots": slots}
    return HubPlan(**(defaults | values))
