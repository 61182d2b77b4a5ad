"""Renewing a grant: one process at a time, and no transaction is held while the platform answers (AUTH-2, AUTH-3).

Where a platform rotates, asking spends the refresh token, and the answer exists once. So whoever asks first takes the row's lease
with a conditional update; everybody else waits for them and reads again. The lease outlasts the call and the storing of its answer,
and no byte leaves when too little of it is left; so nobody asks with a token that somebody else is asking with. What came back is
stored before anybody uses it, if need be when the hub is back, and only in the place of the pair that was asked with.

A lost answer ends nothing: the next try shows whether the refresh token was spent. Only a refusal of the grant itself does, and only
when the pair that was refused is still the account's and the lease still ours.
"""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from django.db import connections, transaction
from django.db.models import Exists, Q
from django.db.models.functions import Now

from hub.models import Account, OAuthToken
from hub.models.posts import from_now
from hub.publishing.keeping import get_row, lose_grant, open_column, read_grant, replace_tokens
from hub.publishing.patience import UNREACHABLE, release_connection, store_patiently
from psn.deadline import Deadline
from psn.errors import NeedsReconnect, Unavailable
from psn.oauth.spec import PasswordSpec, Token
from psn.platforms.registry import get_platform

log = logging.getLogger(__name__)

CALL_SECONDS = 30.0  # psn.http's own limit of a whole call
STORE_SECONDS = (
    60.0  # of patience with a hub that is away; longer than with a post, for a lost pair costs a person's time
)
MARGIN_SECONDS = 15.0
LEASE = timedelta(seconds=CALL_SECONDS + STORE_SECONDS + MARGIN_SECONDS)
WAIT_SECONDS = 10.0  # for whoever is asking; a renewal takes well under one
PAUSE_SECONDS = 0.2


def renew(account: Account, row: OAuthToken, *, now: datetime, wait_seconds: float | None = None) -> OAuthToken:
    """Have a newer pair than this row's, and give its row: from the platform, or from whoever is asking it just now.

    Args:
        wait_seconds: how long to wait for somebody else; `WAIT_SECONDS` when left out.

    Raises:
        NeedsReconnect: the platform refuses the grant; the account says so from now on, and its person was told.
        UnknownOutcome: the answer was lost. The next try shows what became of the grant.
        Unavailable, RateLimited, Rejected: not renewed; everything is as before.
    """
    assert not connections["default"].in_atomic_block, "a transaction would be open while the platform answers"
    give_up = time.monotonic() + (WAIT_SECONDS if wait_seconds is None else wait_seconds)
    while True:
        begin_before = Deadline(MARGIN_SECONDS)  # reckoned from before the lease begins, so never too late
        leased = _take_lease(row)
        if leased is not None:
            return _renew_leased(account, leased, now=now, begin_before=begin_before)
        latest = get_row(account)
        if latest.version != row.version:
            return latest
        _check_active(account)
        if time.monotonic() > give_up:
            raise Unavailable(
                f"The access of {account} is being renewed by another process just now.", code="oauth.unexpected"
            )
        release_connection()
        time.sleep(PAUSE_SECONDS)


def _take_lease(row: OAuthToken) -> OAuthToken | None:
    """Be the one who asks; give the row as leased, None when somebody else asks, or has asked."""
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=Now())
    active = Account.objects.filter(id=row.account_id, status=Account.Status.ACTIVE)  # else this very pair was refused
    with transaction.atomic():
        same = OAuthToken.objects.filter(id=row.id, version=row.version)
        taken = same.filter(free, Exists(active)).update(lease_until=from_now(LEASE))
        return same.get() if taken else None


def _check_active(account: Account) -> None:
    """Stop waiting for a grant that whoever asked was refused."""
    status, reason = Account.objects.values_list("status", "status_reason").get(id=account.id)
    if status != Account.Status.ACTIVE:
        raise NeedsReconnect(
            f"{account} must be connected again: {reason}" if reason else f"{account} is not connected.",
            next_command=account.connect_command,
        )


def _renew_leased(account: Account, row: OAuthToken, *, now: datetime, begin_before: Deadline) -> OAuthToken:
    release_connection()
    try:
        token = _ask(account, row, now=now, send_before=begin_before)
    except NeedsReconnect as refusal:
        return store_patiently(partial(_settle_refusal, account, row, refusal), seconds=STORE_SECONDS)
    except BaseException:
        _free_lease(row)
        raise
    return _store(account, row, token)


def _ask(account: Account, row: OAuthToken, *, now: datetime, send_before: Deadline) -> Token:
    """Ask the platform for the next pair."""
    # Imported here because it brings the HTTP library and pydantic (over 100 ms), and most commands that know the engine talk to nobody.
    from psn.oauth.flow import refresh_token

    platform, token = get_platform(account.platform), read_grant(row)
    spec, base_url = platform.sign_in, account.base_url or platform.api_base_url
    if isinstance(spec, PasswordSpec):
        if send_before.is_over():
            raise Unavailable("The renewal was not sent: its deadline had passed.", code="platform.deadline_passed")
        return spec.renew_session(base_url, token=token, now=now)
    return refresh_token(
        spec,
        api_base_url=base_url,
        token_base_url="" if account.base_url else spec.token_base_url,
        client_id=row.client_id,
        client_secret=open_column(row, "client_secret_sealed"),
        token=token,
        now=now,
        send_before=send_before,
    )


def _store(account: Account, row: OAuthToken, token: Token) -> OAuthToken:
    """Store the answer, which exists only here."""
    try:
        return store_patiently(partial(replace_tokens, account, row, token), seconds=STORE_SECONDS)
    except UNREACHABLE:
        log.critical(
            "the access of %s was renewed, and the hub could not be told: it may have to be connected again", account
        )
        raise


def _settle_refusal(account: Account, row: OAuthToken, refusal: NeedsReconnect) -> OAuthToken:
    """Give the account up, unless somebody has a newer pair or is asking by now. Harmless to repeat.

    Raises:
        NeedsReconnect: the account must be connected again.
        Unavailable: somebody else took over, and decides.
    """
    with transaction.atomic():
        latest = OAuthToken.objects.select_for_update().filter(id=row.id).first()
        if latest is not None and latest.version != row.version:
            return latest
        if latest is not None and latest.lease_until not in (row.lease_until, None):
            raise Unavailable("Another process is renewing this grant by now.", code="oauth.unexpected")
        OAuthToken.objects.filter(id=row.id).update(lease_until=None)
        lose_grant(account, reason=refusal.message)
    raise NeedsReconnect(
        f"{account} must be connected again: {refusal.message}",
        http_status=refusal.http_status,
        request_id=refusal.request_id,
        next_command=account.connect_command,
    )


def _free_lease(row: OAuthToken) -> None:
    """Let the next one ask at once; a hub that is away lets the lease run out."""
    with suppress(*UNREACHABLE):
        OAuthToken.objects.filter(id=row.id, version=row.version, lease_until=row.lease_until).update(lease_until=None)
