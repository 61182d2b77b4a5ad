"""Authorizations that wait for a person: sealed, in a private file of the hub's home, for ten minutes, good for one use (AUTH-1)."""

from __future__ import annotations

import json
import re
import secrets
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from hub.sealing import opening
from psn.config.envfile import write_private
from psn.config.hub import HubConfig
from psn.errors import NotFound, NotReady

LIFE = timedelta(minutes=10)
LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # none that looks like another
_CODE = re.compile(rf"[{LETTERS}]{{6}}")


@dataclass(frozen=True, slots=True)
class Pending:
    """An authorization under way.

    Args:
        code: names it, for `--resume`.
        base_url: the account's own; empty for the platform itself.
        organization: the page that is to be connected, empty for the person.
        account_id: of the account that is connected again; empty for a new one.
        scopes: that are asked for.
        url: for the person's browser.
        expires_at: ISO 8601.
    """

    code: str
    platform: str
    base_url: str
    client_id: str
    organization: str
    account_id: str
    scopes: tuple[str, ...]
    redirect_uri: str
    expires_at: str
    url: str = field(repr=False)  # it holds the state
    client_secret: str = field(repr=False)
    state: str = field(repr=False)
    code_verifier: str = field(repr=False)


def new_code() -> str:
    """Make a code that a person can read out."""
    return "".join(secrets.choice(LETTERS) for _ in range(6))


def keep(hub: HubConfig, pending: Pending) -> None:
    """Store an authorization, and forget those that are over."""
    folder = _folder(hub)
    for path in folder.glob("*.sealed"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > LIFE.total_seconds():
                path.unlink()
    write_private(
        folder / f"{pending.code}.sealed", opening().seal(json.dumps(asdict(pending)), context=_context(pending.code))
    )


def find(hub: HubConfig, code: str, *, now: datetime) -> Pending:
    """Read an authorization; it stays.

    Raises:
        NotFound: there is none of this code, or it is over (`connect.no_such_try`).
    """
    code = code.strip().upper()
    if not _CODE.fullmatch(code):
        raise _gone(code)
    try:
        sealed = (_folder(hub) / f"{code}.sealed").read_text(encoding="utf-8")
        values = json.loads(opening().open(sealed, context=_context(code)))
    except (OSError, ValueError, NotReady):  # sealed with a key that was replaced meanwhile: over, too
        raise _gone(code) from None
    pending = Pending(**{**values, "scopes": tuple(values["scopes"])})
    if now > datetime.fromisoformat(pending.expires_at):
        drop(hub, pending)
        raise _gone(code)
    return pending


def take(hub: HubConfig, pending: Pending) -> None:
    """Use an authorization up: of two who try, one may.

    Raises:
        NotFound: it is used up.
    """
    try:
        (_folder(hub) / f"{pending.code}.sealed").unlink()
    except FileNotFoundError:
        raise _gone(pending.code) from None


def drop(hub: HubConfig, pending: Pending) -> None:
    """Forget an authorization, if it is still there."""
    (_folder(hub) / f"{pending.code}.sealed").unlink(missing_ok=True)


def _folder(hub: HubConfig) -> Path:
    return hub.home / "connecting"


def _context(code: str) -> str:
    return f"connecting:{code}:authorization"


def _gone(code: str) -> NotFound:
    shown = code if len(code) <= 20 and code.isprintable() else "this code"
    return NotFound(
        f"There is no connection under way as {shown}: it was used, or is older than ten minutes. Connect again.",
        code="connect.no_such_try",
        next_command="psn_account list",
    )
