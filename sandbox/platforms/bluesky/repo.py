"""Records: written, read, listed, deleted. com.atproto.repo.* and what the reference server does with them (2026-11).

| call | what happens |
|---|---|
| putRecord with `swapRecord: null`, key free | written |
| the same record again, with or without | 200, same cid, no commit |
| putRecord with `swapRecord: null`, key holds another record | 400 InvalidSwap |
| putRecord without `swapRecord` | overwrites |
| createRecord with a used key | 500 |
| deleteRecord, again | 200, without a commit |
"""

from __future__ import annotations

import re
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse

from sandbox import accounts, clock, journal, posts
from sandbox.models import Account, Attachment, Post, Upload
from sandbox.platforms.bluesky import blobs, lexicon, problems
from sandbox.platforms.bluesky.cids import name_record
from sandbox.platforms.bluesky.endpoint import PLATFORM, Body, answer, open_to_all, read_body, read_parameter, signed_in
from sandbox.platforms.bluesky.names import POSTS, TID, make_tid, make_uri

MAX_PAGE = 100
PAGE = 50


class CreateBody(Body):
    """A new record, with a key or without."""

    repo: str
    collection: str
    record: dict[str, Any]
    rkey: str = ""


class PutBody(CreateBody):
    """A record under a key. `swapRecord` may be left out, null, or a cid: three different things."""

    swapRecord: str | None = None  # noqa: N815  (theirs)


class DeleteBody(Body):
    """Which record to delete."""

    repo: str
    collection: str
    rkey: str
    swapRecord: str | None = None  # noqa: N815  (theirs)


@signed_in(method="POST", points=2)
def put_record(request: HttpRequest, account: Account) -> HttpResponse:
    """Write a record under a key, if the key holds what the caller thinks."""
    body = read_body(request, PutBody)
    record, cid = _check(account, body)
    with transaction.atomic():
        uri = make_uri(account.platform_account_id, body.rkey)
        present = posts.find_post(PLATFORM, uri)
        if present and present.data["cid"] == cid:
            journal.note(request, post_id=uri)
            return answer({"uri": uri, "cid": cid, "validationStatus": "valid"})
        if "swapRecord" in body.model_fields_set:
            _check_swap(present, body.swapRecord)
        files = blobs.get_blobs(account, record)
        _write(request, account, body=body, record=record, cid=cid, files=files, over=present)
    return answer({"uri": uri, "cid": cid, "commit": _commit(uri, cid), "validationStatus": "valid"})


@signed_in(method="POST", points=3)
def create_record(request: HttpRequest, account: Account) -> HttpResponse:
    """Write a new record; a used key breaks the server."""
    body = read_body(request, CreateBody)
    body.rkey = body.rkey or make_tid(clock.now())
    record, cid = _check(account, body)
    with transaction.atomic():
        uri = make_uri(account.platform_account_id, body.rkey)
        if posts.find_post(PLATFORM, uri):
            raise problems.standard(500)
        files = blobs.get_blobs(account, record)
        _write(request, account, body=body, record=record, cid=cid, files=files, over=None)
    return answer({"uri": uri, "cid": cid, "commit": _commit(uri, cid), "validationStatus": "valid"})


@signed_in(method="POST", points=1)
def delete_record(request: HttpRequest, account: Account) -> HttpResponse:
    """Delete a record, or make sure that there is none."""
    body = read_body(request, DeleteBody)
    _check_repo(account, body.repo)
    uri = make_uri(account.platform_account_id, body.rkey)
    with transaction.atomic():
        present = posts.find_post(PLATFORM, uri) if body.collection == POSTS else None
        if "swapRecord" in body.model_fields_set and body.swapRecord is not None:
            _check_swap(present, body.swapRecord)
        deleted = present is not None and posts.delete_post(request, present)
    return answer({"commit": _commit(uri, "deleted") if deleted else None})


@open_to_all(method="GET")
def get_record(request: HttpRequest) -> HttpResponse:
    """Give one record; everybody may read."""
    repo, collection, rkey = (read_parameter(request, name) for name in ("repo", "collection", "rkey"))
    account = _find_repo(repo)
    uri = make_uri(account.platform_account_id if account else repo, rkey)
    post = posts.find_post(PLATFORM, uri) if account and collection == POSTS else None
    if post is None or request.GET.get("cid", post.data["cid"]) != post.data["cid"]:
        raise problems.refuse(f"Could not locate record: {uri}", "RecordNotFound")
    return answer(_describe(post))


@open_to_all(method="GET")
def list_records(request: HttpRequest) -> HttpResponse:
    """Give records page by page, newest key first."""
    repo, collection = read_parameter(request, "repo"), read_parameter(request, "collection")
    account = _find_repo(repo)
    if account is None:
        raise problems.refuse(f"Could not find repo: {repo}", "RepoNotFound")
    limit, forward = _read_limit(request), request.GET.get("reverse") == "true"
    found = posts.living_posts(PLATFORM).filter(account=account).order_by("remote_id" if forward else "-remote_id")
    if cursor := request.GET.get("cursor"):
        edge = make_uri(account.platform_account_id, cursor)
        found = found.filter(remote_id__gt=edge) if forward else found.filter(remote_id__lt=edge)
    page = list(found[:limit]) if collection == POSTS else []
    cursor = page[-1].data["rkey"] if page else None
    return answer({"records": [_describe(post) for post in page], "cursor": cursor})


def _check(account: Account, body: CreateBody) -> tuple[lexicon.PostRecord, str]:
    _check_repo(account, body.repo)
    if body.collection != POSTS or body.record.get("$type", POSTS) != POSTS:
        raise problems.refuse(f"This sandbox keeps records of {POSTS} only.")
    if not re.fullmatch(TID, body.rkey):
        raise problems.refuse(f"Invalid record key for collection {POSTS}: string must be a valid TID")
    record = lexicon.read_record(body.record)
    try:
        return record, name_record(body.record)
    except ValueError as error:
        raise problems.refuse(f"Invalid {POSTS} record: {error}") from None


def _check_repo(account: Account, repo: str) -> None:
    if repo not in (account.platform_account_id, account.handle):
        raise problems.standard(401)


def _check_swap(present: Post | None, wanted: str | None) -> None:
    there = present.data["cid"] if present else None
    if there != wanted:
        raise problems.refuse(f"Record was at {there or 'null'}", "InvalidSwap")


def _write(
    request: HttpRequest,
    account: Account,
    *,
    body: CreateBody,
    record: lexicon.PostRecord,
    cid: str,
    files: list[Upload],
    over: Post | None,
) -> None:
    uri = make_uri(account.platform_account_id, body.rkey)
    data = {"rkey": body.rkey, "cid": cid, "record": body.record, **_describe_card(record)}
    parent = posts.find_post(PLATFORM, record.reply.parent.uri) if record.reply else None
    if over is None:
        posts.create_post(request, account, text=record.text, remote_id=uri, reply_to=parent, uploads=files, data=data)
        return
    Post.objects.filter(id=over.id).update(text=record.text, data=data, body_sha256=journal.hash_body(request))
    Attachment.objects.filter(post=over).delete()
    Attachment.objects.bulk_create(
        Attachment(post=over, upload=upload, position=position) for position, upload in enumerate(files)
    )
    journal.note(request, post_id=uri)


def _describe_card(record: lexicon.PostRecord) -> dict[str, Any]:
    match record.embed:
        case lexicon.External(external=page):
            return {"link": {"url": page.uri, "title": page.title, "description": page.description}}
        case _:
            return {}


def _find_repo(repo: str) -> Account | None:
    if repo.startswith("did:"):
        return accounts.find_account(PLATFORM, account_id=repo)
    return accounts.find_account(PLATFORM, handle=repo.lower())


def _describe(post: Post) -> dict[str, Any]:
    return {"uri": post.remote_id, "cid": post.data["cid"], "value": post.data["record"]}


def _commit(uri: str, cid: str) -> dict[str, str]:
    now = clock.now()
    return {"cid": name_record({"uri": uri, "record": cid, "at": now.isoformat()}), "rev": make_tid(now)}


def _read_limit(request: HttpRequest) -> int:
    text = request.GET.get("limit", str(PAGE))
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MAX_PAGE):
        raise problems.refuse("Error: limit must be between 1 and 100")
    return int(text)
