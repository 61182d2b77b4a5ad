"""What piles up in the queue's own tables, and is of no use after a while."""

from __future__ import annotations

from datetime import timedelta

from django.db import connections
from django.utils import timezone
from django_q.models import Failure

from hub.connections import current_hub
from hub.models import WorkerHeartbeat
from hub.rls.identity import acting_for_nobody

KEEP = timedelta(days=30)


def tidy() -> None:
    """Forget failed tasks and silent workers of a month ago, and end invites that nobody redeemed in time."""
    before = timezone.now() - KEEP
    Failure.objects.filter(stopped__lt=before).delete()
    with acting_for_nobody():
        WorkerHeartbeat.objects.filter(beat_at__lt=before).delete()
        if current_hub().is_company:
            with connections["default"].cursor() as cursor:
                cursor.execute("SELECT hub_api.expire_invites()")
