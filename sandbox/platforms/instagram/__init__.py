"""Instagram's content publishing, as it is for apps with Instagram's own login: developers.facebook.com (2026-11).

So nothing can be deleted, and every account is a professional one. What is simpler here: insights come at once, not within two
days, and nobody comments but the account itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.meta.refusals import canned
from sandbox.platforms.registry import SandboxPlatform

if TYPE_CHECKING:  # declarations are read before Django is set up
    from sandbox.models import Post


def post_path(post: Post) -> str:
    """Give where people look at a post; a comment stands below its post."""
    if post.kind == "story":
        return f"/stories/{post.account.handle}/{post.remote_id}/"
    return f"/{'reel' if post.kind == 'reel' else 'p'}/{post.data.get('code', '')}/"


PLATFORM = SandboxPlatform(
    name="instagram",
    title="Instagram",
    urls="sandbox.platforms.instagram.urls",
    canned=canned,
    commit="POST /{version}/{id}/media_publish",
    post_path=post_path,
    profile_path=lambda handle: f"/{handle}/",
    handle_pattern=r"[a-z0-9_][a-z0-9_.]{0,29}",
    handle_hint="1 to 30 letters, digits, underscores or dots",
    mark="IG",
    colour="#c13584",
    request_id_header="x-fb-trace-id",
)
