"""Vendors' keys, and the key that seals them (HUB-7, HUB-8)."""

from __future__ import annotations

import re
from typing import Any

from django.db.models.functions import Now

from hub.actions.people import get_owner
from hub.connections import OWNER
from hub.models import ApiKey
from hub.sealing import SEALED, check_opens, context_of, opening, rotate_key, sealing
from psn.config.envfile import check_value, read_env_file, write_env_file
from psn.config.workspace import Workspace
from psn.errors import InvalidInput, NotFound

COMMENT = """Your vendors' keys, for commands on this computer. The worker reads its own, sealed copies in the hub.
Set them with: python3 manage.py psn_config keys set NAME   (the value on stdin)
Never commit this file; it must stay readable by you alone (chmod 600)."""
MAX_CHARACTERS = 8192


def create_keys_file(workspace: Workspace) -> None:
    """Make `config/keys.env` with its comment; one that is there stays as it is."""
    if not workspace.keys_env.exists():
        write_env_file(workspace.keys_env, {}, comment=COMMENT)


def set_key(workspace: Workspace, *, name: str, value: str, dry_run: bool = False) -> dict[str, Any]:
    """Store a key in `config/keys.env` and, sealed, in the hub.

    Args:
        dry_run: check everything, store nothing; gives where a key of this name is now.

    Raises:
        InvalidInput: no name, or a value no line can hold; the value is never repeated.
    """
    _check_name(name)
    value = value.strip()
    if not value or len(value) > MAX_CHARACTERS or not value.isprintable():
        raise InvalidInput(
            f"{name}: the value must be one line of 1 to {MAX_CHARACTERS} printable characters.", code="key.value"
        )
    values = read_env_file(workspace.keys_env)
    owner = get_owner()
    if dry_run:
        check_value(name, value)
        opening()
        in_hub = ApiKey.objects.filter(user=owner, name=name).exists()
        return {"name": name, "in_file": name in values, "in_hub": in_hub}
    write_env_file(workspace.keys_env, values | {name: value}, comment=COMMENT)
    with sealing() as keyring:
        row = ApiKey.objects.filter(user=owner, name=name).first() or ApiKey(user=owner, name=name)
        row.key_sealed = keyring.seal(value, context=context_of(row, "key_sealed"))
        row.updated_at = Now()
        row.save()
    return {"name": name, "in_file": True, "in_hub": True}


def list_keys(workspace: Workspace) -> list[dict[str, Any]]:
    """List keys by name and by where they are; values are never shown."""
    in_file = set(read_env_file(workspace.keys_env))
    in_hub = set(ApiKey.objects.filter(user=get_owner()).values_list("name", flat=True))
    return [{"name": name, "in_file": name in in_file, "in_hub": name in in_hub} for name in sorted(in_file | in_hub)]


def remove_key(workspace: Workspace, *, name: str, dry_run: bool = False) -> str:
    """Forget a key, here and in the hub.

    Raises:
        NotFound: there is none of this name.
    """
    values = read_env_file(workspace.keys_env)
    rows = ApiKey.objects.filter(user=get_owner(), name=name)
    if name not in values and not rows.exists():
        raise NotFound(f"There is no key {name}.", code="key.not_found", next_command="psn_config keys list")
    if dry_run:
        return name
    rows.delete()
    if values.pop(name, None) is not None:
        write_env_file(workspace.keys_env, values, comment=COMMENT)
    return name


def rotate(*, dry_run: bool = False) -> dict[str, Any]:
    """Replace the hub's key; killed anywhere, run it again.

    Args:
        dry_run: only open everything that is sealed, and count it.

    Raises:
        NotReady: something sealed does not open with the present key.
    """
    if not dry_run:
        return dict(rotate_key())
    check_opens(OWNER)
    columns = ((model, column) for model, names in SEALED.items() for column in names)
    count = sum(model._default_manager.using(OWNER).exclude(**{column: ""}).count() for model, column in columns)
    return {"key": opening().current.id, "sealed": count}


def _check_name(name: str) -> None:
    if not re.fullmatch(r"[A-Z][A-Z0-9_]{1,63}", name):
        raise InvalidInput(f"{name!r} is no key's name: write it like OPENAI_API_KEY.", code="key.name")
