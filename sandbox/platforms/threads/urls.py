"""Threads' paths, below `/threads`."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import path, re_path

from sandbox import feed
from sandbox.meta.endpoint import View, by_method, get_account
from sandbox.meta.refusals import no_such_object, no_such_path
from sandbox.models import Account
from sandbox.platforms.threads import oauth, publishing, reading
from sandbox.platforms.threads.oauth import BASIC, INSIGHTS, NAME, PUBLISH, READ_REPLIES

VERSION = r"v1\.0"
NODE = r"(?P<node>me|[0-9]{1,25})"


def of_account(view: Callable[[HttpRequest, Account], HttpResponse], *scopes: str) -> View:
    """Make a view of an edge of the account's own."""

    def edge(request: HttpRequest, node: str) -> HttpResponse:
        account = get_account(request, platform=NAME, scopes=(BASIC, *scopes))
        if node not in ("me", account.platform_account_id):
            raise no_such_object(node, method=request.method or "get")
        return view(request, account)

    return edge


def list_replies(request: HttpRequest, node: str) -> HttpResponse:
    """Show the replies that an account wrote, or those to a post: the edge has one name."""
    account = get_account(request, platform=NAME, scopes=(BASIC, READ_REPLIES))
    if node in ("me", account.platform_account_id):
        return reading.list_own_replies(request, account)
    return reading.list_replies(request, node)


urlpatterns = [
    path("oauth/authorize", oauth.authorize),
    path("oauth/access_token", by_method(POST=oauth.token)),
    path("access_token", by_method(GET=oauth.PAGES.lengthen)),
    path("refresh_access_token", by_method(GET=oauth.PAGES.renew)),
    re_path(rf"^{VERSION}/{NODE}/threads$", by_method(
        GET=of_account(reading.list_posts), POST=of_account(publishing.create_container, PUBLISH))),
    re_path(rf"^{VERSION}/{NODE}/threads_publish$", by_method(POST=of_account(publishing.publish, PUBLISH))),
    re_path(rf"^{VERSION}/{NODE}/threads_publishing_limit$", by_method(GET=of_account(publishing.read_limit, PUBLISH))),
    re_path(rf"^{VERSION}/{NODE}/threads_insights$", by_method(GET=of_account(reading.read_account_insights, INSIGHTS))),
    re_path(rf"^{VERSION}/{NODE}/replies$", by_method(GET=list_replies)),
    re_path(rf"^{VERSION}/{NODE}/insights$", by_method(GET=reading.read_insights)),
    re_path(rf"^{VERSION}/{NODE}/?$", by_method(GET=reading.read_node, DELETE=reading.delete_node)),
    re_path(r"^(?:v[0-9]|oauth/)", no_such_path),
    # what people look at
    path("@<str:handle>/post/<str:code>", feed.show_post),
    path("t/<str:code>", feed.show_post),
    path("@<str:handle>", feed.show_account),
]  # fmt: skip
