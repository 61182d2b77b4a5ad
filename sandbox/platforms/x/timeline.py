"""Reading: `GET /2/tweets`, `GET /2/users/{id}/tweets`, `GET /2/users/me`."""

from __future__ import annotations

import base64
from datetime import datetime

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.dateparse import parse_datetime

from sandbox import clock
from sandbox.models import Account, Post
from sandbox.platforms.x import problems, rendering
from sandbox.platforms.x.endpoint import answer, check_parameters, endpoint, read_choices
from sandbox.platforms.x.posts import living_posts
from sandbox.platforms.x.vocabulary import POST_FIELDS, choose_vocabulary
from sandbox.posts import attachments_of, timeline_of

READ = ("tweet.read", "users.read")
MAX_LOOKUP = 100  # ids a call
COMMON = frozenset(
    {"post.fields", "tweet.fields", "user.fields", "media.fields", "poll.fields", "place.fields", "expansions"}
)
WINDOW = frozenset({"max_results", "pagination_token", "start_time", "end_time", "since_id", "until_id", "exclude"})
_USER_FIELDS = (
    "confirmed_email connection_status created_at description entities id is_identity_verified location name "
    "parody pinned_tweet_id profile_banner_url profile_image_url protected public_metrics receives_your_dm "
    "subscribes_to_you subscription subscription_type url username verified verified_followers_count "
    "verified_type withheld"
)
USER_FIELDS = frozenset(_USER_FIELDS.split())


@endpoint("GET /2/tweets", scopes=READ, per_window=5000)
def look_up(request: HttpRequest, account: Account) -> HttpResponse:
    """Show posts by id; the ones that are not there are told in `errors`."""
    check_parameters(request, allowed=COMMON | {"ids"})
    wanted = _read_ids(request.GET.get("ids", ""))
    numbers = [_check_id(post_id, name="ids") for post_id in wanted]
    found = {str(post.id): post for post in living_posts().filter(id__in=numbers)}
    posts = [found[post_id] for post_id in wanted if post_id in found]
    absent = [problems.missing("tweet", parameter="ids", value=post_id) for post_id in wanted if post_id not in found]
    return answer({**_render(request, posts, viewer=account), "errors": absent})


@endpoint("GET /2/users/{id}/tweets", scopes=READ, per_window=900)
def read_timeline(request: HttpRequest, account: Account, user_id: str) -> HttpResponse:
    """Show an account's posts, newest first, a page at a time."""
    check_parameters(request, allowed=COMMON | WINDOW)
    author = Account.objects.filter(platform="x", platform_account_id=user_id).first()
    if author is None:
        return answer({"errors": [problems.missing("user", parameter="id", value=user_id)]})
    size = _read_number(request, "max_results", default=10, least=5, most=100)
    posts = list(_select(request, author).order_by("-id")[: size + 1])
    page = posts[:size]
    meta: dict[str, object] = {"result_count": len(page)}
    if page:
        meta |= {"newest_id": str(page[0].id), "oldest_id": str(page[-1].id)}
    if len(posts) > size:
        meta["next_token"] = _write_token(page[-1].id)
    return answer({**_render(request, page, viewer=account), "meta": meta})


@endpoint("GET /2/users/me", scopes=READ, per_window=75)
def read_me(request: HttpRequest, account: Account) -> HttpResponse:
    """Show whose token this is."""
    check_parameters(request, allowed=COMMON)
    fields = read_choices(request, "user.fields", allowed=USER_FIELDS)
    posts = living_posts().filter(account=account).count()
    url = request.build_absolute_uri(f"/x/{account.handle}")
    return answer({"data": rendering.render_account(account, fields=fields, posts=posts, url=url)})


def _render(request: HttpRequest, posts: list[Post], *, viewer: Account) -> dict[str, object]:
    words = choose_vocabulary(request.GET)
    fields = read_choices(request, words.fields_parameter, allowed=POST_FIELDS)
    expansions = [name for name in request.GET.get("expansions", "").split(",") if name]
    if "attachments.media_keys" in expansions:
        fields = [*fields, "attachments"]
    if "author_id" in expansions:
        fields = [*fields, "author_id"]
    if "referenced_posts" in expansions:
        fields = [*fields, words.referenced]
    now = clock.now()
    data = [rendering.render_post(post, fields=fields, words=words, viewer=viewer, now=now) for post in posts]
    return {"data": data, "includes": _include(request, posts, expansions=expansions)}


def _include(request: HttpRequest, posts: list[Post], *, expansions: list[str]) -> dict[str, object]:
    included: dict[str, list[rendering.Json]] = {}
    if "attachments.media_keys" in expansions:
        included["media"] = [
            rendering.render_media(upload, url=request.build_absolute_uri(f"/x/media/{upload.platform_media_id}"))
            for post in posts
            for upload in attachments_of(post)
        ]
    if "author_id" in expansions:
        authors = {post.account.pk: post.account for post in posts}
        included["users"] = [rendering.render_account(one, fields=[], posts=0, url="") for one in authors.values()]
    return {name: items for name, items in included.items() if items}


def _select(request: HttpRequest, author: Account) -> QuerySet[Post]:
    posts = timeline_of(author)
    filters = {
        "created_at__gte": _read_instant(request, "start_time"),
        "created_at__lt": _read_instant(request, "end_time"),
        "id__gt": _read_id(request, "since_id"),
        "id__lt": _read_id(request, "until_id"),
    }
    posts = posts.filter(**{name: value for name, value in filters.items() if value is not None})
    if "replies" in read_choices(request, "exclude", allowed=frozenset({"replies", "retweets"})):
        posts = posts.filter(reply_to=None)
    if token := request.GET.get("pagination_token"):
        posts = posts.filter(id__lt=_read_token(token))
    return posts


def _read_ids(text: str) -> list[str]:
    wanted = list(dict.fromkeys(text.split(",")))
    if not 1 <= len(wanted) <= MAX_LOOKUP:
        raise problems.invalid_request(f"Give 1 to {MAX_LOOKUP} ids.", parameter="ids", value=text)
    return wanted


def _check_id(text: str, *, name: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 19):
        raise problems.invalid_request(f"[{text}] is not an id.", parameter=name, value=text)
    return min(int(text), 2**63 - 1)  # nineteen digits may be more than the database holds


def _read_id(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name)
    return None if text is None else _check_id(text, name=name)


def _read_number(request: HttpRequest, name: str, *, default: int, least: int, most: int) -> int:
    text = request.GET.get(name, str(default))
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise problems.invalid_request(f"{name} must be from {least} to {most}.", parameter=name, value=text)
    return int(text)


def _read_instant(request: HttpRequest, name: str) -> datetime | None:
    text = request.GET.get(name)
    if text is None:
        return None
    try:
        instant = parse_datetime(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise problems.invalid_request(f"{name} must be RFC 3339: 2026-11-20T08:00:00Z.", parameter=name, value=text)
    return instant


def _write_token(post_id: int) -> str:
    return base64.b32hexencode(str(post_id).encode()).decode().rstrip("=").lower()


def _read_token(token: str) -> int:
    padded = token.upper() + "=" * (-len(token) % 8)
    try:
        return int(base64.b32hexdecode(padded))
    except ValueError:
        message = "The pagination token is not one of ours."
        raise problems.invalid_request(message, parameter="pagination_token", value=token) from None
