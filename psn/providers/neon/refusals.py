"""What neonctl's complaints mean for the caller."""

from __future__ import annotations

from datetime import datetime, timedelta

from psn.errors import InvalidInput, NotReady, Problem, RateLimited, Unavailable
from psn.providers.neon.program import Finished

WAIT = timedelta(minutes=1)  # neonctl does not pass on how long Neon asks to wait
NEEDS_ORG = "org_id is required"  # what Neon says to a personal key that names no organisation
_AGAIN = "Run the same command again: it goes on from here."
_UNREACHED = ("could not reach the neon api", "request timed out")
_NO_LOGIN = ("interactive auth", "failed to open web browser")


def read_refusal(finished: Finished, *, now: datetime) -> Problem:
    """Say what a failed run means.

    Args:
        finished: a run that did not end well.
        now: aware.

    Returns:
        NotReady (neon.no_key, neon.bad_key, neon.cli_failed), RateLimited, Unavailable (neon.unavailable) or InvalidInput
        (neon.refused); what Neon itself said is in the message.
    """
    status, said = finished.status, finished.message
    quoted = f' It says: "{said}".' if said else ""
    if status == 401 or "authentication failed" in said.lower():
        return _bad_key("Neon does not accept NEON_API_KEY.")
    if any(words in said.lower() for words in _NO_LOGIN):
        return NotReady("There is no API key of Neon. Set NEON_API_KEY.", code="neon.no_key")
    if status == 429:
        return RateLimited(f"Neon asks to wait.{quoted} {_AGAIN}", retry_at=now + WAIT, http_status=status)
    if status >= 500 or status in (408, 423, 425) or any(words in said.lower() for words in _UNREACHED):
        return Unavailable(f"Neon does not answer as it should.{quoted} {_AGAIN}", code="neon.unavailable")
    if 400 <= status < 500:
        return InvalidInput(
            f"Neon refuses this.{quoted or f' It says no more than {status}.'} Limits and projects are in Neon's console.",
            code="neon.refused",
        )
    return NotReady(
        f"neonctl ended with {finished.code}.{quoted} This PSN knows neonctl 5; see which one is here: neonctl --version.",
        code="neon.cli_failed",
        ask="Install the newest: npm install -g neonctl.",
    )


def read_garbage(finished: Finished) -> NotReady:
    """Say that an answer cannot be read; it is not repeated, for it may hold a password."""
    return NotReady(
        f"neonctl answered {len(finished.output)} characters that this PSN cannot read. It knows neonctl 5.",
        code="neon.cli_failed",
        ask="Install the newest: npm install -g neonctl.",
    )


def _bad_key(message: str) -> NotReady:
    return NotReady(
        message,
        code="neon.bad_key",
        ask="Make another key in Neon's console (Account settings, API keys) and set NEON_API_KEY to it.",
    )
