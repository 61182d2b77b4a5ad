"""The invite to a company's hub: one line that holds a one-time login, made by an admin and pasted by who joins (TEAM-1).

`psn1.` and base64url of compact JSON: `hub` the company's short name, `url` where and as whom, `exp` until when. The line is a
secret until it is used. Nothing in it may choose a file, a command or an option of the one who pastes it.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from psn.config.database import DatabaseUrl, read_url
from psn.config.hub import check_slug
from psn.errors import InvalidInput

VERSION = "psn1"
MAX_CHARACTERS = 4096
_SHAPE = re.compile(r"(psn[0-9]{1,6})\.([A-Za-z0-9_-]+)")
_LOGIN = re.compile(r"_m_[0-9a-f]{12}")  # what follows the hub's name in a member's login
_TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class Bundle:
    """An invite.

    Args:
        slug: of the company.
        url: of its hub, with the one-time login.
        expires_at: for messages alone; the hub decides.
    """

    slug: str
    url: DatabaseUrl
    expires_at: datetime


class _Content(BaseModel):
    """What the line says, as JSON."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hub: str
    url: str
    exp: str


def make_bundle(bundle: Bundle) -> str:
    """Write an invite as one line.

    Raises:
        InvalidInput: it could not be read back.
    """
    content = {
        "hub": bundle.slug,
        "url": bundle.url.to_text(),
        "exp": bundle.expires_at.astimezone(UTC).strftime(_TIME),
    }
    raw = json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()
    line = f"{VERSION}.{base64.urlsafe_b64encode(raw).decode().rstrip('=')}"
    read_bundle(line)
    return line


def read_bundle(text: str) -> Bundle:
    """Read a line that somebody pasted; spaces and line breaks that a mail program put into it do not matter.

    Raises:
        InvalidInput: it is no invite; the message repeats nothing of it.
    """
    line = "".join(text[: 2 * MAX_CHARACTERS].split())
    if not line or len(line) > MAX_CHARACTERS:
        raise _refused("It is empty or too long.")
    shape = _SHAPE.fullmatch(line)
    if shape is None:
        raise _refused(f"An invite is one line that begins with {VERSION}. and has letters, digits, - and _ after it.")
    if shape[1] != VERSION:
        raise InvalidInput(
            f"This invite is of another kind ({shape[1]}) than this PSN knows ({VERSION}). Update your clone: git pull.",
            code="invite.version",
            ask="git pull",
        )
    content = _read_content(_decode(shape[2]))
    return Bundle(slug=content.hub, url=_read_login(content), expires_at=_read_time(content.exp))


def _decode(encoded: str) -> dict[str, Any]:
    try:
        raw = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
        content = json.loads(raw.decode("utf-8"), object_pairs_hook=_once)
    except (binascii.Error, ValueError, RecursionError):
        raise _refused("Part of it is missing or changed.") from None
    if not isinstance(content, dict):
        raise _refused("Part of it is missing or changed.")
    return content


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a name that comes twice: two readers could take two different ones."""
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError
    return content


def _read_content(content: dict[str, Any]) -> _Content:
    try:
        return _Content.model_validate(content)
    except ValidationError:
        raise _refused("It does not hold what an invite holds, and that alone.") from None


def _read_login(content: _Content) -> DatabaseUrl:
    """Read where the invite leads, and refuse what is no one-time login of that hub."""
    try:
        check_slug(content.hub)
    except InvalidInput:
        raise _refused("The name of its hub is none.") from None
    if not content.url.startswith("postgresql://"):
        raise _refused("It does not lead to a Postgres server.")
    try:
        url = read_url(content.url)
    except InvalidInput as error:
        raise _refused(error.message) from None
    if not url.password or not _is_login(url.user, slug=content.hub):
        raise _refused("It holds no one-time login of the hub that it names.")
    return url


def _is_login(user: str, *, slug: str) -> bool:
    return user.startswith(slug) and _LOGIN.fullmatch(user.removeprefix(slug)) is not None


def _read_time(text: str) -> datetime:
    try:
        return datetime.strptime(text, _TIME).replace(tzinfo=UTC)
    except ValueError:
        raise _refused("Its last day is no date.") from None


def _refused(why: str) -> InvalidInput:
    return InvalidInput(
        f"This is no invite that can be used. {why}",
        code="invite.malformed",
        ask="Paste the invite whole, as the admin sent it; ask for a new one if that does not help.",
    )
