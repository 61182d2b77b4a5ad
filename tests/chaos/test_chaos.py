"""The engine under chaos: forty histories over all platforms with kills, pauses, cut connections and lies, and every law holds.

`.venv/bin/python -m benchmarks.chaos --seeds 1000` runs more of them, `--platform P` at one platform, `--seed N` one alone,
`--breakages` all broken engines.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.chaos import breakages
from tests.chaos.runner import Result, run_histories, sum_up
from tests.chaos.vendors import NAMES

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="it looks at /proc and asks the kernel to end orphans"),
]
SEEDS = range(16, 56)  # the ones from 40 to 49 are without a witness
LANES = 2


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a history that broke a law is kept."""
    return tmp_path_factory.mktemp("histories")


@pytest.fixture(scope="module")
def results(kept: Path) -> Sequence[Result]:
    """All histories, run once."""
    return run_histories(SEEDS, lanes=LANES, keep=kept)


class TestTheEngine:
    def test_keeps_every_law_whatever_strikes(self, results: Sequence[Result], kept: Path) -> None:
        broken = [str(result) for result in results if result.broke]
        assert not broken, "\n".join([*broken, f"kept in {kept}"])
        assert len(results) == len(SEEDS)

    def test_was_struck_where_it_hurts(self, results: Sequence[Result]) -> None:
        counts = sum_up(results).counts
        assert counts["outcome published"] > 2 * len(SEEDS)
        assert counts["kill worker"] >= 5
        assert counts["way linked after a look"] >= 5
        assert counts["way retried"] >= 5
        assert all(counts[f"at {name}"] >= 5 for name in NAMES)
        assert counts["platform drop_after"] + counts["platform garbage"] >= 5
        assert counts["void"] <= 2

    def test_leaves_it_to_a_person_where_the_platform_cannot_tell(self, results: Sequence[Result]) -> None:
        counts = sum_up([result for result in results if result.witness == "none"]).counts
        assert counts["outcome unknown, with a person"] >= 1
        assert counts["way linked after a look"] == counts["way resent after absence"] == 0


class TestABrokenEngine:
    @pytest.mark.parametrize(("broken", "law"), [("blind", "once"), ("requeue", "once"), ("key", "looked")])
    def test_is_found_out(self, broken: str, law: str) -> None:
        platform = breakages.NAMES[broken]
        results = run_histories(
            range(24), lanes=LANES, platform=platform, broken=broken, until=lambda result: result.broke
        )
        assert any(f"{law}:" in violation for result in results for violation in result.violations)
