"""An environment that makes itself: with a small clone whose requirements are empty, so that nothing is downloaded."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from psn import bootstrap

ROOT = Path(__file__).resolve().parents[2]
BASE = getattr(sys, "_base_executable", sys.executable)
SCRIPT = """
import sys
from psn.bootstrap import CannotBootstrap, ensure_environment
try:
    ensure_environment(sys.argv)
except CannotBootstrap as error:
    sys.exit(f"{error.code}: {error.message}")
print(sys.prefix, *sys.argv[1:])
"""


@dataclass(frozen=True)
class Clone:
    """As much of a clone as starting needs."""

    root: Path

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        process = self.launch(*arguments, **environment)
        stdout, stderr = process.communicate(timeout=120)
        return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)

    def launch(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        bare = {"PATH": "/usr/bin:/bin", "HOME": str(self.root), "PIP_NO_INDEX": "1"}
        return subprocess.Popen(
            [BASE, str(self.root / "run.py"), *arguments],
            env=bare | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    root = tmp_path / "a clone"
    for name in ("psn", "hub", "sandbox"):
        (root / name).mkdir(parents=True)
    for name in ("__init__", "bootstrap", "installer"):
        shutil.copyfile(ROOT / "psn" / f"{name}.py", root / "psn" / f"{name}.py")
    (root / "requirements.txt").write_text("# nothing\n")
    (root / "run.py").write_text(SCRIPT)
    return Clone(root)


@pytest.fixture(scope="module", autouse=True)
def _installable() -> None:
    done = subprocess.run([BASE, "-c", "import pip, venv"], capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"{BASE} has no pip")


class TestAFreshClone:
    def test_goes_on_inside_its_own_environment(self, clone: Clone) -> None:
        done = clone.run("with", "two words")
        assert (done.returncode, done.stdout) == (0, f"{clone.venv} with two words\n"), done.stderr
        assert "Preparing .venv" in done.stderr

    def test_says_nothing_the_second_time(self, clone: Clone) -> None:
        clone.run()
        done = clone.run()
        assert (done.stdout, done.stderr) == (f"{clone.venv}\n", "")

    def test_is_prepared_once_by_two_at_a_time(self, clone: Clone) -> None:
        processes = [clone.launch() for _ in range(2)]
        said = [process.communicate(timeout=120) for process in processes]
        assert [out for out, _ in said] == [f"{clone.venv}\n"] * 2
        assert sum("Preparing" in err for _, err in said) == 1


class TestAnEnvironment:
    def test_is_renewed_when_the_requirements_change(self, clone: Clone) -> None:
        clone.run()
        (clone.root / "requirements.txt").write_text("# nothing else\n")
        assert "Preparing" in clone.run().stderr
        assert "Preparing" not in clone.run().stderr

    @pytest.mark.parametrize("left", ["empty folder", "no marker"])
    def test_that_was_left_half_made_is_completed(self, clone: Clone, left: str) -> None:
        if left == "no marker":
            clone.run()
            (clone.venv / ".psn-user").unlink()
        else:
            clone.venv.mkdir()
        done = clone.run()
        assert (done.returncode, done.stdout) == (0, f"{clone.venv}\n"), done.stderr


class TestWhatCannotBe:
    def test_a_folder_that_cannot_be_written(self, clone: Clone) -> None:
        clone.venv.write_text("a file")
        assert clone.run().stderr.startswith("boot.not_writable: ")

    def test_a_package_that_cannot_be_had(self, clone: Clone) -> None:
        (clone.root / "requirements.txt").write_text(f"no-such-package==1 --hash=sha256:{'0' * 64}\n")
        done = clone.run()
        assert (done.returncode, "boot.install_failed: " in done.stderr) == (1, True)
        assert not (clone.venv / ".psn-user").exists()

    def test_no_pip(self, clone: Clone, tmp_path: Path) -> None:
        (tmp_path / "broken").mkdir()
        (tmp_path / "broken" / "pip.py").write_text("raise SystemExit(1)")
        assert "boot.no_pip: " in clone.run(PYTHONPATH=str(tmp_path / "broken")).stderr

    def test_a_python_that_is_too_old(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delitem(os.environ, "PSN_NO_BOOTSTRAP", raising=False)
        monkeypatch.setattr(sys, "version_info", (3, 10, 9))
        with pytest.raises(bootstrap.CannotBootstrap, match=r"3\.11 or newer") as refused:
            bootstrap.ensure_environment([])
        assert refused.value.code == "boot.python_version"


class TestSwitchedOff:
    def test_does_nothing_at_all(self, clone: Clone) -> None:
        done = clone.run(PSN_NO_BOOTSTRAP="1")
        assert (done.returncode, done.stderr) == (0, "")
        assert not clone.venv.exists()
