"""The control API at `/_sandbox/`: what was posted, what was called, which failures are ordered, what time it is.

| path | method | |
|---|---|---|
| health | GET | `{"ok", "version", "posts", "now"}` |
| posts | GET | living posts, newest first; `?platform= &handle= &kind= &limit=` |
| calls | GET | the journal, newest first; `?platform= &path= &limit=` |
| faults | GET POST DELETE | list, order one (`FaultOrder`), clear all |
| clock | POST | `{"advance_seconds": 31}`: time passes without waiting |
| reset | POST | `{"confirm": true}`: forget everything |
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Annotated, Literal, TypeVar

from django.apps import apps
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sandbox import __version__, clock, ids, journal, models, storage
from sandbox.faults import TIMED, Kind, active_faults
from sandbox.platforms.registry import platforms
from sandbox.posts import attachments_of
from sandbox.storage import storage_dir
from sandbox.uploads import media_dir, media_url

MAX_LIMIT = 1000


class FaultOrder(BaseModel):
    """A failure to order; see `sandbox.faults` for what each kind does, and which of them need `seconds`.

    `platform` is one of the sandbox's, or `_storage`; `match` is a method and a path below its base URL, or `commit` for the call
    that makes a post public there; `times` is how many calls it hits, None for all until it is cleared.
    """

    model_config = ConfigDict(extra="forbid")

    platform: str = "x"
    match: Annotated[str, Field(min_length=1, max_length=200)] = "*"
    kind: Kind
    status: Annotated[int, Field(ge=400, le=599)] | None = None
    seconds: Annotated[float, Field(ge=0, le=600)] = 0.0
    times: Annotated[int, Field(ge=1)] | None = 1
    retry_after: Annotated[int, Field(ge=1)] | None = None


class ClockOrder(BaseModel):
    """How far to move the clock ahead."""

    model_config = ConfigDict(extra="forbid")

    advance_seconds: Annotated[float, Field(ge=0, le=10 * 365 * 86400)]


class ResetOrder(BaseModel):
    """The word that everything may go."""

    model_config = ConfigDict(extra="forbid")

    confirm: Literal[True]


OrderT = TypeVar("OrderT", bound=BaseModel)


class _Refused(Exception):
    """An order that cannot be taken: HTTP status and the reason."""

    def __init__(self, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def control(**views: Callable[[HttpRequest], object]) -> Callable[[HttpRequest], HttpResponse]:
    """Make a view of functions that give JSON, one per HTTP method."""

    def view(request: HttpRequest) -> HttpResponse:
        chosen = views.get(request.method or "")
        if chosen is None:
            return JsonResponse({"error": f"Use {', '.join(views)}."}, status=405)
        try:
            return JsonResponse(chosen(request), safe=False)
        except _Refused as refused:
            return JsonResponse({"error": str(refused)}, status=refused.status)

    return view


def read_health(_request: HttpRequest) -> object:
    """Say that the sandbox lives."""
    posts = models.Post.objects.filter(deleted_at=None).count()
    return {"ok": True, "version": __version__, "posts": posts, "now": clock.now().isoformat()}


def read_posts(request: HttpRequest) -> object:
    """List the living posts, newest first; `requests` counts how often exactly this body arrived as the account's."""
    posts = models.Post.objects.filter(deleted_at=None).select_related("account").order_by("-id")
    if platform := request.GET.get("platform"):
        posts = posts.filter(account__platform=platform)
    if handle := request.GET.get("handle"):
        posts = posts.filter(account__handle=handle.removeprefix("@").lower())
    if kind := request.GET.get("kind"):
        posts = posts.filter(kind=kind)
    return [_describe_post(request, post) for post in posts[: _read_limit(request)]]


def read_calls(request: HttpRequest) -> object:
    """List the journal, newest first."""
    query = request.GET
    return journal.read_calls(
        limit=_read_limit(request), platform=query.get("platform", ""), path=query.get("path", "")
    )


def read_faults(_request: HttpRequest) -> object:
    """List the failures that still wait for a call."""
    return [_describe_fault(fault) for fault in active_faults()]


def order_fault(request: HttpRequest) -> object:
    """Order a failure."""
    order = _read_order(request, FaultOrder)
    if order.platform not in (*platforms(), storage.NAME):
        raise _Refused(f"platform: there is no {order.platform!r}. Known: {', '.join(platforms())}.")
    if order.kind == "status" and order.status is None:
        raise _Refused("A status fault needs a status from 400 to 599.")
    if order.kind in TIMED and order.seconds <= 0:
        raise _Refused(f"A fault of kind {order.kind} needs seconds.")
    fields = order.model_dump(exclude={"times"})
    if order.match == "commit" and order.platform in platforms():
        fields["match"] = platforms()[order.platform].commit
    return _describe_fault(models.Fault.objects.create(times_left=order.times, **fields))


def clear_faults(_request: HttpRequest) -> object:
    """Take all ordered failures back."""
    cleared, _ = models.Fault.objects.all().delete()
    return {"cleared": cleared}


def move_clock(request: HttpRequest) -> object:
    """Move the sandbox's clock ahead."""
    return {"now": clock.advance(_read_order(request, ClockOrder).advance_seconds).isoformat()}


def reset(request: HttpRequest) -> object:
    """Forget everything: posts, accounts, grants, media, the journal, failures, the clock."""
    _read_order(request, ResetOrder)
    with transaction.atomic():
        for model in apps.get_app_config("sandbox").get_models():
            model._default_manager.all().delete()
    clock.load()
    ids.forget()
    for directory in (media_dir(), storage_dir()):
        shutil.rmtree(directory, ignore_errors=True)
    return {"ok": True}


def _read_order(request: HttpRequest, model: type[OrderT]) -> OrderT:
    if request.content_type != "application/json":  # a foreign web page cannot send this without asking first
        raise _Refused("Content-Type must be application/json.", status=415)
    try:
        return model.model_validate_json(request.body)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(step) for step in first["loc"]) or "body"
        raise _Refused(f"{where}: {first['msg']}") from None


def _read_limit(request: HttpRequest) -> int:
    text = request.GET.get("limit", "100")
    if not (text.isascii() and text.isdigit()):
        raise _Refused("limit must be a number.")
    return min(int(text), MAX_LIMIT)


def _describe_post(request: HttpRequest, post: models.Post) -> dict[str, object]:
    account, parent = post.account, _find_parent(post)
    same = models.Call.objects.filter(platform=account.platform, handle=account.handle, body_sha256=post.body_sha256)
    return {
        "platform": account.platform,
        "id": post.remote_id,
        "kind": post.kind,
        "handle": account.handle,
        "text": post.text,
        "in_reply_to": parent.remote_id if parent else None,
        "created_at": post.created_at.isoformat(),
        "url": _find_url(request, post),
        "media": [
            {
                "id": upload.platform_media_id,
                "mime_type": upload.mime_type,
                "alt_text": upload.alt_text,
                "url": media_url(request, upload),
            }
            for upload in attachments_of(post)
        ],
        "made_with_ai": post.made_with_ai,
        "data": post.data,
        "requests": same.exclude(method="GET").count(),
    }


def _find_parent(post: models.Post) -> models.Post | None:
    return models.Post.objects.filter(id=post.reply_to).first() if post.reply_to else None


def _find_url(request: HttpRequest, post: models.Post) -> str:
    platform = platforms().get(post.account.platform)
    return request.build_absolute_uri(f"/{platform.name}{platform.post_path(post)}") if platform else ""


def _describe_fault(fault: models.Fault) -> dict[str, object]:
    return {
        "id": fault.pk,
        "platform": fault.platform,
        "match": fault.match,
        "kind": fault.kind,
        "status": fault.status,
        "seconds": fault.seconds,
        "retry_after": fault.retry_after,
        "times_left": fault.times_left,
    }
