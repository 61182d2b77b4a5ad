"""Which hubs a workspace has: `config/hub.env` the personal one, `config/connections/<slug>.env` one for each company.

Every file says where its hub is, as whom this computer may enter it, and holds the key that opens its secrets where this computer
needs it. A member's file has one login and no key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from psn.config.database import DatabaseUrl, read_url
from psn.config.envfile import read_env_file, write_env_file
from psn.config.workspace import Workspace
from psn.crypto import Key, Keyring, read_key
from psn.errors import InvalidInput, NotReady

COMMENT = """Your hub and the key that opens its secrets. Made by psn_setup.
Keep a copy somewhere safe: without HUB_ENCRYPTION_KEY the stored tokens cannot be read.
Never commit it; it must stay readable by you alone (chmod 600)."""
COMPANY_COMMENT = """Your way into a company's hub. Made by psn_team.
Never commit it; it must stay readable by you alone (chmod 600). To leave the team: psn_team leave."""
PROVIDERS = ("local", "neon", "url")
PERSONAL = "psn"  # role prefix of a local hub; no company may be called so
LOCAL_PORT = 5432  # only names the socket file of a local hub
LoginName = Literal["app", "worker", "owner"]
_SLUG = re.compile(r"[a-z][a-z0-9_]{0,29}")
_URLS = {"app": "DATABASE_URL", "worker": "WORKER_URL", "owner": "OWNER_URL"}
_FIELDS = (
    *(
        "PROVIDER",
        "PREFIX",
        "NAME",
        "DATA",
        "SOCKET_DIR",
        *_URLS.values(),
        "POOLED",
        "SSL_ROOT_CERT",
        "PROJECT",
        "HOME",
    ),
    *("HUB_ENCRYPTION_KEY", "HUB_ENCRYPTION_KEY_OLD", "SECRET_KEY"),
)


@dataclass(frozen=True, slots=True)
class HubConfig:
    """A hub as its file describes it.

    Args:
        slug: of the company; empty for the personal hub.
        prefix: of the hub's database roles.
        name: of its database.
        data: the Postgres data directory of a local hub.
        socket_dir: of a local hub; chosen once, because the temporary directory differs between shells and services.
        urls: of a remote hub, by login; those that this computer may use.
        is_pooled: the app's address leads through a transaction pooler, which loses notifications and prepared statements.
        ssl_root_cert: a file of certificate authorities, for a server whose certificate no browser would trust.
        project: at Neon.
        folder: where the logs and state of a remote hub's processes lie on this computer.
        key, old_key: text forms; `old_key` only while a rotation is under way. Empty before it is made, and where it is not needed.
        secret_key: Django's, which signs packages inside the worker.
    """

    slug: str = ""
    provider: str = "local"
    prefix: str = PERSONAL
    name: str = PERSONAL
    data: Path | None = None
    socket_dir: Path | None = None
    urls: Mapping[str, DatabaseUrl] = field(default_factory=dict)
    is_pooled: bool = False
    ssl_root_cert: str = ""
    project: str = ""
    folder: Path | None = None
    key: str = field(default="", repr=False)
    old_key: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)

    @property
    def is_company(self) -> bool:
        return bool(self.slug)

    @property
    def is_local(self) -> bool:
        return self.provider == "local"

    @property
    def alias(self) -> str:
        """Its name among the connections of a process that works on another hub."""
        return f"company_{self.slug}" if self.slug else "personal"

    @property
    def home(self) -> Path:
        """The folder of its processes' logs and state."""
        if self.folder is not None:
            return self.folder
        assert self.data is not None, "a remote hub has a folder"
        return self.data.parent

    @property
    def local_places(self) -> tuple[Path, Path]:
        """The data directory and the socket's folder of a local hub."""
        assert self.data is not None, "only a local hub has a data directory"
        assert self.socket_dir is not None, "only a local hub has a socket"
        return self.data, self.socket_dir

    @property
    def place(self) -> str:
        """Where it is, for people."""
        return str(self.data) if self.is_local else next(iter(self.urls.values())).place

    @property
    def has_owner(self) -> bool:
        """Whether this computer may change the hub's schema."""
        return self.is_local or "owner" in self.urls

    @property
    def has_worker(self) -> bool:
        """Whether this computer may run the hub's worker."""
        return self.is_local or "worker" in self.urls

    def url(self, login: LoginName) -> DatabaseUrl:
        """Give the address for a login of a remote hub.

        Raises:
            NotReady: this computer does not have it.
        """
        if login not in self.urls:
            what = {"worker": "run its worker", "owner": "change its schema", "app": "enter it"}[login]
            raise NotReady(
                f"This computer may not {what}: {self.file_name} has no {_URLS[login]}.",
                code=f"hub.no_{login}",
                ask=f"Do this on the computer whose {self.file_name} has {_URLS[login]}.",
            )
        return self.urls[login]

    def options(self, login: LoginName) -> dict[str, Any]:
        """Give the database driver's keywords for a login.

        Raises:
            NotReady: this computer does not have that login.
        """
        if self.is_local:
            _, socket_dir = self.local_places
            user = f"{self.prefix}_{login}"
            return {"host": str(socket_dir), "port": LOCAL_PORT, "dbname": self.name, "user": user}
        url = self.url(login)
        return (url if login == "app" else url.direct()).options(ssl_root_cert=self.ssl_root_cert)

    @property
    def file_name(self) -> str:
        """The file that describes it, below the workspace."""
        return f"config/connections/{self.slug}.env" if self.slug else "config/hub.env"

    def keyring(self) -> Keyring:
        """Give the keys to seal and open with.

        Raises:
            NotReady: there is no key, or it is malformed.
        """
        if self.key:
            return Keyring(*self.read_keys())
        if self.is_company:
            raise NotReady(
                f"{self.file_name} has no HUB_ENCRYPTION_KEY: only the computer of the company's worker opens its secrets.",
                code="key.elsewhere",
                ask="Do this on the computer where the company's worker runs.",
            )
        raise NotReady(f"{self.file_name} has no HUB_ENCRYPTION_KEY yet.", code="key.missing", next_command="psn_setup")

    def read_keys(self) -> list[Key]:
        """Give the keys, newest first."""
        return [read_key(text) for text in (self.key, self.old_key) if text]


def check_slug(slug: str) -> None:
    """Refuse what is no company's short name.

    Raises:
        InvalidInput: it is not one.
    """
    if not _SLUG.fullmatch(slug) or slug == PERSONAL or slug.startswith(f"{PERSONAL}_"):
        raise InvalidInput(
            f"{slug[:40]!r} is no company's short name: a small letter, then small letters, digits or _, at most 30; "
            f"not {PERSONAL}, which is the personal hub's.",
            code="hub.slug",
        )


def find_hub_config(workspace: Workspace, slug: str = "") -> HubConfig | None:
    """Read the file of the personal hub, or of a company's; None when there is none yet.

    Raises:
        NotReady: others can read it.
        InvalidInput: a field is missing, unknown, or wrong.
    """
    if slug:
        check_slug(slug)
    path = workspace.hub_file(slug)
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
    place = _read_local(path, values) if provider == "local" else _read_remote(path, values, slug=slug)
    return HubConfig(
        slug=slug,
        provider=provider,
        key=values.get("HUB_ENCRYPTION_KEY", ""),
        old_key=values.get("HUB_ENCRYPTION_KEY_OLD", ""),
        secret_key=values.get("SECRET_KEY", ""),
        **place,
    )


def get_hub_config(workspace: Workspace, slug: str = "") -> HubConfig:
    """Read the file of a hub.

    Raises:
        NotReady: there is none yet.
    """
    config = find_hub_config(workspace, slug)
    if config is None and slug:
        raise NotReady(
            f"This workspace has no hub {slug!r}: there is no config/connections/{slug}.env.",
            code="hub.missing",
            ask="Join the team with the invite that one of its admins gives you: psn_team join.",
        )
    if config is None:
        raise NotReady("This workspace has no hub yet.", code="hub.missing", next_command="psn_setup")
    return config


def list_company_slugs(workspace: Workspace) -> list[str]:
    """Name the companies whose hubs this workspace can enter."""
    return sorted(path.stem for path in workspace.connections.glob("*.env") if _SLUG.fullmatch(path.stem))


def write_hub_config(workspace: Workspace, config: HubConfig) -> None:
    """Replace a hub's file in one step."""
    values = {
        "PROVIDER": config.provider,
        "PREFIX": "" if config.is_local else config.prefix,
        "DATA": str(config.data or ""),
        "SOCKET_DIR": str(config.socket_dir or ""),
        "NAME": config.name,
        **{name: config.urls[login].to_text() for login, name in _URLS.items() if login in config.urls},
        "POOLED": "yes" if config.is_pooled else "",
        "SSL_ROOT_CERT": config.ssl_root_cert,
        "PROJECT": config.project,
        "HOME": str(config.folder or ""),
        "SECRET_KEY": config.secret_key,
        "HUB_ENCRYPTION_KEY": config.key,
        "HUB_ENCRYPTION_KEY_OLD": config.old_key,
    }
    write_env_file(
        workspace.hub_file(config.slug),
        {name: value for name, value in values.items() if value},
        comment=COMPANY_COMMENT if config.is_company else COMMENT,
    )


def _read_local(path: Path, values: Mapping[str, str]) -> dict[str, Any]:
    for name in ("DATA", "SOCKET_DIR", "NAME"):
        if not values.get(name):
            raise InvalidInput(f"{path}: {name} is missing.", code="config.field")
    places = {name: _absolute(path, values, name) for name in ("DATA", "SOCKET_DIR")}
    return {"data": places["DATA"], "socket_dir": places["SOCKET_DIR"], "name": values["NAME"]}


def _read_remote(path: Path, values: Mapping[str, str], *, slug: str) -> dict[str, Any]:
    prefix = values.get("PREFIX", slug)
    if not _SLUG.fullmatch(prefix):
        raise InvalidInput(f"{path}, PREFIX: {prefix!r} is no prefix of roles.", code="config.field")
    urls = {login: _read_url(path, values, name) for login, name in _URLS.items() if values.get(name)}
    if not urls:
        raise InvalidInput(f"{path}: DATABASE_URL is missing.", code="config.field")
    return {
        "prefix": prefix,
        "name": next(iter(urls.values())).name,
        "urls": urls,
        "is_pooled": values.get("POOLED", "") == "yes" or any(url.is_neon_pooler for url in urls.values()),
        "ssl_root_cert": values.get("SSL_ROOT_CERT", ""),
        "project": values.get("PROJECT", ""),
        "folder": _absolute(path, values, "HOME"),
    }


def _read_url(path: Path, values: Mapping[str, str], name: str) -> DatabaseUrl:
    try:
        return read_url(values[name])
    except InvalidInput as error:
        raise InvalidInput(f"{path}, {name}: {error.message}", code="config.field") from None


def _absolute(path: Path, values: Mapping[str, str], name: str) -> Path:
    if not values.get(name):
        raise InvalidInput(f"{path}: {name} is missing.", code="config.field")
    if not Path(values[name]).is_absolute():
        raise InvalidInput(f"{path}, {name}: {values[name]!r} is no absolute path.", code="config.field")
    return Path(values[name])
