"""Metrics as Meta gives them: a list of names with their values, each asked for by its name."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from sandbox.meta.refusals import invalid


def read_metrics(request: HttpRequest, *, allowed: tuple[str, ...]) -> list[str]:
    """Read which metrics are asked for.

    Raises:
        Refused: none, or one that does not belong there: then nothing is answered at all.
    """
    asked = [name.strip() for name in request.GET.get("metric", "").split(",") if name.strip()]
    for index, name in enumerate(asked):
        if name not in allowed:
            raise invalid(f"metric[{index}] must be one of the following values: {', '.join(allowed)}")
    if not asked:
        raise invalid("The parameter metric is required")
    return list(dict.fromkeys(asked))


def write_metrics(node: str, counts: dict[str, int], names: list[str]) -> list[dict[str, Any]]:
    """Write the metrics of one object."""
    return [
        {
            "name": name,
            "period": "lifetime",
            "values": [{"value": counts[name]}],
            "title": name.replace("_", " ").capitalize(),
            "description": f"The number of {name.replace('_', ' ')}.",
            "id": f"{node}/insights/{name}/lifetime",
        }
        for name in names
    ]
