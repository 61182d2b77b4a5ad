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

from psn.errors import NotReady

PUBLISH = "hub.tasks.publish_post"  # a string: a renamed function is an error of one task, not of the whole queue


QUEUE: str = Conf.CLUSTER_NAME  # the key of every row


def ring(*, user_id: uuid.UUID, post_id: uuid.UUID, at: datetime) -> None:
    """Have a worker look at a post at an instant.

    The row goes to the connection that also changes the post, so both commit or neither. A row whose `lock` lies in the future
    is not taken before it.
    """
    OrmQ.objects.using("default").create(key=QUEUE, payload=pack(user_id=user_id, post_id=post_id), lock=at)


def pack(*, user_id: uuid.UUID, post_id: uuid.UUID) -> str:
    """Make the signed payload of a bell: ids and nothing else.

    Raises:
        NotReady: there is no key to sign with yet.
    """
    if settings.HUB is None or not settings.HUB.secret_key:
        raise NotReady(
            "config/hub.env has no SECRET_KEY, which signs the queue.", code="key.missing", next_command="psn_setup"
        )
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
    payload: str = dumps(package, key=settings.SECRET_KEY, salt=Conf.PREFIX, serializer=PickleSerializer)
    return payload
