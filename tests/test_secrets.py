"""No secret can be committed, and none can be read by others (HUB-6)."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from psn.config.envfile import write_env_file, write_private
from psn.config.workspace import Workspace

ROOT = Path(__file__).resolve().parents[1]
PRIVATE = [
    "config/hub.env",
    "config/keys.env",
    "config/connections/acme.env",
    "config/connections/anything-else",
    "config/company/acme.yaml",
    "config/strategy.yaml",
    "config/voice-profiles/personal.yaml",
    "config/series/a.yaml",
    "content/drafts/x.md",
    "content/media/a.png",
    "content/media/.tmp-half-copied",
    "content/intelligence/competitive-intel.yaml",
    "analytics/reports/2026-11.md",
    ".env",
    "elsewhere/hub.env",
    # what writers that were killed leave, of this version and of earlier ones
    "config/.tmp-x1y2z3.hub.env",
    "config/.hub.env.x1y2z3",
    "config/.keys.env.x1y2z3",
    # what editors and careful people leave
    "config/hub.env~",
    "config/hub.env.bak",
    "config/hub.env.old",
    "config/.hub.env.swp",
    "config/hub (copy).txt",
    "config/connections/deeper/a.txt",
    "hub.env.bak",
    "hub.env~",
    # backups, finished or not
    "hub.dump",
    "before-restore.dump",
    ".hub.dump.x1y2z3.unfinished",
    ".monday.x1y2z3.unfinished",
    "hub.dump.old",
    # tokens on their way to stdin
    "token.json",
    "token-x.json",
]
checkout = pytest.mark.skipif(not (ROOT / ".git").exists(), reason="this is no checkout")


def is_ignored(path: str) -> bool:
    done = subprocess.run(["git", "check-ignore", "-q", "--no-index", path], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode in (0, 1), f"git does not answer: {done.stderr!r}"
    return done.returncode == 0


@checkout
class TestAPrivatePath:
    @pytest.mark.parametrize("path", PRIVATE)
    def test_cannot_be_committed(self, path: str) -> None:
        assert is_ignored(path)

    def test_is_not_tracked(self) -> None:
        done = subprocess.run(
            ["git", "ls-files", "config", "content", "analytics", "*.env"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        assert [line for line in done.stdout.splitlines() if not line.endswith("/.gitkeep")] == []

    @pytest.mark.parametrize("path", ["README.md", "psn/config/hub.py", "config/series/.gitkeep"])
    def test_is_not_simply_everything(self, path: str) -> None:
        assert not is_ignored(path)

    def test_is_every_file_that_set_up_makes(self) -> None:
        workspace = Workspace(ROOT)
        for path in (workspace.hub_env, workspace.keys_env, workspace.strategy):
            assert is_ignored(str(path.relative_to(ROOT)))


class TestASecretFile:
    def test_is_made_for_its_owner_alone(self, tmp_path: Path) -> None:
        write_env_file(tmp_path / "new" / "keys.env", {"A": "b"}, comment="x")
        write_private(tmp_path / "hub.env", "A=b\n")
        modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*.env")}
        assert modes == {0o600}

    def test_leaves_nothing_that_git_takes_when_its_writer_is_killed(self, tmp_path: Path) -> None:
        """The temporary holds what the file holds; its name ends in `.env`, it is private, and a later writer removes it."""
        code = (
            "import os, sys, signal; from pathlib import Path; from psn.config.envfile import write_private\n"
            "os.fsync = lambda number: os.kill(os.getpid(), signal.SIGKILL)\n"
            "write_private(Path(sys.argv[1]), 'A=b')"
        )
        path = tmp_path / "hub.env"
        killed = subprocess.run([sys.executable, "-c", code, path], cwd=ROOT, capture_output=True, check=False)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        (left,) = tmp_path.iterdir()
        assert (left.suffix, stat.S_IMODE(left.stat().st_mode)) == (".env", 0o600)
        write_private(path, "A=c\n")
        assert left.exists()  # its writer might still be at work
        os.utime(left, (0, 0))
        write_private(path, "A=d\n")
        assert list(tmp_path.iterdir()) == [path]

    def test_becomes_private_when_it_is_written_anew(self, tmp_path: Path) -> None:
        path = tmp_path / "keys.env"
        path.write_text("A=b\n")
        path.chmod(0o644)
        write_private(path, "A=c\n")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
