"""Making and migrating a hub, starting and stopping its server (HUB-1, HUB-5)."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from django.core.management import call_command
from django.db import OperationalError, connections
from django.db.migrations.exceptions import MigrationSchemaMissing
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from hub.backend.base import RECOVERY_SECONDS, is_starting
from hub.connections import OWNER, current_hub, reload_hub
from hub.models import Login, User
from hub.queue.timetable import write_schedules
from hub.rls import roles
from psn.config.database import DatabaseUrl
from psn.config.hub import PERSONAL, PROVIDERS, HubConfig, LoginName, find_hub_config, write_hub_config
from psn.config.workspace import Workspace
from psn.crypto import create_key
from psn.errors import Conflict, InvalidInput, NotReady
from psn.providers.local import LocalServer, ServerStatus, choose_socket_dir, default_home

UNREACHABLE = (OperationalError, psycopg.OperationalError)


@dataclass(frozen=True, slots=True)
class SchemaState:
    """Which migrations a hub has.

    Args:
        pending: known to this PSN and not in the hub.
        ahead: in the hub and unknown to this PSN: the hub was migrated by a newer one.
    """

    pending: tuple[str, ...]
    ahead: tuple[str, ...]


def check_provider(name: str) -> None:
    """Refuse a provider this PSN does not have; an empty one leaves the choice open.

    Raises:
        InvalidInput: with the known names.
    """
    if name and name not in PROVIDERS:
        raise InvalidInput(
            f"There is no provider {name!r}. Known: {', '.join(PROVIDERS)}.",
            code="provider.unknown",
            next_command="psn_setup --provider local",
        )


def choose_hub(workspace: Workspace) -> HubConfig:
    """Decide where this workspace's local hub lives and write `config/hub.env`; the hub that is there stays as it is."""
    if existing := find_hub_config(workspace):
        return existing
    config = plan_local_hub()
    write_hub_config(workspace, config)
    return config


def plan_local_hub() -> HubConfig:
    """Choose a place for a new local hub: a folder of its own, so that two workspaces of one person never meet."""
    data = default_home() / f"hub-{secrets.token_hex(4)}" / "pg"
    return HubConfig(data=data, socket_dir=choose_socket_dir(data), secret_key=create_secret_key())


def plan_remote_hub(
    admin: DatabaseUrl, *, provider: str, slug: str = "", project: str = "", ssl_root_cert: str = ""
) -> HubConfig:
    """Choose roles and passwords for a new hub in somebody's database, before anything is made there.

    Whoever writes this down first can be killed at any time: what is made later gets these very passwords.

    Args:
        admin: the login that the host gave; it makes the roles, and is not kept.
        slug: of the company; a personal hub's roles get a prefix of their own, because roles are the whole server's.
    """
    prefix = slug or f"{PERSONAL}_{secrets.token_hex(3)}"
    direct = admin.direct()
    logins = ("worker", "owner") if slug else ("worker", "owner", "app")
    return HubConfig(
        slug=slug,
        provider=provider,
        prefix=prefix,
        name=admin.name,
        urls={login: direct.with_login(f"{prefix}_{login}", roles.create_password()) for login in logins},
        ssl_root_cert=ssl_root_cert,
        project=project,
        folder=choose_folder(slug),
        key=create_key().to_text() if slug else "",
        secret_key=create_secret_key(),
    )


def create_secret_key() -> str:
    """Make the key that signs queue rows."""
    return secrets.token_urlsafe(48)


def choose_folder(slug: str = "") -> Path:
    """Choose where the processes of a remote hub keep their logs and state on this computer."""
    return default_home() / f"{f'company-{slug}' if slug else 'hub'}-{secrets.token_hex(4)}"


def local_server(config: HubConfig) -> LocalServer:
    """Give the server of a local hub."""
    data, socket_dir = config.local_places
    return LocalServer(data=data, socket_dir=socket_dir)


def create_hub(workspace: Workspace) -> HubConfig:
    """Make or complete the local hub of this workspace: server, roles, database, schemas. Repeatable after a kill anywhere."""
    config = choose_hub(workspace)
    make_local_hub(config)
    reload_hub()
    return config


def create_remote_hub(workspace: Workspace, admin: DatabaseUrl, planned: HubConfig) -> HubConfig:
    """Make or complete this workspace's personal hub in somebody's database. Repeatable after a kill anywhere.

    Args:
        admin: the login that the host gave.
        planned: what a new hub is to be; the one in `config/hub.env` when that has one.
    """
    config = find_hub_config(workspace)
    if config is None:
        config = planned
        write_hub_config(workspace, config)
    make_remote_hub(config, admin)
    reload_hub()
    return config


def make_local_hub(config: HubConfig) -> None:
    """Make or complete a local hub's server, roles, database and schemas."""
    _start_server(config)
    with connect_local(config, user="postgres", database="postgres") as admin:
        roles.create_roles(admin)
        roles.create_database(admin, config.name)
    with connect_local(config, user="postgres", database=config.name) as admin:
        roles.open_database(admin, prefix=config.prefix)
    with connect(config, "owner") as owner:
        roles.create_schema(owner)


def make_remote_hub(config: HubConfig, admin: DatabaseUrl) -> None:
    """Make or complete a hub's roles and schemas in somebody's database, with SQL alone: the host's own roles may see too much.

    Args:
        admin: the login that the host gave; it may make roles and owns the database.
    """
    kind: roles.Kind = "company" if config.is_company else "personal"
    with open_connection(admin.options(ssl_root_cert=config.ssl_root_cert)) as connection:
        roles.create_roles(connection, prefix=config.prefix, kind=kind, owner_password=config.url("owner").password)
        roles.open_database(connection, prefix=config.prefix)
    with connect(config, "owner") as owner:
        roles.create_schema(owner, prefix=config.prefix, kind=kind)


def _start_server(config: HubConfig) -> None:
    """Start the hub's server, and make it when it never was: a hub with a key had data, and losing them is for a person to mend.

    Raises:
        NotReady: the data directory is gone.
    """
    if not config.key:
        local_server(config).ensure_running()
        return
    try:
        local_server(config).wake()
    except NotReady as error:
        if error.error_code == "hub.data_missing":
            error.ask = f"{error.ask} To begin anew with an empty hub, move config/hub.env away first."
        raise


def hub_is_made(config: HubConfig) -> bool:
    """Whether server, roles, database and schemas are there."""
    if config.is_local and local_server(config).status().state == "missing":
        return False
    try:
        with connect(config, "owner") as owner:
            row = owner.execute("SELECT count(*) FROM hub_api.setting WHERE key = 'role_prefix'").fetchone()
    except (psycopg.OperationalError, psycopg.errors.UndefinedTable, psycopg.errors.InsufficientPrivilege):
        return False
    return bool(row and row[0])


def schema_state() -> SchemaState:
    """Compare the hub's migrations with this PSN's."""
    executor = MigrationExecutor(connections[OWNER])
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    known = set(executor.loader.disk_migrations)
    ahead = sorted(
        f"{app}.{name}" for app, name in executor.loader.applied_migrations if app == "hub" and (app, name) not in known
    )
    return SchemaState(pending=tuple(f"{m.app_label}.{m.name}" for m, _ in plan), ahead=tuple(ahead))


def migrate_hub(*, name: str, timezone: str) -> tuple[str, ...]:
    """Bring the personal hub's schema up to date, and make sure that its person and its logins are there.

    Returns:
        the migrations that ran.

    Raises:
        Conflict: the hub was migrated by a newer PSN.
    """
    applied = migrate_schema()
    _create_person(current_hub(), name=name, timezone=timezone)
    return applied


def migrate_schema() -> tuple[str, ...]:
    """Bring the hub's schema and its recurring tasks up to date; give the migrations that ran.

    Raises:
        Conflict: the hub was migrated by a newer PSN.
        NotReady: this computer has not the owner's login.
    """
    check_owner()
    state = schema_state()
    if state.ahead:
        raise Conflict(
            f"The hub is newer than this PSN (it has {state.ahead[-1]}). Update your clone: git pull.",
            code="hub.newer",
            ask="git pull",
        )
    if state.pending:
        try:
            call_command("migrate", database=OWNER, interactive=False, verbosity=0)
        except MigrationSchemaMissing as error:
            raise error.__context__ or error from None  # it hides that the hub went away just then
    write_schedules()
    return state.pending


def check_owner() -> None:
    """Refuse to change what only the hub's owner may change, where his login is not.

    Raises:
        NotReady: somebody else has to do it.
    """
    if not current_hub().has_owner:
        current_hub().url("owner")


def find_missing_migrations() -> tuple[str, ...]:
    """Name the migrations that this PSN knows and the hub has not, as a member sees it who cannot change that."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT name FROM django_migrations WHERE app = 'hub'")
        applied = {name for (name,) in cursor.fetchall()}
    known = {name for app, name in MigrationLoader(None).disk_migrations if app == "hub"}
    return tuple(f"hub.{name}" for name in sorted(known - applied))


def people_are_made() -> bool:
    """Whether the personal hub's person and both logins are there."""
    wanted = [f"{current_hub().prefix}_{login}" for login in ("app", "worker")]
    return Login.objects.using(OWNER).filter(login_role__in=wanted, is_active=True).count() == 2


def hub_status(config: HubConfig) -> dict[str, Any]:
    """Tell where a hub is and how it does, without starting it."""
    if config.is_local:
        server: ServerStatus = local_server(config).status()
        return {
            "provider": config.provider,
            "place": config.place,
            "state": server.state,
            "data": str(config.data),
            "socket_dir": str(config.socket_dir),
            "version": server.version,
            "pid": server.pid,
            "size_bytes": server.size_bytes,
        }
    about = {"provider": config.provider, "place": config.place, "company": config.slug or None, "data": None}
    login: LoginName = "app" if "app" in config.urls else "owner"
    try:
        with open_connection(config.options(login) | {"connect_timeout": 15}) as connection:
            (size,) = connection.execute("SELECT pg_database_size(current_database())").fetchone() or (None,)
            version = connection.info.server_version // 10000
    except psycopg.OperationalError as error:
        return about | {"state": "away", "why": str(error).strip().splitlines()[0]}
    return about | {"state": "running", "version": version, "size_bytes": size, "may_migrate": config.has_owner}


def start_hub(config: HubConfig) -> bool:
    """Start a local hub's server; False when it was running, or is somebody else's."""
    return config.is_local and local_server(config).wake()


def stop_hub(config: HubConfig) -> bool:
    """Stop a local hub's server; False when it was not running, or is somebody else's."""
    connections.close_all()
    return config.is_local and local_server(config).stop()


def _create_person(config: HubConfig, *, name: str, timezone: str) -> None:
    """Make the one person of a personal hub and the two logins, or complete them."""
    with connections[OWNER].cursor() as cursor:
        connection = cursor.connection
        for login, group in (("app", "member"), ("worker", "service")):
            create_login(connection, config, login, group=group)
    people = Login.objects.using(OWNER)
    if not people.filter(login_role=f"{config.prefix}_app").exists():
        person = User.objects.using(OWNER).order_by("created_at").first() or User.objects.using(OWNER).create(
            name=name, timezone=timezone
        )
        people.get_or_create(login_role=f"{config.prefix}_app", defaults={"kind": Login.Kind.MEMBER, "user": person})
    people.get_or_create(login_role=f"{config.prefix}_worker", defaults={"kind": Login.Kind.SERVICE, "user": None})


def create_login(owner: psycopg.Connection[Any], config: HubConfig, login: str, *, group: str) -> None:
    """Make one of the hub's own logins with the password that its file has, or complete it."""
    password = config.urls[login].password if login in config.urls else ""
    roles.create_login(owner, f"{config.prefix}_{login}", group=f"{config.prefix}_{group}", password=password)


@contextmanager
def connect(config: HubConfig, login: LoginName) -> Iterator[psycopg.Connection[Any]]:
    """Open a connection beside Django's, as one of the hub's logins."""
    with open_connection(config.options(login)) as connection:
        if login == "owner":
            connection.execute("SET app.maintenance = 'on'")
        yield connection


@contextmanager
def connect_local(config: HubConfig, *, user: str, database: str) -> Iterator[psycopg.Connection[Any]]:
    """Open a connection to a local hub's server, as its superuser too."""
    with open_connection({**config.options("owner"), "user": user, "dbname": database}) as connection:
        yield connection


@contextmanager
def open_connection(options: dict[str, Any]) -> Iterator[psycopg.Connection[Any]]:
    """Open a connection in autocommit."""
    connection = _wait_for_connection(
        **{"connect_timeout": 60, **options}, autocommit=True, application_name="psn-setup"
    )
    try:
        yield connection
    finally:
        connection.close()


def _wait_for_connection(**options: Any) -> psycopg.Connection[Any]:
    """Connect; wait while the server recovers from a crash."""
    give_up = time.monotonic() + RECOVERY_SECONDS
    while True:
        try:
            return psycopg.connect(**options)
        except psycopg.OperationalError as error:
            if not is_starting(error) or time.monotonic() > give_up:
                raise
            time.sleep(0.05)
