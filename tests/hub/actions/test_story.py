"""The story of a post: who did what and when, every call with its figures, in plain words (PUB-8, PUB-10)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.actions import notices, posts, story
from hub.actions.drafts import DraftPart
from hub.actions.resolving import resolve_not_published
from hub.actions.story import Line, Teller, make_teller, tell_story
from hub.models import Account, Attempt, AuditEntry, Notice, Post, User
from psn.errors import RateLimited, Rejected, Unavailable
from tests.factories import make_account, make_post
from tests.hub.actions.stage import LOST, WORKER, make_ended, make_unknown, now, read

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
ONE = Teller(title="X", zone="Europe/Madrid", indexes={1: 0})
THREE = Teller(title="X", zone="Europe/Madrid", indexes={1: 0, 2: 1, 3: 2})


@pytest.fixture
def account(me: User) -> Account:
    return make_account(me)


def lines_of(post: Post) -> list[Line]:
    attempts = posts.list_attempts(str(post.id))
    return tell_story(post, attempts=attempts, notices=notices.notices_of(post), teller=make_teller(post, zone="UTC"))


def told(post: Post) -> list[str]:
    return [f"{line.who} {line.what}" for line in lines_of(post)]


def call(kind: str, outcome: str, **values: Any) -> Attempt:
    defaults = {"part_id": 1, "started_at": NOW, "finished_at": NOW + timedelta(milliseconds=312) if outcome else None}
    return Attempt(kind=kind, outcome=outcome, **(defaults | values))


class TestTellingACall:
    @pytest.mark.parametrize("kind", Attempt.Kind.values)
    @pytest.mark.parametrize("outcome", [*Attempt.Outcome.values, ""])
    def test_has_words_for_every_kind_and_every_outcome(self, kind: str, outcome: str) -> None:
        words = ONE.tell(call(kind, outcome, detail="It was so."))
        assert ": " in words
        assert "{" not in words
        assert ".)" not in words

    @pytest.mark.parametrize(
        ("attempt", "words"),
        [
            (
                call("commit", "ok", remote_id="7", http_status=201, request_id="r1"),
                "sent it: X accepted it as 7 (312 ms, HTTP 201, request r1)",
            ),
            (call("commit", "unknown", detail=LOST), f"sent it: no clear answer, so it may be live: {LOST[:-1]} (312 ms)"),
            (call("commit", "refused", detail="No.", http_status=403), "sent it: refused: No (312 ms, HTTP 403)"),
            (call("commit", "not_sent", detail="No way."), "sent it: surely nothing was sent: No way (312 ms)"),
            (call("commit", "limited", retry_at=NOW), "sent it: X asks to wait until 2026-11-20 10:00:00; nothing was published (312 ms)"),
            (call("commit", ""), "sent it: no answer yet"),
            (call("probe", "ok", remote_id="7"), "looked at X for it: it is live as 7 (312 ms)"),
            (call("probe", "ok"), "looked at X for it: it is not there (312 ms)"),
            (call("probe", "not_sent", detail="Away."), "looked at X for it: no answer: Away (312 ms)"),
            (call("upload", "ok", remote_id="m"), "handed over a file of it: X has it (312 ms)"),
            (call("upload", "unknown"), "handed over a file of it: no clear answer (312 ms)"),
            (call("delete", "ok"), "asked X to delete it: it is gone (312 ms)"),
        ],
        ids=lambda value: "" if isinstance(value, str) else f"{value.kind} {value.outcome or 'open'}",
    )  # fmt: skip
    def test_says_what_came_of_it_with_its_figures(self, attempt: Attempt, words: str) -> None:
        assert ONE.tell(attempt) == words

    def test_names_the_part_of_a_thread(self) -> None:
        assert THREE.tell(call("commit", "", part_id=2)) == "sent part 2 of 3: no answer yet"


class TestTheStory:
    def test_of_a_retried_post_goes_from_the_draft_to_the_next_try(self, account: Account) -> None:
        post = make_ended(account, Unavailable("It was down."))
        took, sent, waits = told(post)
        assert took == "the worker on here took it, for try 1"
        assert sent.startswith("the worker on here sent it: surely nothing was sent: It was down (")
        assert waits == "the worker on here put it back to wait. It was down."

    def test_is_in_the_order_of_time_and_names_everybody(self, account: Account) -> None:
        post, _ = posts.create_post(account=str(account.id), parts=[DraftPart("Hello")], at=None, approve=False)
        posts.schedule_post(str(post.id), at=now() + timedelta(hours=1), approve=True)
        AuditEntry.objects.record(post, action="post.rung_again", actor="watchdog")
        AuditEntry.objects.record(post, action="post.claimed", actor=WORKER, detail={"try": 2})
        assert told(read(post)) == [
            "you drafted it; changed it, so it needs a new yes; asked for it to go out; approved exactly this content; "
            "put it on the schedule",
            "PSN found it due and not taken, and rang for it again",
            "the worker on here took it, for try 2",
        ]
        instants = [line.at for line in lines_of(read(post))]
        assert instants == sorted(instants)

    def test_of_a_doubt_tells_the_call_the_doubt_the_notice_and_the_person_s_word(self, account: Account) -> None:
        post = make_unknown(account)
        Post.objects.filter(id=post.id).update(look_at=None)
        resolve_not_published(str(post.id))
        said = told(read(post))
        assert said[0] == "the worker on here took it, for try 1"
        assert said[1].startswith("the worker on here sent it: no clear answer, so it may be live")
        assert said[2].startswith("the worker on here left it open, because it may be live and may not. ")
        assert (
            said[3]
            == "you looked, and said that it is not there; closed it: it was not sent. You looked, and it was not there."
        )

    def test_tells_the_notices_and_whether_they_were_seen(self, account: Account) -> None:
        post = make_ended(account, Rejected("X refuses this."))
        assert told(post)[-2:] == [
            "the worker on here gave it up: it was not sent. X refuses this.",
            "PSN left you a notice of it, not seen yet",
        ]
        notices.mark_seen("all")
        assert told(post)[-1].startswith("PSN left you a notice of it, seen at 2")

    def test_tells_a_notice_that_says_more_than_the_change_does(self, account: Account) -> None:
        post = make_post(account)
        Notice.objects.create(user_id=post.user_id, post_id=post.id, level="know", code="post.found", message="Found.")
        assert told(read(post)) == ["PSN left you a notice, not seen yet: Found."]

    def test_makes_one_line_of_what_happened_again_and_again(self, account: Account) -> None:
        post = make_post(account)
        for _ in range(40):
            AuditEntry.objects.record(post, action="post.rung_again", actor="watchdog")
        (line,) = lines_of(read(post))
        assert (line.times, line.until is not None and line.until > line.at) == (40, True)

    def test_of_a_post_that_waited_for_days_is_bounded_and_keeps_the_newest(
        self, account: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(story, "MAX_LINES", 3)
        post = make_post(account)
        for number in range(6):
            AuditEntry.objects.record(post, action="post.claimed", actor=WORKER, detail={"try": number})
        assert [line.what for line in lines_of(read(post))] == [f"took it, for try {number}" for number in (3, 4, 5)]

    def test_says_until_when_a_platform_asked_to_wait(self, account: Account) -> None:
        post = make_ended(account, RateLimited("X asks to wait.", retry_at=NOW + timedelta(days=300)))
        assert any("X asks to wait until 2027-09-16 09:00:00" in line for line in told(post))

    def test_names_an_action_that_it_has_no_words_for(self, account: Account) -> None:
        post = make_post(account)
        AuditEntry.objects.record(post, action="post.painted", actor="psn")
        assert told(read(post)) == ["PSN post.painted"]

    def test_has_words_for_every_change_that_the_database_allows(self) -> None:
        states = Post._meta.get_field("status").choices or []
        assert {str(state) for state, _ in states} - {"publishing"} <= set(story._CHANGES)


class TestTheParts:
    def test_are_numbered_as_a_person_counts(self, account: Account) -> None:
        post = make_unknown(account, texts=("one", "two"), live=1)
        sent = [line.what for line in lines_of(post) if line.what.startswith("sent")]
        assert [words.partition(":")[0] for words in sent] == ["sent part 1 of 2", "sent part 2 of 2"]
