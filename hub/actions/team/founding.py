"""Making a company's hub, in steps that can be killed anywhere and run again (TEAM-1, HUB-3).

A run looks at the world and not at a log: what holds is skipped. The address of the database's own administrator is asked for only
while the hub's roles are not complete, is kept nowhere, and is never needed again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal
from zoneinfo import available_timezones

import psycopg
from django.conf import settings
from django.db import OperationalError

from hub.actions import hubs, people
from hub.actions.sources import Source
from hub.actions.team import companies
from hub.actions.team.teams import check_name
from hub.actions.turns import take_turn_at_teams
from hub.connections import switch_hub
from hub.models import Role
from psn.config.hub import HubConfig, check_slug, find_hub_config, get_hub_config
from psn.config.workspace import Workspace
from psn.errors import Conflict, InvalidInput, NotReady, Problem
from psn.providers.url import check_fit, connect, inspect_server

PROVIDERS = ("url", "neon")

Outcome = Literal["start", "done", "skip", "fail"]


@dataclass
class Founding:
    """What one run learns on its way.

    Args:
        find_source: asks for the database; called only when the hub is not made yet.
    """

    workspace: Workspace
    slug: str
    name: str
    timezone: str
    admin_name: str
    provider: str
    find_source: Callable[[], Source]
    ssl_root_cert: str = ""
    source: Source | None = field(default=None, repr=False)

    def find_config(self) -> HubConfig | None:
        """Read what the workspace has of this hub."""
        return find_hub_config(self.workspace, self.slug)


@dataclass(frozen=True, slots=True)
class Step:
    """One step: `check` looks whether the world is as it leaves it; `apply` makes it so and says what it did."""

    name: str
    title: str
    check: Callable[[Founding], bool]
    apply: Callable[[Founding], str]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a step."""

    position: str
    step: Step
    outcome: Outcome
    detail: str = ""


def check_founding(run: Founding) -> None:
    """Refuse what cannot become a company's hub, before anything is asked or done.

    Raises:
        InvalidInput: a provider, a name or a time zone that is none.
        Conflict: this workspace entered a hub of that name as a member.
    """
    if run.provider == "local":
        raise InvalidInput(
            "A company's hub must be where its team reaches it, with TLS; the local server is on this computer alone and has none.",
            code="team.local",
            ask="Choose --provider url with the address of a Postgres server, or --provider neon.",
        )
    if run.provider not in PROVIDERS:
        raise InvalidInput(
            f"There is no provider {run.provider!r}. Known: {', '.join(PROVIDERS)}.", code="provider.unknown"
        )
    check_slug(run.slug)
    run.name, run.admin_name = check_name(run.name), check_name(run.admin_name)
    if run.timezone not in available_timezones():
        raise InvalidInput(
            f"{run.timezone[:40]!r} is no IANA time zone such as Europe/Madrid.",
            code="time.zone",
            ask="Give --timezone.",
        )
    config = run.find_config()
    if config is not None and not config.has_owner:
        raise Conflict(
            f"This workspace is in a team named {run.slug} already, at {config.place}.",
            code="team.joined",
            next_command=f"psn_team list --hub {run.slug}",
        )


def found_team(run: Founding) -> Iterator[Event]:
    """Bring every step to where its check holds, in order.

    Raises:
        Problem: of the step that cannot be brought about; those before it stay done.
    """
    check_founding(run)
    with take_turn_at_teams(run.workspace):
        for number, step in enumerate(STEPS, 1):
            position = f"{number}/{len(STEPS)}"
            with _telling_database():
                holds = step.check(run)
            if holds:
                yield Event(position, step, "skip", "already done")
            else:
                yield from _bring_about(run, position, step)


def plan_founding(run: Founding) -> list[dict[str, str]]:
    """Tell for every step whether it holds, with no effect at all; what follows a step that does not is not looked at.

    Raises:
        Problem: the server does not fit.
    """
    check_founding(run)
    if run.provider == "url" and not _hub_holds(run):  # at Neon, to find the server may be to make it
        _find_server(run)
    plan: list[dict[str, str]] = []
    for step in STEPS:
        holds = all(before["status"] == "done" for before in plan) and step.check(run)
        plan.append({"name": step.name, "title": step.title, "status": "done" if holds else "to do"})
    return plan


def _bring_about(run: Founding, position: str, step: Step) -> Iterator[Event]:
    yield Event(position, step, "start")
    try:
        with _telling_database():
            detail = step.apply(run)
            if not step.check(run):
                raise NotReady(f"{step.title}: done, but it does not hold.", code="setup.not_verified")
    except Problem as error:
        yield Event(position, step, "fail", error.message)
        error.ask = (
            error.ask or f"{error.message} Then run psn_team create {run.slug} again: it goes on where it stopped."
        )
        raise
    yield Event(position, step, "done", detail)


@contextmanager
def _telling_database() -> Iterator[None]:
    """Say what the database's own errors mean while a hub is being made.

    Raises:
        NotReady: the connection ended, or the administrator's login may not do what it must.
    """
    try:
        yield
    except (psycopg.OperationalError, OperationalError) as error:
        said = str(error).strip().splitlines()[0] if str(error).strip() else "no answer"
        raise NotReady(f"The connection to the server ended: {said}", code="server.unreachable") from None
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.DuplicateObject) as error:
        raise NotReady(f"The server refuses: {error.diag.message_primary}.", code="server.no_rights") from None


# -- 1 server


def _server_holds(run: Founding) -> bool:
    return run.source is not None or _hub_holds(run)


def _find_server(run: Founding) -> str:
    """Look whether a company's hub fits there; nothing is changed."""
    _check_reached(run)
    source = run.find_source()
    config = run.find_config()
    certificates = config.ssl_root_cert if config else run.ssl_root_cert
    facts = inspect_server(source.admin.options(ssl_root_cert=certificates), prefix=run.slug)
    check_fit(facts, company=True, loopback=source.admin.is_loopback)
    _check_free(run, source, kind=facts.kind, prefix=facts.role_prefix, is_taken=facts.is_taken)
    run.source = source
    return f"Postgres {facts.version} at {source.admin.place}"


def _check_reached(run: Founding) -> None:
    """Ask nobody for an address while the server of the one that is known does not answer.

    Raises:
        NotReady: it does not.
    """
    config = run.find_config()
    if config is None:
        return
    try:
        connect(config.options("owner")).close()
    except NotReady as error:
        if error.error_code not in ("server.wrong_password", "server.no_database"):
            raise


def _check_free(run: Founding, source: Source, *, kind: str, prefix: str, is_taken: bool) -> None:
    """Refuse a database that has another hub, and a short name that is another hub's on that server.

    What an interrupted run of this workspace made is not somebody else's: the passwords are in its file.
    """
    config = run.find_config()
    begun_here = config is not None and config.url("owner").place == source.admin.direct().place
    if config is not None and not begun_here:
        raise Conflict(
            f"{config.file_name} is for the hub at {config.place}, not at {source.admin.place}.",
            code="team.other_hub",
            ask=f"Give the address of that server, or move {config.file_name} away.",
        )
    if prefix and (prefix != run.slug or kind != "company" or not begun_here):
        raise Conflict(
            f"The database at {source.admin.place} has a hub already ({prefix}).",
            code="server.other_hub",
            ask="Give a database of its own: CREATE DATABASE …; or, if this is your company's hub, join it with an invite.",
        )
    if is_taken and not begun_here:
        raise Conflict(
            f"Another hub of that server is called {run.slug}: the role {run.slug}_owner is there already.",
            code="team.slug_taken",
            ask="Choose another short name, or another server.",
        )


# -- 2 hub


def _hub_holds(run: Founding) -> bool:
    config = run.find_config()
    return config is not None and companies.company_hub_is_made(config)


def _make_hub(run: Founding) -> str:
    assert run.source is not None, "the first step found it"
    config = companies.prepare_company_hub(
        run.workspace, slug=run.slug, provider=run.provider, admin=run.source.admin,
        ssl_root_cert=run.ssl_root_cert, project=run.source.project,
    )  # fmt: skip
    return f"logins and schemas at {config.place}"


# -- 3 schema


def _schema_holds(run: Founding) -> bool:
    _enter(run)
    state = hubs.schema_state()
    return not state.pending and not state.ahead


def _make_schema(run: Founding) -> str:
    applied = companies.migrate_company_hub(run.slug)
    return f"{len(applied)} migrations"


# -- 4 company


def _company_holds(run: Founding) -> bool:
    _enter(run)
    return companies.company_is_made()


def _make_company(run: Founding) -> str:
    companies.create_company(slug=run.slug, name=run.name, timezone=run.timezone, admin_name=run.admin_name)
    return f"{run.name}, with {run.admin_name} as its admin"


# -- 5 login


def _login_holds(run: Founding) -> bool:
    _enter(run)
    return "app" in get_hub_config(run.workspace, run.slug).urls and people.get_me().role == Role.ADMIN


def _look_from_inside(run: Founding) -> str:
    switch_hub(run.slug)  # the file has just got the admin's own login
    return f"{people.get_me().name} is in, with a login of their own"


def _enter(run: Founding) -> None:
    """Work on the new hub from here on."""
    if run.slug != settings.HUB_SLUG or run.find_config() != settings.HUB:
        switch_hub(run.slug)


STEPS = (
    Step("server", "Looking at the server", _server_holds, _find_server),
    Step("hub", "Making the hub's logins and schemas", _hub_holds, _make_hub),
    Step("schema", "Creating tables and their policies", _schema_holds, _make_schema),
    Step("company", "Making the company and its admin", _company_holds, _make_company),
    Step("login", "Entering with the admin's own login", _login_holds, _look_from_inside),
)
