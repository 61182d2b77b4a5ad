"""Addresses of databases: read strictly, shown without their password, and never less safe than TLS with a checked name."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import certifi

from psn.errors import InvalidInput

MAX_CHARACTERS = 4096
PORT = 5432
# from the weakest to the strongest: libpq, "SSL Support" (postgresql.org/docs/18/libpq-ssl.html)
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
CHANNEL_BINDINGS = ("disable", "prefer", "require")
_NEON_POOLER = "-pooler."


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """A database and the login to it.

    Args:
        name: of the database.
        sslmode: as the address asks for it; empty when it does not say. A remote host gets `verify-full` whatever it says.
        channel_binding: the same; `require` where there is verified TLS and the address does not say.
    """

    host: str
    name: str
    user: str
    password: str = field(default="", repr=False)
    port: int = PORT
    sslmode: str = ""
    channel_binding: str = ""

    @property
    def is_loopback(self) -> bool:
        """Whether the host is this computer."""
        if self.host in ("localhost", "") or self.host.startswith("/"):
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def is_neon_pooler(self) -> bool:
        """Whether the host is Neon's transaction pooler."""
        return _NEON_POOLER in self.host

    @property
    def place(self) -> str:
        """Say where it is, without login and password."""
        return f"{self.host}:{self.port}/{self.name}"

    def direct(self) -> DatabaseUrl:
        """Give Neon's direct host in the place of its pooler; any other address as it is."""
        return replace(self, host=self.host.replace(_NEON_POOLER, ".", 1))

    def with_login(self, user: str, password: str) -> DatabaseUrl:
        """Give the same database for another login."""
        return replace(self, user=user, password=password)

    def to_text(self) -> str:
        """Write the address with its password: for private files alone."""
        host = f"[{self.host}]" if ":" in self.host else quote(self.host, safe="")
        asked = {"sslmode": self.sslmode, "channel_binding": self.channel_binding}
        query = "&".join(f"{name}={value}" for name, value in asked.items() if value)
        login = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}"
        return f"postgresql://{login}@{host}:{self.port}/{quote(self.name, safe='')}{'?' if query else ''}{query}"

    def options(self, *, ssl_root_cert: str = "") -> dict[str, Any]:
        """Give the driver's keywords.

        Beyond this computer the certificate and its name are always checked (`sslmode=require` checks neither).

        Args:
            ssl_root_cert: a file of certificate authorities; those that browsers trust when empty.
        """
        options: dict[str, Any] = {"host": self.host, "port": self.port, "dbname": self.name, "user": self.user}
        options["password"] = self.password
        if self.is_loopback and self.sslmode not in ("verify-ca", "verify-full"):
            return options | {"sslmode": self.sslmode or "prefer"}
        return options | {
            "sslmode": "verify-full",
            "sslrootcert": ssl_root_cert or certifi.where(),
            "channel_binding": self.channel_binding or "require",
        }


def read_url(text: str) -> DatabaseUrl:
    """Read an address such as `postgresql://user:password@host/database?sslmode=verify-full`.

    Of the options only `sslmode` and `channel_binding` are taken: the others could name files and commands of this computer.

    Raises:
        InvalidInput: it is none; the message never repeats the address.
    """
    text = text.strip()
    if not text or len(text) > MAX_CHARACTERS or not text.isprintable() or " " in text:
        raise _refused("one line of at most 4,096 characters without spaces")
    try:
        parts = urlsplit(text)
        port = parts.port or PORT
        query = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError as error:
        raise _refused("a host, a port number and options after `?`") from error
    if parts.scheme not in ("postgresql", "postgres"):
        raise _refused("something that begins with postgresql://")
    name = unquote(parts.path.removeprefix("/"))
    if not parts.username or not parts.hostname or not name or parts.fragment or "/" in name:
        raise _refused("user, host and database: postgresql://user:password@host/database")
    host = unquote(parts.hostname)
    if host.startswith("/") or "," in host:
        raise _refused("one host that is reached over the network")
    asked = _read_options(query)
    return DatabaseUrl(
        host=host,
        port=port,
        name=name,
        user=unquote(parts.username),
        password=unquote(parts.password or ""),
        sslmode=asked.get("sslmode", ""),
        channel_binding=asked.get("channel_binding", ""),
    )


def _read_options(query: list[tuple[str, str]]) -> dict[str, str]:
    allowed = {"sslmode": SSL_MODES, "channel_binding": CHANNEL_BINDINGS}
    asked = dict(query)
    for name, value in asked.items():
        if name not in allowed:
            raise _refused(f"no option but {' and '.join(allowed)}")
        if value not in allowed[name]:
            raise _refused(f"{name} as one of: {', '.join(allowed[name])}")
    return asked


def _refused(expected: str) -> InvalidInput:
    return InvalidInput(f"This is no address of a database. Expected {expected}.", code="url.invalid")
