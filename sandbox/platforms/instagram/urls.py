"""Instagram's paths, below `/instagram`."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import path, re_path

from sandbox import feed
from sandbox.meta.endpoint import View, by_method
from sandbox.meta.refusals import no_such_path
from sandbox.models import Account
from sandbox.platforms.instagram import media, oauth, publishing, reading
from sandbox.platforms.instagram.oauth import BASIC, PUBLISH

VERSION = r"v[0-9]{1,2}\.[0-9]"
NODE = r"(?P<node>me|[0-9]{1,25})"


def of_account(view: Callable[[HttpRequest, Account], HttpResponse], *scopes: str) -> View:
    """Make a view of an edge of the account's own."""

    def edge(request: HttpRequest, node: str) -> HttpResponse:
        return view(request, media.get_own(request, node, scopes=(BASIC, *scopes)))

    return edge


urlpatterns = [
    path("oauth/authorize", oauth.authorize),
    path("oauth/access_token", by_method(POST=oauth.token)),
    path("access_token", by_method(GET=oauth.PAGES.lengthen)),
    path("refresh_access_token", by_method(GET=oauth.PAGES.renew)),
    re_path(rf"^{VERSION}/{NODE}/media$", by_method(
        GET=of_account(reading.list_media), POST=of_account(media.create_container, PUBLISH))),
    re_path(rf"^{VERSION}/{NODE}/media_publish$", by_method(POST=of_account(publishing.publish, PUBLISH))),
    re_path(rf"^{VERSION}/{NODE}/content_publishing_limit$", by_method(GET=of_account(publishing.read_limit, PUBLISH))),
    re_path(rf"^{VERSION}/{NODE}/stories$", by_method(GET=of_account(reading.list_stories))),
    re_path(rf"^{VERSION}/{NODE}/comments$", by_method(
        GET=reading.list_comments, POST=publishing.comment)),
    re_path(rf"^{VERSION}/{NODE}/insights$", by_method(GET=reading.read_insights)),
    re_path(rf"^{VERSION}/{NODE}/?$", by_method(
        GET=reading.read_node, DELETE=reading.refuse_deletion)),
    re_path(rf"^ig-api-upload/{VERSION}/(?P<container_id>[0-9]{{1,25}})$", media.receive),
    re_path(r"^(?:v[0-9]{1,2}\.[0-9]/|oauth/|ig-api-upload/)", no_such_path),
    # what people look at
    path("p/<str:code>/", feed.show_post),
    path("reel/<str:code>/", feed.show_post),
    path("stories/<str:handle>/<str:remote_id>/", feed.show_post),
    re_path(r"^(?P<handle>[A-Za-z0-9_][A-Za-z0-9_.]{0,29})/?$", feed.show_account),
]  # fmt: skip
