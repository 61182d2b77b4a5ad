"""The app that a person made at a platform: its id, and its secret where it has one (HUB-7)."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from psn.config.envfile import read_env_file
from psn.config.workspace import Workspace
from psn.errors import NotReady
from psn.oauth.apps import AppKeys, register_app
from psn.oauth.spec import OAuthSpec
from psn.platforms.base import Platform

SANDBOX_APP = AppKeys("psn-sandbox", "psn-sandbox-secret")


def find_app(
    platform: Platform,
    *,
    workspace: Workspace,
    base_url: str,
    client_id: str = "",
    client_secret: str = "",
    now: datetime,
) -> AppKeys:
    """Give the app to connect with: the one that was named, the one in `config/keys.env`, or one that registers itself.

    Args:
        base_url: the instance, where each has apps of its own.
        client_id, client_secret: as a person gave them; empty otherwise.

    Raises:
        NotReady: there is none yet (`connect.no_app`), with how to make one.
    """
    spec = oauth_of(platform)
    if spec.apps_path and not client_id:
        return register_app(spec, base_url=base_url, scopes=(*spec.scopes, *spec.organization_scopes), now=now)
    known = known_app(platform, workspace=workspace)
    app = AppKeys(client_id or known.client_id, client_secret or ("" if client_id else known.client_secret))
    _check_complete(app, platform)
    return app


def known_app(platform: Platform, *, workspace: Workspace) -> AppKeys:
    """Give what `config/keys.env` and the settings know of the person's app; empty where they know nothing."""
    name, keys = platform.name.upper(), read_env_file(workspace.keys_env)
    return AppKeys(
        keys.get(f"{name}_CLIENT_ID", "") or settings.OAUTH_CLIENT_IDS.get(platform.name, ""),
        keys.get(f"{name}_CLIENT_SECRET", ""),
    )


def sandbox_app(platform: Platform, *, base_url: str, now: datetime) -> AppKeys:
    """Give the app that every sandbox knows; where apps register themselves, a new one."""
    spec = oauth_of(platform)
    if spec.apps_path:
        return register_app(spec, base_url=base_url, scopes=(*spec.scopes, *spec.organization_scopes), now=now)
    return SANDBOX_APP if spec.client_auth == "form" else AppKeys(SANDBOX_APP.client_id)


def oauth_of(platform: Platform) -> OAuthSpec:
    """Give how people authorize apps at a platform that has that."""
    assert isinstance(platform.sign_in, OAuthSpec), platform.name
    return platform.sign_in


def _check_complete(app: AppKeys, platform: Platform) -> None:
    spec, name = oauth_of(platform), platform.name.upper()
    missing = [] if app.client_id else [f"{name}_CLIENT_ID"]
    if spec.client_auth == "form" and not app.client_secret:
        missing.append(f"{name}_CLIENT_SECRET")
    if not missing:
        return
    where = f" at {spec.portal_url}" if spec.portal_url else " in the platform's developer portal"
    raise NotReady(
        f"PSN does not know your app at {platform.title} yet: {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing.",
        code="connect.no_app",
        ask=f"Make an app{where} with the redirect address {spec.redirect_uri}, then store what it is given: "
        + "; ".join(f"python3 manage.py psn_config keys set {one} (the value on stdin)" for one in missing)
        + f". To try {platform.title} without an app: python3 manage.py psn_account connect {platform.name} --sandbox",
    )
