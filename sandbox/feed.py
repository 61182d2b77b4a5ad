"""The feed: posts as a person would see them, and the pages around it."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render

from sandbox import clock
from sandbox.cards import arrange_posts, pick_hue
from sandbox.faults import active_faults
from sandbox.models import Account, Call, Fault, Post
from sandbox.platforms.x import uploads

SHOWN = 50  # posts a page
# nothing from outside, no scripts; the pages carry their style themselves
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; media-src 'self'; base-uri 'none'"


def show_all(request: HttpRequest) -> HttpResponse:
    """Show everybody's posts."""
    return _show(request, _living(), title="Everything posted here", heading="Sandbox feed")


def show_account(request: HttpRequest, handle: str) -> HttpResponse:
    """Show one account's posts."""
    account = Account.objects.filter(platform="x", handle=handle.lower()).first()
    if account is None:
        raise Http404(f"Nobody called @{handle} has connected to this sandbox yet.")
    posts = _living().filter(account=account)
    return _show(request, posts, title=f"@{account.handle}", heading=account.name, account=account, total=posts.count())


def show_post(request: HttpRequest, handle: str, post_id: str) -> HttpResponse:
    """Show one post in its thread."""
    post = _get_post(post_id)
    if post.account.handle != handle.lower():
        return HttpResponseRedirect(f"/x/{post.account.handle}/status/{post.id}")
    thread = _living().filter(conversation_id=post.conversation_id)
    return _show(request, thread, title=f"{post.account.name}: post", heading="Post", subject=post)


def find_post(_request: HttpRequest, post_id: str) -> HttpResponse:
    """Lead from the address that needs no handle to the post's own page, as x.com does."""
    post = _get_post(post_id)
    return HttpResponseRedirect(f"/x/{post.account.handle}/status/{post.id}")


def show_media(_request: HttpRequest, media_id: str) -> HttpResponseBase:
    """Give an uploaded file."""
    found = uploads.find_file(media_id)
    if found is None:
        raise Http404("There is no such file.")
    path, mime_type = found
    headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox"}
    return FileResponse(path.open("rb"), content_type=mime_type, headers=headers)


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
        "heading": heading,
        "account": account,
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
        "accounts": Account.objects.order_by("handle"),
    }
    response = render(request, template, {**everywhere, **context}, status=status)
    response["Content-Security-Policy"] = POLICY
    response["Cache-Control"] = "no-store"
    return response


def _describe_fault(fault: Fault) -> str:
    what = {"status": f"answers {fault.status}", "latency": f"waits {fault.seconds:g} s"}.get(
        fault.kind, fault.kind.replace("_", " ")
    )
    times = "until cleared" if fault.times_left is None else f"{fault.times_left} times"
    return f"{fault.match} {what}, {times}"


def _living() -> QuerySet[Post]:
    return Post.objects.filter(deleted_at=None).select_related("account")


def _get_post(post_id: str) -> Post:
    post = _living().filter(id=post_id).first()
    if post is None:
        raise Http404("This post does not exist, or was deleted.")
    return post
