"""Where a hub's database comes from: an address that a person pastes, or a project at Neon (HUB-2)."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass

from psn.config.database import DatabaseUrl
from psn.config.database import read_url as parse_url
from psn.config.envfile import read_env_file
from psn.config.workspace import Workspace
from psn.errors import InvalidInput
from psn.providers.local import default_home
from psn.providers.neon import NeonCli


@dataclass(frozen=True, slots=True)
class Source:
    """A database for a hub.

    Args:
        admin: the address and login of who may create roles there.
        project: at Neon.
    """

    admin: DatabaseUrl
    project: str = ""


def find_source(
    provider: str,
    *,
    workspace: Workspace,
    slug: str = "",
    project: str = "",
    read_url: Callable[[], str],
    tell: Callable[[str], None] = lambda _: None,
) -> Source:
    """Give the address of the database's administrator; at Neon, make the project when there is none yet.

    Args:
        provider: `url` or `neon`.
        slug: of the company; empty for a personal hub.
        project: at Neon, where the hub's file names one already.
        read_url: asks the person for the address; called for `url` alone.
        tell: hears what takes long.

    Raises:
        InvalidInput: there is no address, or it is none.
        Problem: of Neon, as of `psn.providers.neon`.
    """
    if provider == "neon":
        name = f"psn-{slug.replace('_', '-') or _own_name(workspace)}"
        return _find_project(name, workspace=workspace, project=project, tell=tell)
    text = read_url()
    if not text:
        command = f"psn_team create {slug} --provider url --name NAME" if slug else "psn_setup --provider url"
        raise InvalidInput(
            "The address of the database comes on stdin, with the login of who may create roles there.",
            code="url.missing",
            ask=f"{command} < a file with postgresql://user:password@host/database",
        )
    return Source(admin=parse_url(text).direct())


def _find_project(name: str, *, workspace: Workspace, project: str, tell: Callable[[str], None]) -> Source:
    key = read_env_file(workspace.keys_env).get("NEON_API_KEY", "")
    neon = NeonCli.from_environment(os.environ, folder=default_home() / "neon", key=key, project_id=project, tell=tell)
    found = neon.ensure_project(name)
    return Source(admin=neon.connection_url(found.id), project=found.id)


def _own_name(workspace: Workspace) -> str:
    """Name this workspace on this computer, the same at every run."""
    return hashlib.sha256(f"{socket.gethostname()}:{workspace.root}".encode()).hexdigest()[:8]
