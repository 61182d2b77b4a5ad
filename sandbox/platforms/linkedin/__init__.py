"""LinkedIn's Posts API as of version 202610: OAuth, members and pages, uploads, posts, comments, numbers.

Everybody who signs in is a member, and administers two pages: organization 1, which all share, and one of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from sandbox.platforms.linkedin.refusals import canned
from sandbox.platforms.registry import SandboxPlatform

if TYPE_CHECKING:
    from sandbox.models import Post

PAGE_SUFFIX = "-works"  # of a page's handle, so that no member has it


def profile_path(handle: str) -> str:
    """Give the path of a member's or a page's profile."""
    return f"/company/{handle}" if handle.endswith(PAGE_SUFFIX) else f"/in/{handle}"


def show_counts(post: Post, age: timedelta) -> Sequence[tuple[str, int]]:
    """Give what LinkedIn shows below a post."""
    # Imported here: `sandbox.metrics` is pure, but a declaration is read by tests that need none of it.
    from sandbox.platforms.linkedin.numbers import count

    names = {"reactions": "REACTION", "comments": "COMMENT", "reposts": "RESHARE", "impressions": "IMPRESSION"}
    return [(label, count(post.id, name, age=age)) for label, name in names.items()]


PLATFORM = SandboxPlatform(
    name="linkedin",
    title="LinkedIn",
    urls="sandbox.platforms.linkedin.urls",
    canned=canned,
    commit="POST /rest/posts",
    post_path=lambda post: f"/feed/update/{post.remote_id}",
    profile_path=profile_path,
    handle_pattern=r"(?!.*-works$)[a-z0-9]{1,60}(?:-[a-z0-9]{1,30}){0,4}",
    handle_hint="letters and digits, with single hyphens between, and does not end in -works",
    show_counts=show_counts,
    mark="in",
    colour="#0a66c2",
    request_id_header="x-li-uuid",
)
