"""Accounts and media at the sandbox's Instagram and Threads, as the hub would have them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from psn.oauth import flow
from psn.oauth.spec import OAuthSpec, Token
from psn.oauth.unattended import approve_unattended
from psn.platforms.base import Adapter, MediaFile, Part, Prepared, Published
from psn.platforms.registry import get_platform
from tests.sandbox.meta.files import MP4, draw
from tests.sandbox.process import WEB, Sandbox

CLIENT_ID, CLIENT_SECRET = "psn-sandbox", "psn-sandbox-secret"


def grant(sandbox: Sandbox, platform: str, handle: str, *, scopes: Sequence[str] | None = None) -> Token:
    """Connect an account, up to the token of sixty days."""
    spec, base = get_platform(platform).sign_in, sandbox.base(platform)
    assert isinstance(spec, OAuthSpec)
    started = flow.start_authorization(spec, web_base_url=base, scopes=scopes, client_id=CLIENT_ID)
    code = flow.read_redirect(approve_unattended(started, handle=handle), state=started.state)
    return flow.exchange_code(
        spec,
        api_base_url=base,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        code=code,
        code_verifier=started.code_verifier,
        scopes=scopes,
        now=datetime.now(UTC),
    )


def refresh(sandbox: Sandbox, platform: str, token: Token, *, now: datetime) -> Token:
    """Renew a token."""
    spec = get_platform(platform).sign_in
    assert isinstance(spec, OAuthSpec)
    return flow.refresh_token(
        spec,
        api_base_url=sandbox.base(platform),
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        token=token,
        now=now,
    )


def put_image(sandbox: Sandbox, folder: Path, *, alt_text: str = "", size: tuple[int, int] = (400, 400)) -> MediaFile:
    """Make a picture that can be fetched."""
    return put_file(sandbox, folder, draw(*size), "image/jpeg", alt_text=alt_text)


def put_file(
    sandbox: Sandbox, folder: Path, content: bytes, mime_type: str, *, alt_text: str = "", public: bool = True
) -> MediaFile:
    """Make a file, and where it is to be fetched an address."""
    path = folder / f"file{len(list(folder.iterdir()))}"
    path.write_bytes(content)
    url = f"{sandbox.url}/_storage/{folder.name}/{path.name}" if public else ""
    if public:
        WEB.put(url, content=content).raise_for_status()
    return MediaFile(path, mime_type, len(content), alt_text=alt_text, public_url=url)


def make_video(sandbox: Sandbox, folder: Path, *, public: bool = False, size_bytes: int = 5000) -> MediaFile:
    """Make what looks like a video to who reads its first bytes."""
    return put_file(sandbox, folder, MP4 + b"\0" * (size_bytes - len(MP4)), "video/mp4", public=public)


def prepare(adapter: Adapter, part: Part, *, reply_to: str | None = None, former: str = "") -> Prepared:
    """Do what comes before the one call."""
    media_ids = [adapter.upload_media(media) for media in part.media]
    return adapter.prepare_post(part, media_ids=media_ids, reply_to=reply_to, former=former)


def commit(
    adapter: Adapter, part: Part, prepared: Prepared, *, reply_to: str | None = None, **options: Any
) -> Published:
    """Make the one call."""
    given = {"media_ids": [], "send_before": None, **options}
    return adapter.create_post(part, reply_to=reply_to, prepared=prepared, **given)


def publish(adapter: Adapter, part: Part, *, reply_to: str | None = None) -> Published:
    """Publish a part as the engine does."""
    return commit(adapter, part, prepare(adapter, part, reply_to=reply_to), reply_to=reply_to)


def count_posts(sandbox: Sandbox, platform: str, handle: str) -> int:
    """Count what people would see of an account."""
    return len(sandbox.ask("posts", platform=platform, handle=handle, limit="100"))


def use_up(sandbox: Sandbox, handle: str, endpoint: str) -> None:
    """Let an account have spent all it may of something; it must have spent some."""
    connection = sqlite3.connect(sandbox.state_dir / "sandbox.sqlite3", timeout=10)
    with connection:
        changed = connection.execute(
            "UPDATE sandbox_ratewindow SET used = 1000000 WHERE endpoint = ?"
            " AND account_id IN (SELECT id FROM sandbox_account WHERE handle = ?)",
            (endpoint, handle),
        )
    connection.close()
    assert changed.rowcount == 1
