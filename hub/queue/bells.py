"""Rings the bell of a post: one queue row, written in the caller's transaction, due at the post's time."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.conf import settings
from django.utils import timezone
from django_q.conf import Conf
from django_q.core_signing import dumps
from django_q.models import OrmQ
from django_q.signing import PickleSerializer

PUBLISH = "hub.tasks.publish_post"  # a string: a renamed function is an error of one task, not of the whole queue


def ring(*, user_id: uuid.UUID, post_id: uuid.UUID, at: datetime) -> None:
    """Have a worker look at a post at an instant.

    The row goes to the connection that also changes the post, so both commit or neither. A row whose `lock` lies in the future
    is not taken before it.
    """
    package = {
        "id": uuid.uuid4().hex,
        "name": f"publish {post_id}",
        "func": PUBLISH,
        "args": (),
        "kwargs": {"user_id": str(user_id), "post_id": str(post_id)},
        "ack_failure": True,
        "started": timezone.now(),
    }
    # Signed with the key as it is now: django-q2 keeps the one from its import, which set-up has since made anew.
    payload = dumps(package, key=settings.SECRET_KEY, salt=Conf.PREFIX, serializer=PickleSerializer)
    OrmQ.objects.using("default").create(key=Conf.CLUSTER_NAME, payload=payload, lock=at)
