"""X's paths, below `/x`."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path, re_path

from sandbox import feed
from sandbox.platforms.x import media, oauth, posts, problems, timeline
from sandbox.platforms.x.endpoint import by_method

ID = r"[0-9]{1,19}"


def no_such_endpoint(_request: HttpRequest) -> HttpResponse:
    """Answer as X does where it has nothing."""
    return problems.no_such_path().to_response()


urlpatterns = [
    path("i/oauth2/authorize", by_method(GET=oauth.authorize, POST=oauth.authorize)),
    path("2/oauth2/token", by_method(POST=oauth.token)),
    path("2/oauth2/revoke", by_method(POST=oauth.revoke)),
    path("2/tweets", by_method(GET=timeline.look_up, POST=posts.create_post)),
    re_path(rf"^2/tweets/(?P<post_id>{ID})$", by_method(DELETE=posts.delete_post)),
    path("2/users/me", by_method(GET=timeline.read_me)),
    re_path(rf"^2/users/(?P<user_id>{ID})/tweets$", by_method(GET=timeline.read_timeline)),
    path("2/media/upload", by_method(GET=media.read_status, POST=media.upload)),
    path("2/media/upload/initialize", by_method(POST=media.initialize)),
    re_path(rf"^2/media/upload/(?P<media_id>{ID})/append$", by_method(POST=media.append)),
    re_path(rf"^2/media/upload/(?P<media_id>{ID})/finalize$", by_method(POST=media.finalize)),
    path("2/media/metadata", by_method(POST=media.write_metadata)),
    re_path(r"^(?:2|i/oauth2)/", no_such_endpoint),
    # what people look at
    re_path(rf"^media/(?P<media_id>{ID})$", media.show_file),
    re_path(rf"^i/web/status/(?P<remote_id>{ID})$", feed.show_post),
    re_path(rf"^(?P<handle>[A-Za-z0-9_]{{1,15}})/status/(?P<remote_id>{ID})$", feed.show_post),
    re_path(r"^(?P<handle>[A-Za-z0-9_]{1,15})$", feed.show_account),
]
