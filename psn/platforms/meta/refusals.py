"""What Meta means by a refusal, as an error of our own tree; pure.

From developers.facebook.com/documentation/instagram-platform/instagram-graph-api/reference/error-codes (2026-06-02) and Threads'
troubleshooting page, both read 2026-11-20. The subcode decides before the code does: code 4 is the call limit or suspected spam,
code 10 a permission or too few viewers. `type` decides nothing: nearly everything is an `OAuthException`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psn.errors import NeedsReconnect, PlatformError, RateLimited, Rejected, Unavailable, UnknownOutcome
from psn.http import Reply
from psn.platforms.base import RateLimit
from psn.platforms.meta.meanings import LOST, Meaning, find_meaning

WINDOW = timedelta(
    hours=1
)  # calls are counted in rolling hours, and a day's publications leave their window one by one
MAX_TRACE_CHARACTERS = 200
MAX_SHARE = 1_000_000  # percent; what is more is no share of anything
MAX_QUOTED_CHARACTERS = 300  # of Meta's own words in our message

_QUERY = re.compile(r"(https?://[^\s?\"'<>]+)\?[^\s\"'<>]*")
_USAGE_HEADERS = ("x-business-use-case-usage", "x-app-usage")


@dataclass(frozen=True, slots=True)
class MetaError:
    """Meta's error envelope, taken apart.

    Args:
        subcode: 0 when there is none.
        words: Meta's own sentence that says most.
        trace_id: `fbtrace_id`, for Meta's support.
    """

    code: int
    subcode: int
    words: str
    trace_id: str


def check_reply(reply: Reply, *, title: str, name: str, now: datetime, commit: bool = False) -> Reply:
    """Give an answer of 2xx back, unless an error is inside.

    Args:
        title, name: of the platform, for people and in codes.
        commit: it answers the call that cannot be taken back, so what nobody can explain may be live.

    Raises:
        PlatformError: the one of its tree that says what to do.
    """
    error = read_error(reply)
    if error is not None:
        raise _explain(error, reply, title=title, name=name, now=now, commit=commit)
    if 200 <= reply.status < 300:
        return reply
    raise _explain_bare(reply, title=title, name=name, now=now, commit=commit)


def read_error(reply: Reply) -> MetaError | None:
    """Read the error envelope; None when there is none, whatever the status says."""
    if reply.status < 300 and b'"error"' not in reply.body:
        return None
    try:
        body = reply.json()
    except ValueError:
        return None
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return None
    words = [error[key] for key in ("error_user_msg", "message", "error_user_title") if _is_text(error.get(key))]
    trace = error.get("fbtrace_id")
    return MetaError(
        code=_read_number(error.get("code")),
        subcode=_read_number(error.get("error_subcode")),
        words=words[0][:MAX_QUOTED_CHARACTERS] if words else "",
        trace_id=trace[:MAX_TRACE_CHARACTERS] if isinstance(trace, str) else reply.request_id or "",
    )


def explain_meaning(meaning: Meaning, words: str, *, title: str, name: str, **details: Any) -> PlatformError:
    """Make the error that a meaning stands for; not for rate limits, which need an instant.

    Args:
        details: `http_status`, `request_id`.
    """
    kind = Unavailable if meaning.kind in (LOST, RateLimited) else meaning.kind
    code = kind.code if kind is NeedsReconnect else f"{name}.{meaning.code}"
    return kind(_say(meaning.sentence.format(title=title), words, meaning.advice), code=code, **details)


def read_usage(headers: Mapping[str, str], *, now: datetime) -> RateLimit | None:
    """Read how much of the allowed calls is used up, in percent, or None when the headers do not tell."""
    entries = list(_read_usage_entries(headers))
    shares = [
        entry[key]
        for entry in entries
        for key in ("call_count", "total_time", "total_cputime")
        if isinstance(entry.get(key), int | float) and 0 <= entry[key] < MAX_SHARE  # neither NaN nor endless
    ]
    if not shares:
        return None
    wait = _read_regain(entries) or WINDOW
    return RateLimit(limit=100, remaining=max(0, 100 - int(max(shares))), resets_at=now + wait)


def _explain(error: MetaError, reply: Reply, *, title: str, name: str, now: datetime, commit: bool) -> PlatformError:
    meaning = find_meaning(code=error.code, subcode=error.subcode, words=error.words)
    details = {"http_status": reply.status, "request_id": error.trace_id or None}
    if meaning.kind is RateLimited:
        message = _say(meaning.sentence.format(title=title), error.words, meaning.advice)
        return RateLimited(message, retry_at=now + _read_wait(reply), **details)  # type: ignore[arg-type]
    if meaning.kind is LOST and commit:
        message = _say(meaning.sentence.format(title=title), error.words, "")
        return UnknownOutcome(message, **details)  # type: ignore[arg-type]
    return explain_meaning(meaning, error.words, title=title, name=name, **details)


def _explain_bare(reply: Reply, *, title: str, name: str, now: datetime, commit: bool) -> PlatformError:
    """Explain an answer without Meta's envelope: a proxy's page, a redirect."""
    said = f"{title} answered {reply.status}"
    details: dict[str, Any] = {"http_status": reply.status, "request_id": reply.request_id}
    if reply.status == 401:
        return NeedsReconnect(f"{title} no longer accepts this account's token. Connect it again.", **details)
    if reply.status == 429:
        return RateLimited(f"{title} asks to wait.", retry_at=now + _read_wait(reply), **details)
    if commit:
        return UnknownOutcome(f"{said} in words that are not its own.", **details)
    if 400 <= reply.status < 500:
        return Rejected(
            f"{said} and did not say why. Look at the account in its app.", code=f"{name}.refused", **details
        )
    return Unavailable(f"{said}, which it never promised.", **details)


def _say(sentence: str, words: str, advice: str) -> str:
    shown = _QUERY.sub(r"\1?…", words)  # they may quote the address of a file, and its query is what opens it
    quoted = f': "{shown}"' if shown else ""
    return f"{sentence}{quoted}. {advice}".strip()


def _read_wait(reply: Reply) -> timedelta:
    """Say how long Meta wants to be left alone: always a span, so no clock is compared."""
    after = reply.headers.get("retry-after", "")
    if after.isascii() and after.isdigit() and len(after) < 9:
        return timedelta(seconds=max(int(after), 1))
    return _read_regain(list(_read_usage_entries(reply.headers))) or WINDOW


def _read_regain(entries: list[dict[str, Any]]) -> timedelta | None:
    minutes = [entry.get("estimated_time_to_regain_access") for entry in entries]
    known = [value for value in minutes if isinstance(value, int | float) and 0 < value < 100_000]
    return timedelta(minutes=max(known)) if known else None


def _read_usage_entries(headers: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Give the usage entries: one object for the app, lists by business account beside it."""
    for header in _USAGE_HEADERS:
        try:
            usage = json.loads(headers.get(header, ""))
        except (ValueError, RecursionError):
            continue
        if not isinstance(usage, dict):
            continue
        yield usage
        for entries in usage.values():
            if isinstance(entries, list):
                yield from (entry for entry in entries if isinstance(entry, dict))


def _read_number(value: object) -> int:
    try:
        return int(str(value))
    except ValueError:
        return 0


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())
