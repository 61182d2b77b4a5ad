"""Accounts on the sandbox, connected as set-up connects them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from psn.media.facts import MediaFacts
from psn.oauth.spec import PasswordSpec, Token
from psn.platforms.base import MediaFile, Part, Published
from psn.platforms.bluesky import PLATFORM
from psn.platforms.bluesky.adapter import BlueskyAdapter
from tests import media_files
from tests.sandbox.process import Sandbox

PASSWORD = "psn-sandbox-secret"


def sign_in_spec() -> PasswordSpec:
    assert isinstance(PLATFORM.sign_in, PasswordSpec)
    return PLATFORM.sign_in


def grant(sandbox: Sandbox, handle: str, *, password: str = PASSWORD) -> Token:
    """Connect an account."""
    return sign_in_spec().open_session(
        sandbox.base("bluesky"), identifier=handle, password=password, now=datetime.now(UTC)
    )


def publish(
    adapter: BlueskyAdapter, part: Part | str = "hello", *, reply_to: str | None = None, former: str = "", **given: Any
) -> Published:
    """Walk a part's four steps."""
    part = Part(0, part) if isinstance(part, str) else part
    media_ids = [adapter.upload_media(media) for media in part.media]
    prepared = adapter.prepare_post(part, media_ids=media_ids, reply_to=reply_to, former=former)
    return adapter.create_post(
        part, media_ids=media_ids, reply_to=reply_to, prepared=prepared, send_before=None, **given
    )


def make_image(number: int = 0, *, alt_text: str = "a gradient") -> MediaFile:
    path = media_files.jpeg(120, 80, number=number)
    return describe(path, "image/jpeg", facts=MediaFacts(width=120, height=80), alt_text=alt_text)


def describe(path: Path, mime_type: str, *, facts: MediaFacts | None = None, alt_text: str = "") -> MediaFile:
    return MediaFile(path=path, mime_type=mime_type, size_bytes=path.stat().st_size, alt_text=alt_text, facts=facts)


def read_records(sandbox: Sandbox, handle: str) -> list[dict[str, Any]]:
    """Read the records that the sandbox keeps of an account, newest first."""
    posts = sandbox.ask("posts", platform="bluesky", handle=handle, limit="100")
    return [post["data"]["record"] for post in posts]
