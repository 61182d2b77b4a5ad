"""The JSON of accounts, statuses and files. docs.joinmastodon.org/entities (read 2026-11-20)."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from django.http import HttpRequest

from sandbox import accounts, clock, posts, uploads
from sandbox.ids import numeric_id
from sandbox.metrics import count_views
from sandbox.models import Account, Post, Upload
from sandbox.platforms.mastodon.counts import count_public
from sandbox.platforms.mastodon.text import find_entities, write_html

PLATFORM = "mastodon"


def base_of(request: HttpRequest) -> str:
    """Give the instance's base URL."""
    return request.build_absolute_uri(f"/{PLATFORM}")


def describe_account(request: HttpRequest, account: Account) -> dict[str, Any]:
    """Give an `Account`."""
    base = base_of(request)
    picture = f"{base}/avatars/missing.png"
    own = posts.living_posts(PLATFORM).filter(account=account)
    newest = own.order_by("-id").first()
    age = clock.now() - account.created_at
    return {
        "id": account.platform_account_id,
        "username": account.handle,
        "acct": account.handle,
        "display_name": account.name,
        "locked": False,
        "bot": False,
        "discoverable": True,
        "indexable": False,
        "group": False,
        "created_at": write_time(account.created_at.replace(hour=0, minute=0, second=0, microsecond=0)),
        "note": "",
        "url": f"{base}/@{account.handle}",
        "uri": f"{base}/users/{account.handle}",
        "avatar": picture,
        "avatar_static": picture,
        "header": picture,
        "header_static": picture,
        "followers_count": count_views(f"followers {account.handle}", age=age, low=20, high=2000),
        "following_count": 12,
        "statuses_count": own.count(),
        "last_status_at": newest.created_at.date().isoformat() if newest else None,
        "emojis": [],
        "fields": [],
    }


def describe_own_account(request: HttpRequest, account: Account) -> dict[str, Any]:
    """Give a `CredentialAccount`."""
    source = {
        "privacy": "public", "sensitive": False, "language": None, "note": "", "fields": [], "follow_requests_count": 0,
        "indexable": False,
    }  # fmt: skip
    role = {"id": "-99", "name": "", "permissions": "65536", "color": "", "highlighted": False}
    return {**describe_account(request, account), "source": source, "role": role}


def describe_status(request: HttpRequest, post: Post, *, now: datetime) -> dict[str, Any]:
    """Give a `Status`."""
    base, data = base_of(request), post.data
    parent = Post.objects.filter(id=post.reply_to).select_related("account").first() if post.reply_to else None
    mentions = _describe_mentions(post.text, base=base)
    profiles = {mention["written"]: mention["url"] for mention in mentions}
    return {
        "id": post.remote_id,
        "created_at": write_time(post.created_at),
        "in_reply_to_id": parent.remote_id if parent and parent.deleted_at is None else None,
        "in_reply_to_account_id": parent.account.platform_account_id if parent else None,
        "sensitive": bool(data.get("sensitive")),
        "spoiler_text": data.get("spoiler", ""),
        "visibility": data.get("visibility", "public"),
        "language": data.get("language", "en"),
        "uri": f"{base}/users/{post.account.handle}/statuses/{post.remote_id}",
        "url": f"{base}/@{post.account.handle}/{post.remote_id}",
        "replies_count": posts.replies_to(post).count(),
        **count_public(post.remote_id, age=now - post.created_at),
        "edited_at": None,
        "content": write_html(post.text, base=base, profile_of=lambda name: profiles.get(name, "")),
        "reblog": None,
        "application": {"name": data.get("app", "PSN"), "website": None},
        "account": describe_account(request, post.account),
        "media_attachments": [describe_media(request, one, now=now) for one in posts.attachments_of(post)],
        "mentions": [{name: value for name, value in one.items() if name != "written"} for one in mentions],
        "tags": _describe_tags(post.text, base=base),
        "emojis": [],
        "card": None,
        "poll": None,
        "favourited": False,
        "reblogged": False,
        "muted": False,
        "bookmarked": False,
        "pinned": False,
    }


def describe_media(request: HttpRequest, upload: Upload, *, now: datetime) -> dict[str, Any]:
    """Give a `MediaAttachment`; its `url` is null until it is ready."""
    is_ready = uploads.state_of(upload, now=now) == "ready"
    url = uploads.media_url(request, upload) if is_ready else None
    kind = "gifv" if upload.mime_type == "image/gif" else upload.mime_type.partition("/")[0]
    return {
        "id": upload.platform_media_id,
        "type": kind if kind in ("image", "video", "gifv") else "unknown",
        "url": url,
        "preview_url": url,
        "remote_url": None,
        "meta": {},
        "description": upload.alt_text or None,
        "blurhash": None,
    }


def write_time(at: datetime) -> str:
    """Write an instant as entities have it."""
    return at.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _describe_mentions(text: str, *, base: str) -> list[dict[str, str]]:
    """Give the accounts a text mentions, each once: of this instance those there are, of others all."""
    names = list(dict.fromkeys(entity.name for entity in find_entities(text) if entity.kind == "mention"))
    mentioned = (_describe_mention(name, base=base) for name in names)
    return [mention for mention in mentioned if mention]


def _describe_mention(name: str, *, base: str) -> dict[str, str] | None:
    username, _, instance = name.partition("@")
    if instance:
        url = f"https://{instance}/@{username}"
        account_id = numeric_id(f"{PLATFORM} {hashlib.sha256(name.lower().encode()).hexdigest()}", digits=18)
        return {"id": account_id, "username": username, "acct": name, "url": url, "written": name}
    account = accounts.find_account(PLATFORM, handle=username.lower())
    if account is None:
        return None
    url = f"{base}/@{account.handle}"
    found = {"id": account.platform_account_id, "username": account.handle, "acct": account.handle, "url": url}
    return {**found, "written": name}


def _describe_tags(text: str, *, base: str) -> list[dict[str, str]]:
    names = dict.fromkeys(entity.name.lower() for entity in find_entities(text) if entity.kind == "tag")
    return [{"name": name, "url": f"{base}/tags/{name}"} for name in names]
