"""Making and migrating a hub, starting and stopping its server (HUB-1, HUB-5)."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from django.core.management import call_command
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from psycopg import sql

from hub.backend.base import RECOVERY_SECONDS, is_starting
from hub.connections import OWNER, reload_hub
from hub.models import Login, User
from hub.queue.timetable import write_schedules
from hub.rls import roles
from psn.config.hub import PROVIDERS, HubConfig, find_hub_config, get_hub_config, write_hub_config
from psn.config.workspace import Workspace
from psn.errors import Conflict, InvalidInput, NotReady
from psn.providers.local import PORT, LocalServer, ServerStatus, choose_socket_dir, default_home


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
    """Refuse a provider this PSN does not have.

    Raises:
        InvalidInput: with the known names.
    """
    if name not in PROVIDERS:
        raise InvalidInput(
            f"There is no provider {name!r}. Known: {', '.join(PROVIDERS)}.",
            code="provider.unknown",
            next_command="psn_setup --provider local",
        )


def choose_hub(workspace: Workspace) -> HubConfig:
    """Decide where this workspace's hub lives and write `config/hub.env`; the one that is there stays as it is.

    A new hub gets a folder of its own, so that two workspaces of one person never meet.
    """
    if existing := find_hub_config(workspace):
        return existing
    data = default_home() / f"hub-{secrets.token_hex(4)}" / "pg"
    config = HubConfig(data=data, socket_dir=choose_socket_dir(data), secret_key=create_secret_key())
    write_hub_config(workspace, config)
    return config


def create_secret_key() -> str:
    """Make the key that signs queue rows."""
    return secrets.token_urlsafe(48)


def local_server(config: HubConfig) -> LocalServer:
    """Give the server of a local hub."""
    return LocalServer(data=config.data, socket_dir=config.socket_dir)


def create_hub(workspace: Workspace) -> HubConfig:
    """Make or complete the hub's server, roles, database and schemas. Repeatable after a kill anywhere."""
    config = choose_hub(workspace)
    _start_server(config)
    with connect(config, user="postgres", database="postgres") as admin:
        roles.create_roles(admin)
        roles.create_database(admin, config.name)
    with connect(config, user="postgres", database=config.name) as admin:
        admin.execute("ALTER SCHEMA public OWNER TO psn_owner")
        admin.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO psn_owner").format(sql.Identifier(config.name)))
    with connect(config, user="psn_owner", database=config.name) as owner:
        roles.create_schema(owner)
    reload_hub()
    return config


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
    if local_server(config).status().state == "missing":
        return False
    try:
        with connect(config, user="psn_owner", database=config.name) as owner:
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
    """Bring the hub's schema up to date, and make sure that its person and its logins are there.

    Returns:
        the migrations that ran.

    Raises:
        Conflict: the hub was migrated by a newer PSN.
    """
    state = schema_state()
    if state.ahead:
        raise Conflict(
            f"The hub is newer than this PSN (it has {state.ahead[-1]}). Update your clone: git pull.",
            code="hub.newer",
            ask="git pull",
        )
    if state.pending:
        call_command("migrate", database=OWNER, interactive=False, verbosity=0)
    write_schedules()
    _create_person(name=name, timezone=timezone)
    return state.pending


def people_are_made() -> bool:
    """Whether the hub's person and both logins are there."""
    return Login.objects.using(OWNER).filter(login_role__in=["psn_app", "psn_worker"], is_active=True).count() == 2


def update_person(*, name: str, timezone: str) -> None:
    """Let the hub know how the person is called and in which zone he lives."""
    User.objects.update(name=name, timezone=timezone)


def hub_status(workspace: Workspace) -> dict[str, Any]:
    """Tell where the hub is and how it does, without starting it."""
    config = get_hub_config(workspace)
    server: ServerStatus = local_server(config).status()
    return {
        "provider": config.provider,
        "state": server.state,
        "data": str(config.data),
        "socket_dir": str(config.socket_dir),
        "version": server.version,
        "pid": server.pid,
        "size_bytes": server.size_bytes,
    }


def start_hub(workspace: Workspace) -> bool:
    """Start the hub's server; False when it was running."""
    return local_server(get_hub_config(workspace)).wake()


def stop_hub(workspace: Workspace) -> bool:
    """Stop the hub's server; False when it was not running."""
    connections.close_all()
    return local_server(get_hub_config(workspace)).stop()


def _create_person(*, name: str, timezone: str) -> None:
    """Make the one person of a personal hub and the two logins, or complete them."""
    with connections[OWNER].cursor() as cursor:
        connection = cursor.connection
        roles.create_login(connection, "psn_app", group="psn_member")
        roles.create_login(connection, "psn_worker", group="psn_service")
    people = Login.objects.using(OWNER)
    if not people.filter(login_role="psn_app").exists():
        person = User.objects.using(OWNER).order_by("created_at").first() or User.objects.using(OWNER).create(
            name=name, timezone=timezone
        )
        people.get_or_create(login_role="psn_app", defaults={"kind": Login.Kind.MEMBER, "user": person})
    people.get_or_create(login_role="psn_worker", defaults={"kind": Login.Kind.SERVICE, "user": None})


@contextmanager
def connect(config: HubConfig, *, user: str, database: str) -> Iterator[psycopg.Connection[Any]]:
    """Open a connection beside Django's, as the server's superuser or the hub's owner."""
    connection = _wait_for_connection(
        host=str(config.socket_dir),
        port=PORT,
        user=user,
        dbname=database,
        autocommit=True,
        connect_timeout=60,
        application_name="psn-setup",
        options="-c app.maintenance=on",
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
