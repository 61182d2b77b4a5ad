"""What everybody sees: handles, profiles, posts with their counts. app.bsky.* and com.atproto.identity.* (2026-11)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse

from sandbox import accounts, clock, posts
from sandbox.models import Account, Post
from sandbox.platforms.bluesky import RATIOS, count, problems
from sandbox.platforms.bluesky.endpoint import PLATFORM, answer, open_to_all, read_parameter

MAX_URIS = 25


@open_to_all(method="GET")
def resolve_handle(request: HttpRequest) -> HttpResponse:
    """Say whose handle it is."""
    account = accounts.find_account(PLATFORM, handle=read_parameter(request, "handle").lower())
    if account is None:
        raise problems.refuse("Unable to resolve handle")
    return answer({"did": account.platform_account_id})


@open_to_all(method="GET")
def get_profile(request: HttpRequest) -> HttpResponse:
    """Give an account as people see it."""
    actor = read_parameter(request, "actor")
    wanted = {"account_id": actor} if actor.startswith("did:") else {"handle": actor.lower()}
    account = accounts.find_account(PLATFORM, **wanted)
    if account is None:
        raise problems.refuse("Profile not found")
    days = (clock.now() - account.created_at).days
    body = {
        **_describe_author(account),
        "followersCount": 120 + 3 * days,
        "followsCount": 80,
        "postsCount": posts.timeline_of(account).count(),
        "createdAt": account.created_at.isoformat(),
        "indexedAt": account.created_at.isoformat(),
    }
    return answer(body)


@open_to_all(method="GET")
def get_posts(request: HttpRequest) -> HttpResponse:
    """Give posts with their counts; what is not there, or not seen yet, is left out."""
    uris = request.GET.getlist("uris")
    if not uris:
        raise problems.refuse('Error: Params must have the property "uris"')
    if len(uris) > MAX_URIS:
        raise problems.refuse(f"Error: uris must not have more than {MAX_URIS} elements")
    now = clock.now()
    found = {
        post.remote_id: post
        for post in posts.living_posts(PLATFORM).filter(remote_id__in=uris).exclude(hidden_until__gt=now)
    }
    return answer({"posts": [_describe(found[uri]) for uri in dict.fromkeys(uris) if uri in found]})


def _describe(post: Post) -> dict[str, Any]:
    age = clock.now() - post.created_at
    counts = {name: count(post, name, age=age) for name in RATIOS}
    counts["replyCount"] += posts.replies_to(post).count()
    return {
        "uri": post.remote_id,
        "cid": post.data["cid"],
        "author": _describe_author(post.account),
        "record": post.data["record"],
        "indexedAt": post.created_at.isoformat(),
        **counts,
    }


def _describe_author(account: Account) -> dict[str, Any]:
    return {"did": account.platform_account_id, "handle": account.handle, "displayName": account.name}
