"""The checker finds what it is there to find: one good history, and every way in which it could be bad."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.chaos import checker, sending, tally
from tests.chaos.record import (
    LOST,
    OK,
    Action,
    Attempt,
    Entry,
    History,
    Hit,
    HubPost,
    Live,
    Notice,
    Part,
    Request,
)

T = 1_000_000.0
ONE, TWO, OTHER = "the first part", "the second part", "another text"
Change = Callable[[History], History]


def commit(
    text: str, at: float, outcome: str = "ok", *, remote: str = "", open_: bool = False, reference: str = ""
) -> Attempt:
    finished_at = None if open_ else at + 0.1
    return Attempt("commit", sending.fingerprint(text), at, finished_at, outcome, remote, reference, int(text == TWO))


def probe(at: float) -> Attempt:
    return Attempt("probe", "x", at, at + 0.01, "ok")


def request(
    number: int, text: str, at: float, *, remote: str = "", outcome: str = "answered", key: str = ""
) -> Request:
    return Request(number, at, text, outcome, 201 if remote else None, "", remote, key)


def change(at: float, before: str, after: str, action: str = "", actor: str = "person") -> Entry:
    return Entry(at, actor, action or f"post.{after}", before, after)


GOOD = History(
    seed=1,
    platform="x",
    witness="own",
    again="post",
    window=10.0,
    looks=2,
    longest=1.0,
    started_at=T,
    ended_at=T + 5,
    actions=[Action("create", "p0", T, T + 0.1, OK, (ONE, TWO), T + 0.5, approves=True, post_id="P", content_hash="c")],
    requests=[request(1, ONE, T + 0.7, remote="11"), request(2, TWO, T + 0.9, remote="12")],
    live=[Live("11", "me", ONE, "", T + 0.7), Live("12", "me", TWO, "11", T + 0.9)],
    posts=[
        HubPost(
            id="P",
            account="me",
            status="published",
            fence=1,
            scheduled_at=T + 0.5,
            due_at=T + 0.5,
            look_at=None,
            error_code="",
            error_message="",
            content_hash="c",
            approved_hash="c",
            parts=(Part(ONE, "published", "11"), Part(TWO, "published", "12")),
            attempts=(commit(ONE, T + 0.65, remote="11"), commit(TWO, T + 0.85, remote="12")),
            audit=(
                change(T + 0.05, "", "draft", "post.created"),
                change(T + 0.06, "draft", "approved"),
                change(T + 0.07, "approved", "scheduled"),
                change(T + 0.6, "scheduled", "publishing", "post.claimed", "w:1:2"),
                change(T + 1.0, "publishing", "published", actor="w:1:2"),
            ),
        )
    ],
)


def on_post(**values: object) -> Change:
    return lambda history: replace(history, posts=[replace(history.posts[0], **values)])  # type: ignore[arg-type]


def with_action(*actions: Action) -> Change:
    return lambda history: replace(history, actions=[*history.actions, *actions])


def with_request(*requests: Request) -> Change:
    return lambda history: replace(history, requests=[*history.requests, *requests])


def with_attempts(*attempts: Attempt) -> Change:
    return lambda history: on_post(attempts=(*history.posts[0].attempts, *attempts))(history)


def both(*changes: Change) -> Change:
    def apply(history: History) -> History:
        for one in changes:
            history = one(history)
        return history

    return apply


def ended(status: str, *, code: str = "x.code", told: bool = True, look_at: float | None = None) -> Change:
    """The post did not get out."""
    notices = (Notice("act", code, "Look."),) if told and code else ()
    audit = (*GOOD.posts[0].audit[:-1], change(T + 1.0, "publishing", status, actor="w:1:2"))
    parts = (Part(ONE, "waiting", ""), Part(TWO, "waiting", ""))
    values = {"audit": audit, "parts": parts, "attempts": (), "look_at": look_at, "notices": notices}
    on = on_post(status=status, error_code=code, error_message="why" if code else "", **values)
    return lambda history: replace(on(history), requests=[], live=[])


def edit(at: float, *, answer: str = OK, approves: bool = True) -> Action:
    return Action("edit", "p0", at, at + 0.01, answer, (OTHER,), approves=approves, post_id="P")


def at_platform(again: str) -> Change:
    return lambda history: replace(history, again=again)


def sent_twice(first: str, second: str, *, after: float, looks: int = 0) -> Change:
    """The first part is sent by two calls, of which nobody answered the first; it was carried out."""
    requests = [request(0, ONE, T + 0.6, remote="11", outcome="dropped_after", key=first)]
    requests.append(request(1, ONE, T + 0.6 + after, remote="11", key=second))
    calls = [commit(ONE, T + 0.55, "unknown", reference=first)]
    calls.append(commit(ONE, T + 0.55 + after, reference=second, remote="11"))
    return lambda history: replace(
        on_post(attempts=(*calls, *[probe(T + 0.7)] * looks, commit(TWO, T + 0.85, remote="12")))(history),
        requests=[*requests, history.requests[1]],
    )


def not_sent(history: History) -> History:
    """What the first of two calls asked for was not carried out."""
    first, *more = history.requests
    return replace(history, requests=[replace(first, remote_id="", outcome="dropped_before"), *more])


def delivered(*, told: bool = True, state: str = "delivered", waits: bool = True) -> Change:
    """The post has one part, which lies in the app."""
    notices = (Notice("act", "post.delivered", "Finish it."),) if told else ()
    audit = (*GOOD.posts[0].audit[:-1], change(T + 1.0, "publishing", state, actor="w:1:2"))
    parts, attempts = (Part(ONE, state, "v_1"),), GOOD.posts[0].attempts[:1]
    on = on_post(status=state, parts=parts, notices=notices, audit=audit, attempts=attempts)
    return lambda history: replace(
        on(history),
        actions=[replace(history.actions[0], texts=(ONE,))],
        requests=history.requests[:1],
        live=[replace(history.live[0], waits=waits, key="v_1")],
    )


def cancel(at: float, *, answer: str = OK) -> Action:
    return Action("cancel", "p0", at, at + 0.01, answer, post_id="P")


BAD: dict[str, tuple[str, Change]] = {
    "a text public twice": (
        "once",
        lambda history: replace(history, live=[*history.live, Live("13", "me", ONE, "", T + 2)]),
    ),
    "a text sent after it was public, though refused": ("once", with_request(request(3, ONE, T + 2))),
    "sent again after a call without an answer": (
        "looked",
        with_attempts(commit(ONE, T + 0.3, "unknown"), probe(T + 0.5)),
    ),
    "sent again where nobody can be asked": (
        "looked",
        both(
            with_attempts(commit(ONE, T + 0.3, "unknown"), probe(T + 0.5), probe(T + 0.6)),
            lambda history: replace(history, witness="none"),
        ),
    ),
    "another call to who knew the first": (
        "once",
        both(at_platform("window"), sent_twice("k", "l", after=1.0, looks=2)),
    ),
    "the same call to who has forgotten the first": (
        "once",
        both(at_platform("window"), sent_twice("k", "k", after=11.0)),
    ),
    "the same call too late, as the hub has it": (
        "looked",
        both(at_platform("window"), sent_twice("k", "k", after=11.0), not_sent),
    ),
    "the same call to who makes a second post of it": ("once", sent_twice("k", "k", after=1.0, looks=2)),
    "another text while the first may be public": (
        "looked",
        on_post(attempts=(commit(ONE, T + 0.3, "unknown"), commit(OTHER, T + 0.65, remote="11"))),
    ),
    "another container while the first may be published": (
        "looked",
        both(at_platform("never"), sent_twice("c", "d", after=1.0, looks=2), not_sent),
    ),
    "what waits in the app, published": ("linked", delivered(state="published")),
    "what is public, delivered": ("linked", delivered(waits=False)),
    "what waits in the app, and nobody told": ("told", delivered(told=False)),
    "a request without an intent": ("intended", on_post(attempts=GOOD.posts[0].attempts[:1])),
    "an intent written after the call": (
        "intended",
        on_post(attempts=(commit(ONE, T + 0.8), commit(TWO, T + 0.85))),
    ),
    "a call left open": ("intended", with_attempts(commit(ONE, T + 0.3, "", open_=True))),
    "a text nobody wrote": ("approved", with_request(request(3, "spam", T + 2))),
    "sent before its time": ("approved", lambda history: replace(history, requests=[request(1, ONE, T + 0.4)])),
    "sent after a cancel that was answered ok": ("approved", with_action(cancel(T + 0.2))),
    "old text sent after an edit": ("approved", with_action(edit(T + 0.2))),
    "new text sent without a yes": (
        "approved",
        both(with_action(edit(T + 0.2, approves=False)), with_request(request(3, OTHER, T + 2))),
    ),
    "sent before the time it was moved to": (
        "approved",
        with_action(Action("reschedule", "p0", T + 0.2, T + 0.21, OK, at=T + 3600, approves=True, post_id="P")),
    ),
    "a post that was accepted and is gone": ("reflected", lambda history: replace(history, posts=[])),
    "an edit that is gone": ("reflected", with_action(edit(T + 0.2))),
    "a cancel that is gone": ("reflected", with_action(cancel(T + 0.2))),
    "a refused edit that is there": (
        "reflected",
        both(with_action(edit(T + 0.2, answer="post.state")), on_post(parts=(Part(OTHER, "published", "11"),))),
    ),
    "a cancel that nobody asked for": ("reflected", ended("cancelled")),
    "another time than was asked for": ("reflected", on_post(scheduled_at=T + 9)),
    "another hash than was answered": ("reflected", on_post(content_hash="d")),
    "still scheduled": ("ended", ended("scheduled")),
    "still publishing": ("ended", ended("publishing")),
    "unknown for ever": ("ended", ended("unknown", look_at=T + 9)),
    "failed without a reason": ("ended", ended("failed", code="")),
    "a bug": ("ended", ended("failed", code="bug")),
    "published without an id": (
        "linked",
        on_post(parts=(Part(ONE, "published", "11"), Part(TWO, "waiting", ""))),
    ),
    "linked to what is not there": (
        "linked",
        on_post(parts=(Part(ONE, "published", "11"), Part(TWO, "published", "99"))),
    ),
    "a thread out of order": (
        "linked",
        lambda history: replace(history, live=[history.live[0], replace(history.live[1], reply_to="")]),
    ),
    "failed, and public": ("linked", both(ended("failed"), lambda history: replace(history, live=GOOD.live))),
    "a change of state without a row": ("audited", on_post(audit=GOOD.posts[0].audit[:-2])),
    "a gap between two rows": ("audited", on_post(audit=(*GOOD.posts[0].audit[:2], *GOOD.posts[0].audit[3:]))),
    "a change by nobody": (
        "audited",
        on_post(audit=(*GOOD.posts[0].audit[:-1], change(T + 1, "publishing", "published", actor=" ".strip()))),
    ),
    "published twice on record": (
        "audited",
        on_post(audit=(*GOOD.posts[0].audit, change(T + 2, "published", "published"))),
    ),
    "a claim that is not on record": ("audited", on_post(fence=2)),
    "failed, and nobody told": ("told", ended("failed", told=False)),
    "unknown, and nobody told": ("told", ended("unknown", told=False)),
    "a notice without words": ("told", on_post(notices=(Notice("know", "post.found", ""),))),
    "a command that broke": ("answered", with_action(cancel(T + 0.2, answer="crash: KeyError()"))),
}

FINE: dict[str, Change] = {
    "as planned": lambda history: history,
    "linked after a look": on_post(
        attempts=(commit(ONE, T + 0.65, "unknown"), probe(T + 0.8), commit(TWO, T + 0.85, remote="12"))
    ),
    "resent after two looks": both(
        with_attempts(commit(ONE, T + 0.3, "unknown"), probe(T + 0.5), probe(T + 0.6)),
        lambda history: replace(
            history, requests=[request(0, ONE, T + 0.5, outcome="dropped_before"), *history.requests]
        ),
    ),
    "the same call while the platform knew it": both(at_platform("window"), sent_twice("k", "k", after=1.0)),
    "the same container": both(at_platform("never"), sent_twice("c", "c", after=11.0)),
    "another container after a new yes": both(
        at_platform("never"),
        sent_twice("c", "d", after=1.0, looks=2),
        not_sent,
        with_action(Action("reschedule", "p0", T + 0.8, T + 0.9, OK, at=T + 0.5, approves=True, post_id="P")),
    ),
    "what waits in the app, and told": delivered(),
    "failed with a reason, and told": ended("failed"),
    "unknown, in a person's hands": ended("unknown"),
    "unknown, and public": both(
        ended("unknown"),
        with_request(GOOD.requests[0]),
        with_attempts(commit(ONE, T + 0.65, "unknown")),
        lambda history: replace(history, live=GOOD.live[:1]),
    ),
    "cancelled before its claim": both(
        with_action(cancel(T + 0.2)),
        ended("cancelled"),
    ),
    "an edit whose answer was lost, not done": with_action(edit(T + 0.2, answer=LOST)),
    "a cancel that came too late": with_action(cancel(T + 0.8, answer="post.state")),
}


class TestTheChecker:
    @pytest.mark.parametrize("name", FINE)
    def test_lets_pass(self, name: str) -> None:
        assert checker.check(FINE[name](GOOD)) == []

    @pytest.mark.parametrize("name", BAD)
    def test_finds(self, name: str) -> None:
        law, spoil = BAD[name]
        assert law in {violation.law for violation in checker.check(spoil(GOOD))}

    def test_has_a_bad_history_for_every_law(self) -> None:
        assert {law for law, _ in BAD.values()} == set(checker.LAWS)

    def test_excuses_a_platform_that_was_slower_than_it_promises(self) -> None:
        late = replace(GOOD, live=[Live("11", "me", ONE, "", T + 2)])
        assert checker.find_excuse(late)
        assert not checker.find_excuse(GOOD)


class TestTheTally:
    def test_counts_and_measures(self) -> None:
        history = replace(GOOD, hits=[Hit(T + 0.62, "kill worker", 3, "P"), Hit(T, "platform garbage")])
        counted = tally.count(history)
        assert counted.recoveries == [pytest.approx(0.38)]
        assert (counted.counts["kill worker"], counted.counts["point 03"], counted.counts["outcome published"]) == (
            1,
        ) * 3

    def test_renders_what_it_counted(self) -> None:
        text = tally.render(tally.count(GOOD), seconds=2.0)
        assert "histories" in text
        assert "nothing twice, nothing lost" in text
