"""Postgres, Redis and the HTTP stub of one run, and processes that end with it. Everything listens on loopback or a Unix socket."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from benchmarks.rivals.place import Place
from benchmarks.timing import PYTHON, ROOT
from psn.providers.local import LocalServer, choose_socket_dir

FOLDER = "PSN_BENCH_FOLDER"
STOP_SECONDS = 15.0
_START_SECONDS = 20.0
_LOG_BYTES = 3000  # of a failed process's log, shown


class Failed(Exception):
    """A process of the run ended badly; carries the end of its log."""


@contextmanager
def serve(*, redis: bool) -> Iterator[Place]:
    """Start the servers of a run in a temporary folder; stop them and remove it."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="psn-queues-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        if os.geteuid() == 0:
            folder.chmod(0o711)  # the server's own OS user must get through
        os.environ[FOLDER] = str(folder)  # everything that is started from here on is known by it (noise.py)
        data = folder / "home" / "pg"
        server = LocalServer(data=data, socket_dir=choose_socket_dir(data))
        stack.callback(server.stop, "immediate")
        stack.callback(shutil.rmtree, server.socket_dir, ignore_errors=True)
        server.ensure_running()
        stub = stack.enter_context(
            process([PYTHON, "-m", "benchmarks.rivals.stub"], log=folder / "stub.log", speaks=True)
        )
        assert stub.stdout is not None
        port = int(stub.stdout.readline())
        redis_port = stack.enter_context(_redis(folder)) if redis else 0
        yield Place(str(folder), str(data), str(server.socket_dir), stub_port=port, redis_port=redis_port)


@contextmanager
def process(
    command: Sequence[str], *, log: Path, environment: dict[str, str] | None = None, speaks: bool = False
) -> Iterator[subprocess.Popen[str]]:
    """Start a process in a session of its own; end it and everything it started.

    Args:
        log: takes what it writes.
        speaks: its stdout is read here instead.
    """
    with log.open("a") as stream:
        started = subprocess.Popen(
            list(command),
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if speaks else stream,
            stderr=stream,
            text=True,
            start_new_session=True,
        )
    try:
        yield started
    finally:
        _end(started)


def output_of(command: Sequence[str], *, log: Path, environment: dict[str, str]) -> str:
    """Run a process to its end and give what it printed.

    Raises:
        Failed: it ended with an error.
    """
    with process(command, log=log, environment=environment, speaks=True) as started:
        printed, _ = started.communicate()
    if started.returncode:
        raise Failed(f"{' '.join(command)} failed\n{tail(log)}")
    return printed


def tail(log: Path) -> str:
    """Give the end of a log."""
    return log.read_text(errors="replace")[-_LOG_BYTES:]


def _end(started: subprocess.Popen[str]) -> None:
    """Ask it to end, then kill its group; it is reaped last, so its id cannot be another's by then."""
    if started.returncode is not None:
        return
    os.kill(started.pid, signal.SIGTERM)
    give_up = time.monotonic() + STOP_SECONDS
    while os.waitid(os.P_PID, started.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None and time.monotonic() < give_up:
        time.sleep(0.02)
    with suppress(ProcessLookupError):
        os.killpg(started.pid, signal.SIGKILL)
    started.wait()
    if started.stdout is not None:
        started.stdout.close()


@contextmanager
def _redis(folder: Path) -> Iterator[int]:
    """Start a Redis of the run's own and give its port."""
    port, data = _free_port(), folder / "redis"
    data.mkdir()
    settings = {
        "port": port,
        "bind": "127.0.0.1",
        "dir": data,
        "save": "",
        "appendonly": "yes",
        "appendfsync": "everysec",
    }
    command = ["redis-server", *(word for name, value in settings.items() for word in (f"--{name}", str(value)))]
    with process([*command, "--logfile", str(data / "log")], log=folder / "redis.log") as started:
        give_up = time.monotonic() + _START_SECONDS
        while not _answers(port):
            if started.poll() is not None or time.monotonic() > give_up:
                raise Failed(f"redis-server did not start\n{tail(data / 'log')}")
            time.sleep(0.02)
        yield port


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as probe:
        probe.sendall(b"PING\r\n")
        return probe.recv(16).startswith(b"+PONG")
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
