"""The laws about what is sent: once, on evidence, written down before, and only with a yes. Pure; `checker` has the table."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from itertools import pairwise

from tests.chaos.record import Action, Attempt, History, HubPost, Request

CLOCKS_SECONDS = 0.002  # the sandbox keeps milliseconds of what it makes


def once(history: History) -> Iterator[str]:
    """Find what was made public twice, or asked for again when it was public."""
    public: dict[str, list[str]] = {}
    for live in history.live:
        public.setdefault(live.text, []).append(live.id)
    for text, ids in public.items():
        if len(ids) > 1:
            yield f"{text!r} is public {len(ids)} times: {', '.join(ids)}"
    for text, requests in _by_text(history.requests).items():
        first = next((number for number, request in enumerate(requests) if request.remote_id), len(requests))
        for again in requests[first + 1 :]:
            if not _is_repeat(history, again, requests):
                yield f"{text!r} was sent {len(requests)} times, and it was public since number {first + 1}"


def _is_repeat(history: History, again: Request, requests: Sequence[Request]) -> bool:
    """Whether the platform knows a request as one that it has carried out, so that it makes nothing of it."""
    same = [one for one in requests if again.key and one.key == again.key and one.id < again.id]
    carried_out = [one.at for one in same if one.remote_id]
    if history.again == "post" or not carried_out:
        return False
    return history.again == "never" or again.at <= min(one.at for one in same) + history.window


def looked(history: History) -> Iterator[str]:
    """Find what was sent again without evidence."""
    texts = {fingerprint(text): text for action in history.actions for text in action.texts}
    for post in history.posts:
        for part in {call.part for call in _commits(post)}:
            calls = [call for call in _commits(post) if call.part == part]
            for doubtful, following in pairwise(calls):
                if doubtful.outcome in ("unknown", ""):
                    text = texts.get(following.fingerprint, "")
                    yield from _looked_between(history, post, text, calls, doubtful, following)


def _looked_between(
    history: History, post: HubPost, text: str, calls: Sequence[Attempt], doubtful: Attempt, following: Attempt
) -> Iterator[str]:
    since, until = doubtful.finished_at or doubtful.started_at, following.started_at
    clean = [one for one in post.attempts if one.kind == "probe" and one.outcome == "ok" and not one.remote_id]
    looks = sum(since <= probe.started_at <= until for probe in clean)
    if history.witness == "none":
        yield f"{text!r} was sent again after a call that nobody answered, and nobody can be asked"
    elif following.reference == doubtful.reference and _is_known_again(history, following, calls):
        return
    elif looks < history.looks:
        yield f"{text!r} was sent again after {looks} looks"
    elif history.again == "never" and doubtful.reference and not _was_approved(history, post, since, until):
        yield f"{text!r} was sent as another call while the first one could still be carried out"


def _is_known_again(history: History, call: Attempt, calls: Sequence[Attempt]) -> bool:
    """Whether the platform makes nothing of a call, by what the hub knows of it."""
    first = min(one.started_at for one in calls if one.reference == call.reference)
    in_time = history.again == "never" or call.started_at <= first + history.window
    return bool(call.reference) and history.again != "post" and in_time


def _was_approved(history: History, post: HubPost, since: float, until: float) -> bool:
    """Whether a person may have said yes once more in between: then what was in doubt is theirs."""
    yes = [one for one in history.actions if one.approves and one.maybe_done and one.ended_at >= since]
    return any(one.started_at <= until and post.id == one.post_id for one in yes)


def intended(history: History) -> Iterator[str]:
    """Find what was sent before it was written down."""
    for text, requests in _by_text(history.requests).items():
        intents = sorted(
            call.started_at
            for post in history.posts
            for call in _commits(post)
            if call.fingerprint == fingerprint(text)
        )
        for number, request in enumerate(requests):
            if number >= len(intents):
                yield f"request {request.id} ({text!r}) has no intent"
            elif intents[number] > request.at:
                yield f"request {request.id} ({text!r}) arrived before its intent was written"
    for post in history.posts:
        if post.status != "publishing" and any(call.finished_at is None for call in _commits(post)):
            yield f"post {post.id} is {post.status} and has an open call"


def approved(history: History) -> Iterator[str]:
    """Find what was sent without a yes."""
    for request in history.requests:
        name = next((action.post for action in history.actions if request.text in action.texts), None)
        if name is None:
            yield f"request {request.id} carries {request.text!r}, which nobody wrote"
            continue
        before = [one for one in actions_on(history, name) if one.maybe_done and one.started_at <= request.at]
        if not any(_allows(history, before, position, request) for position in range(len(before))):
            yield f"{request.text!r} was sent at {request.at:.3f}, and nobody had approved that: {tell(before)}"


def _allows(history: History, actions: Sequence[Action], position: int, request: Request) -> bool:
    """Whether this action may be the yes under which a request was made: to that content, for a time that had come."""
    approval = actions[position]
    contents = [one for one in actions[: position + 1] if one.texts]
    times = [one for one in actions[: position + 1] if one.at is not None]
    taken_back = any(one.done and one.ended_at < request.at for one in actions[position + 1 :])
    return (
        approval.approves
        and not taken_back
        and any(request.text in one.texts for one in possible(contents))
        and any((one.at or 0.0) <= request.at + CLOCKS_SECONDS for one in possible(times))
    )


def possible(actions: Sequence[Action]) -> list[Action]:
    """Of actions on the same thing, those that may be in force: the last that was answered ok, and what nobody answered since."""
    last = max((number for number, action in enumerate(actions) if action.done), default=0)
    return list(actions[last:])


def actions_on(history: History, name: str) -> list[Action]:
    """Give the commands about a post, in order."""
    return sorted((action for action in history.actions if action.post == name), key=lambda one: one.started_at)


def _commits(post: HubPost) -> list[Attempt]:
    return sorted((one for one in post.attempts if one.kind == "commit"), key=lambda one: one.started_at)


def _by_text(requests: Sequence[Request]) -> dict[str, list[Request]]:
    found: dict[str, list[Request]] = {}
    for request in sorted(requests, key=lambda one: one.id):
        found.setdefault(request.text, []).append(request)
    return found


def fingerprint(text: str) -> str:
    """Give a text as attempts have it."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def tell(actions: Sequence[Action]) -> str:
    """Tell commands in one line."""
    return "; ".join(f"{one.verb} {one.answer} at {one.ended_at:.3f}" for one in actions)
