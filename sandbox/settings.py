"""The sandbox's own Django settings: one SQLite file, no logins, nothing from PSN."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

STATE_DIR = Path(os.environ.get("PSN_SANDBOX_STATE", "."))

DEBUG = False
SECRET_KEY = secrets.token_urlsafe(32)  # nothing that must survive a restart is signed with it
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
ROOT_URLCONF = "sandbox.urls"
INSTALLED_APPS = ["sandbox"]
MIDDLEWARE = ["sandbox.middleware.LoopbackOnly", "sandbox.middleware.PlatformCalls"]
USE_TZ = True
TIME_ZONE = "UTC"
APPEND_SLASH = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024 * 1024  # bytes; of a body that is read whole
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024  # bytes; a larger file of a form waits on disk
FILE_UPLOAD_TEMP_DIR = STATE_DIR

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": STATE_DIR / "sandbox.sqlite3",
        "CONN_MAX_AGE": None,  # one connection per server thread, closed with the client's connection
        "OPTIONS": {
            "timeout": 10,  # seconds; SQLite's busy_timeout
            "transaction_mode": "IMMEDIATE",  # a transaction that will write takes its turn at the start
            # NORMAL survives kill -9 of the process, which is what the sandbox promises
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
        },
    }
}

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).parent / "templates"],
        "OPTIONS": {"builtins": ["django.templatetags.tz"]},
    }
]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}, "nowhere": {"class": "logging.NullHandler"}},
    "loggers": {
        "django.server": {"handlers": ["nowhere"], "propagate": False},  # the journal is the access log
        "django.request": {"handlers": ["stderr"], "level": "ERROR", "propagate": False},
    },
}
