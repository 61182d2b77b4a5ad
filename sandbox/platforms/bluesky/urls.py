"""Bluesky's paths, below `/bluesky`."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path, re_path

from sandbox.platforms.bluesky import blobs, pages, problems, repo, sessions, views


def no_such_method(_request: HttpRequest) -> HttpResponse:
    """Answer as a server does where it has nothing."""
    return problems.standard(501).to_response()


urlpatterns = [
    path("xrpc/com.atproto.server.createSession", sessions.create_session),
    path("xrpc/com.atproto.server.refreshSession", sessions.refresh_session),
    path("xrpc/com.atproto.server.deleteSession", sessions.delete_session),
    path("xrpc/com.atproto.server.getSession", sessions.get_session),
    path("xrpc/com.atproto.identity.resolveHandle", views.resolve_handle),
    path("xrpc/com.atproto.repo.putRecord", repo.put_record),
    path("xrpc/com.atproto.repo.createRecord", repo.create_record),
    path("xrpc/com.atproto.repo.deleteRecord", repo.delete_record),
    path("xrpc/com.atproto.repo.getRecord", repo.get_record),
    path("xrpc/com.atproto.repo.listRecords", repo.list_records),
    path("xrpc/com.atproto.repo.uploadBlob", blobs.upload_blob),
    path("xrpc/app.bsky.feed.getPosts", views.get_posts),
    path("xrpc/app.bsky.actor.getProfile", views.get_profile),
    re_path(r"^xrpc/", no_such_method),
    # what people look at
    path("profile/<str:actor>", pages.show_account),
    path("profile/<str:actor>/post/<str:rkey>", pages.show_post),
]
