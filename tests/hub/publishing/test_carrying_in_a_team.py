"""Media of a company's posts: from a member's computer to the others', past a member who means harm (POST-5, TEAM-2)."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connections, transaction

from hub.actions.drafts import DraftPart, build_rows, hash_rows, save_rows
from hub.models import Account, Post
from hub.publishing import carrying
from hub.publishing.content import media_path
from hub.rls.identity import acting_as
from psn.platforms.base import MediaFile
from tests.factories import People
from tests.hub.actions.calendars.neighbours import working_on
from tests.hub.actions.colleagues import Team
from tests.hub.publishing.test_carrying import MIB, elsewhere

PUT = (
    "INSERT INTO media_chunks (id, user_id, uploaded_by_id, sha256, index, content, created_at)"
    " VALUES (gen_random_uuid(), %(owner)s, %(by)s, %(sha256)s, %(index)s, %(content)s, %(at)s)"
)
NOT_ALLOWED = "42501"
IN_A_CENTURY = datetime(2126, 1, 1, tzinfo=UTC)


@pytest.fixture
def team(whole_team: Team, hub: People) -> Team:
    """The team, with one account and nothing posted."""
    whole_team.forget_posts()
    whole_team.connect_account(platform="x", handle="acme")
    return whole_team


def save_draft(team: Team, author: str, file: Path) -> Post:
    """Save a draft of a member's with a file, as psn_post does."""
    with team.at_keyboard(author) as me, transaction.atomic():
        account = Account.objects.get(handle="acme")
        post = Post(user_id=team.company.id, author=me, account=account)
        media = MediaFile(path=file, mime_type="video/mp4", size_bytes=file.stat().st_size)
        stored = build_rows(post, [DraftPart("Look", (media,))], copy_media=True)
        post.content_hash = hash_rows(post, stored)
        save_rows(post, stored)
    return post


def values_of(team: Team, name: str, content: bytes, **changes: Any) -> dict[str, Any]:
    own = {
        "owner": team.company.id,
        "by": team.people[name].id,
        "sha256": "0" * 64,
        "index": 0,
        "at": datetime.now(UTC),
    }
    return own | {"content": content} | changes


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "a.mp4").write_bytes(os.urandom(MIB + 10))
    return tmp_path / "a.mp4"


class TestAFile:
    @pytest.mark.parametrize("reader", ["bob", "tom", "ann"])
    def test_reaches_everybody_of_the_team(self, team: Team, file: Path, tmp_path: Path, reader: str) -> None:
        post = save_draft(team, "mia", file)
        with team.at_keyboard(reader), elsewhere(tmp_path):
            carrying.bring(Post.objects.get(id=post.id))
            assert media_path(_item(post)).read_bytes() == file.read_bytes()

    def test_reaches_the_worker_that_acts_for_the_company_and_is_forgotten_by_it(
        self, team: Team, file: Path, tmp_path: Path
    ) -> None:
        post = save_draft(team, "mia", file)
        with _worker_of(team), elsewhere(tmp_path):
            with acting_as(team.company.id):
                carrying.bring(Post.objects.get(id=post.id))
                assert media_path(_item(post)).read_bytes() == file.read_bytes()
            assert carrying.forget_ended() == 0
            team.execute(
                "SET session_replication_role = replica;"
                "UPDATE posts SET status = 'cancelled', updated_at = now() - interval '8 days';"
                "UPDATE media_chunks SET created_at = now() - interval '8 days'"
            )
            assert carrying.forget_ended() == 2

    def test_that_two_members_attach_is_kept_for_each_of_them(self, team: Team, file: Path) -> None:
        """Neither relies on what the other says his bytes are."""
        for name in ("mia", "tom"):
            save_draft(team, name, file)
        stored = team.ask(
            "SELECT u.name, count(*) FROM media_chunks c JOIN users u ON u.id = c.uploaded_by_id GROUP BY 1"
        )
        assert sorted(stored) == [("Mia", 2), ("Tom", 2)]


class TestAHostileMember:
    def test_is_named_as_who_he_is_and_now(self, team: Team) -> None:
        with team.enter("tom") as tom:
            tom.execute(PUT, values_of(team, "mia", b"x", at=IN_A_CENTURY))
        ((by, at),) = team.ask("SELECT uploaded_by_id, created_at FROM media_chunks")
        assert by == team.people["tom"].id
        assert at < IN_A_CENTURY

    def test_does_not_keep_a_file_from_being_stored_or_read(self, team: Team, file: Path, tmp_path: Path) -> None:
        """He knows the hash ahead, and stores other bytes under it before its author does."""
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        with team.enter("tom") as tom:
            for index, length in enumerate((MIB, 10)):
                values = values_of(team, "tom", os.urandom(length), sha256=digest, index=index)
                tom.execute(PUT, values)
        post = save_draft(team, "mia", file)
        with team.at_keyboard("bob"), elsewhere(tmp_path):
            carrying.bring(Post.objects.get(id=post.id))
            assert media_path(_item(post)).read_bytes() == file.read_bytes()

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE media_chunks SET content = 'x'",
            "UPDATE media_chunks SET created_at = now()",
            "DELETE FROM media_chunks",
            "TRUNCATE media_chunks",
            "SELECT 1 FROM media_chunks FOR UPDATE",
            "LOCK TABLE media_chunks IN ACCESS EXCLUSIVE MODE",
            "SELECT hub_api.find_chunk_owners()",
        ],
    )
    def test_changes_takes_and_locks_nothing(self, team: Team, file: Path, statement: str) -> None:
        save_draft(team, "mia", file)
        with team.enter("mia") as mia:
            mia.execute("BEGIN")
            with pytest.raises(psycopg.Error) as refusal:
                mia.execute(statement.encode())
        assert refusal.value.sqlstate == NOT_ALLOWED
        assert team.ask("SELECT count(*) FROM media_chunks") == [(2,)]

    @pytest.mark.parametrize(
        ("changes", "sqlstate"),
        [
            ({"owner": "tom"}, NOT_ALLOWED),
            ({"content": b"x" * (MIB + 1)}, "23514"),
            ({"content": b""}, "23514"),
            ({"index": 100}, "23514"),
            ({"index": -1}, "23514"),
            ({"sha256": "../../../etc/passwd"}, "23514"),
            ({"sha256": "A" * 64}, "23514"),
            ({"sha256": "0" * 64 + "\n"}, "23514"),
        ],
        ids=["rows of his own", "too large", "empty", "too far", "before", "a path", "another hash", "a line"],
    )
    def test_stores_only_pieces_of_files_of_the_company(
        self, team: Team, changes: dict[str, Any], sqlstate: str
    ) -> None:
        if changes.get("owner"):
            changes = {"owner": team.people["tom"].id}
        with team.enter("tom") as tom, pytest.raises(psycopg.Error) as refusal:
            tom.execute(PUT, values_of(team, "tom", b"x") | changes)
        assert refusal.value.sqlstate == sqlstate

    def test_cannot_fill_the_hub_and_hinders_nobody_by_trying(self, team: Team, file: Path) -> None:
        team.execute(
            "SET session_replication_role = replica;"
            "INSERT INTO media_chunks (id, user_id, uploaded_by_id, sha256, index, content, created_at) SELECT gen_random_uuid(),"
            f" '{team.company.id}', '{team.people['tom'].id}', encode(sha256(n::text::bytea), 'hex'), 0, 'x', now()"
            " FROM generate_series(1, 1024) n"
        )
        with team.enter("tom") as tom, pytest.raises(psycopg.Error) as refusal:
            tom.execute(PUT, values_of(team, "tom", b"x"))
        assert refusal.value.sqlstate == "PN422"
        save_draft(team, "mia", file)
        mia = team.people["mia"].id
        assert team.ask("SELECT count(*) FROM media_chunks WHERE uploaded_by_id = %s", mia) == [(2,)]


def _item(post: Post) -> Any:
    return carrying._media_of(post)[0]


@contextmanager
def _worker_of(team: Team) -> Iterator[None]:
    """Work on the company's hub with its worker's login, which says for whom it acts."""
    config = team.company.config
    with working_on(replace(config, urls={"app": config.url("worker")})):
        connections.settings["default"]["PSN"] = {"identity": "setting"}
        yield
