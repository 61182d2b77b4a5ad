"""How a status does: the counts that an instance shows. Views are none of them."""

from __future__ import annotations

from datetime import timedelta

from sandbox.metrics import count_share

_RATIOS = {"favourites_count": 0.05, "reblogs_count": 0.02, "quotes_count": 0.004}  # of those who saw it


def count_public(post_id: str, *, age: timedelta) -> dict[str, int]:
    """Count what others did with a status by now; pure."""
    return {name: count_share(post_id, name, age=age, ratio=ratio) for name, ratio in _RATIOS.items()}
