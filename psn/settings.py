"""Django's settings: flat, read from the environment and from `config/hub.env`. Importing them starts nothing."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import environ

from psn.config.hub import HubConfig, find_hub_config
from psn.config.workspace import ROOT, find_workspace
from psn.providers.local import PORT

env = environ.Env()

BASE_DIR: Path = ROOT
WORKSPACE = find_workspace()

# Which database login this process uses: the person's, or the worker's. Set by `psn_worker`, never by a person.
LOGIN: str = env.str("PSN_LOGIN", "app")


def load_databases(hub: HubConfig | None) -> dict[str, dict[str, Any]]:
    """Name the hub's connections; nothing is opened.

    `default` is this process's login; `queue` the same login for django-q2, whose statements belong to nobody in particular;
    `default__owner` migrates and may see every row (`app.maintenance`).
    """
    if hub is None:
        return {}
    base: dict[str, Any] = {
        "ENGINE": "hub.backend",
        "NAME": hub.name,
        "HOST": str(hub.socket_dir),
        "PORT": PORT,
        "CONN_MAX_AGE": 600,  # 0 costs the worker 60 % of its rate
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"application_name": f"psn-{LOGIN}", "connect_timeout": 15},
        "PSN": {"data": str(hub.data), "socket_dir": str(hub.socket_dir)},
    }
    identity = {"PSN": {**base["PSN"], "identity": "setting"}} if LOGIN == "worker" else {}
    owner = {"options": "-c app.maintenance=on", "application_name": "psn-owner"}
    return {
        "default": {**base, "USER": f"psn_{LOGIN}", **identity},
        "queue": {**base, "USER": f"psn_{LOGIN}"},
        "default__owner": {**base, "USER": "psn_owner", "CONN_MAX_AGE": 0, "OPTIONS": owner},
    }


HUB = find_hub_config(WORKSPACE)
DATABASES = load_databases(HUB)
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

Q_CLUSTER = {
    "name": "psn",
    "orm": "queue",
    "workers": env.int("PSN_WORKERS", 4),
    "timeout": 600,  # seconds; a long thread of slow calls and uploads, each of which has a time-out of its own
    "retry": 3600,  # > timeout x (1 + ceil((queue_limit + bulk) / workers)): the clock starts when a row is prefetched
    "queue_limit": 8,
    "bulk": 1,
    "poll": 0.2,
    "max_attempts": 1,  # retries live in the posts table
    "ack_failures": True,  # a bell that failed is not rung again by the queue
    "save_limit": -1,  # keep no success rows: 5x the rate, and no pickles to read
    "guard_cycle": 0.5,  # 0.25, 0.5 or 1: other values never time a hung worker out
    "catch_up": False,
    "label": "PSN queue",
}

LEASE = timedelta(seconds=60)  # how long a claim holds before the sweep may take over
CALL_TIMEOUT_SECONDS = 30.0  # of one call to a platform
OAUTH_CLIENT_IDS = {"x": env.str("PSN_X_CLIENT_ID", "")}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["stderr"], "level": env.str("PSN_LOG_LEVEL", "WARNING")},
}
