"""`config/hub.env`: which hub this workspace has, and the key that seals its secrets."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from psn.config.envfile import read_env_file, write_env_file
from psn.config.workspace import Workspace
from psn.crypto import Key, Keyring, read_key
from psn.errors import InvalidInput, NotReady

COMMENT = """Your hub and the key that opens its secrets. Made by psn_setup.
Keep a copy somewhere safe: without HUB_ENCRYPTION_KEY the stored tokens cannot be read.
Never commit it; it must stay readable by you alone (chmod 600)."""
PROVIDERS = ("local",)
_FIELDS = ("PROVIDER", "DATA", "SOCKET_DIR", "NAME", "HUB_ENCRYPTION_KEY", "HUB_ENCRYPTION_KEY_OLD", "SECRET_KEY")


@dataclass(frozen=True, slots=True)
class HubConfig:
    """A local hub as `config/hub.env` describes it.

    Args:
        data: the Postgres data directory; its parent holds logs and state of the hub's processes.
        socket_dir: chosen once, because the temporary directory differs between shells and services.
        key, old_key: text forms; `old_key` only while a rotation is under way; both empty before the key is made.
        secret_key: Django's, which signs queue rows.
    """

    data: Path
    socket_dir: Path
    name: str = "psn"
    provider: str = "local"
    key: str = field(default="", repr=False)
    old_key: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)

    @property
    def home(self) -> Path:
        return self.data.parent

    def keyring(self) -> Keyring:
        """Give the keys to seal and open with.

        Raises:
            NotReady: there is no key, or it is malformed.
        """
        if not self.key:
            raise NotReady(
                "config/hub.env has no HUB_ENCRYPTION_KEY yet.", code="key.missing", next_command="psn_setup"
            )
        return Keyring(*self.read_keys())

    def read_keys(self) -> list[Key]:
        """Give the keys, newest first."""
        return [read_key(text) for text in (self.key, self.old_key) if text]


def find_hub_config(workspace: Workspace) -> HubConfig | None:
    """Read `config/hub.env`; None when there is none yet.

    Raises:
        NotReady: others can read it.
        InvalidInput: a field is missing, unknown, or names no known provider.
    """
    path = workspace.hub_env
    values = read_env_file(path)
    if not values:
        return None
    unknown = sorted(set(values) - set(_FIELDS))
    if unknown:
        raise InvalidInput(f"{path}: unknown field {unknown[0]}. Known: {', '.join(_FIELDS)}.", code="config.field")
    provider = values.get("PROVIDER", "")
    if provider not in PROVIDERS:
        raise InvalidInput(
            f"{path}, PROVIDER: {provider!r} is not one of: {', '.join(PROVIDERS)}.", code="provider.unknown"
        )
    for name in ("DATA", "SOCKET_DIR", "NAME"):
        if not values.get(name):
            raise InvalidInput(f"{path}: {name} is missing.", code="config.field")
    for name in ("DATA", "SOCKET_DIR"):
        if not Path(values[name]).is_absolute():
            raise InvalidInput(f"{path}, {name}: {values[name]!r} is no absolute path.", code="config.field")
    return HubConfig(
        data=Path(values["DATA"]),
        socket_dir=Path(values["SOCKET_DIR"]),
        name=values["NAME"],
        provider=provider,
        key=values.get("HUB_ENCRYPTION_KEY", ""),
        old_key=values.get("HUB_ENCRYPTION_KEY_OLD", ""),
        secret_key=values.get("SECRET_KEY", ""),
    )


def get_hub_config(workspace: Workspace) -> HubConfig:
    """Read `config/hub.env`.

    Raises:
        NotReady: there is none yet.
    """
    config = find_hub_config(workspace)
    if config is None:
        raise NotReady("This workspace has no hub yet.", code="hub.missing", next_command="psn_setup")
    return config


def write_hub_config(workspace: Workspace, config: HubConfig) -> None:
    """Replace `config/hub.env` in one step."""
    values = {
        "PROVIDER": config.provider,
        "DATA": str(config.data),
        "SOCKET_DIR": str(config.socket_dir),
        "NAME": config.name,
        "SECRET_KEY": config.secret_key,
        "HUB_ENCRYPTION_KEY": config.key,
        "HUB_ENCRYPTION_KEY_OLD": config.old_key,
    }
    write_env_file(workspace.hub_env, {name: value for name, value in values.items() if value}, comment=COMMENT)
