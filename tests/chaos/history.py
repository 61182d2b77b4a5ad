"""Runs one history in a lane: posts are made, commands race the worker, nemeses strike, everything is healed, and all is read."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from tests.chaos import pace
from tests.chaos.commands import Person, Process
from tests.chaos.gate import Crossing
from tests.chaos.lane import Lane, remove_roles
from tests.chaos.nemesis import Nemesis
from tests.chaos.orders import COMMITS, HANDLES, ActionPlan, Plan, PostPlan, Strike
from tests.chaos.proxy import Order
from tests.chaos.record import History, Hit

HEAL_SECONDS = 4.0 * pace.STRETCH  # after its beginning, nothing new strikes a history
BOUND_SECONDS = 25.0 * pace.STRETCH  # after that, what has not ended never will
QUIET_SECONDS = 0.25  # in which nobody may wake up and send
POLL_SECONDS = 0.04


def run_history(lane: Lane, plan: Plan, *, witness: str, broken: str = "") -> History:
    """Run a history to its end."""
    lane.visit = lambda _crossing: 0.0
    lane.use_workers(witness=witness, broken=broken, rival=plan.rival)
    lane.ensure()
    lane.platform.begin(forgiving=plan.forgiving)
    lane.hub.begin()
    for handle in lane.hub.lost_accounts():
        lane.connect(handle)
    remove_roles(lane)
    person = Person(lane.environment, lane.folder / "picture.png")
    nemesis = Nemesis(lane, plan, person)
    lane.proxy.orders = [Order(COMMITS[cut.transaction].encode(), cut.nth - 1, cut.how) for cut in plan.cuts]
    for fault in plan.faults:
        lane.platform.order(fault)
    started = time.time()
    lane.visit = nemesis.visit
    _live_through(lane, plan, nemesis, person)
    if nemesis.wait_until_awake():
        time.sleep(QUIET_SECONDS)
    lane.platform.wait_until_still()
    return History(
        seed=plan.seed,
        witness=witness,
        looks=len(pace.LOOK_SECONDS),
        longest=pace.LOOK_SECONDS[-1] - pace.HIDDEN_SECONDS - 0.1,
        started_at=started,
        ended_at=time.time(),
        actions=person.actions,
        requests=lane.platform.read_requests(),
        live=lane.platform.read_live(),
        posts=lane.hub.read_posts(),
        hits=sorted([*nemesis.hits, *_other_hits(lane, started)], key=lambda hit: hit.at),
    )


def _live_through(lane: Lane, plan: Plan, nemesis: Nemesis, person: Person) -> None:
    """From the first post made to the last one settled, or to the bound."""
    with ThreadPoolExecutor(8) as pool:
        began = time.monotonic()
        timed = [pool.submit(_strike_at, began, strike, nemesis) for strike in plan.strikes if not strike.point]
        racing = []
        for post in plan.posts:
            _create(person, post)
            actions = [action for action in plan.actions if action.post == post.name]
            if actions and post.name in person.ids:
                racing.append(pool.submit(_race, person, time.monotonic(), actions))
        while time.monotonic() < began + BOUND_SECONDS:
            lane.ensure()
            if not nemesis.healed and time.monotonic() > began + HEAL_SECONDS:
                nemesis.heal()
            busy = nemesis.is_busy() or not all(future.done() for future in (*timed, *racing))
            if not busy and not lane.hub.count_moving():
                break
            time.sleep(POLL_SECONDS)
        nemesis.healed = True
    for future in (*timed, *racing):
        future.result()


def _create(person: Person, post: PostPlan) -> None:
    person.create(
        post.name,
        handle=HANDLES[post.account],
        texts=post.texts,
        at=time.time() + post.due_in,
        media=post.media,
    )


def _race(person: Person, made: float, actions: list[ActionPlan]) -> None:
    """Give a post's commands, each at its time."""
    for action in sorted(actions, key=lambda one: one.after):
        time.sleep(max(0.0, made + action.after - time.monotonic()))
        process = Process(action.killed_after) if action.as_process else None
        match action.verb:
            case "edit":
                person.edit(action.post, texts=action.texts, approves=action.approves, process=process)
            case "cancel":
                person.cancel(action.post, process=process)
            case _:
                at = round(time.time() + action.due_in, 6)
                person.reschedule(action.post, at=at, approves=action.approves, process=process)


def _strike_at(began: float, strike: Strike, nemesis: Nemesis) -> None:
    time.sleep(max(0.0, began + strike.after - time.monotonic()))
    nemesis.strike(strike, Crossing(0, 0, ""))


def _other_hits(lane: Lane, started: float) -> Iterator[Hit]:
    """What the proxy and the platform did, in their own words."""
    for order in lane.proxy.orders:
        if order.struck:
            yield Hit(started, f"commit {order.how}")
    for kind in lane.platform.read_faults():
        yield Hit(started, f"platform {kind}")
