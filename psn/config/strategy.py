"""`config/strategy.yaml`: what the person decided. A mistake in it names file, line and field."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from psn.config.yamlfile import YamlFile, find_yaml

DEFAULT_TEXT = """\
# What you decided. PSN reads this file and never rewrites it.
# After a change run: python3 manage.py psn_config sync
version: 1

# Your name, as PSN addresses you.
name: me

# Your IANA time zone (https://en.wikipedia.org/wiki/List_of_tz_database_time_zones).
# Times you give and times PSN shows are in this zone; the hub stores UTC.
timezone: {timezone}

# What you write about. Weights count against each other: 60 and 40 are six posts of ten and four.
# pillars:
#   - name: Engineering
#     weight: 60
#   - name: Hiring
#     weight: 40

# The language on each platform: en, es, or both.
# languages:
#   x: en
#   linkedin: both

# How many posts a week you aim at on each platform.
# targets:
#   x: 5
#   linkedin: 2
"""
FORMAT = 1  # of this file; a number that PSN does not know is a file for another PSN
MAX_TARGET = 70  # posts a week; ten a day

Platform = Literal["x", "linkedin", "instagram", "tiktok", "bluesky", "mastodon", "threads"]
Language = Literal["en", "es", "both"]


def _check_version(value: int) -> int:
    if value != FORMAT:
        raise ValueError(f"this PSN reads files of version {FORMAT}; for a newer one update your clone: git pull")
    return value


def _check_line(value: str) -> str:
    if not value.isprintable() or value != value.strip():
        raise ValueError("one line without control characters, and no space around it")
    return value


def _check_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("not an IANA time zone such as Europe/Madrid") from None
    return value


Line = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_check_line)]
Zone = Annotated[str, AfterValidator(_check_zone)]


class Pillar(BaseModel):
    """A subject that is written about again and again.

    Args:
        weight: in points, against the other pillars' weights.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Line
    weight: Annotated[int, Field(ge=1, le=100)]


def _check_distinct(pillars: Iterable[Pillar]) -> tuple[Pillar, ...]:
    seen: set[str] = set()
    for pillar in pillars:
        if pillar.name.casefold() in seen:
            raise ValueError(f"two pillars are called {pillar.name}")
        seen.add(pillar.name.casefold())
    return tuple(pillars)


class Plan(BaseModel):
    """What is written about, in which language, and how often: for a person and for a company alike.

    Args:
        version: of the file's format.
        languages: on each platform that was decided on (POST-3).
        targets: posts a week on each platform that was decided on (PLAN-4).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Annotated[int, AfterValidator(_check_version)] = FORMAT
    pillars: Annotated[tuple[Pillar, ...], Field(max_length=12), AfterValidator(_check_distinct)] = ()
    languages: dict[Platform, Language] = {}
    targets: dict[Platform, Annotated[int, Field(ge=0, le=MAX_TARGET)]] = {}


class Strategy(Plan):
    """The person's decisions."""

    name: Line = "me"
    timezone: Zone = "UTC"


def find_strategy(path: Path) -> YamlFile[Strategy] | None:
    """Read `strategy.yaml`; None when there is none.

    Raises:
        InvalidInput: not YAML, or a field is wrong; one finding per mistake, with its line.
    """
    return find_yaml(path, model=Strategy)


def read_strategy(path: Path) -> Strategy:
    """Read `strategy.yaml`; a missing file is the defaults.

    Raises:
        InvalidInput: not YAML, or a field is wrong; one finding per mistake, with its line.
    """
    found = find_strategy(path)
    return found.value if found else Strategy()
