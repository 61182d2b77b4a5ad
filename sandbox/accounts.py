"""The people of the sandbox: any handle will do, and its account is made the first time it is used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox import clock
from sandbox.models import Account


def get_account(
    platform: str, handle: str, *, account_id: str, name: str = "", data: Mapping[str, Any] | None = None
) -> Account:
    """Give the account with this handle, made if nobody used it before.

    Args:
        account_id: the platform's own; it must follow from the handle, so that it is the same after a reset.
        name: for people; made of the handle when left out.
    """
    account, _ = Account.objects.get_or_create(
        platform=platform,
        handle=handle,
        defaults={
            "name": name or make_name(handle),
            "platform_account_id": account_id,
            "created_at": clock.now(),
            "data": dict(data or {}),
        },
    )
    return account


def find_account(platform: str, *, handle: str | None = None, account_id: str | None = None) -> Account | None:
    """Give the account with this handle or this platform's id, if somebody used it."""
    wanted = {"handle": handle, "platform_account_id": account_id}
    return Account.objects.filter(
        platform=platform, **{name: value for name, value in wanted.items() if value is not None}
    ).first()


def make_name(handle: str) -> str:
    """Make a name for people of a handle: `ann_lee.bsky.social` is Ann Lee."""
    return handle.partition(".")[0].replace("_", " ").replace("-", " ").title() or handle
