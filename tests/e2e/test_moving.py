"""A hub goes to another provider, by a backup or by a move, and nothing goes out twice or not at all (HUB-12)."""

from __future__ import annotations

import json
import secrets
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.e2e.workspace import Workspace, make_workspace, new_handle, set_up_workspace
from tests.media_files import png
from tests.servers import Server, need_server

pytestmark = pytest.mark.slow


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Server:
    """A Postgres of somebody else's, reached with passwords."""
    return need_server(getattr(request, "param", "18"))


@pytest.fixture
def url(server: Server) -> Iterator[bytes]:
    """An empty database there, and its administrator."""
    name = f"t{secrets.token_hex(4)}"
    yield server.make_admin(name).encode()
    server.drop(name, *(f"{prefix}_" for prefix in prefixes(server, name)), name)


def prefixes(server: Server, database: str) -> list[str]:
    """The prefixes of the roles of the hubs in a database."""
    with server.connect(server.superuser, server.password, database) as admin:
        rows = admin.execute("SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = 'hub_api'").fetchall()
    return [str(owner).removesuffix("_owner") for (owner,) in rows]


@pytest.fixture
def home() -> Iterator[Workspace]:
    """A workspace with a local hub of its own, which tests take away from it."""
    with set_up_workspace() as workspace:
        yield workspace


@pytest.fixture
def account(home: Workspace) -> str:
    handle = new_handle("mover")
    home.ok("psn_account", "connect", "x", "--sandbox", "--handle", handle)
    return handle


def create(workspace: Workspace, handle: str, text: str, *more: str) -> str:
    post = workspace.ok("psn_post", "create", "--account", f"@{handle}", "--text", text, *more)["post"]
    return str(post["id"])


def status_of(workspace: Workspace, post: str) -> str:
    return str(workspace.ok("psn_post", "show", post)["post"]["status"])


def read_line(workspace: Workspace, name: str) -> bytes:
    (line,) = [line for line in workspace.hub_env.read_text().splitlines() if line.startswith(f"{name}=")]
    return line.encode()


def texts(workspace: Workspace, handle: str) -> list[str]:
    return [post["text"] for post in workspace.sandbox_posts(handle)]


def name_of(url: bytes) -> str:
    """The database that an address leads to."""
    return url.decode().rsplit("/", 1)[1].split("?")[0]


def count_chunks(server: Server, url: bytes) -> int:
    """How many pieces of media a hub holds."""
    with server.connect(server.superuser, server.password, name_of(url)) as admin:
        row = admin.execute("SELECT count(*) FROM media_chunks").fetchone()
    return row[0] if row else 0


class TestABackupOfOneProvider:
    @pytest.mark.parametrize("server", ["18", "15"], indirect=True)
    def test_restored_on_another_publishes_the_next_post_once(
        self, home: Workspace, account: str, url: bytes, tmp_path: Path
    ) -> None:
        sent = create(home, account, "Sent before", "--at", "+0s", "--approve")
        home.ok("psn_post", "wait", sent)
        ahead = create(home, account, "Next", "--at", "+60s", "--approve")
        draft = create(home, account, "A draft")
        home.ok("psn_worker", "stop")
        file = tmp_path / "home.psn"
        home.ok("psn_hub", "backup", "--to", str(file))
        key = read_line(home, "HUB_ENCRYPTION_KEY")
        elsewhere = make_workspace()
        try:
            elsewhere.ok("psn_setup", "--provider", "url", stdin=url)
            elsewhere.refused("psn_hub", "verify", str(file), code="key.unknown", exit_code=3)
            verified = elsewhere.ok("psn_hub", "verify", str(file), "--key-stdin", stdin=key)["verified"]
            assert (verified["rows"]["posts"], verified["kind"]) == (4, "personal")  # with the proof of set-up
            restored = elsewhere.ok("psn_hub", "restore", str(file), "--yes", "--resume", "--key-stdin", stdin=key)
            assert restored["restored"]["scheduled"] == 1
            assert elsewhere.ok("psn_post", "wait", ahead)["post"]["status"] == "published"
            assert [status_of(elsewhere, post) for post in (sent, draft)] == ["published", "draft"]
            assert elsewhere.ok("psn_validate")["summary"]["fail"] == 0
        finally:
            elsewhere.remove()
        assert texts(home, account) == ["Sent before", "Next"]
        assert len(home.commits(account)) == 2


class TestAMove:
    def test_takes_everything_along_and_publishes_once(
        self, home: Workspace, account: str, server: Server, url: bytes
    ) -> None:
        sent = create(home, account, "Sent before", "--at", "+0s", "--approve")
        home.ok("psn_post", "wait", sent)
        ahead = create(home, account, "Next", "--media", str(png()), "--at", "+45s", "--approve")
        draft = create(home, account, "A draft")
        before = home.hub_env.read_text()

        rehearsed = home.ok("psn_hub", "move", "--provider", "url", "--dry-run", stdin=url)
        assert (rehearsed["dry_run"], rehearsed["moved"]["posts"]) == (True, 4)
        assert home.hub_env.read_text() == before
        moved = home.ok("psn_hub", "move", "--provider", "url", stdin=url)["moved"]

        assert (moved["scheduled"], moved["missed"], moved["unknown"], moved["media_missing"]) == (1, 0, 0, [])
        assert home.ok("psn_hub", "status")["hub"]["provider"] == "url"
        assert count_chunks(server, url) == 1
        assert home.ok("psn_post", "wait", ahead)["post"]["status"] == "published"
        assert [status_of(home, post) for post in (sent, draft)] == ["published", "draft"]
        (aside,) = home.hub_env.parent.glob("hub.env.moved-*")
        assert (aside.read_text(), stat.S_IMODE(aside.stat().st_mode)) == (before, 0o600)
        assert not (home.root / "config" / "moving").exists()
        assert home.ok("psn_validate")["summary"]["fail"] == 0
        home.refused("psn_hub", "move", "--provider", "url", code="move.same", exit_code=5, stdin=url)
        home.refused("psn_hub", "move", "--back", code="move.none", exit_code=1)

        back = home.ok("psn_hub", "move", "--provider", "local")["moved"]
        assert back["provider"] == "local"
        assert [status_of(home, post) for post in (sent, ahead, draft)] == ["published", "published", "draft"]
        last = create(home, account, "After both", "--at", "+0s", "--approve")
        assert home.ok("psn_post", "wait", last)["post"]["status"] == "published"
        assert texts(home, account) == ["Sent before", "Next", "After both"]
        assert len(home.commits(account)) == 3

    def test_leaves_the_old_hub_unable_to_publish(self, home: Workspace, account: str, url: bytes) -> None:
        create(home, account, "Next", "--at", "+30m", "--approve")
        home.ok("psn_hub", "move", "--provider", "url", stdin=url)
        home.ok("psn_worker", "stop")
        new = home.hub_env.read_text()
        (aside,) = home.hub_env.parent.glob("hub.env.moved-*")
        home.hub_env.write_text(aside.read_text())
        try:
            for command in (("psn_worker", "start"), ("psn_post", "list")):
                assert not home.run(*command).result["ok"], command
        finally:
            home.hub_env.write_text(new)
        assert home.commits(account) == []

    def test_is_gone_on_with_wherever_it_was_killed(self, home: Workspace, account: str, url: bytes) -> None:
        sent = create(home, account, "Sent before", "--at", "+0s", "--approve")
        home.ok("psn_post", "wait", sent)
        ahead = create(home, account, "Next", "--at", "+3m", "--approve")
        late = create(home, account, "While it was killed", "--at", "+10s", "--approve")
        for point in ("made the new hub", "stopped the worker", "read posts", "restored posts", "exchanged the hubs"):
            kill_move(home, url, at=point)
            if point == "restored posts":
                home.refused("psn_hub", "move", "--provider", "local", code="move.other", exit_code=7)
                refused = home.refused("psn_worker", "start", code="move.unfinished", exit_code=3)
                assert refused.next_command == "python3 manage.py psn_hub move --provider url"
                home.refused("psn_setup", code="move.unfinished", exit_code=3)
        assert home.ok("psn_hub", "move", "--provider", "url")["moved"]["provider"] == "url"

        assert not (home.root / "config" / "moving").exists()
        home.run("psn_post", "wait", late, "--timeout", "90")  # its worker has only just begun
        assert status_of(home, late) in ("published", "missed")
        home.ok("psn_post", "publish", ahead, "--approve")
        assert home.ok("psn_post", "wait", ahead)["post"]["status"] == "published"
        assert texts(home, account).count("Next") == 1
        assert len(home.commits(account)) == len(texts(home, account)) <= 3

    def test_is_undone_on_request(self, home: Workspace, account: str, url: bytes) -> None:
        ahead = create(home, account, "Next", "--at", "+5s", "--approve")
        kill_move(home, url, at="restored posts")
        undone = home.ok("psn_hub", "move", "--back")["moved_back"]
        assert undone["worker"]["started"] is True
        assert home.ok("psn_hub", "status")["hub"]["provider"] == "local"
        assert home.ok("psn_post", "wait", ahead)["post"]["status"] == "published"
        assert len(home.commits(account)) == 1
        assert not (home.root / "config" / "moving").exists()

    def test_that_fails_leaves_the_old_hub_at_work(
        self, home: Workspace, account: str, server: Server, url: bytes
    ) -> None:
        ahead = create(home, account, "Next", "--at", "+40s", "--approve")
        kill_move(home, url, at="made the new hub")
        (prefix,) = prefixes(server, name_of(url))
        with server.connect(server.superuser, server.password, name_of(url)) as admin:
            admin.execute("ALTER TABLE posts ADD CONSTRAINT no_room CHECK (false) NOT VALID")
        home.refused("psn_hub", "move", "--provider", "url", code="hub.restore_failed", exit_code=3)
        assert home.ok("psn_worker", "status")["state"] == "running"
        assert home.ok("psn_post", "wait", ahead)["post"]["status"] == "published"
        assert prefix
        assert len(home.commits(account)) == 1

    def test_into_a_place_that_is_not_fit_changes_nothing(
        self, home: Workspace, account: str, server: Server, url: bytes
    ) -> None:
        database = name_of(url)
        with psycopg.connect(url.decode(), autocommit=True) as admin:
            admin.execute("CREATE TABLE somebodys (id int)")
        before = home.hub_env.read_text()
        home.refused("psn_hub", "move", "--provider", "url", code="server.not_empty", exit_code=3, stdin=url)
        wrong = server.url("nobody", "wrong", database).encode()
        home.refused("psn_hub", "move", "--provider", "url", code="server.wrong_password", exit_code=3, stdin=wrong)
        home.refused("psn_hub", "move", "--provider", "url", code="url.invalid", exit_code=5, stdin=b"what?")
        home.refused("psn_hub", "move", "--provider", "local", code="move.same", exit_code=5)
        home.refused("psn_hub", "move", "--provider", "moon", code="provider.unknown", exit_code=5)
        home.refused("psn_hub", "move", code="usage", exit_code=2)
        assert home.hub_env.read_text() == before
        assert not (home.root / "config" / "moving").exists()
        assert home.ok("psn_worker", "status")["state"] == "running"


def kill_move(workspace: Workspace, url: bytes, *, at: str) -> None:
    """Begin or go on with a move and kill it (-9) as soon as it says a line."""
    process = workspace.launch("psn_hub", "move", "--provider", "url")
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdin.write(url)
    process.stdin.close()
    with process.stdout as lines, process.stderr:
        names = []
        for line in lines:
            names.append(json.loads(line).get("name"))
            if names[-1] == at:
                process.kill()
                break
        else:
            pytest.fail(f"it never said {at!r}: {names}")
    assert process.wait(60) == -signal.SIGKILL
