"""What is known of a history when it is over: what was asked and answered, what the platform saw, what the hub remembers.

All times are seconds since 1970 by this computer's clock, which the hub and the sandbox share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

LOST = "lost"  # the answer to a command that nobody got: it may have been done
OK = "ok"


@dataclass(frozen=True, slots=True)
class Action:
    """A command and its answer.

    Args:
        verb: `create`, `edit`, `cancel`, `approve` or `reschedule`.
        post: the harness's own name of the post.
        answer: `ok`, `lost`, or the code of the refusal.
        texts: of the content it puts in, where it does (`create`, `edit`).
        at: the time it asks for, where it does.
        approves: whether it is a yes to the content as it is after it.
        post_id, status, content_hash: as the answer said.
        as_process: it was a real command.
    """

    verb: str
    post: str
    started_at: float
    ended_at: float
    answer: str
    texts: tuple[str, ...] = ()
    at: float | None = None
    approves: bool = False
    post_id: str = ""
    status: str = ""
    content_hash: str = ""
    as_process: bool = False

    @property
    def done(self) -> bool:
        return self.answer == OK

    @property
    def maybe_done(self) -> bool:
        return self.answer in (OK, LOST)


@dataclass(frozen=True, slots=True)
class Request:
    """A call that makes something public, and that reached the platform whole.

    Args:
        key: by which the platform tells it from others: an idempotency key, a record's key, a container; empty for none.
        outcome: the journal's word: `answered`, `dropped_before`, `dropped_after`, `garbled`; `accepted` while it is open.
        remote_id: of the post it made public; empty when it made none.
    """

    id: int
    at: float
    text: str
    outcome: str
    status: int | None = None
    fault: str = ""
    remote_id: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Live:
    """A post on the platform.

    Args:
        account: the platform's id of whose it is.
        waits: it lies in the platform's app, where a person must finish it.
        key: another name that it goes by: of the call that made it, or of what it stands below.
    """

    id: str
    account: str
    text: str
    reply_to: str
    created_at: float
    waits: bool = False
    key: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A part, as the hub remembers it."""

    text: str
    state: str
    remote_id: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """A call, as the hub remembers it; `fingerprint` is of the text for commits, `part` the index of what it was for."""

    kind: str
    fingerprint: str
    started_at: float
    finished_at: float | None
    outcome: str
    remote_id: str = ""
    reference: str = ""
    part: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the audit log."""

    at: float
    actor: str
    action: str
    from_state: str
    to_state: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """What a person was told."""

    level: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class HubPost:
    """A post with everything about it, as the hub remembers it at the end; `account` is the platform's id of it."""

    id: str
    account: str
    status: str
    fence: int
    scheduled_at: float | None
    due_at: float | None
    look_at: float | None
    error_code: str
    error_message: str
    content_hash: str
    approved_hash: str
    parts: tuple[Part, ...]
    attempts: tuple[Attempt, ...] = ()
    audit: tuple[Entry, ...] = ()
    notices: tuple[Notice, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(part.text for part in self.parts)


@dataclass(frozen=True, slots=True)
class Hit:
    """A fault that really struck.

    Args:
        deed: what was done: `kill worker`, `postgres kill`, `drop_after`.
        point: where, if at the gate; 0 otherwise.
        post_id: of the post that was at the gate.
    """

    at: float
    deed: str
    point: int = 0
    post_id: str = ""


@dataclass(frozen=True, slots=True)
class History:
    """One seed, from its first command to its end.

    Args:
        witness: whether the platform could be asked about a call: `own` or `none`.
        again: what the platform makes of a second call with the reference of the first (`tests.chaos.vendors`).
        window: for how many seconds it makes nothing of it, where that ends.
        looks: how many looks make evidence of absence.
        longest: how long after its arrival a request may be carried out, in seconds, for the last look to see it.
        ended_at: when everything was still.
    """

    seed: int
    platform: str
    witness: str
    again: str
    window: float
    looks: int
    longest: float
    started_at: float
    ended_at: float
    actions: Sequence[Action]
    requests: Sequence[Request]
    live: Sequence[Live]
    posts: Sequence[HubPost]
    hits: Sequence[Hit] = field(default_factory=tuple)
    incarnations: int = 1
