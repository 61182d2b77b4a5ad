"""A platform that exists nowhere, for what all platforms of the sandbox share and X does not use."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpResponse, JsonResponse

from sandbox.platforms.registry import SandboxPlatform


def canned(status: int, *, retry_after: int | None, now: datetime) -> HttpResponse:
    """Refuse as the toy does."""
    return JsonResponse({"toy_error": status, "retry_after": retry_after}, status=status)


PLATFORM = SandboxPlatform(
    name="toy",
    title="Toy",
    urls="tests.sandbox.toy.urls",
    canned=canned,
    commit="POST /api/posts",
    post_path=lambda post: f"/@{post.account.handle}/{post.data.get('code', post.remote_id)}",
    profile_path=lambda handle: f"/@{handle}",
    handle_pattern=r"[a-z0-9.]{1,60}",
    handle_hint="1 to 60 letters, digits or dots",
    mark="T",
    colour="#b3261e",
    request_id_header="x-toy-id",
)
