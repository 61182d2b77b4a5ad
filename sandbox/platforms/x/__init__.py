"""X API v2 as of 2026-08 (spec v2.167): OAuth, posts, timeline, media, limits."""

from __future__ import annotations

from sandbox.platforms.registry import SandboxPlatform
from sandbox.platforms.x.problems import canned
from sandbox.platforms.x.shown import show_counts, show_text

PLATFORM = SandboxPlatform(
    name="x",
    title="X",
    urls="sandbox.platforms.x.urls",
    canned=canned,
    commit="POST /2/tweets",
    post_path=lambda post: f"/{post.account.handle}/status/{post.remote_id}",
    profile_path=lambda handle: f"/{handle}",
    handle_pattern=r"[a-z0-9_]{1,15}",
    handle_hint="1 to 15 letters, digits or underscores",
    show_counts=show_counts,
    show_text=show_text,
    mark="X",
    colour="#0f1419",
    request_id_header="x-transaction-id",
)
