"""The laws that hold after every history, whatever struck. Pure: a history in, what broke out.

| law | |
|---|---|
| once | no text was made public twice, and nothing was sent after it had been (P4) |
| looked | a call that nobody answered was not repeated before the looks that make evidence; without a witness, never (P4) |
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

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tests.chaos.record import Action, Attempt, History, HubPost, Request

FAR_SECONDS = 600.0  # what is meant for later than this need not have ended
CLOCKS_SECONDS = 0.002  # the sandbox keeps milliseconds of what it makes
SETTLED = ("published", "failed", "missed", "unknown", "cancelled")
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
    arrived = {request.remote_id: request.at for request in history.requests if request.remote_id}
    for live in history.live:
        seconds = live.created_at - arrived.get(live.id, live.created_at)
        if seconds > history.longest:
            return f"{live.text!r} was carried out {seconds:.2f} s after it arrived"
    return ""


def _once(history: History) -> Iterator[str]:
    public: dict[str, list[str]] = {}
    for live in history.live:
        public.setdefault(live.text, []).append(live.id)
    for text, ids in public.items():
        if len(ids) > 1:
            yield f"{text!r} is public {len(ids)} times: {', '.join(ids)}"
    for text, requests in _by_text(history.requests).items():
        accepted = [number for number, request in enumerate(requests) if request.remote_id]
        if accepted and accepted[0] != len(requests) - 1:
            yield f"{text!r} was sent {len(requests)} times, and it was public since number {accepted[0] + 1}"


def _looked(history: History) -> Iterator[str]:
    for post in history.posts:
        probes = [one for one in post.attempts if one.kind == "probe" and one.outcome == "ok" and not one.remote_id]
        for text in {_fingerprint(request.text): request.text for request in history.requests}.values():
            calls = [call for call in _commits(post) if call.fingerprint == _fingerprint(text)]
            for doubtful, following in pairwise(calls):
                if doubtful.outcome not in ("unknown", ""):
                    continue
                since, until = doubtful.finished_at or doubtful.started_at, following.started_at
                looks = sum(since <= probe.started_at <= until for probe in probes)
                if history.witness == "none":
                    yield f"{text!r} was sent again after a call that nobody answered, and nobody can be asked"
                elif looks < history.looks:
                    yield f"{text!r} was sent again after {looks} looks"


def _intended(history: History) -> Iterator[str]:
    for text, requests in _by_text(history.requests).items():
        intents = sorted(
            call.started_at
            for post in history.posts
            for call in _commits(post)
            if call.fingerprint == _fingerprint(text)
        )
        for number, request in enumerate(requests):
            if number >= len(intents):
                yield f"request {request.id} ({text!r}) has no intent"
            elif intents[number] > request.at:
                yield f"request {request.id} ({text!r}) arrived before its intent was written"
    for post in history.posts:
        if post.status != "publishing" and any(call.finished_at is None for call in _commits(post)):
            yield f"post {post.id} is {post.status} and has an open call"


def _approved(history: History) -> Iterator[str]:
    for request in history.requests:
        name = next((action.post for action in history.actions if request.text in action.texts), None)
        if name is None:
            yield f"request {request.id} carries {request.text!r}, which nobody wrote"
            continue
        before = [one for one in _of(history, name) if one.maybe_done and one.started_at <= request.at]
        if not any(_allows(history, before, position, request) for position in range(len(before))):
            yield f"{request.text!r} was sent at {request.at:.3f}, and nobody had approved that: {_story(before)}"


def _allows(history: History, actions: Sequence[Action], position: int, request: Request) -> bool:
    """Whether this action may be the yes under which a request was made: to that content, for a time that had come."""
    approval = actions[position]
    contents = [one for one in actions[: position + 1] if one.texts]
    times = [one for one in actions[: position + 1] if one.at is not None]
    taken_back = any(one.done and one.ended_at < request.at for one in actions[position + 1 :])
    return (
        approval.approves
        and not taken_back
        and any(request.text in one.texts for one in _possible(contents))
        and any((one.at or 0.0) <= request.at + CLOCKS_SECONDS for one in _possible(times))
    )


def _reflected(history: History) -> Iterator[str]:
    by_text = {text: post for post in history.posts for text in post.texts}
    by_id = {post.id: post for post in history.posts}
    for name in dict.fromkeys(action.post for action in history.actions):
        actions = _of(history, name)
        post_id = next((action.post_id for action in actions if action.done and action.post_id), "")
        written = next((by_text[text] for action in actions for text in action.texts if text in by_text), None)
        post = by_id.get(post_id) or written
        if post is None:
            if any(action.done for action in actions):
                yield f"{name} was answered ok and is not there: {_story(actions)}"
            continue
        yield from _reflected_in(post, [action for action in actions if action.maybe_done], refused=actions)


def _reflected_in(post: HubPost, actions: Sequence[Action], *, refused: Sequence[Action]) -> Iterator[str]:
    contents = _possible([one for one in actions if one.texts])
    if not any(post.texts == one.texts for one in contents):
        yield f"post {post.id} holds {post.texts}, and last asked for was {_story(actions)}"
    times = _possible([one for one in actions if one.at is not None])
    if post.scheduled_at is not None and not any(abs(post.scheduled_at - (one.at or 0.0)) < 0.001 for one in times):
        yield f"post {post.id} is meant for {post.scheduled_at:.3f}, and last asked for was {_story(actions)}"
    last = actions[-1]
    if last.done and last.verb == "cancel" and post.status != "cancelled":
        yield f"post {post.id} is {post.status} after it was cancelled"
    if last.done and last.content_hash and post.content_hash != last.content_hash:
        yield f"post {post.id} has another content than the answer of {last.verb} said"
    if last.done and last.status == "scheduled" and post.status in WAITS_FOR_A_PERSON:
        yield f"post {post.id} is {post.status}, though {last.verb} was answered with scheduled"
    if post.status == "cancelled" and not any(one.verb == "cancel" for one in actions):
        yield f"post {post.id} is cancelled, and nobody did that: {_story(refused)}"


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
    remote = {live.id: live for live in history.live}
    owners = {text: action.post for action in history.actions for text in action.texts}
    for post in history.posts:
        before = ""
        for number, part in enumerate(post.parts):
            live = remote.get(part.remote_id)
            if part.state != "published":
                if post.status == "published":
                    yield f"post {post.id} is published without its part {number}"
                continue
            if live is None:
                yield f"part {number} of post {post.id} is linked to {part.remote_id}, which is not there"
            elif (live.text, live.handle, live.reply_to) != (part.text, post.handle, before):
                yield f"part {number} of post {post.id} ({part.text!r} after {before!r}) is linked to {live}"
            before = part.remote_id
        names = {owners.get(text) for text in post.texts}
        linked = {part.remote_id for part in post.parts if part.remote_id}
        ghosts = [live for live in history.live if owners.get(live.text) in names and live.id not in linked]
        waiting = next((part.text for part in post.parts if part.state != "published"), None)
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


def _answered(history: History) -> Iterator[str]:
    for action in history.actions:
        if action.answer.startswith("crash"):
            yield f"{action.verb} of {action.post} ended with {action.answer}"


LAWS: dict[str, Callable[[History], Iterator[str]]] = {
    "once": _once,
    "looked": _looked,
    "intended": _intended,
    "approved": _approved,
    "reflected": _reflected,
    "ended": _ended,
    "linked": _linked,
    "audited": _audited,
    "told": _told,
    "answered": _answered,
}


def _possible(actions: Sequence[Action]) -> list[Action]:
    """Of actions on the same thing, those that may be in force: the last that was answered ok, and what nobody answered since."""
    last = max((number for number, action in enumerate(actions) if action.done), default=0)
    return list(actions[last:])


def _of(history: History, name: str) -> list[Action]:
    return sorted((action for action in history.actions if action.post == name), key=lambda one: one.started_at)


def _commits(post: HubPost) -> list[Attempt]:
    return sorted((one for one in post.attempts if one.kind == "commit"), key=lambda one: one.started_at)


def _by_text(requests: Sequence[Request]) -> dict[str, list[Request]]:
    found: dict[str, list[Request]] = {}
    for request in sorted(requests, key=lambda one: one.id):
        found.setdefault(request.text, []).append(request)
    return found


def _fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _story(actions: Sequence[Action]) -> str:
    return "; ".join(f"{one.verb} {one.answer} at {one.ended_at:.3f}" for one in actions)
