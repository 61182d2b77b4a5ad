"""Posts, media and accounts as X's JSON shows them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sandbox.models import Account, Post, Upload
from sandbox.platforms.x import metrics
from sandbox.platforms.x.text import Attached, Shown, show_json_text
from sandbox.platforms.x.vocabulary import Vocabulary
from sandbox.posts import attachments_of

PRIVATE_METRICS_LIFE = timedelta(days=30)  # docs.x.com/x-api/fundamentals/metrics (2026-11)
Json = dict[str, Any]


def render_post(post: Post, *, fields: list[str], words: Vocabulary, viewer: Account, now: datetime) -> Json:
    """Show one post with the fields asked for; `id`, `text` and the edit history always come."""
    files = attachments_of(post)
    shown = render_text(post, files=files)
    age = now - post.created_at
    optional: Json = {
        "author_id": post.account.platform_account_id,
        "conversation_id": str(post.conversation_id),
        "created_at": iso(post.created_at),
        "public_metrics": _public_metrics(post, age=age, words=words),
        "lang": "und",
        "possibly_sensitive": False,
        "reply_settings": "everyone",
        "source": "PSN",
    }
    if shown.urls:
        optional["entities"] = {"urls": shown.urls}
    if post.reply_to:
        optional[words.referenced] = [{"type": "replied_to", "id": str(post.reply_to)}]
    if viewer.pk == post.account.pk and age <= PRIVATE_METRICS_LIFE:
        optional["non_public_metrics"] = metrics.count_private(post.id, age=age)
    if files:
        optional["attachments"] = {"media_keys": [media_key(upload) for upload in files]}
    always = {"id": str(post.id), "text": shown.text, words.edit_history: [str(post.id)]}
    return always | {name: optional[name] for name in fields if name in optional}


def render_text(post: Post, *, files: list[Upload]) -> Shown:
    """Show a post's text with what X makes of its links and files."""
    attached = [Attached(media_key(one), "video" if one.mime_type.startswith("video/") else "photo") for one in files]
    return show_json_text(post.text, post_id=post.id, handle=post.account.handle, attached=attached)


def render_media(upload: Upload, *, url: str) -> Json:
    """Show one attached file, as `includes.media` does."""
    kind = {"image": "photo", "video": "video"}.get(upload.mime_type.partition("/")[0], "photo")
    kind = "animated_gif" if upload.mime_type == "image/gif" else kind
    shown: Json = {"media_key": media_key(upload), "type": kind, "url": url}
    return shown | ({"alt_text": upload.alt_text} if upload.alt_text else {})


def render_account(account: Account, *, fields: list[str], posts: int, url: str) -> Json:
    """Show one account with the fields asked for; `id`, `name` and `username` always come."""
    optional: Json = {
        "created_at": iso(account.created_at),
        "description": "An account of the sandbox on this machine.",
        "protected": False,
        "subscription_type": "None",
        "url": url,
        "verified": False,
        "verified_type": "none",
        "public_metrics": {"followers_count": 120, "following_count": 80, "post_count": posts, "listed_count": 2},
    }
    always = {"id": account.platform_account_id, "name": account.name, "username": account.handle}
    return always | {name: optional[name] for name in fields if name in optional}


def media_key(upload: Upload) -> str:
    """Give X's second name of an upload: a digit for its kind, then its id."""
    return f"{3 if upload.mime_type.startswith('image/') else 7}_{upload.platform_media_id}"


def iso(instant: datetime) -> str:
    """Give an instant as X writes it: milliseconds and Z."""
    return instant.strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"


def _public_metrics(post: Post, *, age: timedelta, words: Vocabulary) -> dict[str, int]:
    counts = metrics.count_public(post.id, age=age)
    return {words.repost_count if name == "repost_count" else name: count for name, count in counts.items()}
