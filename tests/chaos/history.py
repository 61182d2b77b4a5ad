"""Runs one history in a lane: posts are made, commands race the worker, nemeses strike, everything is healed, and all is read."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TypeVar

from tests.chaos import pace
from tests.chaos.commands import Person, Process
from tests.chaos.gate import Crossing
from tests.chaos.lane import MEDIA, Lane, remove_roles
from tests.chaos.nemesis import Nemesis
from tests.chaos.orders import COMMITS, IMPATIENT, ActionPlan, Plan, PostPlan, Strike
from tests.chaos.proxy import Order
from tests.chaos.record import Action, History, Hit, HubPost, Live, Request
from tests.chaos.sending import fingerprint
from tests.chaos.vendors import VENDORS

HEAL_SECONDS = 4.0 * pace.STRETCH  # after its beginning, nothing new strikes a history
BOUND_SECONDS = 25.0 * pace.STRETCH  # after that, what has not ended never will
QUIET_SECONDS = 0.25  # in which nobody may wake up and send
POLL_SECONDS = 0.04

Seen = TypeVar("Seen", Request, Live)


def run_history(lane: Lane, plan: Plan, *, witness: str, broken: str = "") -> History:
    """Run a history to its end."""
    lane.visit = lambda _crossing: 0.0
    lane.use_workers(witness=witness, broken=broken, rival=plan.rival)
    lane.ensure()
    lane.platform.begin(plan.platform, forgiving=plan.forgiving)
    accounts = lane.connect_all(plan.platform)
    lane.hub.begin(impatient=accounts[IMPATIENT])
    remove_roles(lane)
    vendor = VENDORS[plan.platform]
    files = {kind: lane.folder / name for kind, name in MEDIA.items()}
    person = Person(lane.environment, files, vendor.follows)
    nemesis = Nemesis(lane, plan, person)
    lane.proxy.orders = [Order(COMMITS[cut.transaction].encode(), cut.nth - 1, cut.how) for cut in plan.cuts]
    for fault in plan.faults:
        lane.platform.order(fault)
    started = time.time()
    lane.visit = nemesis.visit
    _live_through(lane, plan, nemesis, person, accounts)
    if nemesis.wait_until_awake():
        time.sleep(QUIET_SECONDS)
    lane.platform.wait_until_still()
    posts = lane.hub.read_posts()
    return History(
        seed=plan.seed,
        platform=plan.platform,
        witness=witness,
        again=vendor.again,
        window=pace.WINDOW_SECONDS,
        looks=vendor.looks,
        longest=pace.LOOK_SECONDS[-1] - pace.HIDDEN_SECONDS - 0.1,
        started_at=started,
        ended_at=time.time(),
        actions=person.actions,
        requests=name_texts(lane.platform.read_requests(), posts, person.actions),
        live=name_texts(lane.platform.read_live(), posts, person.actions),
        posts=posts,
        hits=sorted([*nemesis.hits, *_other_hits(lane, started)], key=lambda hit: hit.at),
    )


def name_texts(seen: Sequence[Seen], posts: Sequence[HubPost], actions: Sequence[Action]) -> list[Seen]:
    """Give what carries no words (a draft for an app's inbox) the text for which the hub wrote its reference down."""
    texts = {fingerprint(text): text for action in actions for text in action.texts}
    wordless = {call.reference: texts.get(call.fingerprint, "") for post in posts for call in post.attempts}
    return [one if one.text or not one.key else replace(one, text=wordless.get(one.key, "")) for one in seen]


def _live_through(lane: Lane, plan: Plan, nemesis: Nemesis, person: Person, accounts: Sequence[str]) -> None:
    """From the first post made to the last one settled, or to the bound."""
    with ThreadPoolExecutor(8) as pool:
        began = time.monotonic()
        timed = [pool.submit(_strike_at, began, strike, nemesis) for strike in plan.strikes if not strike.point]
        racing = []
        for post in plan.posts:
            _create(person, post, account=accounts[post.account])
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


def _create(person: Person, post: PostPlan, *, account: str) -> None:
    person.create(
        post.name,
        account=account,
        texts=post.texts,
        at=time.time() + post.due_in,
        media=post.media,
        options=post.options,
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
