"""Draws what strikes a history. Weights and points are chosen for what hurts: around the one call that cannot be taken back."""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.chaos import pace
from tests.chaos.orders import COMMIT, Cut, Fault, Strike
from tests.chaos.vendors import Vendor

Nemesis = Strike | Cut | Fault
Draw = Callable[[random.Random, Vendor], list[Nemesis]]
WORKS = ("slow_processing", "slow_processing", "fail_processing")
WALK = (1, 2, 3, 4, 4, 5, 5, 6, 6, 7, 8, 9, 10, 11, 12)


def draw_nemesis(dice: random.Random, vendor: Vendor) -> list[Nemesis]:
    """Draw one of the things that can happen, with what makes it interesting."""
    kinds: tuple[tuple[int, Draw], ...] = (
        (6, _kill_at_the_gate),
        (4, _kill_somebody),
        (3, _pause),
        (2, _hurt_postgres),
        (3, _cut_commits),
        (6, _fail_platform),
        (1, _bells),
        (1, _clock),
        (1, _drain),
        (2, _leave_platform),
        (2, _command),
        (2, _race_repeats),
    )
    draw = dice.choices([kind for _, kind in kinds], [weight for weight, _ in kinds])[0]
    return draw(dice, vendor)


def _kill_at_the_gate(dice: random.Random, vendor: Vendor) -> list[Nemesis]:
    point = dice.choice(WALK)
    strikes: list[Nemesis] = [Strike("kill worker", point, _nth(dice, point))]
    if dice.random() < 0.3:  # and once more, where the next one takes it up
        strikes.append(Strike("kill worker", dice.choice(WALK), dice.randint(3, 8)))
    if point == 5 and dice.random() < 0.6:  # killed while the platform still thinks
        strikes.append(Fault("latency", seconds=round(dice.uniform(0.2, pace.LATENCY_SECONDS), 2), times=8))
    if point >= 10:
        strikes.append(_doubt(dice, vendor))
    return strikes


def _kill_somebody(dice: random.Random, vendor: Vendor) -> list[Nemesis]:
    victim = dice.choice(("sentinel", "main", "supervisor", "pusher", "monitor", "idle"))
    point = dice.choice((1, 2, 3, 4, 5, 6, 7, 8))
    return [Strike(f"kill {victim}", point, _nth(dice, point))]


def _pause(dice: random.Random, vendor: Vendor) -> list[Nemesis]:
    point = dice.choice((2, 2, 3, 3, 4, 4, 4, 4, 5, 6, 9, 10))
    is_long = dice.random() < (0.75 if point == 4 else 0.1)  # past the intent: wakes after another one sent it
    seconds = pace.LONG_PAUSE_SECONDS if is_long else pace.PAUSE_SECONDS
    strikes: list[Nemesis] = [Strike("stop worker", point, _nth(dice, point), seconds=seconds)]
    if dice.random() < 0.1:
        strikes = [Strike(f"stop {dice.choice(('pusher', 'monitor', 'sentinel'))}", 1, 1, seconds=pace.PAUSE_SECONDS)]
    if point == 2 and dice.random() < 0.7:  # it wakes while another one sends
        strikes.append(Fault("latency", seconds=pace.LATENCY_SECONDS, times=12))
        strikes.append(Fault("status", status=429, retry_after=1, times=3))
    return [*strikes, _doubt(dice, vendor)] if point == 10 else strikes


def _hurt_postgres(dice: random.Random, vendor: Vendor) -> list[Nemesis]:
    deed = dice.choice(("postgres kill", "postgres restart", "cut all", "cut all"))
    point = dice.choice((1, 2, 3, 4, 5, 6, 6, 7, 10))
    return [Strike(deed, point, _nth(dice, point)), *([_doubt(dice, vendor)] if point == 10 else [])]


def _cut_commits(dice: random.Random, vendor: Vendor) -> list[Nemesis]:
    return [
        Cut(
            dice.choice(("claim", "intent", "intent", "answer", "answer", "attempt", "end", "command", "sweep")),
            dice.randint(1, 4),
            how,
        )
        for how in dice.choices(("lost", "unheard", "unheard"), k=dice.randint(1, 3))
    ]


def _fail_platform(dice: random.Random, vendor: Vendor) -> list[Nemesis]:
    hidden, lookup = round(dice.uniform(0.2, pace.HIDDEN_SECONDS), 2), dice.choice(vendor.lookups)
    choices: tuple[list[Fault], ...] = (
        [Fault("drop_before", times=dice.randint(1, 3))],
        [Fault("drop_after", times=dice.randint(1, 3))],
        [Fault("drop_after", times=2), Fault("invisible", seconds=hidden, times=8)],
        [Fault(dice.choice(("garbage", "html")), times=dice.randint(1, 2))],
        [Fault("status", status=dice.choice((500, 502, 503)), times=dice.randint(2, 5))],
        [Fault("status", status=429, retry_after=1, times=dice.randint(1, 3))],
        [Fault("latency", seconds=round(dice.uniform(0.1, pace.LATENCY_SECONDS), 2), times=6)],
        [Fault("expired_token", times=dice.randint(1, 2))],
        [_doubt(dice, vendor), Fault("status", lookup, status=dice.choice((429, 503)), retry_after=1, times=2)],
        [_doubt(dice, vendor), Fault(dice.choice(("drop_before", "garbage", "html")), lookup, times=2)],
        [Fault(dice.choice(("drop_after", "status", "garbage")), dice.choice(vendor.prepares), status=503, times=2)],
    )
    works = [[Fault(kind, vendor.works_on, seconds=hidden, times=3)] for kind in WORKS if vendor.works_on]
    return list(dice.choice((*choices, *works)))


def _bells(dice: random.Random, vendor: Vendor) -> list[Nemesis]:
    return [Strike(f"bells {dice.choice(('deleted', 'doubled'))}", after=round(dice.uniform(0.1, 0.8), 2))]


def _clock(dice: random.Random, vendor: Vendor) -> list[Nemesis]:
    seconds = dice.choice((-7200.0, -3600.0, -90.0, 90.0, 1800.0, 7200.0))
    return [
        Strike("clock", after=0.0, seconds=seconds),
        *([_doubt(dice, vendor)] if dice.random() < 0.6 else _fail_platform(dice, vendor)),
    ]


def _drain(dice: random.Random, vendor: Vendor) -> list[Nemesis]:
    point = dice.choice((2, 4, 5))
    return [Strike("drain", point, _nth(dice, point))]


def _leave_platform(dice: random.Random, vendor: Vendor) -> list[Nemesis]:
    point = dice.choice((1, 3, 4, 4, 5, 9, 10))
    deed = dice.choice(("platform kill", "platform kill", "platform stop"))
    return [Strike(deed, point, _nth(dice, point)), *([_doubt(dice, vendor)] if point == 10 else [])]


def _command(dice: random.Random, vendor: Vendor) -> list[Nemesis]:
    """Commands about the very post at the gate, at the very moment."""
    return [
        Strike(
            f"command {dice.choice(('cancel', 'edit', 'reschedule'))}", dice.choice((1, 1, 1, 2, 3, 4, 6, 10, 12)), nth
        )
        for nth in dice.sample(range(1, 8), dice.randint(2, 4))
    ]


def _race_repeats(dice: random.Random, vendor: Vendor) -> list[Nemesis]:
    """Answers are lost, what is tried again is put off, and meanwhile a person changes their mind."""
    return [
        Fault("drop_after", times=dice.randint(2, 4)),
        Fault("status", status=dice.choice((429, 429, 503)), retry_after=dice.choice((1, pace.PAST_WINDOW)), times=4),
        *[Fault("status", lookup, status=503, times=4) for lookup in vendor.lookups if dice.random() < 0.5],
        *[
            Strike(f"command {dice.choice(('cancel', 'edit', 'edit', 'reschedule'))}", 1, nth)
            for nth in dice.sample(range(8, 18), 4)
        ],
    ]


def _doubt(dice: random.Random, vendor: Vendor) -> Fault:
    """Something after which the platform must be asked; now and then at what follows the post."""
    match = dice.choice((COMMIT, COMMIT, vendor.commits[-1]))
    return Fault(dice.choice(("drop_after", "drop_before", "garbage", "html", "redirect")), match, times=2)


def _nth(dice: random.Random, point: int) -> int:
    """Which crossing of a point: some are crossed by every post, some by few."""
    return dice.randint(1, 5) if point <= 6 or point in (8, 9) else 1
