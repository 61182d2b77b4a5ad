"""Who is at the keyboard: the one person of a personal hub."""

from __future__ import annotations

from hub.models import User
from psn.errors import NotReady


def get_me() -> User:
    """Give the person this process acts for: the only row of `users` that its login can see.

    Raises:
        NotReady: the hub has nobody yet.
    """
    me = User.objects.first()
    if me is None:
        raise NotReady("The hub does not know you yet.", code="hub.nobody", next_command="psn_setup")
    return me
