"""The paths of the hub's web process."""

from __future__ import annotations

from django.urls import path

from hub.views import show_media

urlpatterns = [path("media/<str:token>", show_media)]
