"""No secret can be committed, and none can be read by others (HUB-6)."""

from __future__ import annotations

import stat
import subprocess
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
]


def is_ignored(path: str) -> bool:
    done = subprocess.run(["git", "check-ignore", "-q", "--no-index", path], cwd=ROOT, capture_output=True, check=False)
    if done.returncode not in (0, 1):
        pytest.skip("this is no clone")
    return done.returncode == 0


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
            check=False,
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

    def test_becomes_private_when_it_is_written_anew(self, tmp_path: Path) -> None:
        path = tmp_path / "keys.env"
        path.write_text("A=b\n")
        path.chmod(0o644)
        write_private(path, "A=c\n")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
