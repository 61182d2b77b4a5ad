"""Sealed columns: writing them while the key may be rotated, and rotating it (SPEC HUB-8).

A value is sealed and stored in one transaction that holds a shared lock; the last step of a rotation takes the same lock alone.
So no value sealed with the old key can be stored after the old key was dropped.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from django.conf import settings
from django.db import connections, models, transaction

from hub.connections import OWNER
from hub.models import ApiKey, OAuthToken
from psn.config.hub import get_hub_config, write_hub_config
from psn.crypto import Keyring, create_key, key_id_of

_LOCK = 0x50534E01  # this hub's sealing lock; advisory locks are per database
SEALED: dict[type[models.Model], tuple[str, ...]] = {
    OAuthToken: ("access_token_sealed", "refresh_token_sealed", "client_secret_sealed"),
    ApiKey: ("key_sealed",),
}


def context_of(row: models.Model, column: str) -> str:
    """Name the place that a sealed value is bound to."""
    return f"{row._meta.db_table}:{row.pk}:{column}"


@contextmanager
def sealing(using: str = "default") -> Iterator[Keyring]:
    """Give the keys for sealing values that are stored inside the block.

    Raises:
        NotReady: there is no key, or it is malformed.
    """
    with transaction.atomic(using=using):
        with connections[using].cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [_LOCK])
        yield get_hub_config(settings.WORKSPACE, settings.HUB_SLUG).keyring()


def opening() -> Keyring:
    """Give the keys for opening values; read anew each time, because a rotation may have happened meanwhile."""
    return get_hub_config(settings.WORKSPACE, settings.HUB_SLUG).keyring()


def rotate_key(using: str = OWNER) -> dict[str, int | str]:
    """Replace the hub's key: a new one, every value sealed anew, the old one dropped. Killed anywhere, run it again.

    Two at once work on the same new key. The old key is dropped only after a look, with every writer shut out, that found nothing
    left to seal. That look changes no row, so it waits for none, and a crash after it takes nothing back.

    Args:
        using: the owner's connection, which sees everybody's values; any other would drop the key of values it cannot see.

    Returns:
        `key` (the new key's id) and `sealed` (how many values were sealed anew by this run).

    Raises:
        NotReady: a value does not open; nothing is dropped.
    """
    keyring = _start_rotation(using)
    count = _reseal_all(keyring, using=using)
    while not _end_rotation(keyring, using=using):
        count += _reseal_all(keyring, using=using)
    return {"key": keyring.current.id, "sealed": count}


def check_opens(using: str = "default") -> None:
    """Open everything sealed that this login can see.

    Raises:
        NotReady: there is no key, or not the one that something was sealed with.
    """
    keyring = opening()
    for row, column, sealed in _values(using):
        keyring.open(sealed, context=context_of(row, column))


def count_foreign(keyring: Keyring, using: str = "default") -> int:
    """Count sealed values whose key is not in this keyring."""
    known = {key.id for key in get_hub_config(settings.WORKSPACE, settings.HUB_SLUG).read_keys()} | {keyring.current.id}
    return sum(1 for _, _, sealed in _values(using) if key_id_of(sealed) not in known)


def _values(using: str) -> Iterator[tuple[models.Model, str, str]]:
    for model, columns in SEALED.items():
        for row in model._default_manager.using(using).iterator():
            for column in columns:
                if sealed := getattr(row, column):
                    yield row, column, sealed


@contextmanager
def _no_writers(using: str) -> Iterator[None]:
    """Shut out everybody who seals, until the end of the transaction."""
    with transaction.atomic(using=using):
        with connections[using].cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        yield


def _start_rotation(using: str) -> Keyring:
    """Write a new key beside the old one; go on with the rotation that is under way, if there is one."""
    with _no_writers(using):
        config = get_hub_config(settings.WORKSPACE, settings.HUB_SLUG)
        if not config.old_key:
            config.keyring()  # refuses when there is none, rather than making up a first one
            config = replace(config, key=create_key().to_text(), old_key=config.key)
            write_hub_config(settings.WORKSPACE, config)
    return config.keyring()


def _end_rotation(keyring: Keyring, *, using: str) -> bool:
    """Drop the old key when nothing is left to seal; False when a writer left something behind."""
    with _no_writers(using):
        config = get_hub_config(settings.WORKSPACE, settings.HUB_SLUG)
        if not config.old_key or config.keyring().current.id != keyring.current.id:
            return True  # another run has ended this rotation
        if any(_to_reseal(model, column, keyring=keyring, using=using).exists() for model, column in _sealed_columns()):
            return False
        write_hub_config(settings.WORKSPACE, replace(config, old_key=""))
        return True


def _sealed_columns() -> Iterator[tuple[type[models.Model], str]]:
    return ((model, column) for model, columns in SEALED.items() for column in columns)


def _to_reseal(
    model: type[models.Model], column: str, *, keyring: Keyring, using: str
) -> models.QuerySet[models.Model]:
    """Rows whose value was sealed with another key than the present one."""
    rows = model._default_manager.using(using)
    return rows.exclude(**{column: ""}).exclude(**{f"{column}__startswith": f"v1.{keyring.current.id}."})


def _reseal_all(keyring: Keyring, *, using: str) -> int:
    """Seal anew everything that another key sealed; each row is its own transaction."""
    return sum(_reseal(model, column, keyring=keyring, using=using) for model, column in _sealed_columns())


def _reseal(model: type[models.Model], column: str, *, keyring: Keyring, using: str) -> int:
    """Seal anew what another key sealed; one conditional update per row, so a concurrent writer wins."""
    changed = 0
    for row in _to_reseal(model, column, keyring=keyring, using=using).iterator():
        before = getattr(row, column)
        context = context_of(row, column)
        after = keyring.seal(keyring.open(before, context=context), context=context)
        here = {"pk": row.pk, column: before}
        changed += model._default_manager.using(using).filter(**here).update(**{column: after})
    return changed
