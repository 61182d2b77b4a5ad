"""Joining a company's team with an invite (TEAM-1).

Redeeming exchanges the one-time password for a working one that nobody but this computer ever sees. It is written down before the
hub commits the exchange, so a kill or a lost answer leaves either an invite that is still good or a login that is already here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg

from hub.actions.hubs import choose_folder
from hub.actions.turns import take_turn_at_teams
from hub.rls.refusals import refused
from psn.config.bundles import Bundle
from psn.config.database import DatabaseUrl, read_url
from psn.config.envfile import read_env_file, write_env_file
from psn.config.hub import HubConfig, find_hub_config, write_hub_config
from psn.config.workspace import Workspace
from psn.errors import Conflict, InvalidInput, NotAllowed, NotReady
from psn.providers.url import connect, inspect_server

PENDING_COMMENT = (
    "A login that psn_team join was about to keep. Run psn_team join again with the same invite: it looks here first."
)
_ME = """SELECT id, name, role FROM users WHERE id = (SELECT hub_api.current_user_id())"""


@dataclass(frozen=True, slots=True)
class Member:
    """Who a login of a company's hub is."""

    id: str
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Joined:
    """How a join ended.

    Args:
        is_new: False when this workspace had used this very invite before.
    """

    config: HubConfig
    member: Member
    is_new: bool


def check_join(workspace: Workspace, bundle: Bundle, *, ssl_root_cert: str = "") -> HubConfig | None:
    """Refuse an invite that this workspace has no room for, without a word to the hub; give what it has of that hub.

    Raises:
        Conflict: it has another hub of that name.
        InvalidInput: the file of certificate authorities is none.
    """
    if ssl_root_cert and not Path(ssl_root_cert).is_file():
        raise InvalidInput(f"{ssl_root_cert} is no file of certificate authorities.", code="url.ssl_root_cert")
    existing = find_hub_config(workspace, bundle.slug)
    if existing is None:
        return None
    place = bundle.url.direct().place
    if place not in {url.direct().place for url in existing.urls.values()}:
        raise Conflict(
            f"This workspace has another hub named {bundle.slug}: {existing.place}; the invite leads to {bundle.url.place}.",
            code="team.other_hub",
            ask=f"Move {existing.file_name} away, or join from another workspace.",
        )
    return existing


def join_team(workspace: Workspace, bundle: Bundle, *, ssl_root_cert: str = "") -> Joined:
    """Redeem an invite and keep the login in `config/connections/<slug>.env`. Repeatable after a kill anywhere.

    Raises:
        NotAllowed: the invite was used, revoked, or ran out.
        Conflict: this workspace is in that team already, or has another hub of that name.
        NotReady: the server cannot be reached, or its certificate not be trusted.
    """
    with take_turn_at_teams(workspace):
        existing = check_join(workspace, bundle, ssl_root_cert=ssl_root_cert)
        start = existing or _new_config(bundle, ssl_root_cert=ssl_root_cert)
        start = replace(start, ssl_root_cert=ssl_root_cert or start.ssl_root_cert)
        if found := _find_joined(workspace, bundle, start):
            return found
        try:
            _redeem(workspace, bundle, start)
        except NotAllowed:  # perhaps because the hub was still busy with an earlier run's exchange
            if found := _find_joined(workspace, bundle, start):
                return found
            raise
        return _keep(workspace, bundle, start, is_new=True)


def _new_config(bundle: Bundle, *, ssl_root_cert: str) -> HubConfig:
    return HubConfig(
        slug=bundle.slug,
        provider="url",
        prefix=bundle.slug,
        name=bundle.url.name,
        folder=choose_folder(bundle.slug),
        ssl_root_cert=ssl_root_cert,
    )


def _find_joined(workspace: Workspace, bundle: Bundle, start: HubConfig) -> Joined | None:
    """Find what an earlier run of this join came to.

    Raises:
        Conflict: the workspace has another login of that hub, and it works.
    """
    had = start.urls.get("app")
    if had is not None and (member := find_member(start, had)):
        if had.user == bundle.url.user:
            return Joined(start, member, is_new=False)
        raise Conflict(
            f"This workspace is in the team of {bundle.slug} already, as {member.name}. The invite was not used.",
            code="team.joined",
            ask=f"To change to the invite's login, leave first: psn_team leave --hub {bundle.slug}",
        )
    left = _read_pending(workspace, bundle)
    if left is not None and left.user == bundle.url.user and find_member(start, left):
        return _keep(workspace, bundle, start, is_new=True)
    return None


def _redeem(workspace: Workspace, bundle: Bundle, start: HubConfig) -> None:
    """Exchange the one-time password for a working one, which is written down before the hub commits."""
    with _telling(bundle), _as_invited(bundle, start) as connection, connection.transaction():
        row = connection.execute("SELECT password, slug FROM hub_api.redeem()").fetchone()
        if row is None or row[1] != bundle.slug:
            raise _is_another(bundle)
        url = bundle.url.with_login(bundle.url.user, str(row[0]))
        write_env_file(pending_path(workspace, bundle.slug), {"DATABASE_URL": url.to_text()}, comment=PENDING_COMMENT)


@contextmanager
def _telling(bundle: Bundle) -> Iterator[None]:
    """Say what it means that an invite is not taken."""
    try:
        with _not_cut_off(bundle.url), refused():
            yield
    except (NotAllowed, psycopg.errors.InsufficientPrivilege):  # the latter of a login that is a member's by now
        raise _is_dead(bundle) from None
    except psycopg.Error:
        raise _is_another(bundle) from None


def _is_another(bundle: Bundle) -> NotReady:
    return NotReady(
        f"What answers at {bundle.url.place} is no hub of {bundle.slug}.",
        code="team.not_this_hub",
        ask="Show the invite's hub and host (psn_team join --dry-run) to the admin who sent it.",
    )


def _is_dead(bundle: Bundle) -> NotAllowed:
    return NotAllowed(
        f"The hub of {bundle.slug} takes this invite no longer: it was used, was taken back, or ran out "
        f"(it was good until {bundle.expires_at:%Y-%m-%d %H:%M} UTC).",
        code="invite.invalid",
        ask=f"Ask an admin of {bundle.slug} for a new one: psn_team invite NAME, or psn_team invite --again NAME for a member. "
        "If you did not use it yourself, say so: somebody else may have.",
    )


@contextmanager
def _as_invited(bundle: Bundle, start: HubConfig) -> Iterator[psycopg.Connection[Any]]:
    try:
        connection = connect(bundle.url.options(ssl_root_cert=start.ssl_root_cert))
    except NotReady as error:
        if error.error_code != "server.wrong_password":
            raise
        raise _is_dead(bundle) from error
    with connection:
        yield connection


def _keep(workspace: Workspace, bundle: Bundle, start: HubConfig, *, is_new: bool) -> Joined:
    """Put the login that was written down into the workspace's file, and look whether it works."""
    url = _read_pending(workspace, bundle)
    assert url is not None, "it was written before the hub committed"
    config = replace(
        start,
        urls={**start.urls, "app": url},
        is_pooled=start.is_pooled or inspect_server(url.options(ssl_root_cert=start.ssl_root_cert)).is_pooled,
    )
    write_hub_config(workspace, config)
    pending_path(workspace, bundle.slug).unlink(missing_ok=True)
    member = find_member(config, url)
    if member is None:
        raise NotReady(
            f"The hub of {bundle.slug} gave a login and does not know it.", code="team.not_verified",
            ask=f"Ask an admin of {bundle.slug} to invite you once more: psn_team invite --again",
        )  # fmt: skip
    return Joined(config, member, is_new=is_new)


def find_member(config: HubConfig, url: DatabaseUrl) -> Member | None:
    """Find out who a login is; None when the hub takes it for nobody.

    Raises:
        NotReady: the hub cannot be asked.
    """
    try:
        with _not_cut_off(url), connect(url.options(ssl_root_cert=config.ssl_root_cert)) as connection:
            row = connection.execute(_ME).fetchone()
    except NotReady as error:
        if error.error_code in ("server.wrong_password", "server.not_allowed"):
            return None
        raise
    except psycopg.errors.InsufficientPrivilege:  # a login that was removed and that the host lets in all the same
        return None
    return None if row is None else Member(str(row[0]), str(row[1]), str(row[2]))


def pending_path(workspace: Workspace, slug: str) -> Path:
    """Name the file of a login that is not sure yet."""
    return workspace.connections / f".joining-{slug}.env"


def _read_pending(workspace: Workspace, bundle: Bundle) -> DatabaseUrl | None:
    text = read_env_file(pending_path(workspace, bundle.slug)).get("DATABASE_URL")
    return read_url(text) if text else None


@contextmanager
def _not_cut_off(url: DatabaseUrl) -> Iterator[None]:
    """Say what a connection means that ends in the middle."""
    try:
        yield
    except psycopg.OperationalError:
        raise NotReady(
            f"The connection to {url.place} ended in the middle. Nothing is lost: the same command goes on where this one ended.",
            code="server.unreachable",
            ask="Run the same command again; psn_team join with the same invite.",
        ) from None
