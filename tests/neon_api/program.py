"""Finds the real `neonctl` for the tests; nothing is installed by them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest


def need_neonctl() -> Path:
    """Give the program: what PSN_NEONCTL names, else the one on the PATH. The test is skipped where it, or Node.js, is missing."""
    if shutil.which("node") is None:
        pytest.skip("Node.js is not on the PATH, and neonctl needs it")
    found = shutil.which(os.environ.get("PSN_NEONCTL") or "neonctl")
    if found is None:
        pytest.skip("neonctl is not here: npm install -g neonctl@5, or set PSN_NEONCTL to where it is")
    return Path(found).absolute()
