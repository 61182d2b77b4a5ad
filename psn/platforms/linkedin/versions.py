"""The version of LinkedIn's API that every call names, and when it dies.

Each month brings a version, and about twelve months later LinkedIn switches it off: calls that name it are answered 426
(learn.microsoft.com/linkedin/marketing/versioning, read 2026-11-20; 202511 ended on 2026-11-16).
"""

from __future__ import annotations

import re
from datetime import date

from psn.errors import Finding

SETTING = "version"  # in `Platform.settings`
DEFAULT_VERSION = "202610"  # the month before this was written: a month's own version may be missing in its first days
LIFE_MONTHS = 12
WARN_MONTHS = 9

_VERSION = re.compile(r"(20[0-9]{2})(0[1-9]|1[0-2])")


def warn_about_version(version: str, *, today: date) -> list[Finding]:
    """Find out whether the version is getting too old; empty while it is not.

    Args:
        version: year and month: `202610`.
    """
    fix = f"Set PSN_LINKEDIN_VERSION to last month, {_last_month(today)}."
    parts = _VERSION.fullmatch(version)
    if parts is None:
        message = f"{version!r} is no version of LinkedIn's API: it is a year and a month."
        return [Finding(target="linkedin", code="linkedin.version", message=message, got=version, fix=fix)]
    age = today.year * 12 + today.month - int(parts[1]) * 12 - int(parts[2])
    if age < WARN_MONTHS:
        return []
    return [
        Finding(
            target="linkedin",
            code="linkedin.version_old",
            message=f"Version {version} of LinkedIn's API is {age} months old; LinkedIn ends one after {LIFE_MONTHS}.",
            level="error" if age >= LIFE_MONTHS else "warning",
            limit=LIFE_MONTHS,
            got=age,
            fix=fix,
        )
    ]


def _last_month(today: date) -> str:
    year, month = (today.year, today.month - 1) if today.month > 1 else (today.year - 1, 12)
    return f"{year}{month:02d}"
