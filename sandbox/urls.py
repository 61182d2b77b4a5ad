"""All of the sandbox's paths."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path

from sandbox import feed, storage
from sandbox.control import (
    clear_faults,
    control,
    move_clock,
    order_fault,
    read_calls,
    read_faults,
    read_health,
    read_posts,
    reset,
)
from sandbox.platforms.registry import platforms


def broken(_request: HttpRequest) -> HttpResponse:
    """Answer where the sandbox itself has a bug; the traceback is on its stderr."""
    return JsonResponse(
        {"title": "Internal Server Error", "detail": "The sandbox has a bug.", "status": 500}, status=500
    )


handler500 = broken
handler404 = feed.show_nothing

urlpatterns = [
    path("", feed.show_all),
    path("_sandbox/health", control(GET=read_health)),
    path("_sandbox/posts", control(GET=read_posts)),
    path("_sandbox/calls", control(GET=read_calls)),
    path("_sandbox/faults", control(GET=read_faults, POST=order_fault, DELETE=clear_faults)),
    path("_sandbox/clock", control(POST=move_clock)),
    path("_sandbox/reset", control(POST=reset)),
    path("_media/<str:file>", feed.show_media),
    path("_storage/<path:key>", storage.store),
    *(path(f"{platform.name}/", include(platform.urls)) for platform in platforms().values()),
]
