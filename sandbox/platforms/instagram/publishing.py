"""Publishing: `POST /{ig-id}/media_publish`, `GET /{ig-id}/content_publishing_limit`, `POST /{media-id}/comments`."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest, HttpResponse

from sandbox import clock, jobs, limits, posts
from sandbox.meta.containers import PUBLISHED, files_of, get_publishable, make_code, read_parameters
from sandbox.meta.endpoint import DAY, answer, get_account, pick, read_fields
from sandbox.meta.refusals import Refused, invalid, no_such_field, no_such_object
from sandbox.models import Account, Job, Post
from sandbox.platforms.instagram.media import MAX_CAPTION
from sandbox.platforms.instagram.oauth import BASIC, COMMENTS, NAME

PER_DAY = 100  # posts in 24 hours: content-publishing guide (2026-11)
_LIMIT = "media_publish"
MEDIA_TYPES = {"reel": "VIDEO", "carousel": "CAROUSEL_ALBUM"}
PRODUCTS = {"reel": "REELS", "story": "STORY"}


def publish(request: HttpRequest, account: Account) -> HttpResponse:
    """Make a container public, once."""
    container_id = read_parameters(request).get("creation_id", "")
    if not container_id:
        raise invalid("The parameter creation_id is required")
    with transaction.atomic():
        container = get_publishable(account, container_id)
        now = clock.now()
        if limits.read_allowance(account, endpoint=_LIMIT, limit=PER_DAY, window=DAY, now=now).remaining <= 0:
            raise Refused(9, "Application request limit reached", subcode=2207042, title="Limit reached",
                          advice="You reached the maximum number of posts that can be published.")  # fmt: skip
        jobs.change_job(container, state=PUBLISHED)
        limits.spend(account, endpoint=_LIMIT, limit=PER_DAY, window=DAY, now=now)
        post = _show(request, account, container)
    return answer({"id": post.remote_id}, account=account)


def _show(request: HttpRequest, account: Account, container: Job) -> Post:
    kind, files = container.data["kind"], files_of(account, container)
    is_video = bool(files) and files[0].mime_type.startswith("video/")
    post = posts.create_post(
        request,
        account,
        text=container.data["caption"].strip(),
        kind=kind,
        uploads=files,
        made_with_ai=container.data["is_ai_generated"],
        data={
            "container": container.remote_id,
            "media_type": MEDIA_TYPES.get(kind, "VIDEO" if is_video else "IMAGE"),
            "product": PRODUCTS.get(kind, "FEED"),
            "is_ai_generated": container.data["is_ai_generated"],
        },
    )
    Post.objects.filter(id=post.id).update(data={**post.data, "code": make_code(post.id)})
    return post


def read_limit(request: HttpRequest, account: Account) -> HttpResponse:
    """Say how many of the day's posts are used."""
    fields = read_fields(
        request,
        known=frozenset({"config", "quota_usage"}),
        refuse=lambda field: no_such_field(field, node_type="Limit"),
    )
    left = limits.read_allowance(account, endpoint=_LIMIT, limit=PER_DAY, window=DAY, now=clock.now())
    whole = {
        "quota_usage": PER_DAY - left.remaining,
        "config": {"quota_total": PER_DAY, "quota_duration": int(DAY.total_seconds())},
    }
    return answer({"data": [pick(whole, fields if len(fields) > 1 else ["quota_usage"])]}, account=account)


def comment(request: HttpRequest, node: str) -> HttpResponse:
    """Comment on an own post."""
    account = get_account(request, platform=NAME, scopes=(BASIC, COMMENTS))
    message = read_parameters(request).get("message", "").strip()
    if not message or len(message) > MAX_CAPTION:
        raise invalid("The parameter message is required, and must not be too long")
    post = posts.find_post(NAME, node)
    if post is None or post.account != account or post.kind in ("comment", "story"):
        raise no_such_object(node, method="post")
    made = posts.create_post(
        request, account, text=message, kind="comment", reply_to=post, data={"code": post.data["code"]}
    )
    return answer({"id": made.remote_id}, account=account)
