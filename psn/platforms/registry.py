"""Which platforms there are, by name."""

from __future__ import annotations

import importlib

from psn.errors import InvalidInput
from psn.platforms.base import Platform

# Dotted names, imported when asked for: a command that only lists names should not pay for every vendor's code.
PLATFORMS = {
    "x": "psn.platforms.x",
    "linkedin": "psn.platforms.linkedin",
    "instagram": "psn.platforms.instagram",
    "tiktok": "psn.platforms.tiktok",
    "bluesky": "psn.platforms.bluesky",
    "mastodon": "psn.platforms.mastodon",
    "threads": "psn.platforms.threads",
}


def platform_names() -> tuple[str, ...]:
    """Name the platforms PSN can talk to, in a stable order."""
    return tuple(PLATFORMS)


def get_platform(name: str) -> Platform:
    """Give a platform's declaration (PLAT-1).

    Raises:
        InvalidInput: no platform has this name.
    """
    if name not in PLATFORMS:
        raise InvalidInput(f"There is no platform {name!r}. Known: {', '.join(PLATFORMS)}.", code="platform.unknown")
    platform: Platform = importlib.import_module(PLATFORMS[name]).PLATFORM
    return platform
