"""The sandbox of this workspace: a process of its own, spoken to over HTTP (PLAT-4)."""

from __future__ import annotations

import json
import socket
import sys
from datetime import datetime
from itertools import groupby
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from hub.models import Account, AuditEntry, OAuthToken
from psn.config.hub import HubConfig
from psn.daemons import Daemon
from psn.errors import Conflict, InvalidInput, NotReady, Unavailable
from psn.http import Http, Reply

DEFAULT_PORT = 8766
HOST = "127.0.0.1"


def sandbox_daemon(hub: HubConfig, *, port: int = 0) -> Daemon:
    """Describe the sandbox's process."""
    folder = hub.home / "sandbox"
    return Daemon(
        name="sandbox",
        folder=folder,
        argv=[sys.executable, "-m", "sandbox", "serve", "--state", str(folder), "--port", str(port)],
        cwd=settings.BASE_DIR,
        environment={"DJANGO_SETTINGS_MODULE": "sandbox.settings"},
    )


def start_sandbox(hub: HubConfig, *, port: int | None = None) -> tuple[str, bool]:
    """Start the sandbox and give its address; its accounts follow it to another port.

    Args:
        port: None for the one it had, else any free one.

    Returns:
        the address, and whether this call started it.

    Raises:
        InvalidInput: no port.
        Conflict: the port that was asked for is taken.
    """
    if port is not None and not 0 < port < 65536:
        raise InvalidInput(f"{port} is no port: give 1 to 65535.", code="sandbox.port")
    running = find_sandbox_url(hub)
    if running is not None:
        if port is not None and not running.endswith(f":{port}"):
            raise Conflict(
                f"The sandbox runs at {running}. Stop it first.",
                code="sandbox.running",
                next_command="psn_sandbox stop",
            )
        follow_sandbox(running)  # whoever started it may have been killed before, or the accounts are a backup's
        return running, False
    if port is not None and not _is_free(port):
        raise Conflict(f"Port {port} is taken.", code="sandbox.port_taken", next_command="psn_sandbox start")
    daemon = sandbox_daemon(hub, port=port if port is not None else _choose_port(hub))
    started = daemon.start(is_ready=lambda: find_sandbox_url(hub) is not None)
    url = get_sandbox_url(hub)
    follow_sandbox(url)
    return url, started


def follow_sandbox(url: str) -> None:
    """Let the sandbox's accounts point at its present address.

    Of several accounts for one profile, made when the sandbox had other addresses, the one connected last stays connected.
    """
    url = url.rstrip("/")
    here = Q(is_sandbox=True) | Q(base_url__startswith=f"{url}/")
    with transaction.atomic():
        accounts = Account.objects.select_for_update().filter(here)
        in_order = accounts.order_by("user_id", "platform", "platform_account_id", "id")
        for _, twins in groupby(in_order, key=lambda one: (one.user_id, one.platform, one.platform_account_id)):
            newest, *older = sorted(twins, key=_by_connection, reverse=True)
            for account in older:
                _retire(account, url=url)
            address = f"{url}/{newest.platform}"
            if newest.base_url != address:
                Account.objects.filter(id=newest.id).update(base_url=address)


def stop_sandbox(hub: HubConfig) -> bool:
    """Stop the sandbox; what it holds is kept. False when it was not running."""
    return sandbox_daemon(hub).stop()


def find_sandbox_url(hub: HubConfig) -> str | None:
    """Give the address of the running sandbox; None when it does not answer."""
    if not sandbox_daemon(hub).is_running():
        return None
    url = _last(hub).get("url")
    if not url:
        return None
    try:
        reply = _call(url, "GET", "/_sandbox/health")
    except Unavailable:
        return None
    return str(url) if reply.status == 200 else None


def get_sandbox_url(hub: HubConfig) -> str:
    """Give the address of the running sandbox.

    Raises:
        NotReady: it does not run.
    """
    url = find_sandbox_url(hub)
    if url is None:
        raise NotReady("The sandbox does not run.", code="sandbox.down", next_command="psn_sandbox start")
    return url


def sandbox_status(hub: HubConfig) -> dict[str, Any]:
    """Tell whether the sandbox runs, where, and which faults wait."""
    url = find_sandbox_url(hub)
    if url is None:
        return {"state": "down", "url": None}
    health = _call(url, "GET", "/_sandbox/health").json()
    return {
        "state": "running",
        "url": url,
        "posts": health["posts"],
        "faults": _call(url, "GET", "/_sandbox/faults").json(),
    }


def list_sandbox_posts(hub: HubConfig, *, limit: int) -> list[dict[str, Any]]:
    """List what the sandbox's platforms show, newest first."""
    posts: list[dict[str, Any]] = _call(get_sandbox_url(hub), "GET", f"/_sandbox/posts?limit={limit}").json()
    return posts


def add_fault(hub: HubConfig, order: dict[str, Any]) -> dict[str, Any]:
    """Order a failure.

    Raises:
        InvalidInput: the sandbox does not know such a failure.
    """
    reply = _call(get_sandbox_url(hub), "POST", "/_sandbox/faults", body=order)
    if reply.status != 200:
        raise InvalidInput(str(reply.json().get("error", "The sandbox refused this.")), code="sandbox.fault")
    fault: dict[str, Any] = reply.json()
    return fault


def clear_faults(hub: HubConfig) -> int:
    """Take all ordered failures back; give how many there were."""
    return int(_call(get_sandbox_url(hub), "DELETE", "/_sandbox/faults").json()["cleared"])


def _by_connection(account: Account) -> tuple[bool, datetime]:
    return account.status != Account.Status.DISCONNECTED, account.connected_at


def _retire(account: Account, *, url: str) -> None:
    """Disconnect an account whose profile has a newer one, and leave the sandbox's address to that."""
    address = f"{url}/{account.platform}/replaced/{account.id}"  # one that is no other account's; nothing answers there
    if account.status == Account.Status.DISCONNECTED:
        Account.objects.filter(id=account.id).update(base_url=address)
        return
    OAuthToken.objects.filter(account_id=account.id).delete()
    Account.objects.filter(id=account.id).update(
        base_url=address,
        status=Account.Status.DISCONNECTED,
        status_reason="another account of this hub has the same profile",
    )
    AuditEntry.objects.record(
        account,
        action="account.disconnected",
        actor="psn",
        from_state=account.status,
        to_state=Account.Status.DISCONNECTED,
    )


def _choose_port(hub: HubConfig) -> int:
    """Prefer the port it had, then the default; any other when both are taken."""
    for port in (_last(hub).get("port"), DEFAULT_PORT):
        if isinstance(port, int) and _is_free(port):
            return port
    return 0


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except PermissionError:
            raise InvalidInput(
                f"Port {port} is reserved for the system: give 1024 to 65535.", code="sandbox.port"
            ) from None
        except OSError:
            return False
    return True


def _last(hub: HubConfig) -> dict[str, Any]:
    try:
        found = json.loads((hub.home / "sandbox" / "sandbox.json").read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _call(url: str, method: str, path: str, *, body: object = None) -> Reply:
    with Http(url, timeout_seconds=5.0) as http:
        return http.read(method, path, json=body)
