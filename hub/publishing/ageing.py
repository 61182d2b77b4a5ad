"""Grants that nobody needs just now: renewed ahead of their end, and their people warned when nobody can renew them (AUTH-2, AUTH-3)."""

from __future__ import annotations

import logging
import uuid
from datetime import datetime, timedelta

from django.db import connections, transaction
from django.db.models.functions import Now

from hub.models import Account, OAuthToken
from hub.models.base import hub_now
from hub.publishing import renewing
from hub.publishing.keeping import get_row, life_of, tell
from hub.publishing.patience import UNREACHABLE
from hub.rls.identity import acting_as, acting_for_nobody
from psn.errors import NeedsReconnect, Problem
from psn.oauth.renewal import ends_at, is_due
from psn.platforms.registry import get_platform

log = logging.getLogger(__name__)

WARN_AHEAD = timedelta(days=7)
EXPIRES_SOON = "account.expires_soon"


def see_to_grants() -> int:
    """See to every connected account; give how many were looked at. Several may run at the same time."""
    with acting_for_nobody():
        now = hub_now()
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT account_id, user_id FROM hub_api.find_grants()")
            found: list[tuple[uuid.UUID, uuid.UUID]] = cursor.fetchall()
    for account_id, user_id in found:
        try:
            with acting_as(user_id):
                see_to(account_id, now=now)
        except UNREACHABLE:
            raise
        except Exception:  # one that cannot be seen to keeps nobody else waiting
            log.exception("the grant of account %s could not be seen to", account_id)
    return len(found)


def see_to(account_id: uuid.UUID, *, now: datetime) -> None:
    """Renew an account's grant if it is time to, and warn its person when it ends soon all the same."""
    account = Account.objects.filter(id=account_id, status=Account.Status.ACTIVE).first()
    if account is None:
        return
    sign_in = get_platform(account.platform).sign_in
    try:
        row = get_row(account)
        if is_due(sign_in, life_of(row), now=now, ahead=True):
            row = renewing.renew(account, row, now=now, wait_seconds=0.0)
    except NeedsReconnect:  # its person was told
        return
    except Problem as error:  # there is time left; whoever needs it asks again
        log.warning("the access of %s was not renewed: %s", account, error.message)
    end = ends_at(sign_in, life_of(row))
    if end is not None and end - now < WARN_AHEAD and row.warned_at is None:
        _warn(account, row, end=end)


def _warn(account: Account, row: OAuthToken, *, end: datetime) -> None:
    """Tell the person, once for this grant."""
    with transaction.atomic():
        unwarned = OAuthToken.objects.filter(id=row.id, version=row.version, warned_at__isnull=True)
        if unwarned.update(warned_at=Now()):
            tell(
                account,
                code=EXPIRES_SOON,
                message=f"The access of {account} ends on {end:%Y-%m-%d at %H:%M} UTC, and PSN cannot renew it by itself. "
                "Connect it again before that.",
            )
