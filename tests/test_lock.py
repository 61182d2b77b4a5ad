"""The locked packages: from the public index alone, and the same in every file that lists them."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[1]
PUBLIC = {"pypi.org", "files.pythonhosted.org"}
_PACKAGE = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)")
_HASH = re.compile(r"--hash=(sha256:[0-9a-f]{64})")


def read_lock() -> dict[str, dict[str, Any]]:
    """The packages of `uv.lock` by name."""
    packages = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    return {package["name"]: package for package in packages if "registry" in package["source"]}


def read_requirements(name: str) -> dict[str, tuple[str, set[str]]]:
    """The packages of a requirements file by name, with version and hashes."""
    found: dict[str, tuple[str, set[str]]] = {}
    name_of = ""
    for line in (ROOT / name).read_text().splitlines():
        if match := _PACKAGE.match(line):
            name_of = match[1]
            found[name_of] = (match[2], set())
        if match := _HASH.search(line):
            found[name_of][1].add(match[1])
    return found


def hashes_of(package: dict[str, Any]) -> set[str]:
    return {file["hash"] for file in [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]}


class TestTheLock:
    def test_names_the_public_index_alone(self) -> None:
        hosts = {urlsplit(url).netloc for url in re.findall(r'"([a-z+]+://[^"]+)"', (ROOT / "uv.lock").read_text())}
        assert hosts == PUBLIC

    def test_has_a_hash_for_every_file(self) -> None:
        text = (ROOT / "uv.lock").read_text()
        assert text.count('{ url = "') == text.count('hash = "sha256:')

    @pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
    def test_agrees_with_the_exported_requirements(self, name: str) -> None:
        lock = read_lock()
        for package, (version, hashes) in read_requirements(name).items():
            assert version == lock[package]["version"], package
            assert hashes, package
            assert hashes == hashes_of(lock[package]), package

    def test_is_exported_whole(self) -> None:
        """What nobody asks for on this platform stands in the export with its marker, so nothing of the lock is missing."""
        exported = {*read_requirements("requirements-dev.txt"), *read_requirements("requirements-bench.txt")}
        assert exported == set(read_lock())

    def test_gives_the_tests_everything_that_people_get(self) -> None:
        people, tests = read_requirements("requirements.txt"), read_requirements("requirements-dev.txt")
        assert people.items() <= tests.items()
        assert set(people) < set(tests)

    def test_has_what_the_project_asks_for(self) -> None:
        asked = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
        names = {re.split(r"[\[<>=~ ]", line)[0] for line in asked}
        assert names <= set(read_requirements("requirements.txt"))


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="this is no checkout")
class TestTrackedFiles:
    def test_name_no_other_index(self) -> None:
        option = "--index" + "-url"
        done = subprocess.run(
            ["git", "grep", "-lE", "-e", f"{option}|extra-index|UV_(DEFAULT_)?INDEX", "--", ":!tests/test_lock.py"],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode in (0, 1), f"git does not answer: {done.stderr}"
        assert done.stdout == ""
