"""A Mastodon instance, as version 4.5 answers. docs.joinmastodon.org (read 2026-11-20)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from sandbox.platforms.mastodon.counts import count_public
from sandbox.platforms.mastodon.refusals import canned
from sandbox.platforms.registry import SandboxPlatform

if TYPE_CHECKING:
    from sandbox.models import Post


def _show_counts(post: Post, age: timedelta) -> Sequence[tuple[str, int]]:
    counts = count_public(post.remote_id, age=age)
    return [("boosts", counts["reblogs_count"]), ("favourites", counts["favourites_count"])]


PLATFORM = SandboxPlatform(
    name="mastodon",
    title="Mastodon",
    urls="sandbox.platforms.mastodon.urls",
    canned=canned,
    commit="POST /api/v1/statuses",
    post_path=lambda post: f"/@{post.account.handle}/{post.remote_id}",
    profile_path=lambda handle: f"/@{handle}",
    handle_pattern=r"[a-z0-9_]{1,30}",
    handle_hint="1 to 30 letters, digits or underscores",
    show_counts=_show_counts,
    mark="M",
    colour="#6364ff",
)
