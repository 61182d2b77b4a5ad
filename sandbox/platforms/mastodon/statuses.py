"""Statuses: made (once for each idempotency key), read, deleted. docs.joinmastodon.org/methods/statuses (read 2026-11-20)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse

from sandbox import clock, jobs, journal, posts, uploads
from sandbox.models import Account, Attachment, Job, Post, Upload
from sandbox.platforms.mastodon.endpoint import HALF_HOUR, answer, endpoint, read_body
from sandbox.platforms.mastodon.entities import PLATFORM, describe_status
from sandbox.platforms.mastodon.refusals import Refusal, invalid, not_found
from sandbox.platforms.mastodon.text import MAX_CHARACTERS, count_characters, count_plain

MAX_FILES = 4
MAX_IDS = 20
KEY_LIFE = timedelta(hours=1)
VISIBILITIES = ("public", "unlisted", "private", "direct")


@endpoint(scope="write:statuses")
def create_status(request: HttpRequest, account: Account) -> HttpResponse:
    """Make a status public; the same key within an hour gives the same status again."""
    body = read_body(request)
    with transaction.atomic():
        post = _find_former(request, account) or _create(request, account, body)
    return answer(describe_status(request, post, now=clock.now()))


@endpoint(scope="read:statuses")
def read_status(request: HttpRequest, account: Account, status_id: str) -> HttpResponse:
    """Give a status."""
    return answer(describe_status(request, _get_visible(account, status_id), now=clock.now()))


@endpoint(scope="read:statuses")
def read_statuses(request: HttpRequest, account: Account) -> HttpResponse:
    """Give several statuses; the ones that are not there are left out."""
    ids = list(dict.fromkeys(request.GET.getlist("id[]")))
    if len(ids) > MAX_IDS:
        raise invalid(f"Too many ids, the limit is {MAX_IDS}")
    found = posts.living_posts(PLATFORM).filter(remote_id__in=ids)
    now = clock.now()
    return answer([describe_status(request, post, now=now) for post in found if _may_see(account, post)])


@endpoint(scope="read:statuses")
def read_source(_request: HttpRequest, account: Account, status_id: str) -> HttpResponse:
    """Give what the author of a status typed."""
    post = _get_own(account, status_id)
    return answer({"id": post.remote_id, "text": post.text, "spoiler_text": post.data.get("spoiler", "")})


@endpoint(scope="write:statuses", family="delete", limit=30, window=HALF_HOUR)
def delete_status(request: HttpRequest, account: Account, status_id: str) -> HttpResponse:
    """Take an own status away, and give it back with what was typed."""
    post = _get_own(account, status_id)
    described = describe_status(request, post, now=clock.now())
    if not posts.delete_post(request, post):
        raise not_found()
    return answer({**described, "text": post.text})


@endpoint(scope="read:statuses")
def read_own(request: HttpRequest, account: Account, account_id: str) -> HttpResponse:
    """Give a page of an account's statuses, newest first."""
    query = request.GET
    shown = Account.objects.filter(platform=PLATFORM, platform_account_id=account_id).first()
    if shown is None:
        raise not_found()
    found = posts.timeline_of(shown)
    if shown.pk != account.pk:
        found = found.filter(data__visibility__in=("public", "unlisted"))
    for name, bound in (("max_id", "id__lt"), ("since_id", "id__gt"), ("min_id", "id__gt")):
        if query.get(name, "").isdigit():
            found = found.filter(**{bound: int(query[name])})
    limit = min(int(query["limit"]), 40) if query.get("limit", "").isdigit() else 20
    page, now = list(found[:limit]), clock.now()
    response = answer([describe_status(request, post, now=now) for post in page])
    if page:
        response["Link"] = _write_links(request, page, is_full=len(page) == limit)
    return response


def _create(request: HttpRequest, account: Account, body: dict[str, Any]) -> Post:
    spoiler, text = _read_text(body, "spoiler_text"), _read_text(body, "status")
    files = _find_files(account, body.get("media_ids"))
    if not text and files:
        text, spoiler = spoiler, ""
    _check_text(text, spoiler=spoiler, has_files=bool(files))
    visibility = body.get("visibility") or "public"
    if visibility not in VISIBILITIES:
        raise invalid("Visibility is not included in the list")
    is_sensitive = body.get("sensitive") in (True, "true", "1", "on")
    data = {
        "spoiler": spoiler,
        "visibility": visibility,
        "sensitive": is_sensitive or bool(spoiler),
        "language": body.get("language") or "en",
    }
    parent = _find_parent(account, body.get("in_reply_to_id"))
    post = posts.create_post(request, account, text=text, reply_to=parent, uploads=files, data=data)
    _keep_key(request, account, post)
    return post


def _read_text(body: dict[str, Any], name: str) -> str:
    return str(body.get(name) or "").replace("\r\n", "\n").strip()


def _check_text(text: str, *, spoiler: str, has_files: bool) -> None:
    if not text and not has_files:
        raise invalid("Text can't be blank")
    if count_characters(text) + count_plain(spoiler) > MAX_CHARACTERS:
        raise invalid(f"Text is too long (maximum is {MAX_CHARACTERS} characters)")


def _find_parent(account: Account, status_id: object) -> Post | None:
    if not status_id:
        return None
    parent = posts.find_post(PLATFORM, str(status_id))
    if parent is None or not _may_see(account, parent):
        raise Refusal(404, "The post you are trying to reply to does not appear to exist.")
    return parent


def _find_files(account: Account, media_ids: object) -> list[Upload]:
    wanted = [str(one) for one in media_ids] if isinstance(media_ids, list) else []
    if len(wanted) > MAX_FILES:
        raise invalid("Cannot attach more than 4 files")
    files = [uploads.get_upload(PLATFORM, one, account=account) for one in wanted]
    found = [one for one in files if one and not Attachment.objects.filter(upload=one).exists()]
    if len(found) != len(wanted):
        raise invalid(f"Media {', '.join(wanted)} not found or already attached to another post")
    if len(found) > 1 and any(one.mime_type.startswith("video/") for one in found):
        raise invalid("Cannot attach a video to a post that already contains images")
    if any(uploads.state_of(one) != "ready" for one in found):
        raise invalid("Cannot attach files that have not finished processing. Try again in a moment!")
    return found


def _find_former(request: HttpRequest, account: Account) -> Post | None:
    """Give the status that this key made within the last hour."""
    job = jobs.find_job(PLATFORM, "idempotency", _key_of(request, account))
    if job is None or job.created_at + KEY_LIFE <= clock.now():
        return None
    post = posts.find_post(PLATFORM, job.data["status_id"])
    if post is None:  # made by it, and deleted since
        raise not_found()
    journal.note(request, post_id=post.remote_id)
    return post


def _keep_key(request: HttpRequest, account: Account, post: Post) -> None:
    key = _key_of(request, account)
    if request.headers.get("Idempotency-Key"):
        Job.objects.filter(platform=PLATFORM, kind="idempotency", remote_id=key).delete()
        jobs.open_job(request, account, kind="idempotency", remote_id=key, data={"status_id": post.remote_id})


def _key_of(request: HttpRequest, account: Account) -> str:
    return f"{account.pk} {request.headers.get('Idempotency-Key', '')}"[:255]


def _get_visible(account: Account, status_id: str) -> Post:
    post = posts.find_post(PLATFORM, status_id)
    if post is None or not _may_see(account, post):
        raise not_found()
    return post


def _get_own(account: Account, status_id: str) -> Post:
    post = posts.find_post(PLATFORM, status_id)
    if post is None or post.account.pk != account.pk:
        raise not_found()
    return post


def _may_see(account: Account, post: Post) -> bool:
    return post.account.pk == account.pk or post.data.get("visibility") in ("public", "unlisted")


def _write_links(request: HttpRequest, page: list[Post], *, is_full: bool) -> str:
    base = request.build_absolute_uri(request.path)
    links = [f'<{base}?max_id={page[-1].remote_id}>; rel="next"'] if is_full else []
    return ", ".join([*links, f'<{base}?min_id={page[0].remote_id}>; rel="prev"'])
