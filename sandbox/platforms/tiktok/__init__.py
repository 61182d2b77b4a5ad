"""TikTok's Content Posting and Display APIs, v2, as developers.tiktok.com describes them (2026-11).

What is simpler here: moderation takes a second, photos are fetched within the call that names them, and the app counts as audited
(an account whose handle begins with `unaudited` shows what happens to others).
"""

from __future__ import annotations

from sandbox.platforms.registry import SandboxPlatform
from sandbox.platforms.tiktok.refusals import canned

PLATFORM = SandboxPlatform(
    name="tiktok",
    title="TikTok",
    urls="sandbox.platforms.tiktok.urls",
    canned=canned,
    commit="PUT /upload/video/",
    post_path=lambda post: (
        f"/@{post.account.handle}/{'photo' if post.data.get('media') == 'PHOTO' else 'video'}/{post.remote_id}"
    ),
    profile_path=lambda handle: f"/@{handle}",
    handle_pattern=r"[a-z0-9_.]{2,24}",
    handle_hint="2 to 24 letters, digits, underscores or dots",
    noun="video",
    mark="TT",
    colour="#111827",
    request_id_header="x-tt-logid",
)
