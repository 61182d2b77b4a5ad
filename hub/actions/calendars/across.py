"""Asks every hub of this workspace the same thing at once, and says which did not answer, and why (PLAN-6).

Each hub has a thread and a connection of its own, so that all of them take as long as the slowest. Nothing can be written on the way.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connections, transaction
from psycopg import DataError, Error

from psn.config.hub import HubConfig, find_hub_config, list_company_slugs
from psn.errors import NotReady, Problem
from psn.providers.url import explain_error

T = TypeVar("T")
State = Literal["ok", "away", "refused"]

CONNECT_SECONDS = 5
STATEMENT_SECONDS = 8
PATIENCE_SECONDS = 15.0  # with all of them; the thread of one that says nothing at all is left to itself then
# What the database says to a statement (postgresql.org/docs/18/errcodes-appendix.html, read 2026-11).
_TOO_SLOW = ("57014", "55P03")
_NO_RIGHT = ("42501",)
_OTHER_SCHEMA = ("42P01", "42703", "42883", "3F000")
_GOES_DOWN = ("57P", "53", "08")  # the beginnings of classes: it stops, it is full, the connection broke


@dataclass(frozen=True, slots=True)
class Answered(Generic[T]):
    """What one hub said.

    Args:
        alias: of its connection; empty when it has none.
        slug: of the company; empty for the personal hub.
        state: `away` when it may answer another time, `refused` when a person must do something first.
        message: why there is no value.
    """

    alias: str
    slug: str
    state: State
    message: str = ""
    value: T | None = None


Replies = queue.SimpleQueue[Answered[T] | BaseException]


def ask_hubs(read: Callable[[str], T], *, seconds: float = PATIENCE_SECONDS) -> list[Answered[T]]:
    """Read the same from every hub at the same time: the one this process works on first, then the others.

    Args:
        read: gets the hub's connection alias, in a thread and a read-only transaction of its own.
        seconds: when the answers that are not there by then are given up.
    """
    if settings.HUB is None:
        return []
    every: dict[str, HubConfig] = {"default": settings.HUB, **settings.OTHER_HUBS}
    hubs = {alias: hub for alias, hub in every.items() if hub.is_local or "app" in hub.urls}
    replies: Replies[T] = queue.SimpleQueue()
    for alias, hub in hubs.items():
        # a daemon: nothing of it keeps the process from ending while the other side says nothing
        threading.Thread(target=_ask, args=(alias, hub, read, replies), daemon=True).start()
    heard = _listen(replies, count=len(hubs), seconds=seconds)
    silent = f"It said nothing for {seconds:.0f} seconds."
    return [
        *(heard.get(alias) or Answered(alias, hub.slug, "away", silent) for alias, hub in hubs.items()),
        *_without_login({hub.slug for hub in hubs.values()}),
    ]


def _ask(alias: str, hub: HubConfig, read: Callable[[str], T], replies: Replies[T]) -> None:
    """Ask one hub; what goes wrong is an answer, too."""
    reply: Answered[T] | BaseException
    connection = connections[alias]  # this thread's own
    options = {**connection.settings_dict["OPTIONS"], "connect_timeout": CONNECT_SECONDS}
    connection.settings_dict = {**connection.settings_dict, "OPTIONS": options}
    try:
        with transaction.atomic(using=alias):
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT set_config('statement_timeout', %s, true), set_config('transaction_read_only', 'on', true)",
                    [str(STATEMENT_SECONDS * 1000)],
                )
            reply = Answered(alias, hub.slug, "ok", value=read(alias))
    except Exception as error:  # noqa: BLE001  (the top of a thread; a bug is raised where the thread is waited for)
        said = _explain(error, hub)
        reply = Answered(alias, hub.slug, *said) if said else error
    finally:
        connection.close()
    replies.put(reply)


def _listen(replies: Replies[T], *, count: int, seconds: float) -> dict[str, Answered[T]]:
    """Wait for so many answers, so long; give those that came by the hub's alias."""
    heard: dict[str, Answered[T]] = {}
    until = time.monotonic() + seconds
    with suppress(queue.Empty):
        while len(heard) < count:
            reply = replies.get(timeout=max(0.0, until - time.monotonic()))
            if isinstance(reply, BaseException):
                raise reply
            heard[reply.alias] = reply
    return heard


def _explain(error: Exception, hub: HubConfig) -> tuple[State, str] | None:
    """Say why a hub gave no answer; None for what is no answer of a hub but a bug."""
    if isinstance(error, Problem) and error.error_code == "hub.nobody":
        return "refused", "It does not know this login, or not any more."
    if isinstance(error, Problem):
        return ("away" if isinstance(error, NotReady) else "refused"), error.message
    cause = error.__cause__
    if not isinstance(error, DatabaseError | InterfaceError) or not isinstance(cause, Error):
        return None
    code = cause.sqlstate or ""
    if isinstance(cause, DataError):  # a date beyond all calendars, such as nobody but a hostile hand writes
        return "refused", f"It holds what cannot be read: {str(cause).splitlines()[0]}"
    if not code:  # there was no connection
        problem = explain_error(cause, hub.options("app"))
        return ("away" if problem.error_code == "server.unreachable" else "refused"), problem.message
    if code in _TOO_SLOW:
        return "away", f"It took longer than {STATEMENT_SECONDS} seconds."
    if code in _NO_RIGHT:
        return "refused", "This login may not read there any more. Ask an admin of the team."
    if code in _OTHER_SCHEMA:
        return "refused", f"Its schema is older or newer than this PSN: {_who_migrates(hub)}"
    if code.startswith(_GOES_DOWN):
        return "away", f"It went away: {str(cause).splitlines()[0]}"
    return None


def _who_migrates(hub: HubConfig) -> str:
    return "run psn_migrate." if hub.has_owner else "an admin of the team runs psn_migrate, or you update PSN."


def _without_login(asked: set[str]) -> list[Answered[T]]:
    """The hubs that this process could not ask: their files cannot be read, or hold no login of this person's."""
    answers: list[Answered[T]] = []
    for slug in ("", *list_company_slugs(settings.WORKSPACE)):
        if slug in asked:
            continue
        try:
            hub = find_hub_config(settings.WORKSPACE, slug)
            if hub is not None:
                hub.options("app")
        except Problem as error:
            answers.append(Answered("", slug, "refused", error.message))
    return answers
