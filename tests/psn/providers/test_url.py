"""What a server at an address is, seen through real servers, a real pooler and a proxy like Neon's (HUB-5)."""

from __future__ import annotations

import os
import re
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from hub.rls import roles
from psn.config.database import read_url
from psn.errors import NotReady
from psn.providers.url import ServerFacts, check_fit, connect, inspect_server
from tests.servers import Absent, Server, need_server, pgbouncer

Options = dict[str, Any]
MakeAdmin = Callable[..., Options]


@pytest.fixture
def server() -> Server:
    return need_server("18")


@pytest.fixture
def tls_server() -> Server:
    return need_server("15")


@pytest.fixture
def prefix(server: Server) -> Iterator[str]:
    """A name of roles that is this test's alone; what was made of it is dropped."""
    name = f"u{secrets.token_hex(4)}"
    yield name
    server.drop(name)


@pytest.fixture
def make_admin(server: Server, prefix: str) -> MakeAdmin:
    """Make a login as a host gives it, with a database of its own."""

    def make(*, neon_like: bool = False) -> Options:
        return read_url(server.make_admin(prefix, neon_like=neon_like)).options()

    return make


@pytest.fixture
def admin(make_admin: MakeAdmin) -> Options:
    return make_admin()


def tls_options(server: Server, **changes: Any) -> Options:
    """Give what verifies a server's certificate."""
    options = read_url(server.url(sslmode="verify-full")).options(ssl_root_cert=str(server.ca_file))
    return options | changes


class TestWhatALoginMay:
    def test_is_all_that_a_hub_needs_where_a_host_gives_out_roles(self, admin: Options, prefix: str) -> None:
        facts = inspect_server(admin, prefix=prefix)
        assert facts == ServerFacts(
            version=18,
            has_tls=False,
            can_create_roles=True,
            is_superuser=False,
            bypasses_rls=False,
            owns_database=True,
            can_create_in_database=True,
            is_pooled=False,
            foreign_tables=0,
        )
        check_fit(facts, company=True, loopback=True)

    def test_is_more_than_it_needs_at_neon(self, make_admin: MakeAdmin) -> None:
        facts = inspect_server(make_admin(neon_like=True))
        assert (facts.bypasses_rls, facts.is_superuser, facts.can_create_roles, facts.owns_database) == (
            True,
            False,
            True,
            True,
        )
        check_fit(facts, company=True, loopback=True)

    def test_is_everything_for_a_superuser(self, server: Server) -> None:
        facts = inspect_server(read_url(server.url()).options())
        assert facts.is_superuser
        assert facts.can_create_roles
        assert facts.owns_database

    def test_is_nothing_for_a_plain_login(self, server: Server, admin: Options, prefix: str) -> None:
        with server.connect() as superuser:
            superuser.execute(f"CREATE ROLE {prefix}_plain LOGIN PASSWORD 'plain'")
        facts = inspect_server(admin | {"user": f"{prefix}_plain", "password": "plain"})
        assert (facts.can_create_roles, facts.owns_database, facts.can_create_in_database) == (False, False, False)


class TestWhatIsInTheDatabase:
    @pytest.mark.parametrize("kind", ["personal", "company"])
    def test_is_a_hub_of_its_kind(self, server: Server, admin: Options, prefix: str, kind: roles.Kind) -> None:
        make_hub(server, admin, prefix=prefix, kind=kind).close()
        facts = inspect_server(admin, prefix=prefix)
        assert (facts.role_prefix, facts.kind, facts.is_taken, facts.is_hub) == (prefix, kind, False, True)

    def test_counts_no_table_of_a_hub_as_foreign(self, server: Server, admin: Options, prefix: str) -> None:
        with closing(make_hub(server, admin, prefix=prefix, kind="personal")) as owner:
            owner.execute("CREATE TABLE posts ()")
        assert inspect_server(admin).foreign_tables == 0

    def test_counts_tables_and_views_of_others(self, admin: Options) -> None:
        with closing(connect(admin)) as connection:
            connection.execute("CREATE TABLE customers (id int); CREATE VIEW rich AS SELECT * FROM customers")
        facts = inspect_server(admin)
        assert facts.foreign_tables == 2
        assert refusal_of(facts, company=False).error_code == "server.not_empty"

    def test_counts_nothing_that_an_extension_brought(self, tls_server: Server) -> None:
        name = f"u{secrets.token_hex(4)}"
        options = read_url(tls_server.make_admin(name)).options()
        try:
            with tls_server.connect(database=name) as superuser:
                superuser.execute("CREATE EXTENSION pg_buffercache")
                relations = superuser.execute(
                    "SELECT count(*) FROM pg_views WHERE schemaname = 'public' AND viewname = 'pg_buffercache'"
                ).fetchone()
            assert relations == (1,)
            assert inspect_server(options).foreign_tables == 0
        finally:
            tls_server.drop(name)

    def test_tells_that_the_roles_are_taken_by_another_database(
        self, server: Server, admin: Options, prefix: str
    ) -> None:
        with server.connect() as superuser:
            superuser.execute(f"CREATE ROLE {prefix}_owner NOLOGIN")
        assert inspect_server(admin, prefix=prefix).is_taken
        assert not inspect_server(admin, prefix=f"{prefix}x").is_taken

    def test_is_no_hub_when_somebody_else_has_such_a_schema(self, admin: Options) -> None:
        with closing(connect(admin)) as connection:
            connection.execute("CREATE SCHEMA hub_api; CREATE TABLE hub_api.setting ()")
        assert not inspect_server(admin).is_hub


class TestTheWayThere:
    def test_is_encrypted_and_checked(self, tls_server: Server) -> None:
        facts = inspect_server(tls_options(tls_server))
        assert (facts.has_tls, facts.version) == (True, 15)

    @pytest.mark.parametrize("mode", ["transaction", "session"])
    def test_is_known_to_lead_through_a_pooler(self, server: Server, admin: Options, mode: Any) -> None:
        """Through neither can a session begin with a setting, as the owner's does."""
        try:
            with pgbouncer(server, mode=mode, pool_size=1) as pooler:
                facts = inspect_server(admin | {"port": pooler.port})
        except Absent as reason:
            pytest.skip(str(reason))
        assert facts.is_pooled
        assert refusal_of(facts, company=False).error_code == "server.pooled"

    @pytest.mark.parametrize("mode", ["transaction", "session"])
    def test_is_known_to_lead_through_a_pooler_that_takes_any_setting_and_forgets_it(
        self, server: Server, admin: Options, mode: Any
    ) -> None:
        try:
            with pgbouncer(server, mode=mode) as pooler, ignoring_options(pooler):
                assert inspect_server(admin | {"port": pooler.port}).is_pooled
        except Absent as reason:
            pytest.skip(str(reason))

    def test_is_direct_behind_a_proxy_that_makes_up_process_ids(self, server: Server, admin: Options) -> None:
        with proxy_like_neon(server) as port:
            options = admin | {"port": port, "sslmode": "disable"}
            with closing(connect(options)) as connection:
                row = connection.execute("SELECT pg_backend_pid()").fetchone()
                assert row is not None
                assert row[0] != connection.info.backend_pid, "the proxy shows the server's own process id"
            assert not inspect_server(options).is_pooled


class TestNoWayThere:
    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"port": 1}, "server.unreachable"),
            ({"host": "no-such-host.invalid"}, "server.unreachable"),
            ({"host": f"{'a' * 70}.example"}, "server.unreachable"),
            ({"host": "certificate.invalid", "user": "channel binding"}, "server.unreachable"),
            ({"password": "not-the-password"}, "server.wrong_password"),
            ({"password": ""}, "server.wrong_password"),
            ({"user": "nobody-here"}, "server.wrong_password"),
            ({"dbname": "nowhere"}, "server.no_database"),
            ({"sslrootcert": "/nonexistent/authority"}, "server.tls"),
            ({"sslrootcert": "/etc/ssl/certs/ca-certificates.crt"}, "server.tls"),
            ({"host": "hub.example", "hostaddr": "127.0.0.1"}, "server.tls"),
        ],
        ids=lambda value: value if isinstance(value, str) else "-".join(value),
    )
    def test_is_told_with_what_to_do(self, tls_server: Server, changes: Options, code: str) -> None:
        options = tls_options(tls_server, **changes)
        with pytest.raises(NotReady) as caught:
            inspect_server(options)
        assert caught.value.error_code == code
        assert_hides(caught.value, tls_server.password, changes.get("password", ""))
        assert re.search(r"Check|Copy|Give|Switch", caught.value.message)

    def test_is_told_of_a_server_without_tls(self, server: Server) -> None:
        options = read_url(server.url(sslmode="verify-full")).options(ssl_root_cert=__file__)
        with pytest.raises(NotReady) as caught:
            connect(options)
        assert caught.value.error_code == "server.no_tls"

    def test_is_told_of_a_member_who_was_let_go(self, server: Server, admin: Options, prefix: str) -> None:
        """Where a host lets his login in all the same: the database does not, or has no connection for him."""
        with server.connect() as superuser:
            superuser.execute(f"CREATE ROLE {prefix}_gone LOGIN PASSWORD 'gone' CONNECTION LIMIT 0")
            superuser.execute(f"REVOKE CONNECT ON DATABASE {prefix} FROM PUBLIC")
            options = admin | {"user": f"{prefix}_gone", "password": "gone"}
            assert code_of(options) == "server.wrong_password"
            superuser.execute(f"ALTER ROLE {prefix}_gone CONNECTION LIMIT -1")
            assert code_of(options) == "server.wrong_password"


class TestAConnection:
    def test_is_in_autocommit_and_gives_plain_rows(self, admin: Options) -> None:
        with closing(connect(admin)) as connection:
            assert connection.autocommit
            assert connection.execute("SELECT 1, 2").fetchone() == (1, 2)

    def test_takes_what_the_caller_wants_instead(self, admin: Options) -> None:
        with closing(connect(admin, autocommit=False)) as connection:
            connection.execute("SELECT 1")
            assert connection.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS


GOOD = ServerFacts(
    version=18,
    has_tls=True,
    can_create_roles=True,
    is_superuser=False,
    bypasses_rls=False,
    owns_database=True,
    can_create_in_database=True,
    is_pooled=False,
    foreign_tables=0,
)


class TestAFit:
    def test_is_a_good_server(self) -> None:
        check_fit(GOOD, company=True, loopback=False)
        check_fit(replace(GOOD, version=15), company=False, loopback=False)
        check_fit(replace(GOOD, has_tls=False), company=True, loopback=True)
        check_fit(replace(GOOD, foreign_tables=2, role_prefix="acme", kind="company"), company=True, loopback=False)

    @pytest.mark.parametrize(
        ("changes", "company", "code"),
        [
            ({"has_tls": False}, False, "server.no_tls"),
            ({"is_pooled": True}, False, "server.pooled"),
            ({"version": 14}, False, "server.too_old"),
            ({"version": 15}, True, "server.too_old"),
            ({"can_create_roles": False}, False, "server.no_createrole"),
            ({"owns_database": False}, False, "server.not_owner"),
            ({"can_create_in_database": False}, False, "server.not_owner"),
            ({"foreign_tables": 1}, False, "server.not_empty"),
        ],
        ids=lambda value: "-".join(value) if isinstance(value, dict) else str(value),
    )
    def test_is_refused_with_what_to_do(self, changes: dict[str, Any], company: bool, code: str) -> None:
        refusal = refusal_of(replace(GOOD, **changes), company=company, loopback=False)
        assert refusal.error_code == code
        assert re.search(r"Ask|Add|Give|give|choose", refusal.message)


def make_hub(server: Server, admin: Options, *, prefix: str, kind: roles.Kind) -> psycopg.Connection[Any]:
    """Make a hub's roles and schema as the product does; the owner's connection."""
    with closing(connect(admin)) as connection:
        roles.create_roles(connection, prefix=prefix, kind=kind, owner_password="own-it")
        roles.open_database(connection, prefix=prefix)
    owner = connect(admin | {"user": f"{prefix}_owner", "password": "own-it"})
    roles.create_schema(owner, prefix=prefix, kind=kind)
    return owner


def refusal_of(facts: ServerFacts, *, company: bool, loopback: bool = True) -> NotReady:
    """Say why a hub does not fit."""
    with pytest.raises(NotReady) as caught:
        check_fit(facts, company=company, loopback=loopback)
    return caught.value


def code_of(options: Options) -> str:
    """Say why nobody gets in."""
    with pytest.raises(NotReady) as caught:
        connect(options)
    return caught.value.error_code


def assert_hides(error: NotReady, *passwords: str) -> None:
    """See that no password is in the error, nor in the one it shows as its cause."""
    assert error.__cause__ is None
    assert error.__suppress_context__
    for password in filter(None, passwords):
        assert password not in f"{error.message}{error.ask}{error.args}"


@contextmanager
def ignoring_options(pooler: Server) -> Iterator[None]:
    """Have a pooler accept settings at the beginning of a session, and drop them."""
    ini = pooler.home / "ini"
    ini.write_text(f"{ini.read_text()}ignore_startup_parameters = options,extra_float_digits\n")
    running = re.search(r"\[(\d+)\]", pooler.read_log())
    assert running
    os.kill(int(running[1]), signal.SIGHUP)
    deadline = time.monotonic() + 10
    while "RELOAD" not in pooler.read_log() and "got SIGHUP" not in pooler.read_log():
        assert time.monotonic() < deadline, pooler.read_log()
        time.sleep(0.02)
    yield


@contextmanager
def proxy_like_neon(server: Server) -> Iterator[int]:
    """Pass connections on one by one, and tell the client a process id that is nobody's; gives the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, server), daemon=True).start()
        yield listener.getsockname()[1]


def _accept(listener: socket.socket, server: Server) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        upstream = socket.create_connection((server.host, server.port))
        threading.Thread(target=_pump, args=(client, upstream, False), daemon=True).start()
        threading.Thread(target=_pump, args=(upstream, client, True), daemon=True).start()


def _pump(source: socket.socket, target: socket.socket, from_server: bool) -> None:
    key = re.compile(rb"K\x00\x00\x00\x0c(.{8})", re.DOTALL)  # BackendKeyData: process id and secret
    with suppress(OSError):
        while content := source.recv(65536):
            if from_server:
                content = key.sub(lambda _: b"K\x00\x00\x00\x0c" + b"\x7f" + secrets.token_bytes(7), content)
            target.sendall(content)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
            end.close()
