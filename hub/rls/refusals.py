"""What the hub's own functions refuse, in PSN's own errors. They raise with a code of ours, and a hint that is the stable code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.db import Error

from psn.errors import Conflict, InvalidInput, NotAllowed, NotFound, Problem

_MEANING: dict[str, type[Problem]] = {
    "PN403": NotAllowed,
    "PN404": NotFound,
    "PN409": Conflict,
    "PN422": InvalidInput,
}
_LOCKED = "55P03"  # lock_not_available


@contextmanager
def refused() -> Iterator[None]:
    """Turn a refusal of the hub's functions into the error it means.

    Raises:
        NotAllowed, NotFound, Conflict, InvalidInput: with the hub's own words.
    """
    try:
        yield
    except (Error, psycopg.Error) as error:
        diagnosis = getattr(error if isinstance(error, psycopg.Error) else error.__cause__, "diag", None)
        sqlstate = getattr(diagnosis, "sqlstate", None) or ""
        if sqlstate == _LOCKED:
            raise Conflict("Somebody else is just changing this. Try again.", code="hub.busy") from error
        kind = _MEANING.get(sqlstate)
        if kind is None or diagnosis is None:
            raise
        raise kind(diagnosis.message_primary or "Refused.", code=diagnosis.message_hint or "refused") from error
