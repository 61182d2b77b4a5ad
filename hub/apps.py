"""Names the app for Django."""

from django.apps import AppConfig


class HubAppConfig(AppConfig):
    name = "hub"
    label = "hub"
