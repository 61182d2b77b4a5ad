"""A hub's Postgres from Neon, through Neon's own command-line program `neonctl` (HUB-5).

Written against neonctl 5.0.1 and its source, read on 2026-11-20 (npmjs.com/package/neonctl).
"""

from psn.providers.neon.program import find_neonctl
from psn.providers.neon.projects import NeonCli, Project

__all__ = ["NeonCli", "Project", "find_neonctl"]
