"""The servers that tests start are what they say they are."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from psn.config.database import read_url
from tests.servers import POOLER, Kind, Server, need_server, pgbouncer, run_server

KINDS: list[Kind] = ["18", "16", "15", "18-tls"]
ASKED = "SELECT rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, rolreplication FROM pg_roles WHERE rolname = current_user"


@pytest.fixture(params=KINDS)
def server(request: pytest.FixtureRequest) -> Server:
    return need_server(request.param)


class TestAServer:
    def test_is_of_its_version_and_checks_passwords(self, server: Server) -> None:
        with server.connect() as connection:
            assert connection.info.server_version // 10_000 == server.version
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            server.connect(password="wrong")

    def test_gives_an_address_that_the_product_reads(self, server: Server) -> None:
        with psycopg.connect(**read_url(server.url()).options()) as connection:
            assert connection.info.user == "postgres"

    def test_has_tls_whose_name_can_be_verified_where_it_has_tls(self, server: Server) -> None:
        url = read_url(server.url(sslmode="verify-full"))
        if server.ca_file is None:
            with pytest.raises(psycopg.OperationalError, match="does not support SSL"):
                psycopg.connect(**url.options())
            return
        with psycopg.connect(**url.options(ssl_root_cert=str(server.ca_file))) as connection:
            assert connection.pgconn.ssl_in_use
        with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
            psycopg.connect(**url.options())


class TestAnAdmin:
    def test_is_no_more_than_a_maker_of_roles_who_owns_a_database(self, server: Server) -> None:
        with admin_of(server, neon_like=False) as connection:
            assert connection.execute(ASKED).fetchone() == (False, True, False, False, False)
            connection.execute("CREATE TABLE mine (a int)")

    def test_is_built_as_neon_builds_its_own_where_that_is_asked_for(self, server: Server) -> None:
        with admin_of(server, neon_like=True) as connection:
            assert connection.execute(ASKED).fetchone() == (False, True, True, True, True)
            asked = "SELECT pg_has_role('neon_superuser', 'MEMBER'), pg_has_role('pg_write_all_data', 'USAGE')"
            assert connection.execute(asked).fetchone() == (True, True)

    def test_leaves_nothing_when_dropped(self, server: Server) -> None:
        with admin_of(server, neon_like=False) as connection:
            connection.execute("CREATE ROLE an_admin_s_member")
        with server.connect() as admin:
            assert admin.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE 'an_admin%'").fetchall() == []
            assert admin.execute("SELECT 1 FROM pg_database WHERE datname = 'an_admin'").fetchone() is None


@pytest.mark.skipif(POOLER is None, reason="pgbouncer is not installed")
class TestAPooler:
    def test_lets_logins_in_that_were_made_after_it_started(self, server: Server) -> None:
        with pgbouncer(server) as pooler, server.connect() as admin:
            admin.execute("CREATE ROLE later LOGIN PASSWORD 'first'")
            try:
                with pooler.connect("later", "first") as connection:
                    told = connection.execute("SELECT session_user, pg_backend_pid()").fetchone()
                    assert told is not None
                    assert told[0] == "later"
                    assert told[1] != connection.info.backend_pid
                admin.execute("ALTER ROLE later PASSWORD 'second'")
                with pytest.raises(psycopg.OperationalError):
                    pooler.connect("later", "first")
                pooler.connect("later", "second").close()
            finally:
                admin.execute("DROP ROLE later")

    def test_gives_a_server_connection_for_a_transaction_alone(self, server: Server) -> None:
        with pgbouncer(server, pool_size=1) as pooler, pooler.connect() as one, pooler.connect() as other:
            asked = "SELECT pg_backend_pid()"
            assert one.execute(asked).fetchone() == other.execute(asked).fetchone()


class TestAServerOfOnesOwn:
    def test_takes_settings_and_is_gone_afterwards(self) -> None:
        with run_server("18", settings={"max_connections": "7"}) as server:
            with server.connect() as connection:
                assert connection.execute("SHOW max_connections").fetchone() == ("7",)
            home = server.home
            assert home.exists()
        with pytest.raises(psycopg.OperationalError):
            server.connect()
        assert not home.exists()


@contextlib.contextmanager
def admin_of(server: Server, *, neon_like: bool) -> Iterator[psycopg.Connection[Any]]:
    """An admin's own connection; he and his database are dropped at the end."""
    with psycopg.connect(server.make_admin("an_admin", neon_like=neon_like), autocommit=True) as connection:
        yield connection
    server.drop("an_admin")
