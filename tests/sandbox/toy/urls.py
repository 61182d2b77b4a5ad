"""The toy's paths."""

from __future__ import annotations

from django.urls import path

from sandbox import feed
from tests.sandbox.toy import views

urlpatterns = [
    path("oauth/authorize", views.authorize),
    path("oauth/token", views.token),
    path("oauth/revoke", views.revoke),
    path("api/me", views.read_me),
    path("api/posts", views.create_post),
    path("api/posts/<str:remote_id>", views.delete_post),
    path("api/files", views.upload_form),
    path("api/files/<str:remote_id>", views.upload_raw),
    path("api/fetch", views.fetch),
    path("api/jobs/<str:remote_id>", views.work),
    path("@<str:handle>", feed.show_account),
    path("@<str:handle>/<str:code>", feed.show_post),
    path("p/<str:remote_id>", feed.show_post),
]
