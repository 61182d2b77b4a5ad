"""What owned tables have in common."""

from __future__ import annotations

import os
import time
import uuid
from datetime import datetime

from django.db import connections, models


def new_id() -> uuid.UUID:
    """Make a UUID version 7 (RFC 9562, 5.7): time-ordered, so that a million rows stay compact in their index."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds << 80) | int.from_bytes(os.urandom(10))
    value = value & ~(0xF << 76) | (0x7 << 76)
    value = value & ~(0x3 << 62) | (0x2 << 62)
    return uuid.UUID(int=value)


class ClockTimestamp(models.Func):
    """The database's clock as it is now, also in the middle of a transaction; `now()` stands still there."""

    template = "clock_timestamp()"
    output_field = models.DateTimeField()


def hub_now() -> datetime:
    """Read the database's clock: the one that all workers share, whatever their own say."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now


class Owned(models.Model):
    """A row that belongs to one person; the policies of its table compare `user_id` with who is acting."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey("hub.User", on_delete=models.DO_NOTHING, related_name="+", db_index=False)

    class Meta:
        abstract = True
