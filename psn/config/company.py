"""`config/company/<slug>.yaml`: what an admin decides for a company, copied into the company's hub.

The company's name and time zone, its members and its posting policy are not here: the hub itself keeps them (`psn_team`).
"""

from __future__ import annotations

from pathlib import Path

from psn.config.strategy import Plan
from psn.config.workspace import Workspace


class CompanyStrategy(Plan):
    """A company's decisions."""


def company_file(workspace: Workspace, slug: str) -> Path:
    """Say where a company's file is."""
    return workspace.config / "company" / f"{slug}.yaml"
