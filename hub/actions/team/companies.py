"""A company's hub on its way into the world, as its first admin makes it (TEAM-1). Everything here may be killed and run again.

What was chosen (names of logins, passwords, the key) stands in `config/connections/<slug>.env` before anything is made with it.
"""

from __future__ import annotations

import secrets
from dataclasses import replace

from django.conf import settings
from django.db import connections, transaction

from hub.actions import hubs
from hub.connections import OWNER, current_hub, switch_hub
from hub.models import Company, Login, Role, User
from hub.rls import roles
from psn.config.database import DatabaseUrl
from psn.config.hub import HubConfig, find_hub_config, write_hub_config
from psn.config.workspace import Workspace


def prepare_company_hub(
    workspace: Workspace, *, slug: str, provider: str, admin: DatabaseUrl, ssl_root_cert: str = "", project: str = ""
) -> HubConfig:
    """Make or complete the roles and schemas of a company's hub in somebody's database.

    Args:
        admin: the login that the host gave; it may make roles and owns the database. It is kept nowhere.
    """
    config = find_hub_config(workspace, slug)
    if config is None:
        config = hubs.plan_remote_hub(admin, provider=provider, slug=slug, project=project, ssl_root_cert=ssl_root_cert)
        write_hub_config(workspace, config)
    hubs.make_remote_hub(config, admin)
    return config


def company_hub_is_made(config: HubConfig) -> bool:
    """Whether roles and schemas are there."""
    return config.has_owner and hubs.hub_is_made(config)


def migrate_company_hub(slug: str) -> tuple[str, ...]:
    """Bring the schema of a company's hub up to date; give the migrations that ran."""
    switch_hub(slug)
    return hubs.migrate_schema()


def create_company(*, slug: str, name: str, timezone: str, admin_name: str) -> None:
    """Make the company, its first admin with a login of his own, and the worker's login, in the hub of this process."""
    config = _plan_admin_login()
    with transaction.atomic(using=OWNER):
        _create_company(slug=slug, name=name, timezone=timezone)
        admin = _create_admin(admin_name, timezone=timezone)
    with connections[OWNER].cursor() as cursor:
        owner = cursor.connection
        hubs.create_login(owner, config, "worker", group="service")
        app = config.url("app")
        roles.create_member_login(owner, app.user, prefix=config.prefix, password=app.password)
    logins = Login.objects.using(OWNER)
    logins.get_or_create(login_role=app.user, defaults={"kind": Login.Kind.MEMBER, "user": admin})
    logins.get_or_create(login_role=config.url("worker").user, defaults={"kind": Login.Kind.SERVICE})


def company_is_made() -> bool:
    """Whether the hub of this process has a company, an admin, and the logins that its file names."""
    config = current_hub()
    wanted = {config.urls[login].user for login in ("app", "worker") if login in config.urls}
    known = Login.objects.using(OWNER).filter(login_role__in=wanted, is_active=True).count()
    return len(wanted) == known == 2 and Company.objects.using(OWNER).exists()


def _plan_admin_login() -> HubConfig:
    """Choose the first admin's login and write it down, once."""
    config = current_hub()
    if "app" in config.urls:
        return config
    login = config.url("owner").with_login(f"{config.prefix}_m_{secrets.token_hex(6)}", roles.create_password())
    config = replace(config, urls={**config.urls, "app": login})
    write_hub_config(settings.WORKSPACE, config)
    switch_hub(config.slug)
    return config


def _create_company(*, slug: str, name: str, timezone: str) -> None:
    if Company.objects.using(OWNER).exists():
        return
    user = User.objects.using(OWNER).create(name=name, timezone=timezone, kind=User.Kind.COMPANY, role=Role.MEMBER)
    Company.objects.using(OWNER).create(user=user, slug=slug)


def _create_admin(name: str, *, timezone: str) -> User:
    people = User.objects.using(OWNER).filter(kind=User.Kind.PERSON)
    return people.order_by("created_at").first() or User.objects.using(OWNER).create(
        name=name, timezone=timezone, kind=User.Kind.PERSON, role=Role.ADMIN
    )
