"""Where the parts of a workspace are."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Workspace:
    """The user's own folders: configuration, drafts, media, reports.

    Args:
        root: the clone itself, or the directory that `PSN_WORKSPACE` names.
    """

    root: Path

    @property
    def config(self) -> Path:
        return self.root / "config"

    @property
    def hub_env(self) -> Path:
        return self.config / "hub.env"

    @property
    def connections(self) -> Path:
        return self.config / "connections"

    def hub_file(self, slug: str = "") -> Path:
        """The file of the personal hub, or of a company's."""
        return self.connections / f"{slug}.env" if slug else self.hub_env

    @property
    def keys_env(self) -> Path:
        return self.config / "keys.env"

    @property
    def strategy(self) -> Path:
        return self.config / "strategy.yaml"

    @property
    def folders(self) -> tuple[Path, ...]:
        """Every folder a workspace has, in the order they are made."""
        config, content = self.config, self.root / "content"
        return (
            config,
            *(config / name for name in ("voice-profiles", "series", "connections", "company")),
            *(content / name for name in ("drafts", "media", "intelligence")),
            self.root / "analytics" / "reports",
        )


def find_workspace() -> Workspace:
    """Give the workspace this process works in."""
    return Workspace(Path(os.environ.get("PSN_WORKSPACE") or ROOT).resolve())
