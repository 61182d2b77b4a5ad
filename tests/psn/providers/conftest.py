"""Servers for the tests of the local provider: one template is created, the rest are copies of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from psn.providers.local import LocalServer, choose_socket_dir

MakeServer = Callable[[Path], LocalServer]


def make_folder() -> Path:
    """Make a directory that the server's OS user can pass; pytest's own are closed to it."""
    folder = Path(tempfile.mkdtemp(prefix="psn-"))
    folder.chmod(0o711)
    return folder


def make_local(data: Path) -> LocalServer:
    return LocalServer(data=data, socket_dir=choose_socket_dir(data))


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PSN_HOME", "PSN_PG_BIN", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def _usual_umask() -> Iterator[None]:
    """Let directories that a test makes be open to the server's OS user, whatever the umask of who runs the tests."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture(scope="session")
def started() -> Iterator[list[LocalServer]]:
    """Every server that a test may have started; what still runs at the end is stopped."""
    servers: list[LocalServer] = []
    yield servers
    for server in servers:
        _remove(server)


@pytest.fixture(scope="session")
def template(started: list[LocalServer]) -> Iterator[LocalServer]:
    """A stopped cluster to copy, since creating one takes a second."""
    home = make_folder()
    server = make_local(home / "pg")
    started.append(server)
    server.ensure_running()
    server.stop()
    yield server
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def running(template: LocalServer, started: list[LocalServer]) -> Iterator[LocalServer]:
    """A running server that tests only ask, and in which they make databases of their own."""
    home = make_folder()
    server = _copy(template, data=home / "pg")
    started.append(server)
    server.ensure_running()
    yield server
    _remove(server)
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def home() -> Iterator[Path]:
    folder = make_folder()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def new_server(home: Path, started: list[LocalServer]) -> Iterator[MakeServer]:
    """Describe servers below `home` that do not exist yet."""
    made: list[LocalServer] = []
    yield _remembering(make_local, made, started)
    for server in made:
        _remove(server)


@pytest.fixture
def doomed_server(home: Path, template: LocalServer, started: list[LocalServer]) -> Iterator[MakeServer]:
    """Make stopped servers below `home` that a test may spoil."""
    made: list[LocalServer] = []
    yield _remembering(lambda data: _copy(template, data=data), made, started)
    for server in made:
        _remove(server)


@pytest.fixture(scope="session")
def pool() -> Iterator[list[Path]]:
    """Stopped clusters that a test has left whole: moving one into place is quicker than copying the template."""
    clusters: list[Path] = []
    yield clusters
    for cluster in clusters:
        shutil.rmtree(cluster.parent)


@pytest.fixture
def old_server(home: Path, template: LocalServer, pool: list[Path], started: list[LocalServer]) -> Iterator[MakeServer]:
    """Give stopped servers below `home`, which the test leaves whole."""
    made: list[LocalServer] = []
    yield _remembering(lambda data: _move(pool, data=data) if pool else _copy(template, data=data), made, started)
    for server in made:
        if server.data.exists():
            server.stop()
            pool.append(Path(shutil.move(server.data, make_folder() / "pg")))
        _remove(server)


def _remembering(make: MakeServer, *lists: list[LocalServer]) -> MakeServer:
    def remember(data: Path) -> LocalServer:
        server = make(data)
        for servers in lists:
            servers.append(server)
        return server

    return remember


def _copy(template: LocalServer, *, data: Path) -> LocalServer:
    data.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    subprocess.run(["/bin/cp", "-a", template.data, data], check=True)  # with its owner, who is another OS user as root
    return make_local(data)


def _move(pool: list[Path], *, data: Path) -> LocalServer:
    data.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    cluster = pool.pop()
    cluster.rename(data)
    cluster.parent.rmdir()
    return make_local(data)


def _remove(server: LocalServer) -> None:
    if os.path.lexists(server.data):
        server.stop("immediate")
    shutil.rmtree(server.socket_dir, ignore_errors=True)
