"""The Threads API, v1.0: developers.facebook.com/documentation/threads (2026-11).

What is simpler here: insights come at once, and nobody replies but the account itself.
"""

from __future__ import annotations

from sandbox.meta.refusals import canned
from sandbox.platforms.registry import SandboxPlatform

PLATFORM = SandboxPlatform(
    name="threads",
    title="Threads",
    urls="sandbox.platforms.threads.urls",
    canned=canned,
    commit="POST /{version}/{id}/threads_publish",
    post_path=lambda post: f"/@{post.account.handle}/post/{post.data.get('code', '')}",
    profile_path=lambda handle: f"/@{handle}",
    handle_pattern=r"[a-z0-9_][a-z0-9_.]{0,29}",
    handle_hint="1 to 30 letters, digits, underscores or dots",
    mark="@",
    colour="#101010",
    request_id_header="x-fb-trace-id",
)
