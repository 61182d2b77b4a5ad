"""The laws that hold after every history, whatever struck. Pure: a history in, what broke out.

| law | |
|---|---|
| once | no text was made public twice, and nothing was sent after it had been, but the same call to who makes nothing of it (P4) |
| looked | a call without an answer was repeated as the same call to who makes nothing of it, or after the looks that make evidence; |
| | without a witness, never (P4) |
| intended | every request has its intent, written before it arrived (P3) |
| approved | what was sent had been approved as it was, was not taken back, and its time had come (P2, PUB-1) |
| reflected | what a command's answer said is so in the hub (P1) |
| ended | nothing that is due is forgotten, and every end has its reason (P8) |
| linked | what is published is there, under its id, in order; nothing else of it is (PUB-4) |
| audited | every change of state is on record, by somebody, without a gap (P7) |
| told | whoever must act was told, in words (PUB-8) |
| answered | every command ended with an answer or a refusal |
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tests.chaos import sending
from tests.chaos.record import Action, History, HubPost

FAR_SECONDS = 600.0  # what is meant for later than this need not have ended
OUT = ("published", "delivered")
SETTLED = (*OUT, "failed", "missed", "unknown", "cancelled")
BUG = "a bug of its own"  # how the engine says so
WAITS_FOR_A_PERSON = ("draft", "pending_approval", "approved")


@dataclass(frozen=True, slots=True)
class Violation:
    """A law that was broken, and how."""

    law: str
    what: str

    def __str__(self) -> str:
        return f"{self.law}: {self.what}"


def check(history: History) -> list[Violation]:
    """Give everything that was broken."""
    return [Violation(law, what) for law, find in LAWS.items() for what in find(history)]


def find_excuse(history: History) -> str:
    """Say why a history proves nothing, or nothing.

    The engine relies on the platform to carry out what arrived a while before the last look. Where this computer was too busy for
    that, a second post is the harness's fault.
    """
    arrived = {request.remote_id: request.at for request in reversed(history.requests) if request.remote_id}
    for live in history.live:
        seconds = live.created_at - arrived.get(live.id, live.created_at)
        if seconds > history.longest:
            return f"{live.text!r} was carried out {seconds:.2f} s after it arrived"
    return ""


def _reflected(history: History) -> Iterator[str]:
    by_text = {text: post for post in history.posts for text in post.texts}
    by_id = {post.id: post for post in history.posts}
    for name in dict.fromkeys(action.post for action in history.actions):
        actions = sending.actions_on(history, name)
        post_id = next((action.post_id for action in actions if action.done and action.post_id), "")
        written = next((by_text[text] for action in actions for text in action.texts if text in by_text), None)
        post = by_id.get(post_id) or written
        if post is None:
            if any(action.done for action in actions):
                yield f"{name} was answered ok and is not there: {sending.tell(actions)}"
            continue
        yield from _reflected_in(post, [action for action in actions if action.maybe_done], refused=actions)


def _reflected_in(post: HubPost, actions: Sequence[Action], *, refused: Sequence[Action]) -> Iterator[str]:
    contents = sending.possible([one for one in actions if one.texts])
    if not any(post.texts == one.texts for one in contents):
        yield f"post {post.id} holds {post.texts}, and last asked for was {sending.tell(actions)}"
    times = sending.possible([one for one in actions if one.at is not None])
    if post.scheduled_at is not None and not any(abs(post.scheduled_at - (one.at or 0.0)) < 0.001 for one in times):
        yield f"post {post.id} is meant for {post.scheduled_at:.3f}, and last asked for was {sending.tell(actions)}"
    last = actions[-1]
    if last.done and last.verb == "cancel" and post.status != "cancelled":
        yield f"post {post.id} is {post.status} after it was cancelled"
    if last.done and last.content_hash and post.content_hash != last.content_hash:
        yield f"post {post.id} has another content than the answer of {last.verb} said"
    if last.done and last.status == "scheduled" and post.status in WAITS_FOR_A_PERSON:
        yield f"post {post.id} is {post.status}, though {last.verb} was answered with scheduled"
    if post.status == "cancelled" and not any(one.verb == "cancel" for one in actions):
        yield f"post {post.id} is cancelled, and nobody did that: {sending.tell(refused)}"


def _ended(history: History) -> Iterator[str]:
    for post in history.posts:
        far = post.scheduled_at is not None and post.scheduled_at > history.ended_at + FAR_SECONDS
        if post.status in WAITS_FOR_A_PERSON or (post.status == "scheduled" and far):
            continue
        if post.status not in SETTLED:
            wait = f", due {post.due_at - history.ended_at:+.1f} s from now" if post.due_at else ""
            yield f"post {post.id} is still {post.status}{wait} ({post.error_code})"
        elif post.status == "unknown" and post.look_at is not None:
            yield f"post {post.id} is unknown, and is still looked for {post.look_at - history.ended_at:+.1f} s from now"
        elif post.status in ("failed", "missed", "unknown") and not (post.error_code and post.error_message):
            yield f"post {post.id} is {post.status} without a reason"
        if post.error_code == "bug" or any(BUG in entry.detail for entry in post.audit):
            yield f"post {post.id} ({post.status}) met a bug; the worker's log has it"


def _linked(history: History) -> Iterator[str]:
    remote = {name: live for live in history.live for name in (live.key, live.id) if name}
    owners = {text: action.post for action in history.actions for text in action.texts}
    for post in history.posts:
        before = ""
        for number, part in enumerate(post.parts):
            live = remote.get(part.remote_id)
            if part.state not in OUT:
                if post.status in OUT:
                    yield f"post {post.id} is {post.status} without its part {number}"
                continue
            if live is None:
                yield f"part {number} of post {post.id} is linked to {part.remote_id}, which is not there"
            elif (live.text, live.account, live.reply_to) != (part.text, post.account, before):
                yield f"part {number} of post {post.id} ({part.text!r} after {before!r}) is linked to {live}"
            elif live.waits != (part.state == "delivered") or (post.status in OUT and post.status != part.state):
                yield f"part {number} of post {post.id} ({post.status}) is {part.state}, and is linked to {live}"
            before = part.remote_id
        names = {owners.get(text) for text in post.texts}
        linked = {part.remote_id for part in post.parts if part.remote_id}
        ghosts = [one for one in history.live if owners.get(one.text) in names and not {one.id, one.key} & linked]
        waiting = next((part.text for part in post.parts if part.state not in OUT), None)
        for ghost in ghosts:
            if not (post.status == "unknown" and ghost.text == waiting):
                yield f"post {post.id} is {post.status}, and {ghost.text!r} is public without it"


def _audited(history: History) -> Iterator[str]:
    for post in history.posts:
        changes = [entry for entry in post.audit if entry.to_state]
        state = ""
        for entry in changes:
            if entry.from_state != state:
                yield f"post {post.id} came to {entry.to_state} from {entry.from_state!r}, and was {state!r} before"
            elif state == entry.to_state and entry.to_state not in WAITS_FOR_A_PERSON:
                yield f"post {post.id} came to {entry.to_state} once more"
            state = entry.to_state
        if state != post.status:
            yield f"post {post.id} is {post.status}, and the last change on record is to {state!r}"
        if any(not entry.actor for entry in post.audit):
            yield f"post {post.id} was changed by nobody"
        claims = sum(entry.action == "post.claimed" for entry in post.audit)
        if claims != post.fence:
            yield f"post {post.id} was claimed {post.fence} times, and {claims} are on record"


def _told(history: History) -> Iterator[str]:
    for post in history.posts:
        if any(not (notice.code and notice.message) for notice in post.notices):
            yield f"post {post.id} has a notice that says nothing"
        must_act = post.status in ("failed", "missed") or (post.status == "unknown" and post.look_at is None)
        if must_act and not any(notice.level == "act" and notice.code == post.error_code for notice in post.notices):
            yield f"post {post.id} is {post.status} ({post.error_code}), and nobody was told"
        if post.status == "delivered" and ("act", "post.delivered") not in {
            (one.level, one.code) for one in post.notices
        }:
            yield f"post {post.id} waits in the app, and nobody was told"


def _answered(history: History) -> Iterator[str]:
    for action in history.actions:
        if action.answer.startswith("crash"):
            yield f"{action.verb} of {action.post} ended with {action.answer}"


LAWS: dict[str, Callable[[History], Iterator[str]]] = {
    "once": sending.once,
    "looked": sending.looked,
    "intended": sending.intended,
    "approved": sending.approved,
    "reflected": _reflected,
    "ended": _ended,
    "linked": _linked,
    "audited": _audited,
    "told": _told,
    "answered": _answered,
}
