"""Finds the platforms' own machine-readable contracts, which are not part of this repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


def find_contract(name: str) -> Path:
    """Give the path of a contract, from `PSN_CONTRACTS` or from the contracts beside the checkout.

    A test that needs one is skipped where they are absent.
    """
    folder = os.environ.get("PSN_CONTRACTS")
    path = (Path(folder) if folder else REPOSITORY.parent / "shared" / "contracts") / name
    if not path.exists():
        pytest.skip(f"the contract {name} is not here: set PSN_CONTRACTS to the folder that holds it")
    return path
