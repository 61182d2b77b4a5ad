"""What a history is planned of: posts, commands, and what strikes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

ACCOUNTS = 9  # of each platform
HANDLES = tuple(f"chaos{number}" for number in range(ACCOUNTS))
IMPATIENT = ACCOUNTS - 1  # posts of this account are missed when they are late by more than `GRACE_SECONDS`
GRACE_SECONDS = 1.5
COMMIT = "commit"  # the call that makes a post public, whatever the platform's name for it
COMMITS = {  # transactions of the engine, by a piece of SQL that only they have
    "claim": "claim_posts",
    "intent": "write_intent",
    "answer": "store_answer",
    "attempt": 'UPDATE "attempts"',
    "end": '"look_at" = NULL',
    "command": "'person'",
    "sweep": "find_stuck",
}


@dataclass(frozen=True, slots=True)
class PostPlan:
    """A post to be made. Due seconds are counted from its making.

    Args:
        media: `picture`, `video`, or nothing.
    """

    name: str
    account: int
    texts: tuple[str, ...]
    due_in: float
    media: str = ""
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ActionPlan:
    """A command that races the worker, some seconds after the history began.

    Args:
        verb: `edit`, `cancel` or `reschedule`.
        killed_after: seconds after which a real command is killed (-9); 0 for never.
    """

    after: float
    verb: str
    post: str
    texts: tuple[str, ...] = ()
    due_in: float = 0.0
    approves: bool = False
    as_process: bool = False
    killed_after: float = 0.0


@dataclass(frozen=True, slots=True)
class Strike:
    """A deed at the gate or at a time.

    Args:
        deed: `kill worker`, `stop worker`, `postgres kill`, `cut all`, …
        point, nth: at which point of the walk, and at which crossing of it; 0 when it goes by time.
        after: seconds after the history began, when it goes by time.
        seconds: how long a pause lasts, or by how much a clock is wrong.
    """

    deed: str
    point: int = 0
    nth: int = 1
    after: float = 0.0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Cut:
    """A commit that is cut off: `lost` before it reaches the hub, `unheard` after the hub carried it out."""

    transaction: str
    nth: int
    how: str


@dataclass(frozen=True, slots=True)
class Fault:
    """A failure of the platform; fields as in the sandbox's own orders."""

    kind: str
    match: str = COMMIT
    times: int = 1
    status: int | None = None
    seconds: float = 0.0
    retry_after: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole history.

    Args:
        witness: whether the platform can be asked what became of a call: `own`, as it really can, or `none`.
        forgiving: the platform takes the same text twice, where it otherwise would not.
        rival: a second worker, of another name, races the first one.
    """

    seed: int
    platform: str
    witness: str
    forgiving: bool
    rival: bool
    posts: Sequence[PostPlan]
    actions: Sequence[ActionPlan]
    strikes: Sequence[Strike]
    cuts: Sequence[Cut]
    faults: Sequence[Fault]
