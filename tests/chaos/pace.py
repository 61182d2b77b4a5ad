"""How fast things go under chaos: every time of the engine, shortened alike, so that a history takes seconds.

What safety rests on is not how long these times are but which is longer than which; `check_relations` says so. The real ones stand
in `psn.settings`, in each platform's declaration and beside their use.
"""

from __future__ import annotations

import os
from datetime import timedelta

STRETCH = float(os.environ.get("CHAOS_STRETCH", "1"))  # a busy computer needs more time for everything alike

CALL_SECONDS = 1.0 * STRETCH  # of one call to the platform
LEASE_SECONDS = 1.5 * STRETCH  # of a claim; the call's own comes on top while something is sent
MARGIN_SECONDS = 0.5 * STRETCH  # between the last moment a byte may leave and the end of the lease
RENEW_SECONDS = 0.4 * STRETCH
PATIENCE_SECONDS = 0.4 * STRETCH
SWEEP_SECONDS = 0.5
STORE_SECONDS = 2.0 * STRETCH  # how long an answer waits for a hub that is away
BACKOFF_SECONDS = 1.05  # to its first, second and third power
LOOK_SECONDS = (0.3 * STRETCH, 2.2 * STRETCH)  # after a doubtful call
WINDOW_SECONDS = 6.0 * STRETCH  # for so long a platform that knows a call by its key makes no second post of it
PAST_WINDOW = round(WINDOW_SECONDS)  # seconds, whole ones: as long as a platform asks to be left alone
FOLLOW_SECONDS = 0.5 * STRETCH  # how long an adapter watches what the platform works on
CONTAINER_WAITS = (0.05, 0.1, 0.2, 0.4, 0.4)  # between two questions whether a container is ready
LOOK_AGAIN_SECONDS = 1.0 * STRETCH
LOOK_FOR_SECONDS = 8.0 * STRETCH
BEAT_SECONDS = 0.5
DEAF_SECONDS = 20.0 * STRETCH

LATENCY_SECONDS = 0.8  # the most that the platform is told to think before it carries a call out
HIDDEN_SECONDS = 0.6  # the most that a timeline is told to lag

PAUSE_SECONDS = CALL_SECONDS + LEASE_SECONDS + PATIENCE_SECONDS + SWEEP_SECONDS + 0.4  # surely past the lease
LONG_PAUSE_SECONDS = PAUSE_SECONDS + LOOK_SECONDS[-1] + 1.0  # surely past the resend that follows


def check_relations() -> None:
    """Refuse times under which even a right engine could send twice."""
    sending = CALL_SECONDS + LEASE_SECONDS
    assert sending > MARGIN_SECONDS + CALL_SECONDS, "a byte may leave at all"
    assert RENEW_SECONDS < LEASE_SECONDS / 2, "a renewal may be late once"
    assert LOOK_SECONDS[-1] - 0.5 > LATENCY_SECONDS + HIDDEN_SECONDS, "whatever arrived is seen by the last look"
    assert CALL_SECONDS + LOOK_SECONDS[-1] < LOOK_FOR_SECONDS, "a person is asked after the looks, not instead"
    assert LATENCY_SECONDS < CALL_SECONDS, "whatever arrived is carried out while the call may still be answered"
    assert 2 * CALL_SECONDS + LOOK_SECONDS[-1] < WINDOW_SECONDS, "there is time to make the same call again"


def looks(count: int) -> tuple[timedelta, ...]:
    """When a platform is looked at that takes so many looks."""
    return tuple(timedelta(seconds=seconds) for seconds in LOOK_SECONDS[-count:])


def choose_stretch() -> float:
    """Say how much more time everything needs now: as `CHAOS_STRETCH` says, or from how many processes wait for a core, 1 to 4."""
    if "CHAOS_STRETCH" in os.environ:
        return STRETCH
    return round(min(max(os.getloadavg()[0] / (os.cpu_count() or 1) / 2, 1.0), 4.0), 2)
