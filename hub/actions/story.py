"""The story of a post, line by line: what was done to it, every call that was made for it, and what PSN told the person.

Put together from the audit, the attempts and the notices, in the person's zone and in plain words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby

from hub.actions.people import PERSON, find_names, get_me
from hub.models import Attempt, AuditEntry, Notice, Post, PostPart
from hub.publishing.endings import WATCHDOG
from psn.platforms.registry import get_platform
from psn.times import wall_time

MAX_LINES = 300  # of each source, the newest; a post that waits for days may have thousands
AT_ONCE = timedelta(seconds=1)  # what a person does with one command is several changes
# A notice bears the instant at which its transaction began, and what it tells the one at which it was written down.
_NUDGE = timedelta(milliseconds=50)
YOU = "you"
PSN = "PSN"
_NOBODY = (PERSON, WATCHDOG, "psn")  # actors that are no member of a team

Kind, Outcome = Attempt.Kind, Attempt.Outcome
# By where it went, else by where it came from and went.
_CHANGES = {
    "created": "drafted it",
    "draft": "changed it, so it needs a new yes",
    "pending_approval": "asked for it to go out",
    "approved": "approved exactly this content",
    "scheduled": "put it on the schedule",
    "published": "saw it through: it is published",
    "failed": "gave it up: it was not sent",
    "missed": "gave it up: its time had passed for too long",
    "unknown": "left it open, because it may be live and may not",
    "delivered": "handed it to the platform's app",
    "cancelled": "cancelled it",
    "delete_asked": "asked for it to be deleted at the platform",
    "deleted": "saw to it that it is gone from the platform",
    "not_deleted": "could not have it deleted",
    "proof": "made it as the proof of a set-up",
    "rejected": "sent it back",
    "pending_approval scheduled": "approved exactly this content, and it is on the schedule",
    "publishing scheduled": "put it back to wait",
    "unknown scheduled": "put it back on the schedule",
    "unknown failed": "closed it: it was not sent",
    "unknown published": "closed it: it is published",
}
_DEEDS = {
    Kind.UPLOAD: "handed over a file of",
    Kind.COMMIT: "sent",
    Kind.PROBE: "looked at {title} for",
    Kind.DELETE: "asked {title} to delete",
}


@dataclass(frozen=True, slots=True)
class Line:
    """Something that happened to a post.

    Args:
        who: `you`, `PSN`, a member of the team by name, or a worker by its computer.
        until, times: when the same happened several times in a row.
    """

    at: datetime
    who: str
    what: str
    until: datetime | None = None
    times: int = 1


@dataclass(frozen=True, slots=True)
class Teller:
    """What words for a post need to know.

    Args:
        title: of the platform: `X`.
        zone: the person's IANA zone.
        indexes: of the parts, by their ids.
    """

    title: str
    zone: str
    indexes: dict[object, int]

    def tell(self, attempt: Attempt) -> str:
        """Say in words what a call was for and what came of it, with its figures."""
        deed = _DEEDS[Kind(attempt.kind)].format(title=self.title)
        figures = [
            f"{attempt.duration_ms} ms" if attempt.duration_ms is not None else "",
            f"HTTP {attempt.http_status}" if attempt.http_status else "",
            f"request {attempt.request_id}" if attempt.request_id else "",
        ]
        shown = ", ".join(figure for figure in figures if figure)
        return f"{deed} {self._part(attempt)}: {self._outcome(attempt)}{f' ({shown})' if shown else ''}"

    def _part(self, attempt: Attempt) -> str:
        index = self.indexes.get(attempt.part_id)
        return "it" if len(self.indexes) == 1 or index is None else f"part {index + 1} of {len(self.indexes)}"

    def _outcome(self, attempt: Attempt) -> str:
        noted = f": {attempt.detail.rstrip('.')}" if attempt.detail else ""
        match attempt.outcome:
            case Outcome.OK:
                return self._success(attempt)
            case Outcome.REFUSED:
                return f"refused{noted}"
            case Outcome.NOT_SENT:
                return f"surely nothing was sent{noted}" if attempt.kind != Kind.PROBE else f"no answer{noted}"
            case Outcome.LIMITED:
                until = f" until {tell_time(attempt.retry_at, zone=self.zone)}" if attempt.retry_at else ""
                return f"{self.title} asks to wait{until}; nothing was published"
            case Outcome.UNKNOWN:
                return f"no clear answer{', so it may be live' if attempt.kind == Kind.COMMIT else ''}{noted}"
            case _:
                return "no answer yet"

    def _success(self, attempt: Attempt) -> str:
        match attempt.kind:
            case Kind.COMMIT:
                return f"{self.title} accepted it as {attempt.remote_id}"
            case Kind.PROBE:
                return f"it is live as {attempt.remote_id}" if attempt.remote_id else "it is not there"
            case Kind.DELETE:
                return "it is gone"
            case _:
                return f"{self.title} has it"


def make_teller(post: Post, *, zone: str) -> Teller:
    """Get ready to tell about a post."""
    parts = PostPart.objects.filter(post_id=post.id).values_list("id", "index")
    return Teller(title=get_platform(post.account.platform).title, zone=zone, indexes=dict(parts))


def tell_time(at: datetime, *, zone: str) -> str:
    """Tell an instant as a clock in the zone shows it."""
    return wall_time(at, zone=zone).replace("T", " ")


def tell_story(post: Post, *, attempts: Sequence[Attempt], notices: Sequence[Notice], teller: Teller) -> list[Line]:
    """Tell what happened to a post, oldest first; the same several times in a row is one line."""
    entries = AuditEntry.objects.filter(subject="post", subject_id=str(post.id)).order_by("-at", "-id")[:MAX_LINES]
    changes = list(entries)
    said = {str(entry.detail.get("message", "")) for entry in changes}
    names = _names({entry.actor for entry in changes})
    lines = [_change(entry, names=names) for entry in changes]
    lines += [
        Line(call.started_at, _who(call.worker, names=names), teller.tell(call)) for call in attempts[-MAX_LINES:]
    ]
    lines += [Line(notice.at + _NUDGE, PSN, _notice(notice, said=said, zone=teller.zone)) for notice in notices]
    return _shorten(sorted(lines, key=lambda line: line.at))


def _names(actors: set[str]) -> dict[str, str]:
    """Name the members of a team among the actors."""
    members = {actor for actor in actors if ":" not in actor and actor not in _NOBODY}
    return find_names(members) | {str(get_me().id): YOU} if members else {}


def _change(entry: AuditEntry, *, names: Mapping[str, str]) -> Line:
    name = entry.action.partition(".")[2]
    message = str(entry.detail.get("message", ""))
    match entry.action:
        case "post.claimed":
            what = f"took it, for try {entry.detail.get('try', 1)}"
        case "post.rung_again":
            what = "found it due and not taken, and rang for it again"
        case "post.resolved":
            what = str(entry.detail.get("said", "looked, and said what is there"))
        case _:
            change = f"{entry.from_state} {entry.to_state}"
            what = _CHANGES.get(change) or _CHANGES.get(name) or entry.action
    return Line(entry.at, _who(entry.actor, names=names), f"{what}. {message}" if message else what)


def _notice(notice: Notice, *, said: set[str], zone: str) -> str:
    seen = f"seen at {tell_time(notice.seen_at, zone=zone)}" if notice.seen_at else "not seen yet"
    if notice.message in said:
        return f"left you a notice of it, {seen}"
    return f"left you a notice, {seen}: {notice.message}"


def _who(actor: str, *, names: Mapping[str, str]) -> str:
    """Name an actor in words: `psn@host:incarnation:process` is the worker on that computer."""
    if actor in names:
        return names[actor]
    if actor == PERSON:
        return YOU
    if actor in _NOBODY:
        return PSN
    name, _, rest = actor.partition(":")
    host = name.partition("@")[2]
    return f"the worker on {host}" if host else ("the worker" if rest else actor)


def _shorten(lines: Iterable[Line]) -> list[Line]:
    """Make one line of what a person did at once, and one of what happened again and again."""
    told: list[Line] = []
    for line in lines:
        last = told[-1] if told else None
        if last and (last.who, last.what) == (line.who, line.what):
            told[-1] = replace(last, until=line.at, times=last.times + 1)
        elif last and last.who == line.who == YOU and line.at - last.at < AT_ONCE:
            told[-1] = replace(last, what=_join(last.what, line.what))
        else:
            told.append(line)
    return told


def _join(*said: str) -> str:
    """Say several things in one line, each once."""
    return "; ".join(key for key, _ in groupby("; ".join(said).split("; ")))
