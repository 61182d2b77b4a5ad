"""The web process as WSGI servers take it: `psn.wsgi:application`."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "psn.settings")
application = get_wsgi_application()
