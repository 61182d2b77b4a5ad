"""An honest team gets its work done, and what the database fills in cannot be lied about (SPEC TEAM-2, POST-4, POST-5)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql

from tests.teams.stage import Stage
from tests.teams.trying import ended

DAY, HELD_BY_EVE, FREE_DAY = "2031-01-02T12:00Z", "2031-07-07T12:00Z", "2031-08-08T12:00Z"


@contextmanager
def rules(stage: Stage, policy: str, *, self_approval: bool = False) -> Iterator[None]:
    """Have other rules for a while, set as an admin sets them."""
    with stage.enter("ann") as ann:
        ann.execute("SELECT hub_api.set_policy(%s, %s)", [policy, self_approval])
        try:
            yield
        finally:
            ann.execute("SELECT hub_api.set_policy('approval', false)")


def write(stage: Stage, who: str, *, at: str = DAY) -> UUID:
    """Write a post with a part and a medium as a member's client does, and ask for a yes."""
    post, part = uuid4(), uuid4()
    with stage.enter(who) as session, session.transaction():
        session.execute(stage.insert("posts", id=post, account_id=stage.names["account"], author_id=stage.people[who].id, status="draft",
                                     content_hash="seen", scheduled_at=at, due_at=at))  # fmt: skip
        session.execute(
            stage.insert("post_parts", id=part, post_id=post, index=0, kind="post", text="Hello", state="waiting")
        )
        session.execute(
            stage.insert("post_media", part_id=part, index=0, path="a.png", sha256="a" * 64, mime_type="image/png")
        )
        session.execute("UPDATE posts SET status = 'pending_approval' WHERE id = %s", [post])
    return post


def say(stage: Stage, who: str, what: str) -> str:
    with stage.enter(who) as session:
        return ended(session, what)


def approve(stage: Stage, who: str, post: UUID) -> str:
    return say(stage, who, f"SELECT hub_api.approve_post('{post}', 'seen', 'good')")


class TestAPost:
    def test_goes_from_its_author_by_an_approver_to_the_worker_s_bell(
        self, stage: Stage, superuser: psycopg.Connection[Any]
    ) -> None:
        post = write(stage, "bob")
        assert approve(stage, "cat", post).startswith("gave")
        found = superuser.execute(
            "SELECT status, approved_hash, approved_by FROM posts WHERE id = %s", [post]
        ).fetchone()
        assert found == ("scheduled", "seen", str(stage.people["cat"].id))
        told = superuser.execute(
            "SELECT code, recipient_id FROM notices WHERE post_id = %s AND seen_at IS NULL", [post]
        ).fetchall()
        assert ("approve.approved", stage.people["bob"].id) in told
        rung = superuser.execute(
            "SELECT lock FROM django_q_ormq WHERE payload::jsonb -> 'ids' ->> 'post_id' = %s", [str(post)]
        ).fetchall()
        due = superuser.execute("SELECT due_at FROM posts WHERE id = %s", [post]).fetchone()
        assert rung == [due]
        kept = superuser.execute(
            "SELECT by_id, verdict, content_hash, feedback FROM approvals WHERE post_id = %s", [post]
        ).fetchall()
        assert kept == [(stage.people["cat"].id, "approved", "seen", "good")]

    def test_comes_back_with_words_when_it_is_refused(self, stage: Stage, superuser: psycopg.Connection[Any]) -> None:
        post = write(stage, "bob")
        assert say(stage, "cat", f"SELECT hub_api.reject_post('{post}', 'Say it in Spanish.')").startswith("gave")
        assert superuser.execute("SELECT status, approved_hash FROM posts WHERE id = %s", [post]).fetchone() == (
            "draft",
            "",
        )
        with stage.enter("bob") as bob:
            asked = "SELECT message FROM notices WHERE post_id = %s AND code = 'approve.rejected'"
            (message,) = bob.execute(asked, [post]).fetchone() or ("",)
            assert "Say it in Spanish." in message
            assert bob.execute("UPDATE notices SET seen_at = now() WHERE post_id = %s", [post]).rowcount == 1

    def test_is_called_back_by_an_approver_after_its_yes(
        self, stage: Stage, superuser: psycopg.Connection[Any]
    ) -> None:
        post = write(stage, "bob")
        approve(stage, "cat", post)
        assert say(stage, "ann", f"SELECT hub_api.reject_post('{post}', 'Not today.')").startswith("gave")
        assert superuser.execute("SELECT status, approved_hash FROM posts WHERE id = %s", [post]).fetchone() == (
            "draft",
            "",
        )

    def test_loses_its_yes_when_its_author_takes_it_back_to_change_it(
        self, stage: Stage, superuser: psycopg.Connection[Any]
    ) -> None:
        post = write(stage, "bob")
        approve(stage, "cat", post)
        with stage.enter("bob") as bob:
            bob.execute(
                "UPDATE posts SET status = 'draft', approved_hash = '', approved_by = '', approved_at = NULL WHERE id = %s",
                [post],
            )
            bob.execute("UPDATE post_parts SET text = 'Other' WHERE post_id = %s", [post])
            bob.execute("UPDATE posts SET content_hash = 'new', status = 'pending_approval' WHERE id = %s", [post])
        assert approve(stage, "cat", post) == "PN409"
        assert superuser.execute("SELECT status FROM posts WHERE id = %s", [post]).fetchone() == ("pending_approval",)

    def test_is_cancelled_by_its_author(self, stage: Stage) -> None:
        post = write(stage, "bob")
        asked = f"UPDATE posts SET status = 'cancelled', approved_hash = '' WHERE id = '{post}'"
        assert say(stage, "bob", asked) == "1 rows"

    def test_tells_those_who_decide_that_it_waits_and_stops_when_it_does_not(
        self, stage: Stage, superuser: psycopg.Connection[Any]
    ) -> None:
        post = write(stage, "bob")
        asked = "SELECT recipient_id, seen_at IS NULL FROM notices WHERE post_id = %s AND code = 'approve.wanted'"
        waiting = dict(superuser.execute(asked, [post]).fetchall())
        assert {stage.people[name].id for name in ("ann", "dan", "cat")} <= waiting.keys()
        assert stage.people["bob"].id not in waiting
        assert stage.people["eve"].id not in waiting
        say(stage, "bob", f"UPDATE posts SET status = 'draft' WHERE id = '{post}'")
        assert not any(dict(superuser.execute(asked, [post]).fetchall()).values())

    def test_that_is_live_is_deleted_when_its_author_asks(
        self, stage: Stage, superuser: psycopg.Connection[Any]
    ) -> None:
        post = stage.names["bobs_published"]
        assert say(stage, "bob", f"SELECT hub_api.ask_deletion('{post}')").startswith("gave")
        asked = "SELECT payload::jsonb -> 'ids' ->> 'user_id' FROM django_q_ormq WHERE payload::jsonb -> 'ids' ->> 'post_id' = %s"
        assert superuser.execute(asked, [post]).fetchall() == [(str(stage.company.id),)]
        superuser.execute("SET session_replication_role = replica")
        superuser.execute("UPDATE posts SET delete_asked_at = NULL WHERE id = %s", [post])
        superuser.execute("RESET session_replication_role")


class TestTheRules:
    def test_free_let_the_author_say_yes(self, stage: Stage) -> None:
        with rules(stage, "free"):
            post = write(stage, "eve")
            assert approve(stage, "eve", post).startswith("gave")

    def test_free_let_no_colleague_say_yes(self, stage: Stage) -> None:
        with rules(stage, "free"):
            assert approve(stage, "bob", write(stage, "eve")) == "PN403"

    @pytest.mark.parametrize("policy", ["calendar", "approval"])
    def test_other_than_free_want_the_author_s_own_day(
        self, policy: str, stage: Stage, superuser: psycopg.Connection[Any]
    ) -> None:
        superuser.execute(
            stage.insert("slots", on=HELD_BY_EVE[:10], platform="x", claimed_by_id=stage.people["eve"].id)
        )
        who = "eve" if policy == "calendar" else "cat"
        try:
            with rules(stage, policy):
                assert approve(stage, who, write(stage, "eve", at=HELD_BY_EVE)).startswith("gave")
                assert approve(stage, who, write(stage, "eve", at=FREE_DAY)) == "PN422"
                assert approve(stage, "cat", write(stage, "bob", at=HELD_BY_EVE)) == "PN422"
        finally:
            superuser.execute('DELETE FROM slots WHERE "on" = %s', [HELD_BY_EVE[:10]])

    def test_count_days_in_the_company_s_own_zone_whatever_the_session_s_is(
        self, stage: Stage, superuser: psycopg.Connection[Any]
    ) -> None:
        """23:30 UTC on the sixth is the seventh in Madrid."""
        superuser.execute(stage.insert("slots", on="2031-07-07", platform="x", claimed_by_id=stage.people["bob"].id))
        post = write(stage, "bob", at="2031-07-06T22:30Z")
        try:
            with stage.enter("cat") as cat, cat.transaction():
                cat.execute("SET LOCAL TimeZone = 'America/Los_Angeles'")
                cat.execute("SET LOCAL DateStyle = 'SQL, DMY'")
                assert ended(cat, f"SELECT hub_api.approve_post('{post}', 'seen', '')").startswith("gave")
        finally:
            superuser.execute("DELETE FROM slots WHERE \"on\" = '2031-07-07'")

    def test_may_let_approvers_approve_their_own(self, stage: Stage, superuser: psycopg.Connection[Any]) -> None:
        superuser.execute(
            stage.insert("slots", on=HELD_BY_EVE[:10], platform="x", claimed_by_id=stage.people["cat"].id)
        )
        try:
            post = write(stage, "cat", at=HELD_BY_EVE)
            assert approve(stage, "cat", post) == "PN403"
            with rules(stage, "approval", self_approval=True):
                assert approve(stage, "cat", post).startswith("gave")
        finally:
            superuser.execute('DELETE FROM slots WHERE "on" = %s', [HELD_BY_EVE[:10]])

    def test_refuse_a_time_that_has_passed(self, stage: Stage) -> None:
        with rules(stage, "free"):
            assert approve(stage, "bob", write(stage, "bob", at="2020-01-01T12:00Z")) == "PN422"


class TestADay:
    def test_is_claimed_and_released_by_its_holder_and_released_by_an_admin(self, stage: Stage) -> None:
        for releases in ("bob", "ann"):
            claim = stage.insert("slots", on="2031-06-06", platform="x", claimed_by_id=stage.people["bob"].id)
            with stage.enter("bob") as bob:
                assert ended(bob, claim) == "1 rows"
            assert say(stage, "eve", "DELETE FROM slots WHERE \"on\" = '2031-06-06'") == "nothing"
            assert say(stage, "cat", "DELETE FROM slots WHERE \"on\" = '2031-06-06'") == "nothing"
            assert say(stage, releases, "DELETE FROM slots WHERE \"on\" = '2031-06-06'") == "1 rows"

    def test_is_one_of_at_most_two_hundred_to_come(self, stage: Stage, superuser: psycopg.Connection[Any]) -> None:
        """Nobody takes the whole calendar."""
        day = stage.insert(
            "slots", id=sql.SQL("gen_random_uuid()"), on=sql.SQL("date '2032-01-01' + i"), platform="tiktok",
            claimed_by_id=stage.people["eve"].id,
        )  # fmt: skip
        greedy = (
            day.as_string(superuser).replace("VALUES (", "SELECT ").removesuffix(")")
            + " FROM generate_series(1, 201) i"
        )
        try:
            assert say(stage, "eve", greedy) == "PN409"
            assert say(stage, "eve", greedy.replace("(1, 201)", "(1, 150)")) == "150 rows"
        finally:
            superuser.execute("DELETE FROM slots WHERE platform = 'tiktok'")


class TestTheDatabaseFillsIn:
    def test_who_wrote_into_the_audit_and_when(self, stage: Stage, superuser: psycopg.Connection[Any]) -> None:
        row = stage.insert("audit_log", actor=str(stage.people["ann"].id), action="post.created", subject="post", subject_id="forged",
                           at="2001-01-01")  # fmt: skip
        with stage.enter("bob") as bob:
            bob.execute(row)
        found = superuser.execute(
            "SELECT actor, at > now() - interval '1 minute' FROM audit_log WHERE subject_id = 'forged'"
        ).fetchall()
        assert found == [(str(stage.people["bob"].id), True)]

    def test_who_configured_and_when(self, stage: Stage, superuser: psycopg.Connection[Any]) -> None:
        with stage.enter("ann") as ann:
            ann.execute(
                stage.insert(
                    "hub_settings",
                    name="forged",
                    version=1,
                    created_by_id=stage.people["bob"].id,
                    created_at="2001-01-01",
                )
            )
        found = superuser.execute(
            "SELECT created_by_id, created_at > now() - interval '1 minute' FROM hub_settings WHERE name = 'forged'"
        )
        assert found.fetchall() == [(stage.people["ann"].id, True)]

    def test_who_uploaded_bytes(self, stage: Stage, superuser: psycopg.Connection[Any]) -> None:
        with stage.enter("bob") as bob:
            bob.execute(stage.insert("media_chunks", uploaded_by_id=stage.people["eve"].id, sha256="d" * 64))
        found = superuser.execute("SELECT uploaded_by_id FROM media_chunks WHERE sha256 = %s", ["d" * 64]).fetchall()
        assert found == [(stage.people["bob"].id,)]

    def test_so_that_another_s_bytes_stand_in_nobody_s_way(self, stage: Stage) -> None:
        """The same name and piece from two people: both are kept, and whoever puts the file together takes the one that hashes right."""
        for who in ("eve", "bob"):
            with stage.enter(who) as session:
                assert (
                    ended(session, stage.insert("media_chunks", uploaded_by_id=stage.people[who].id, sha256="e" * 64))
                    == "1 rows"
                )

    def test_what_a_notice_s_reader_is(self, stage: Stage, superuser: psycopg.Connection[Any]) -> None:
        with stage.company.enter_as_worker() as worker, worker.transaction():
            worker.execute("SELECT set_config('app.current_user_id', %s, true)", [str(stage.company.id)])
            worker.execute(
                stage.insert("notices", post_id=stage.names["eves_failed"], level="act", code="forged", message="x")
            )
        found = superuser.execute("SELECT recipient_id FROM notices WHERE code = 'forged'").fetchall()
        assert found == [(stage.people["eve"].id,)]

    def test_when_a_notice_was_seen(self, stage: Stage, superuser: psycopg.Connection[Any]) -> None:
        notice = stage.names["eves_notice"]
        for never in ("infinity", "-infinity", "0001-01-01 BC"):
            with stage.enter("eve") as eve:
                ended(eve, f"UPDATE notices SET seen_at = '{never}' WHERE id = '{notice}'")
            asked = "SELECT coalesce(seen_at BETWEEN '2000-01-01' AND '2200-01-01', true) FROM notices WHERE id = %s"
            assert superuser.execute(asked, [notice]).fetchone() == (True,)

    def test_when_a_post_was_written_and_changed(self, stage: Stage, superuser: psycopg.Connection[Any]) -> None:
        with stage.enter("bob") as bob:
            post = uuid4()
            row = stage.insert("posts", id=post, account_id=stage.names["account"], author_id=stage.people["bob"].id, status="draft",
                               created_at="infinity", updated_at="infinity")  # fmt: skip
            bob.execute(row)
            bob.execute("UPDATE posts SET updated_at = 'infinity' WHERE id = %s", [post])
        asked = "SELECT greatest(created_at, updated_at) < now() + interval '1 minute' FROM posts WHERE id = %s"
        assert superuser.execute(asked, [post]).fetchone() == (True,)

    def test_a_member_s_own_name_and_zone(self, stage: Stage) -> None:
        with stage.enter("eve") as eve:
            eve.execute("SELECT hub_api.set_name(hub_api.current_user_id(), 'Eva', 'America/Lima')")
            asked = "SELECT name, timezone, role FROM users WHERE id = %s"
            assert eve.execute(asked, [stage.people["eve"].id]).fetchone() == ("Eva", "America/Lima", "member")


class TestTheWorker:
    def test_works_for_the_company(self, stage: Stage) -> None:
        with stage.company.enter_as_worker() as worker, worker.transaction():
            worker.execute("SELECT set_config('app.current_user_id', %s, true)", [str(stage.company.id)])
            assert worker.execute("SELECT count(*) > 0 FROM posts").fetchone() == (True,)
            assert worker.execute("SELECT count(*) FROM oauth_tokens").fetchone() == (1,)
            assert worker.execute("SELECT DISTINCT user_id FROM posts").fetchall() == [(stage.company.id,)]

    def test_sees_nothing_before_it_acts_for_somebody(self, stage: Stage) -> None:
        with stage.company.enter_as_worker() as worker:
            assert [
                worker.execute(f"SELECT count(*) FROM {table}").fetchone()
                for table in ("posts", "oauth_tokens", "api_keys")
            ] == [(0,)] * 3
