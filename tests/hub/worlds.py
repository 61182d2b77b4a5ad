"""Everything a person can own, one row of each, for tests that roll back what they do instead of emptying the hub.

One world serves all tests of a file: a rollback takes milliseconds, emptying the hub a tenth of a second.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from django.apps import apps
from django.db import connections, models

from hub.models import (
    Account,
    ApiKey,
    Approval,
    Attempt,
    AuditEntry,
    HubSetting,
    Invite,
    MediaChunk,
    Notice,
    OAuthToken,
    Post,
    PostMedia,
    PostPart,
    Slot,
    User,
)
from tests.factories import OWNER, People, make_account, make_people, make_post

NOW = datetime(2026, 1, 1, tzinfo=UTC)
Rows = dict[type[models.Model], models.Model]


@dataclass(frozen=True)
class World:
    """Two people with one row of every owned table each."""

    people: People
    mine: Rows
    theirs: Rows


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """Two people with one row of every owned table each, committed; taken away after the last test of the file."""
    with django_db_blocker.unblock():
        people = make_people()
        yield World(people=people, mine=make_rows(people.me), theirs=make_rows(people.other))
        connections.close_all()
        empty_hub()


def make_rows(user: User) -> Rows:
    """Make one row of every owned table, as the owner."""
    account = make_account(user)
    post = make_post(account)
    part = PostPart.objects.using(OWNER).get(post_id=post.id)
    media = {"part_id": part.id, "index": 0, "path": "a.png", "sha256": "00", "mime_type": "image/png", "size_bytes": 1}
    call = {"post_id": post.id, "part_id": part.id, "kind": "upload", "fence": 0, "worker": "w", "fingerprint": "f"}
    return {
        Account: account,
        Post: post,
        PostPart: part,
        OAuthToken: _make(OAuthToken, user, account_id=account.id, access_token_sealed="sealed", obtained_at=NOW),
        ApiKey: _make(ApiKey, user, name="vendor", key_sealed="sealed", updated_at=NOW),
        PostMedia: _make(PostMedia, user, **media),
        Attempt: _make(Attempt, user, **call),
        AuditEntry: _make(AuditEntry, user, actor="person", action="post.created", subject="post", subject_id="1"),
        Notice: _make(Notice, user, post_id=post.id, level="know", code="post.found", message="It is live."),
        HubSetting: _make(HubSetting, user, name="strategy", version=1, value={}),
        Approval: _make(Approval, user, post_id=post.id, by=user, verdict="approved", content_hash="h"),
        Invite: _make(
            Invite, user, login_role=f"m_{user.id}", name="Bob", role="member", created_by=user, expires_at=NOW
        ),
        Slot: _make(Slot, user, on=NOW.date(), platform="x", claimed_by=user),
        MediaChunk: _make(MediaChunk, user, uploaded_by=user, sha256="0" * 64, index=0, content=b"a"),
    }


def empty_hub() -> None:
    """Delete every row of the app."""
    tables = ", ".join(model._meta.db_table for model in apps.get_app_config("hub").get_models())
    with connections[OWNER].cursor() as cursor:
        cursor.execute(f"TRUNCATE {tables}")
    connections[OWNER].close()


def connect_as(login: str, *, autocommit: bool = False) -> psycopg.Connection[Any]:
    """Connect to the test hub as a login, with nothing of PSN in between: what a hostile client can do."""
    where = connections[OWNER].settings_dict
    return psycopg.connect(
        host=where["HOST"], port=where["PORT"], user=login, dbname=where["NAME"], autocommit=autocommit
    )


def _make(model: type[models.Model], user: User, **values: Any) -> models.Model:
    return model._default_manager.using(OWNER).create(user_id=user.id, **values)
