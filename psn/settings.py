"""Django's settings: flat, read from the environment and from `config/hub.env`. Importing them starts nothing."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import environ

from psn.config.hub import HubConfig, LoginName, find_hub_config, list_company_slugs
from psn.config.workspace import ROOT, find_workspace
from psn.errors import Problem

env = environ.Env()

BASE_DIR: Path = ROOT
WORKSPACE = find_workspace()

# Which hub this process works on: the personal one, or the company's with this short name (`--hub acme`).
HUB_SLUG: str = env.str("PSN_HUB", "")

# Which database login this process uses: the person's, or the worker's. Set by commands, never by a person.
LOGIN: LoginName = "worker" if env.str("PSN_LOGIN", "app") == "worker" else "app"

# Off where the hub is reached through a transaction pooler, which loses notifications: the queue is looked at every second then.
LISTEN: bool = env.bool("PSN_LISTEN", True)


def load_databases(hub: HubConfig | None) -> dict[str, dict[str, Any]]:
    """Name the connections to the hub this process works on; nothing is opened.

    `default` is this process's login; `queue` the same login for django-q2, whose statements belong to nobody in particular;
    `default__owner` migrates and may see every row (`app.maintenance`), where this computer may do that.
    """
    if hub is None:
        return {}
    databases: dict[str, dict[str, Any]] = {}
    if hub.is_local or LOGIN in hub.urls:
        databases = {"default": _of_login(hub, LOGIN), "queue": _of_login(hub, LOGIN)}
    if databases and LOGIN == "worker":  # threads share a few connections, and hold none while a platform answers
        default = databases["default"]
        default["PSN"]["identity"] = "setting"
        default["CONN_MAX_AGE"] = 0
        default["OPTIONS"]["pool"] = {
            "min_size": 0,
            "max_size": env.int("PSN_CONNECTIONS", 8),
            "timeout": 30,
            "max_idle": 120,
        }
    if hub.has_owner:
        owner = _of_login(hub, "owner")
        owner["CONN_MAX_AGE"] = 0
        for unneeded in ("server_side_binding", "prepare_threshold", "connect_timeout"):
            del owner["OPTIONS"][unneeded]
        databases["default__owner"] = owner
        owner["OPTIONS"] |= {"options": "-c app.maintenance=on", "application_name": "psn-owner"}
    databases.setdefault("default", {"ENGINE": "django.db.backends.dummy"})  # this computer has not that login
    return databases


def load_others(hubs: dict[str, HubConfig]) -> dict[str, dict[str, Any]]:
    """Name the connections to the workspace's other hubs, for reading across them: this person's own login, where there is one."""
    return {alias: _of_login(hub, "app") for alias, hub in hubs.items() if hub.is_local or "app" in hub.urls}


def find_others(slug: str) -> dict[str, HubConfig]:
    """Read which other hubs this workspace can enter, by alias; one whose file cannot be read is its own commands' matter."""
    others = {}
    for other in ("", *list_company_slugs(WORKSPACE)):
        if other == slug:
            continue
        try:
            config = find_hub_config(WORKSPACE, other)
        except Problem:
            continue
        if config is not None:
            others[config.alias] = config
    return others


def _of_login(hub: HubConfig, login: LoginName) -> dict[str, Any]:
    keywords = hub.options(login)
    listens = LISTEN and not (hub.is_pooled and login == "app")
    return {
        "ENGINE": "hub.backend",
        "NAME": keywords.pop("dbname"),
        "USER": keywords.pop("user"),
        "PASSWORD": keywords.pop("password", ""),
        "HOST": keywords.pop("host"),
        "PORT": keywords.pop("port"),
        "CONN_MAX_AGE": 600,  # 0 costs the worker 60 % of its rate
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": not listens,
        "OPTIONS": {
            **keywords,
            "application_name": f"psn-{login}",
            "connect_timeout": 15,
            # Planning a statement under row-level security takes longer than running it: the server keeps the plans of those that
            # come back. Not behind a transaction pooler, where the next statement may meet a server that knows none of them.
            "server_side_binding": True,
            "prepare_threshold": 3 if listens else None,
        },
        "PSN": {"data": str(hub.data), "socket_dir": str(hub.socket_dir)} if hub.is_local else {},
    }


HUB = find_hub_config(WORKSPACE, HUB_SLUG)
OTHER_HUBS = find_others(HUB_SLUG)
DATABASES = load_databases(HUB) | (load_others(OTHER_HUBS) if HUB else {})
DATABASE_ROUTERS = ["hub.connections.HubRouter"]
MIGRATES = ("default__owner",)  # aliases that may change the schema

# Signs queue rows, nothing a person ever sees. Before set-up there is no hub, so nothing to sign either.
SECRET_KEY = (HUB.secret_key if HUB else "") or "not-set-up-yet"
DEBUG = False
ALLOWED_HOSTS: list[str] = []

INSTALLED_APPS = ["hub", "django_q"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = False

# The queue is a doorbell (hub/queue/bells.py): a task hands over in a millisecond, and running one twice or never is harmless.
Q_CLUSTER = {
    "name": "psn",
    "orm": "queue",
    "broker_class": "hub.queue.broker.PostgresBroker",
    "workers": env.int("PSN_WORKERS", 4),  # processes; posts go out in threads of each (CREW)
    "bulk": 20,  # bells taken in one statement
    "queue_limit": 64,  # bells waiting inside the cluster; 4 would make two workers wait for each other
    "timeout": 120,  # seconds; a task that hands over and still runs is stuck: the cluster starts anew
    "retry": 3600,  # nothing comes back to be retried; django-q2 wants it longer than the time-out
    "max_attempts": 1,  # retries live in the posts table
    "ack_failures": True,
    "save_limit": -1,  # keep no success rows: 5x the rate, and no unsigned pickles to read
    "recycle": 100_000,  # tasks of one process; a replacement costs half a second
    "guard_cycle": 0.5,  # 0.25, 0.5 or 1: other values never time a hung worker out
    "catch_up": False,  # a recurring task that was missed runs once
    "label": "PSN queue",
}
CREW = env.int("PSN_THREADS", 16)  # posts that a worker process sends at once; platforms take hundreds of milliseconds
LEASE = timedelta(seconds=60)  # how long a claim holds before the sweep may take over
CALL_TIMEOUT_SECONDS = 30.0  # of one call to a platform
SWEEP_SECONDS = 15.0  # from one look for stuck posts to the next
PATIENCE = timedelta(seconds=5)  # a bell or a worker that is later than this is taken for lost
LATE = timedelta(minutes=15)  # a post that is later than this was held up by an outage…
CATCH_UP_GAP = timedelta(minutes=5)  # …and goes out no sooner than this after the one before it (PUB-12)
# Versions of platforms' APIs, where they are to differ from what PSN was written against.
PLATFORM_SETTINGS = {
    platform: {"version": version}
    for platform in ("linkedin", "instagram", "threads")
    if (version := env.str(f"PSN_{platform.upper()}_VERSION", ""))
}
# Where platforms that fetch media find them (MEDIA-3): a bucket, or else this hub's own web process behind a public https address.
MEDIA_BUCKET = env.str("PSN_MEDIA_BUCKET", "")
MEDIA_ENDPOINT_URL = env.str("PSN_MEDIA_ENDPOINT_URL", "")  # of R2, MinIO and others; Amazon's own when empty
MEDIA_REGION = env.str("PSN_MEDIA_REGION", "")
MEDIA_BASE_URL = env.str("PSN_MEDIA_BASE_URL", "")
# The web process. What leads the public address to it runs on the same computer, unless the environment says otherwise.
ROOT_URLCONF = "psn.urls"
WSGI_APPLICATION = "psn.wsgi.application"
WEB_HOST = env.str("PSN_WEB_HOST", "127.0.0.1")
WEB_PORT = env.int("PORT", 8767)
OAUTH_CLIENT_IDS = {"x": env.str("PSN_X_CLIENT_ID", "")}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["stderr"], "level": env.str("PSN_LOG_LEVEL", "WARNING")},
    "loggers": {"django-q": {"level": "WARNING"}},  # below that it writes two lines for every bell
}
