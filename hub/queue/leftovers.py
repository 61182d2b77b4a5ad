"""What piles up in the queue's own tables, and is of no use after a while."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from django_q.models import Failure

from hub.models import WorkerHeartbeat
from hub.rls.identity import acting_for_nobody

KEEP = timedelta(days=30)


def tidy() -> None:
    """Forget failed tasks and silent workers of a month ago."""
    before = timezone.now() - KEEP
    Failure.objects.filter(stopped__lt=before).delete()
    with acting_for_nobody():
        WorkerHeartbeat.objects.filter(beat_at__lt=before).delete()
