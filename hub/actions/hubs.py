"""Making, migrating, backing up and restoring a hub (HUB-1, HUB-5, HUB-12)."""

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
from django.db import connections, transaction
from django.db.migrations.executor import MigrationExecutor
from psycopg import sql

from hub.backend.base import RECOVERY_SECONDS, is_starting
from hub.connections import OWNER, reload_hub
from hub.models import Login, Post, Status, User
from hub.queue import bells
from hub.rls import roles
from psn.config.hub import PROVIDERS, HubConfig, find_hub_config, get_hub_config, write_hub_config
from psn.config.workspace import Workspace
from psn.errors import Conflict, InvalidInput, NotFound, NotReady
from psn.providers.local import PORT, LocalServer, ServerStatus, choose_socket_dir, default_home

REPLACED = "psn_replaced"  # the database that the last restore put aside
_INCOMING = "psn_incoming"


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
    config = HubConfig(data=data, socket_dir=choose_socket_dir(data), secret_key=secrets.token_urlsafe(48))
    write_hub_config(workspace, config)
    return config


def local_server(config: HubConfig) -> LocalServer:
    """Give the server of a local hub."""
    return LocalServer(data=config.data, socket_dir=config.socket_dir)


def create_hub(workspace: Workspace) -> HubConfig:
    """Make or complete the hub's server, roles, database and schemas. Repeatable after a kill anywhere."""
    config = choose_hub(workspace)
    local_server(config).ensure_running()
    with _connect(config, user="postgres", database="postgres") as admin:
        roles.create_roles(admin)
        roles.create_database(admin, config.name)
    with _connect(config, user="postgres", database=config.name) as admin:
        admin.execute("ALTER SCHEMA public OWNER TO psn_owner")
        admin.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO psn_owner").format(sql.Identifier(config.name)))
    with _connect(config, user="psn_owner", database=config.name) as owner:
        roles.create_schema(owner)
    reload_hub()
    return config


def hub_is_made(config: HubConfig) -> bool:
    """Whether server, roles, database and schemas are there."""
    if local_server(config).status().state == "missing":
        return False
    try:
        with _connect(config, user="psn_owner", database=config.name) as owner:
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
    return local_server(get_hub_config(workspace)).ensure_running()


def stop_hub(workspace: Workspace) -> bool:
    """Stop the hub's server; False when it was not running."""
    connections.close_all()
    return local_server(get_hub_config(workspace)).stop()


def backup_hub(workspace: Workspace, *, target: Path) -> dict[str, Any]:
    """Write the whole hub to one file. The encryption key is not in it: keep `config/hub.env` beside it, somewhere safe.

    Raises:
        Conflict: the file exists.
    """
    if target.exists():
        raise Conflict(f"{target} exists already; a backup never overwrites one.", code="backup.exists")
    config = get_hub_config(workspace)
    local_server(config).ensure_running()
    local_server(config).dump(config.name, target.absolute())
    keys = [key.id for key in config.read_keys()]
    return {"file": str(target), "size_bytes": target.stat().st_size, "needs_keys": keys}


def restore_hub(workspace: Workspace, *, source: Path) -> dict[str, Any]:
    """Put a backup in the place of the hub's database; the one it replaces is kept as `psn_replaced`.

    The backup is restored beside the hub and exchanged for it in one moment: when it cannot be restored, nothing changed.

    Raises:
        NotFound: there is no such file.
        NotReady: it is no backup of a hub, or cannot be restored.
    """
    if not source.is_file():
        raise NotFound(f"There is no file {source}.", code="backup.not_found")
    config = create_hub(workspace)
    with _connect(config, user="postgres", database="postgres") as admin:
        for login, group in (("psn_app", "psn_member"), ("psn_worker", "psn_service")):
            roles.create_login(admin, login, group=group)
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(_INCOMING)))
        roles.create_database(admin, _INCOMING)
        local_server(config).restore_into(_INCOMING, source.absolute())
        _close_to_public(admin, _INCOMING)
        counts = _check_restored(config)
        settled = _settle_restored(config)
        connections.close_all()
        _exchange(admin, current=config.name)
    _ring_anew()
    return {"file": str(source), "posts": counts, **settled, "replaced_database": REPLACED}


def _check_restored(config: HubConfig) -> int:
    try:
        with _connect(config, user="postgres", database=_INCOMING) as incoming:
            incoming.execute("SELECT count(*) FROM django_migrations WHERE app = 'hub'")
            row = incoming.execute("SELECT count(*) FROM posts").fetchone()
    except psycopg.errors.UndefinedTable as error:
        raise NotReady("The file is a Postgres backup, but not of a hub.", code="backup.foreign") from error
    return int(row[0]) if row else 0


def _settle_restored(config: HubConfig) -> dict[str, int]:
    """Let nothing go out twice: what was due since the backup was made may be live already, and this hub cannot know.

    Returns:
        how many posts became `missed` (their time has passed) and `unknown` (they were just going out).
    """
    missed = "Its time passed between the backup and the restore, so it may be live. Look at the account before you schedule it again."
    unknown = "It was going out when the backup was made, so it may be live. Look at the account."
    with _connect(config, user="postgres", database=_INCOMING) as incoming, incoming.transaction():
        incoming.execute(
            "SET LOCAL session_replication_role = replica"
        )  # the laws see people's rows only, and nobody acts here
        late = incoming.execute(
            "UPDATE posts SET status = 'missed', error_code = 'restore.overdue', error_message = %s "
            "WHERE status = 'scheduled' AND due_at <= now()",
            (missed,),
        )
        sending = incoming.execute(
            "UPDATE posts SET status = 'unknown', phase = '', lease_until = NULL, lease_owner = '', error_code = 'restore.in_flight', "
            "error_message = %s WHERE status = 'publishing'",
            (unknown,),
        )
        incoming.execute("DELETE FROM django_q_ormq")  # the bells of another workspace; see _ring_anew
    return {"missed": late.rowcount, "unknown": sending.rowcount}


def _exchange(admin: psycopg.Connection[Any], *, current: str) -> None:
    old, incoming, name = sql.Identifier(REPLACED), sql.Identifier(_INCOMING), sql.Identifier(current)
    admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(old))
    with admin.transaction():
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname IN (%s, %s)", (current, _INCOMING)
        )
        admin.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(name, old))
        admin.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(incoming, name))


def _ring_anew() -> None:
    """Ring for what is still to come: the queue's rows are signed by the workspace that the backup was made in."""
    with transaction.atomic():
        for post in Post.objects.filter(status=Status.SCHEDULED, due_at__isnull=False):
            assert post.due_at is not None
            bells.ring(user_id=post.user_id, post_id=post.id, at=post.due_at)


def _close_to_public(admin: psycopg.Connection[Any], database: str) -> None:
    """Rights on the database itself are not part of a dump."""
    name = sql.Identifier(database)
    admin.execute(sql.SQL("REVOKE CONNECT, TEMPORARY ON DATABASE {} FROM PUBLIC").format(name))
    admin.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO psn_member, psn_service").format(name))
    admin.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO psn_owner").format(name))


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
def _connect(config: HubConfig, *, user: str, database: str) -> Iterator[psycopg.Connection[Any]]:
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
