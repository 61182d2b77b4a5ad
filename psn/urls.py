"""The paths of the web process: all of them are the hub's. Named and not imported, because psn knows no hub."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [path("", include("hub.urls"))]
