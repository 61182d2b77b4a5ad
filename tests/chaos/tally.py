"""Counts what histories were made of, and prints it as a table. Pure."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.chaos.record import History, HubPost


@dataclass
class Tally:
    """What happened in some histories.

    Args:
        counts: by what is counted: `posts`, `kill worker`, `point 4`, `outcome published`, …
        recoveries: seconds from a kill to the next thing that is on record of the post it hit.
    """

    counts: Counter[str] = field(default_factory=Counter)
    recoveries: list[float] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Count another's too."""
        self.counts.update(other.counts)
        self.recoveries += other.recoveries


def count(history: History) -> Tally:
    """Count one history."""
    counts: Counter[str] = Counter(histories=1, posts=len(history.posts))
    counts["parts"] = sum(len(post.parts) for post in history.posts)
    counts["requests"] = len(history.requests)
    counts["commands"] = len(history.actions)
    counts["as processes"] = sum(action.as_process for action in history.actions)
    counts["refused"] = sum(not action.maybe_done for action in history.actions)
    counts["answers lost"] = sum(action.answer == "lost" for action in history.actions)
    for hit in history.hits:
        counts[hit.deed] += 1
        if hit.point:
            counts[f"point {hit.point:02}"] += 1
    for post in history.posts:
        counts[f"outcome {_outcome(post)}"] += 1
        codes = {notice.code for notice in post.notices}
        changes = {(entry.from_state, entry.to_state) for entry in post.audit}
        counts["way linked after a look"] += "post.found" in codes
        counts["way resent after absence"] += "post.not_found" in codes
        counts["way retried"] += ("publishing", "scheduled") in changes
    return Tally(counts, _recoveries(history))


def render(tally: Tally, *, seconds: float) -> str:
    """Show a tally as a table."""
    counts = tally.counts
    rows = [
        ("histories", f"{counts['histories']}, without a witness {counts['without a witness']}, void {counts['void']}"),
        ("at", _with(counts, "at ")),
        ("posts, parts, requests", f"{counts['posts']}, {counts['parts']}, {counts['requests']}"),
        ("commands", _some(counts, "commands", "as processes", "refused", "answers lost")),
        ("killed", _with(counts, "kill ")),
        ("paused", _with(counts, "stop ")),
        ("points struck", _with(counts, "point ")),
        ("platform", _with(counts, "platform ")),
        ("connections", _with(counts, "commit ") + ", " + _some(counts, "cut all")),
        ("Postgres", _with(counts, "postgres ")),
        ("bells, clocks, drains", ", ".join([_with(counts, "bells "), _some(counts, "clock", "drain")])),
        ("commands at a point", _with(counts, "command ")),
        ("outcomes", _with(counts, "outcome ")),
        ("on the way", _with(counts, "way ")),
        ("recovery after a kill", _recovery(tally.recoveries)),
        (
            "violations",
            ", ".join(f"{law} {counts[f'law {law}']}" for law in _laws(counts)) or "0: nothing twice, nothing lost",
        ),
        ("seconds", f"{seconds:.0f}"),
    ]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)


def _outcome(post: HubPost) -> str:
    if post.status == "unknown":
        return "unknown, with a person"
    if post.status in ("draft", "pending_approval", "approved"):
        return "waits for a yes or a time"
    return "scheduled for later" if post.status == "scheduled" else post.status


def _recoveries(history: History) -> list[float]:
    """From each kill that hit a post on its way to the next entry about it, by one clock."""
    audits = {post.id: post.audit for post in history.posts}
    found = []
    for hit in history.hits:
        if hit.deed.startswith("kill ") and hit.post_id in audits:
            later = [entry.at - hit.at for entry in audits[hit.post_id] if entry.at > hit.at]
            found += later[:1]
    return found


def _recovery(seconds: Sequence[float]) -> str:
    if len(seconds) < 2:
        return "too few kills"
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return f"p50 {cuts[49]:.2f} s, p99 {cuts[98]:.2f} s, longest {max(seconds):.2f} s ({len(seconds)} posts)"


def _laws(counts: Counter[str]) -> list[str]:
    return sorted(name.removeprefix("law ") for name in counts if name.startswith("law "))


def _with(counts: Counter[str], prefix: str) -> str:
    named = {name.removeprefix(prefix): number for name, number in sorted(counts.items()) if name.startswith(prefix)}
    return ", ".join(f"{name} {number}" for name, number in named.items()) or "none"


def _some(counts: Counter[str], *names: str) -> str:
    return ", ".join(f"{name} {counts[name]}" for name in names)
