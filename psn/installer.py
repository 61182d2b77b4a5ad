"""Makes `.venv` from the locked requirements, with uv when it is here and with pip otherwise. Standard library only.

Everything it prints goes to stderr.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from psn.bootstrap import PYTHON, ROOT, VENV, CannotBootstrap, is_current, marker_file, requirements_file

_SENTENCES = {
    "boot.no_disk": f"The disk of {VENV} is full: the packages need about 400 MB. Free some space and run the same command again.",
    "boot.not_writable": f"{VENV} cannot be written. Clone PSN into a folder of your own and run the same command there.",
    "boot.no_pip": "Neither uv nor pip is here. On Debian and Ubuntu: apt install python3-pip. Then run the same command again.",
    "boot.install_failed": "The packages could not be installed; stderr says why. Check the network and run the same command again.",
}


def install(*, dev: bool) -> None:
    """Make or renew `.venv`. Killed anywhere, the next run does it again; two at once wait for each other.

    Raises:
        CannotBootstrap: with what a person must do.
    """
    with _only_one():
        if is_current(dev=dev):
            return
        print("Preparing .venv (the first time only)…", file=sys.stderr, flush=True)
        for stale in (True, False):
            _remove(marker_file(dev=stale))
        _make_venv(dev=dev)
        _run([PYTHON, "-m", "compileall", "-q", *(os.path.join(ROOT, name) for name in ("psn", "hub", "sandbox"))])
        shutil.copyfile(requirements_file(dev=dev), marker_file(dev=dev))


def _make_venv(*, dev: bool) -> None:
    base = getattr(sys, "_base_executable", sys.executable)  # inside a broken .venv, its own python has no pip
    wanted = requirements_file(dev=dev)
    if uv := shutil.which("uv"):
        if not os.path.exists(PYTHON):
            _run([uv, "venv", "--quiet", "--allow-existing", "--python", base, VENV])
        _run([uv, "pip", "sync", "--quiet", "--require-hashes", "--compile-bytecode", "--python", PYTHON, wanted])
        return
    _check_pip(base)
    if not os.path.exists(PYTHON):
        _run([base, "-m", "venv", "--without-pip", VENV])
    _run([base, "-m", "pip", "--python", PYTHON, "install", "--quiet", "--no-input", "--require-hashes", "-r", wanted])


@contextmanager
def _only_one() -> Iterator[None]:
    """Let one process install at a time; the others wait, then find it done."""
    try:
        os.makedirs(VENV, exist_ok=True)
        lock = open(os.path.join(VENV, ".psn-lock"), "w")  # noqa: SIM115  (closed below; the lock is the open file)
    except OSError as error:
        raise CannotBootstrap(
            f"{_SENTENCES['boot.not_writable']} ({error.strerror})", code="boot.not_writable"
        ) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _check_pip(base: str) -> None:
    if subprocess.run([base, "-m", "pip", "--version"], capture_output=True, check=False).returncode:
        raise CannotBootstrap(_SENTENCES["boot.no_pip"], code="boot.no_pip")


def _run(command: list[str]) -> None:
    """Run one step with its chatter on stderr; what it says is kept to tell a full disk from a missing network."""
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"}
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr.fileno(),
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        check=False,
    )
    if done.returncode:
        sys.stderr.write(done.stderr)
        code = _code(done.stderr)
        raise CannotBootstrap(_SENTENCES[code], code=code)


def _code(text: str) -> str:
    if "No space left" in text or "Disk quota" in text:
        return "boot.no_disk"
    if "Permission denied" in text or "Read-only file system" in text:
        return "boot.not_writable"
    return "boot.install_failed"


def _remove(path: str) -> None:
    try:
        os.remove(path)
    except FileNotFoundError:
        return
