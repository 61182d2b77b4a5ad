"""A stand-in for Neon's API on loopback: as much of it as `neonctl` calls to make a project and to tell its address.

It remembers what was made, hands out real Postgres servers, and fails where a test wants it to. `python -m tests.neon_api` starts one.
"""

from tests.neon_api.faults import Fault, Faults
from tests.neon_api.server import Call, NeonApi, run_neon_api
from tests.neon_api.world import Organisation, Project, World

__all__ = ["Call", "Fault", "Faults", "NeonApi", "Organisation", "Project", "World", "run_neon_api"]
