"""A hub full of rows, ways to look at all of it at once, and what tests of backups and restores share."""

from __future__ import annotations

import io
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connections
from django.utils import timezone

from hub.actions.backup import backups
from hub.actions.backup.archives import Manifest, check_archive, write_archive
from hub.actions.backup.tables import copy_out, list_tables, one_moment, owner_connection
from hub.models import (
    Account,
    ApiKey,
    Attempt,
    AuditEntry,
    HubSetting,
    Notice,
    OAuthToken,
    Post,
    PostMedia,
    User,
)
from hub.rls.audit import audit_catalog
from hub.sealing import context_of
from psn.config.hub import get_hub_config, write_hub_config
from psn.crypto import Key, Keyring, create_key
from psn.errors import Problem
from tests.factories import OWNER, People, make_account, make_post

Rows = dict[str, list[bytes]]


def all_rows() -> Rows:
    """Every row of every table that people made, as COPY writes them."""
    connection = owner_connection()
    return {table.name: sorted(bytes(row) for row in copy_out(connection, table)) for table in list_tables(connection)}


def running_rows() -> dict[str, list[tuple[Any, ...]]]:
    """What describes how the hub runs: who comes in, and what is rung."""
    with connections[OWNER].cursor() as cursor:
        cursor.execute("SELECT login_role, kind, user_id, is_active FROM logins ORDER BY 1")
        logins = cursor.fetchall()
        cursor.execute("SELECT key, payload, lock FROM django_q_ormq ORDER BY payload, lock")
        return {"logins": logins, "queue": cursor.fetchall()}


def everything() -> tuple[Rows, dict[str, list[tuple[Any, ...]]]]:
    """All that a restore may touch."""
    return all_rows(), running_rows()


def seal_secrets(account: Account, keyring: Keyring) -> OAuthToken:
    """Give an account a sealed grant."""
    token = OAuthToken(user_id=account.user_id, account_id=account.id, obtained_at=timezone.now())
    token.access_token_sealed = keyring.seal("access", context=context_of(token, "access_token_sealed"))
    token.save(using=OWNER)
    return token


def fill_hub(user: User) -> Account:
    """Make a row of every kind, with the characters that copies stumble over."""
    account = make_account(
        user, name="Ünï\tcode\\N 'quoted' \"and\"\nbroken", capabilities={"a": [1, 2.5, None, "ß\u2028"]}
    )
    keyring = get_hub_config(settings.WORKSPACE).keyring()
    seal_secrets(account, keyring)
    key = ApiKey(user=user, name="VENDOR_KEY", updated_at=timezone.now())
    key.key_sealed = keyring.seal("secret", context=context_of(key, "key_sealed"))
    post = make_post(account, texts=("one", "two \\. \r\n three", "👩‍🚀"))
    part = post.parts.using(OWNER).first()
    assert part is not None
    rows = [
        key,
        PostMedia(user=user, part=part, index=0, path="a.png", sha256="00", mime_type="image/png", size_bytes=2**40),
        Attempt(user=user, post=post, part=part, kind="upload", fence=0, worker="w", fingerprint="f"),
        AuditEntry(user=user, actor="person", action="post.created", subject="post", subject_id=str(post.id)),
        Notice(user=user, post=post, level="know", code="post.found", message="It is live."),
        HubSetting(user=user, name="strategy", version=1, value={"name": "me"}),
    ]
    for row in rows:
        row.save(using=OWNER)
    return account


def set_state(post: Post, status: str, **values: Any) -> None:
    """Put a post into a state, whatever the laws say about the way there."""
    with connections[OWNER].cursor() as cursor:
        cursor.execute("ALTER TABLE posts DISABLE TRIGGER USER")
        Post.objects.using(OWNER).filter(id=post.id).update(status=status, **values)
        cursor.execute("ALTER TABLE posts ENABLE TRIGGER USER")


def claim(post: Post) -> None:
    """Have a worker publish a post just now."""
    lease = {"phase": "claimed", "lease_owner": "w:1:1", "lease_until": datetime.now(UTC) + timedelta(minutes=1)}
    set_state(post, "publishing", fence=1, **lease)


def back_up(target: Path) -> Path:
    """Back the test hub up."""
    backups.backup_hub(settings.WORKSPACE, target=target, now=timezone.now())
    return target


def restore(source: Path, **options: Any) -> dict[str, Any]:
    """Restore into the test hub."""
    return backups.restore_hub(settings.WORKSPACE, source=source, now=timezone.now(), **options)


def archive_with(target: Path, *, key: Key) -> Path:
    """Back the test hub up as a hub with another key does."""
    config = get_hub_config(settings.WORKSPACE)
    stream = io.BytesIO()
    with one_moment() as connection:
        write_archive(connection, stream, config=config, key=key, now=timezone.now())
    target.write_bytes(stream.getvalue())
    return target


@pytest.fixture
def account(me: User, other_is_there: None) -> Account:
    """An account of a hub that has a row of every kind."""
    return fill_hub(me)


@pytest.fixture
def other_is_there(hub: People) -> None:
    fill_hub(hub.other)


@pytest.fixture(autouse=True)
def home(tmp_path: Path) -> Iterator[None]:
    """What restores put aside goes away with the test."""
    yield
    for kept in (get_hub_config(settings.WORKSPACE).home / "backups").glob("*"):
        kept.unlink()


@pytest.fixture
def two_keys() -> Iterator[Callable[[], None]]:
    """Begin a rotation of the hub's key, when called."""
    before = get_hub_config(settings.WORKSPACE)

    def begin() -> None:
        write_hub_config(settings.WORKSPACE, replace(before, key=create_key().to_text(), old_key=before.key))

    yield begin
    write_hub_config(settings.WORKSPACE, before)


@contextmanager
def refused(code: str) -> Iterator[pytest.ExceptionInfo[Problem]]:
    with pytest.raises(Problem) as caught:
        yield caught
    assert caught.value.error_code == code


@contextmanager
def unchanged() -> Iterator[None]:
    """Hold that nothing in the hub changes, and that nothing of it is more open."""
    before, found = everything(), audit()
    yield
    assert everything() == before
    assert audit() == found


def audit() -> set[str]:
    with connections[OWNER].cursor() as cursor:
        return {f"{finding.code} {finding.at}" for finding in audit_catalog(cursor)}


def manifest_of(file: Path, *keys: Key) -> Manifest:
    with file.open("rb") as stream:
        return check_archive(stream, keys=keys or get_hub_config(settings.WORKSPACE).read_keys())


def schedule(account: Account, *, due_in: float = 3600.0) -> Post:
    return make_post(account, status="scheduled", due_in=due_in)


def status_of(post: Post) -> str:
    return Post.objects.using(OWNER).get(id=post.id).status


@contextmanager
def small_files() -> Iterator[None]:
    """No file grows beyond a thousand bytes, as on a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def write_large_table(account: Account, *, rows: int) -> None:
    with connections[OWNER].cursor() as cursor:
        cursor.execute(
            "INSERT INTO audit_log (id, user_id, actor, action, subject, subject_id, from_state, to_state, detail) "
            "SELECT gen_random_uuid(), %s, 'person', 'post.created', 'post', n::text, '', '', "
            "jsonb_build_object('text', repeat(md5(n::text), 32)) FROM generate_series(1, %s) n",
            [account.user_id, rows],
        )
