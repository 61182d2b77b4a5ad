"""Who somebody is, and what they may choose: `GET /v2/user/info/`, `POST /v2/post/publish/creator_info/query/`."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import QuerySet
from django.http import HttpRequest

from sandbox import clock, metrics, posts
from sandbox.models import Account, Grant, Job, Post
from sandbox.platforms.tiktok.endpoint import endpoint, read_fields
from sandbox.platforms.tiktok.refusals import Refusal

DAY = timedelta(hours=24)
MAX_POSTS = 15  # a day that a creator may publish through apps
MAX_DRAFTS = 5  # a day that may wait in the inbox
MAX_SECONDS = 600
MODERATED_AFTER = timedelta(seconds=1)  # a public post gets its id, and shows, once TikTok has looked it through
PUBLIC = "PUBLIC_TO_EVERYONE"
LEVELS = (
    PUBLIC,
    "MUTUAL_FOLLOW_FRIENDS",
    "SELF_ONLY",
)  # of a public account; a private one has FOLLOWER_OF_CREATOR instead
PRIVATE_LEVELS = ("FOLLOWER_OF_CREATOR", "MUTUAL_FOLLOW_FRIENDS", "SELF_ONLY")

FIELDS = {  # by the scope that shows them
    "user.info.basic": frozenset({"open_id", "union_id", "avatar_url", "display_name"}),
    "user.info.profile": frozenset({"username", "profile_deep_link", "bio_description", "is_verified"}),
    "user.info.stats": frozenset({"follower_count", "following_count", "likes_count", "video_count"}),
}


@endpoint(method="GET", scopes=tuple(FIELDS), per_minute=600)
def read_user(request: HttpRequest, grant: Grant) -> dict[str, object]:
    """Show whose token this is."""
    fields = read_fields(request, frozenset().union(*FIELDS.values()))
    granted = grant.scope.split()
    if any(name in FIELDS[scope] and scope not in granted for name in fields for scope in FIELDS):
        raise Refusal("scope_not_authorized")
    known = _describe_user(request, grant.account)
    return {"user": {name: known[name] for name in fields}}


@endpoint(method="POST", scopes=("video.publish",), per_minute=20)
def query_creator(_request: HttpRequest, grant: Grant) -> dict[str, object]:
    """Show what a creator may choose from in a direct post; spam refusals come with status 200 here, as at TikTok."""
    account = grant.account
    if count_posted(account) >= MAX_POSTS:
        raise Refusal("spam_risk_too_many_posts", status=200)
    if account.handle.startswith("banned"):
        raise Refusal("spam_risk_user_banned_from_posting", status=200)
    return {
        "creator_avatar_url": "",
        "creator_username": account.handle,
        "creator_nickname": account.name,
        "privacy_level_options": list(levels_of(account)),
        "comment_disabled": False,
        "duet_disabled": is_private(account),
        "stitch_disabled": is_private(account),
        "max_video_post_duration_sec": MAX_SECONDS,
    }


def is_private(account: Account) -> bool:
    """Say whether only followers see this account."""
    return account.handle.startswith("private")


def levels_of(account: Account) -> tuple[str, ...]:
    """Give what `privacy_level` may be for this creator."""
    return PRIVATE_LEVELS if is_private(account) else LEVELS


def count_posted(account: Account) -> int:
    """Count what this account posted directly within a day."""
    recent = posts.living_posts("tiktok").filter(account=account, created_at__gt=clock.now() - DAY)
    return recent.exclude(kind="inbox").count()


def count_drafts(account: Account) -> int:
    """Count the drafts of a day that wait in the inbox, and those on their way there."""
    recent = Job.objects.filter(account=account, kind="publish", created_at__gt=clock.now() - DAY, fails=False)
    return sum(1 for job in recent if job.data["mode"] == "inbox" and job.data["received"] == job.data["total"])


def public_posts(account: Account) -> QuerySet[Post]:
    """Give what everybody may see of an account, newest first."""
    seen = posts.timeline_of(account).filter(created_at__lte=clock.now() - MODERATED_AFTER)
    return seen.filter(data__visibility=PUBLIC)


def _describe_user(request: HttpRequest, account: Account) -> dict[str, object]:
    shown = list(public_posts(account))
    now, age = clock.now(), clock.now() - account.created_at
    return {
        "open_id": account.platform_account_id,
        "union_id": account.platform_account_id[::-1],
        "avatar_url": "",
        "display_name": account.name,
        "username": account.handle,
        "profile_deep_link": request.build_absolute_uri(f"/tiktok/@{account.handle}"),
        "bio_description": "",
        "is_verified": False,
        "follower_count": metrics.count_views(f"{account.handle} followers", age=age, low=50, high=5000),
        "following_count": 12,
        "likes_count": sum(
            metrics.count_share(post.id, "likes", age=now - post.created_at, ratio=0.08) for post in shown
        ),
        "video_count": len(shown),
    }
