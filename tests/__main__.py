"""`python3 -m tests`: every check of the project, in order, in an environment that makes itself.

With arguments it hands them to pytest alone: `python3 -m tests tests/psn -k lock`.
"""

import os
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, ROOT)

CHECKS = (
    ("ruff check", ("ruff", "check", ".")),
    ("ruff format", ("ruff", "format", "--check", ".")),
    ("mypy --strict", ("mypy",)),
    ("import-linter", ("lint-imports",)),
    ("deptry", ("deptry", ".")),
    ("migrations", ("manage.py", "makemigrations", "--check", "--dry-run")),
)
# Side by side, because both wait more than they work: what drives whole processes, and the rest.
TESTS = (
    ("tests of commands", ("pytest", "tests/e2e")),
    ("tests of everything else", ("pytest", "--ignore=tests/e2e")),
)


def main(arguments: list[str]) -> int:
    """Run all checks, or pytest with arguments; give 0 when all passed."""
    _ensure_environment(arguments)
    if arguments:
        return _run("tests", ("pytest", *arguments))
    failed = [name for name, command in CHECKS if _run(name, command)] + _run_beside(TESTS)
    print(f"\nfailed: {', '.join(failed)}" if failed else "\nall checks passed", flush=True)
    return 1 if failed else 0


def _ensure_environment(arguments: list[str]) -> None:
    from psn.bootstrap import CannotBootstrap, ensure_environment

    try:
        ensure_environment(["-m", "tests", *arguments], dev=True)
    except CannotBootstrap as error:
        print(error.message, file=sys.stderr)
        sys.exit(3)


def _run_beside(checks: tuple[tuple[str, tuple[str, ...]], ...]) -> list[str]:
    """Run checks at the same time; the first one's words come as they are said, the others' when they are done. Give what failed."""
    (first, command), *others = checks
    with tempfile.TemporaryDirectory() as folder:
        running = [(name, os.path.join(folder, str(number)), of) for number, (name, of) in enumerate(others)]
        processes = []
        for _, path, of in running:
            with open(path, "wb") as said:
                processes.append(
                    subprocess.Popen(_tool(of), cwd=ROOT, env=_environment(), stdout=said, stderr=subprocess.STDOUT)
                )
        failed = [first] if _run(first, command) else []
        for (name, path, _), process in zip(running, processes, strict=True):
            code = process.wait()
            with open(path, errors="replace") as said:
                print(
                    f"\n== {name}\n{said.read()}-- {name}: {'passed' if code == 0 else f'failed ({code})'}", flush=True
                )
            failed += [name] if code else []
    return failed


def _run(name: str, command: tuple[str, ...]) -> int:
    print(f"\n== {name}", flush=True)
    started = time.monotonic()
    code = subprocess.run(_tool(command), cwd=ROOT, env=_environment(), check=False).returncode
    print(
        f"-- {name}: {'passed' if code == 0 else f'failed ({code})'} in {time.monotonic() - started:.0f} s", flush=True
    )
    return code


def _tool(command: tuple[str, ...]) -> list[str]:
    beside = os.path.dirname(sys.executable)  # asked for now: the environment may have been entered since the start
    tool = [sys.executable, command[0]] if command[0].endswith(".py") else [os.path.join(beside, command[0])]
    return [*tool, *command[1:]]


def _environment() -> dict[str, str]:
    """The checks look at the code, never at the hub of whoever runs them."""
    return {**os.environ, "PSN_NO_BOOTSTRAP": "1", "PSN_WORKSPACE": os.path.join(ROOT, "tests")}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
