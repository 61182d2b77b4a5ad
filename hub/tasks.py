"""What workers run. Each task reads ids, calls one action as the person it belongs to, and ends.

The names stand in queue rows, so renaming one is a migration; django-q2 takes some keyword names for itself (a test lists them).
"""

from __future__ import annotations

import os

from hub.publishing import walk
from hub.rls.identity import acting_as


def publish_post(*, user_id: str, post_id: str) -> None:
    """Publish one post if it is due; ringing twice, too early or too late changes nothing."""
    worker = f"{os.environ.get('PSN_WORKER', 'psn')}:{os.getpid()}"
    with acting_as(user_id):
        try:
            walk.publish(post_id, worker=worker)
        except Exception as error:  # the top of a worker: whatever broke, the post must not stay without a word
            walk.abandon(error, worker=worker)
            raise
