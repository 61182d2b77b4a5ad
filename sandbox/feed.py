"""The feed: posts as a person would see them, and the pages around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import unquote

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render

from sandbox import clock, uploads
from sandbox.cards import arrange_posts, pick_hue
from sandbox.faults import active_faults
from sandbox.models import Account, Call, Fault, Post
from sandbox.platforms.registry import SandboxPlatform, get_platform, platforms
from sandbox.posts import living_posts
from sandbox.serving import serve_file

SHOWN = 50  # posts a page
# nothing from outside, no scripts; the pages carry their style themselves
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; media-src 'self'; base-uri 'none'"

ViewT = TypeVar("ViewT", bound=Callable[..., HttpResponseBase])


def page(view: ViewT) -> ViewT:
    """Mark a view as a page for people: no call to a platform, so nothing of it is journalled and nothing fails on order."""
    view.is_page = True  # type: ignore[attr-defined]
    return view


def is_page(view: Callable[..., Any]) -> bool:
    """Say whether a view is a page for people."""
    return bool(getattr(view, "is_page", False))


def of_platform(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Make a page's view that is told the platform below whose path it lies."""

    @wraps(view)
    def told(request: HttpRequest, *arguments: str, **names: str) -> HttpResponseBase:
        return view(request, get_platform(request.path.split("/")[1]), *arguments, **names)

    return page(told)


@page
def show_all(request: HttpRequest) -> HttpResponse:
    """Show everybody's posts."""
    return _show(request, _living(), title="Everything posted here", heading="Sandbox feed")


@of_platform
def show_account(request: HttpRequest, platform: SandboxPlatform, handle: str) -> HttpResponse:
    """Show one account's posts. In `urls.py`: `path("@<str:handle>", feed.show_account)`."""
    account = Account.objects.filter(platform=platform.name, handle=handle.lower()).first()
    if account is None:
        raise Http404(f"Nobody called @{handle} has connected to this sandbox yet.")
    posts = _living().filter(account=account)
    return _show(request, posts, title=f"@{account.handle}", heading=account.name, account=account, total=posts.count())


@of_platform
def show_post(
    request: HttpRequest,
    platform: SandboxPlatform,
    remote_id: str = "",
    code: str = "",
    handle: str = "",  # noqa: ARG001 (a wrong one is mended by the redirect)
) -> HttpResponse:
    """Show one post in its thread; from any other address that leads to it, lead to its own.

    Args:
        remote_id: the platform's id of it, or
        code: what its module keeps as `data["code"]`.
        handle: as the address says; a wrong one leads to the right address.
    """
    wanted = {"remote_id": remote_id} if remote_id else {"data__code": code}
    post = living_posts(platform.name).filter(**wanted).first()
    if post is None:
        raise Http404("This post does not exist, or was deleted.")
    place = f"/{platform.name}{platform.post_path(post)}"
    if request.path != unquote(place):
        return HttpResponseRedirect(place)
    thread = _living().filter(conversation_id=post.conversation_id)
    return _show(request, thread, title=f"{post.account.name}: {platform.noun}", heading=platform.noun, subject=post)


@page
def show_media(request: HttpRequest, file: str) -> HttpResponseBase:
    """Give an uploaded file."""
    found = uploads.find_by_file(file)
    if found is None or not uploads.file_path(found).exists():
        raise Http404("There is no such file.")
    return serve_file(request, uploads.file_path(found), mime_type=found.mime_type)


def show_nothing(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Say that there is no such page."""
    reason = str(exception) if isinstance(exception, Http404) and "tried" not in str(exception) else ""
    return _page(request, "nothing.html", {"title": "Not here", "reason": reason}, status=404)


def _show(
    request: HttpRequest,
    posts: QuerySet[Post],
    *,
    title: str,
    heading: str,
    account: Account | None = None,
    total: int = 0,
    subject: Post | None = None,
) -> HttpResponse:
    context = {
        "title": title,
        "heading": heading[:1].upper() + heading[1:],
        "account": account,
        "platform": get_platform(account.platform) if account else None,
        "hue": pick_hue(account) if account else 0,
        "total": total,
        "threads": arrange_posts(list(posts.order_by("-id")[:SHOWN]), subject=subject, now=clock.now()),
        "is_alone": subject is not None,
    }
    return _page(request, "feed.html", context)


def _page(request: HttpRequest, template: str, context: Mapping[str, object], *, status: int = 200) -> HttpResponse:
    everywhere: dict[str, object] = {
        "faults": [_describe_fault(fault) for fault in active_faults()],
        "calls": Call.objects.count(),
        "profiles": _list_profiles(),
    }
    response = render(request, template, {**everywhere, **context}, status=status)
    response["Content-Security-Policy"] = POLICY
    response["Cache-Control"] = "no-store"
    return response


def _list_profiles() -> list[tuple[SandboxPlatform, Account, str]]:
    """Give everybody with their platform and the path of their page, platform by platform."""
    known = platforms()
    order = list(known)
    accounts = [account for account in Account.objects.order_by("handle") if account.platform in known]
    accounts.sort(key=lambda account: order.index(account.platform))
    return [
        (
            known[account.platform],
            account,
            f"/{account.platform}{known[account.platform].profile_path(account.handle)}",
        )
        for account in accounts
    ]


def _describe_fault(fault: Fault) -> str:
    what = {
        "status": f"answers {fault.status}",
        "latency": f"waits {fault.seconds:g} s",
        "slow_processing": f"takes {fault.seconds:g} s to process",
    }.get(fault.kind, fault.kind.replace("_", " "))
    times = {None: "until cleared", 1: "once"}.get(fault.times_left, f"{fault.times_left} times")
    declared = platforms().get(fault.platform)
    return f"{declared.title if declared else fault.platform} {fault.match} {what}, {times}"


def _living() -> QuerySet[Post]:
    return Post.objects.filter(deleted_at=None, account__platform__in=platforms()).select_related("account")
