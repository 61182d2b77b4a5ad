"""Containers and their publication: `POST /{user}/threads`, `POST /{user}/threads_publish`, the quotas.

Source: developers.facebook.com/documentation/threads, pages posts and reply-management (read 2026-11-20).
"""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.http import HttpRequest, HttpResponse

from sandbox import clock, jobs, limits, posts
from sandbox.fetching import FetchFailed
from sandbox.meta.containers import (
    PUBLISHED,
    fetch_media,
    files_of,
    get_children,
    get_publishable,
    is_true,
    keep_fetched,
    make_code,
    open_container,
    read_parameters,
)
from sandbox.meta.endpoint import DAY, answer, get_account, pick, read_fields
from sandbox.meta.refusals import Refused, invalid, no_such_field, no_such_object
from sandbox.models import Account, Job, Post
from sandbox.platforms.threads.oauth import BASIC, NAME, PUBLISH, REPLY
from sandbox.platforms.threads.text import check_text

LIMITS = {"posts": 250, "replies": 1000, "deletes": 100}  # in 24 hours
MAX_IMAGE_BYTES, MAX_VIDEO_BYTES = 8 * 1024 * 1024, 1024**3
MEDIA_TYPES = {"TEXT": "TEXT_POST", "IMAGE": "IMAGE", "VIDEO": "VIDEO", "CAROUSEL": "CAROUSEL_ALBUM"}
AUDIENCES = ("everyone", "accounts_you_follow", "mentioned_only", "parent_post_author_only", "followers_only")

Form = Mapping[str, str]


def create_container(request: HttpRequest, account: Account) -> HttpResponse:
    """Make a container of a text, an image, a video or a carousel."""
    form = read_parameters(request)
    media_type, is_child = form.get("media_type", ""), is_true(form.get("is_carousel_item"))
    if media_type not in (("IMAGE", "VIDEO") if is_child else MEDIA_TYPES):
        raise invalid(f"Param media_type must be one of {{{', '.join(MEDIA_TYPES)}}}")
    check_text(form.get("text", ""), link=form.get("link_attachment", ""))
    _check_choices(form, media_type=media_type)
    parent = _get_parent(request, form)
    files, fails = _take_files(request, account, form, media_type=media_type)
    data = {
        "is_child": is_child,
        "media_type": media_type,
        "text": form.get("text", ""),
        "files": files,
        "reply_to": parent.remote_id if parent else "",
        "choices": {name: form[name] for name in ("link_attachment", "topic_tag", "reply_control") if name in form},
    }
    container = open_container(request, account, data=data, is_video=media_type == "VIDEO", fails=fails)
    if is_true(form.get("auto_publish_text")) and media_type == "TEXT":
        return answer({"id": _publish(request, account, container.remote_id).remote_id}, account=account)
    return answer({"id": container.remote_id}, account=account)


def publish(request: HttpRequest, account: Account) -> HttpResponse:
    """Make a container public, once."""
    container_id = read_parameters(request).get("creation_id", "")
    if not container_id:
        raise invalid("The parameter creation_id is required")
    return answer({"id": _publish(request, account, container_id).remote_id}, account=account)


def read_limit(request: HttpRequest, account: Account) -> HttpResponse:
    """Say how many of the day's posts, replies and deletions are used."""
    whole: dict[str, object] = {}
    for name, prefix in (("posts", ""), ("replies", "reply_"), ("deletes", "delete_")):
        used = LIMITS[name] - _left(account, name)
        config = {"quota_total": LIMITS[name], "quota_duration": int(DAY.total_seconds())}
        whole |= {f"{prefix}quota_usage": used, f"{prefix}config": config}
    known = frozenset({*whole, "location_search_quota_usage", "location_search_config"})
    fields = read_fields(request, known=known, refuse=lambda field: no_such_field(field, node_type="ThreadsUser"))
    return answer({"data": [pick(whole, fields)]}, account=account)


def delete(request: HttpRequest, account: Account, post: Post) -> HttpResponse:
    """Delete an own post."""
    _spend(account, "deletes")
    if not posts.delete_post(request, post):
        raise no_such_object(post.remote_id, method="delete")
    return answer({"success": True, "deleted_id": post.remote_id}, account=account)


def _check_choices(form: Form, *, media_type: str) -> None:
    if media_type == "TEXT" and not form.get("text", "").strip():
        raise invalid("The parameter text is required")
    if "link_attachment" in form and media_type != "TEXT":
        raise invalid("Param link_attachment can only be used with media_type TEXT")
    if form.get("reply_control", "everyone") not in AUDIENCES:
        raise invalid(f"Param reply_control must be one of {{{', '.join(AUDIENCES)}}}")
    topic = form.get("topic_tag", "topic")
    if not 1 <= len(topic) <= 50 or set(topic) & set(".&"):
        raise invalid("Param topic_tag must be 1 to 50 characters without periods and ampersands")


def _get_parent(request: HttpRequest, form: Form) -> Post | None:
    if "reply_to_id" not in form:
        return None
    account = get_account(request, platform=NAME, scopes=(BASIC, PUBLISH, REPLY))
    parent = posts.find_post(NAME, form["reply_to_id"])
    if parent is None or parent.account != account:
        raise no_such_object(form["reply_to_id"], method="post")
    return parent


def _take_files(request: HttpRequest, account: Account, form: Form, *, media_type: str) -> tuple[list[str], str]:
    """Give the files of a container, and why its processing will fail, if it will."""
    if media_type == "CAROUSEL":
        children = get_children(account, form.get("children", ""), least=2, most=20)
        return [file for child in children for file in child.data["files"]], ""
    if media_type == "TEXT":
        return [], ""
    field, kind, most = ("video_url", "video/", MAX_VIDEO_BYTES)
    if media_type == "IMAGE":
        field, kind, most = ("image_url", "image/", MAX_IMAGE_BYTES)
    if field not in form:
        raise invalid(f"The parameter {field} is required")
    return _fetch(request, account, form, url=form[field], kind=kind, max_bytes=most)


def _fetch(
    request: HttpRequest, account: Account, form: Form, *, url: str, kind: str, max_bytes: int
) -> tuple[list[str], str]:
    """Fetch a file: trouble with an image is told at once, trouble with a video in the container."""
    try:
        fetched = fetch_media(url, platform=NAME, max_bytes=max_bytes)
    except FetchFailed:
        return _fail(kind, "FAILED_PROCESSING_VIDEO")
    except Refused:
        if kind == "image/":
            raise
        return [], "FAILED_DOWNLOADING_VIDEO"
    takes = ("image/jpeg", "image/png") if kind == "image/" else ("video/mp4", "video/quicktime")
    if fetched.mime_type not in takes:
        fetched.path.unlink(missing_ok=True)
        return _fail(kind, "FAILED_PROCESSING_VIDEO")
    kept = keep_fetched(request, account, fetched, alt_text=form.get("alt_text", ""))
    return [kept.platform_media_id], ""


def _fail(kind: str, why: str) -> tuple[list[str], str]:
    if kind == "image/":
        raise Refused(36001, "The image format is not supported.", subcode=2207005)
    return [], why


def _publish(request: HttpRequest, account: Account, container_id: str) -> Post:
    with transaction.atomic():
        container = get_publishable(account, container_id)
        parent = posts.find_post(NAME, container.data["reply_to"]) if container.data["reply_to"] else None
        if container.data["reply_to"] and parent is None:
            raise no_such_object(container.data["reply_to"], method="post")
        _spend(account, "replies" if parent else "posts")
        jobs.change_job(container, state=PUBLISHED)
        return _show(request, account, container, parent=parent)


def _show(request: HttpRequest, account: Account, container: Job, *, parent: Post | None) -> Post:
    kept, choices = container.data, container.data["choices"]
    post = posts.create_post(
        request,
        account,
        text=kept["text"].strip(),
        kind="carousel" if kept["media_type"] == "CAROUSEL" else "post",
        reply_to=parent,
        uploads=files_of(account, container),
        data={
            "container": container.remote_id,
            "media_type": MEDIA_TYPES[kept["media_type"]],
            "topic_tag": choices.get("topic_tag", ""),
            "reply_control": choices.get("reply_control", "everyone"),
            **({"link": {"url": choices["link_attachment"]}} if "link_attachment" in choices else {}),
        },
    )
    Post.objects.filter(id=post.id).update(data={**post.data, "code": make_code(post.id)})
    return post


def _left(account: Account, name: str) -> int:
    left = limits.read_allowance(account, endpoint=name, limit=LIMITS[name], window=DAY, now=clock.now())
    return max(left.remaining, 0)


def _spend(account: Account, name: str) -> None:
    if not _left(account, name):
        raise Refused(9, "Application request limit reached", subcode=2207042)
    limits.spend(account, endpoint=name, limit=LIMITS[name], window=DAY, now=clock.now())
