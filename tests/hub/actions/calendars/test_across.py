"""Asking several hubs at once: who does not answer, why, and that nobody waits for anybody."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connections

from hub.actions.calendars import across
from hub.actions.calendars.across import Answered, ask_hubs
from hub.models import Post, User
from psn.config.database import DatabaseUrl
from psn.config.hub import HubConfig, write_hub_config
from psn.errors import NotAllowed
from tests.factories import OWNER, People
from tests.hub.actions.calendars.neighbours import beside, own_hub


def company(slug: str, url: DatabaseUrl) -> HubConfig:
    return HubConfig(
        slug=slug, provider="url", prefix=slug, name=url.name, urls={"app": url}, folder=Path("/nonexistent")
    )


def at(port: int) -> DatabaseUrl:
    return DatabaseUrl(host="127.0.0.1", port=port, name="acme", user="acme_m_1", password="s3cret-in-the-address")


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def read_names(alias: str) -> list[str]:
    return list(User.objects.using(alias).values_list("name", flat=True))


def by_slug(answers: list[Answered[list[str]]]) -> dict[str, Answered[list[str]]]:
    return {answer.slug: answer for answer in answers}


class TestAskHubs:
    def test_reads_each_hub_by_its_own_login(self, hub: People) -> None:
        with beside({"another": replace(own_hub(), slug="acme")}):
            answers = ask_hubs(read_names)
        assert [(answer.alias, answer.slug, answer.state, answer.value) for answer in answers] == [
            ("default", "", "ok", ["me"]),
            ("another", "acme", "ok", ["other"]),
        ]

    def test_says_which_hub_is_not_there_and_reads_the_others(self, hub: People, closed_port: int) -> None:
        with beside({"another": company("acme", at(closed_port))}):
            answers = by_slug(ask_hubs(read_names))
        assert answers[""].value == ["me"]
        assert (answers["acme"].state, answers["acme"].value) == ("away", None)
        assert "does not answer" in answers["acme"].message
        assert "s3cret" not in answers["acme"].message

    def test_gives_up_a_hub_that_says_nothing_and_not_the_others(self, hub: People, silent_port: int) -> None:
        began = time.monotonic()
        with beside({"another": company("acme", at(silent_port))}):
            answers = by_slug(ask_hubs(read_names, seconds=1.0))
        assert time.monotonic() - began < 3
        assert answers[""].value == ["me"]
        assert (answers["acme"].state, answers["acme"].message) == ("away", "It said nothing for 1 seconds.")

    def test_names_a_hub_whose_file_others_can_read(self, hub: People) -> None:
        path = settings.WORKSPACE.hub_file("acme")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("PROVIDER=url\n")
        path.chmod(0o644)
        try:
            answers = by_slug(ask_hubs(read_names))
        finally:
            path.unlink()
        assert answers["acme"].state == "refused"
        assert "chmod 600" in answers["acme"].message

    def test_names_a_hub_that_this_computer_has_only_the_workers_login_of(self, hub: People) -> None:
        config = company("acme", at(1))
        config = replace(config, urls={"worker": at(1)})
        write_hub_config(settings.WORKSPACE, config)
        try:
            with beside({"company_acme": config}):
                answers = by_slug(ask_hubs(read_names))
        finally:
            settings.WORKSPACE.hub_file("acme").unlink()
        assert answers["acme"].state == "refused"
        assert "DATABASE_URL" in answers["acme"].message

    def test_asks_all_at_once(self, hub: People) -> None:
        together = threading.Barrier(3)

        def meet(alias: str) -> int:
            return together.wait(timeout=10)

        with beside({"another": replace(own_hub(), slug="acme"), "queue": replace(own_hub(), slug="beta")}):
            assert sorted(answer.value or 0 for answer in ask_hubs(meet)) == [0, 1, 2]

    def test_lets_nothing_be_written(self, hub: People) -> None:
        def write(alias: str) -> int:
            return User.objects.using(alias).update(name="changed")

        with pytest.raises(Exception, match="read-only transaction"):
            ask_hubs(write)
        assert User.objects.get().name == "me"

    def test_leaves_no_connection_open(self, hub: People) -> None:
        ask_hubs(read_names)
        give_up = time.monotonic() + 10  # the server hears a moment later that a connection ended
        while count_connections() and time.monotonic() < give_up:
            time.sleep(0.02)
        assert count_connections() == 0


def count_connections() -> int:
    with connections[OWNER].cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE usename = 'psn_app' AND datname = current_database()"
        )
        return int(cursor.fetchone()[0])


class TestWhyAHubGaveNoAnswer:
    def test_is_its_slowness(self, hub: People, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(across, "STATEMENT_SECONDS", 0.2)

        def sleep(alias: str) -> None:
            with connections[alias].cursor() as cursor:
                cursor.execute("SELECT pg_sleep(20)")

        (answer,) = ask_hubs(sleep)
        assert (answer.state, answer.message) == ("away", "It took longer than 0.2 seconds.")

    def test_is_somebody_who_locks_a_table(self, hub: People, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(across, "STATEMENT_SECONDS", 0.2)
        with ExitStack() as stack:
            stack.enter_context(locked("posts"))
            (answer,) = ask_hubs(lambda alias: Post.objects.using(alias).count())
        assert answer.state == "away"

    @pytest.mark.parametrize(
        ("statement", "message"),
        [
            ("SELECT * FROM hub_api.no_such_function()", "schema is older or newer"),
            ("SELECT no_such_column FROM users", "schema is older or newer"),
            ("SELECT * FROM no_such_table", "schema is older or newer"),
            ("SELECT * FROM logins", "may not read there"),
        ],
    )
    def test_is_told_in_words(self, hub: People, statement: str, message: str) -> None:
        def ask(alias: str) -> None:
            with connections[alias].cursor() as cursor:
                cursor.execute(statement)

        (answer,) = ask_hubs(ask)
        assert answer.state == "refused"
        assert message in answer.message

    def test_is_that_its_login_was_closed_in_the_middle(self, hub: People) -> None:
        def be_ended(alias: str) -> None:
            with connections[alias].cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

        (answer,) = ask_hubs(be_ended)
        assert answer.state == "away"

    def test_is_a_date_beyond_all_calendars(self, hub: People) -> None:
        def read(alias: str) -> None:
            with connections[alias].cursor() as cursor:
                cursor.execute("SELECT 'infinity'::timestamptz")
                cursor.fetchall()

        (answer,) = ask_hubs(read)
        assert (answer.state, answer.message[:27]) == ("refused", "It holds what cannot be rea")

    def test_is_a_refusal_of_ours(self, hub: People) -> None:
        def refuse(alias: str) -> None:
            raise NotAllowed("Not you.")

        (answer,) = ask_hubs(refuse)
        assert (answer.state, answer.message) == ("refused", "Not you.")

    def test_is_never_a_bug(self, hub: People) -> None:
        def stumble(alias: str) -> None:
            raise KeyError(alias)

        with pytest.raises(KeyError):
            ask_hubs(stumble)


@contextmanager
def locked(table: str) -> Iterator[None]:
    """Hold a lock that lets nobody read."""
    with connections[OWNER].cursor() as cursor:
        cursor.execute("BEGIN")
        try:
            cursor.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            yield
        finally:
            cursor.execute("ROLLBACK")
