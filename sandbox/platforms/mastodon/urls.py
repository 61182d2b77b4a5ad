"""The instance's paths, below `/mastodon/`."""

from __future__ import annotations

from django.urls import path, re_path

from sandbox import feed
from sandbox.platforms.mastodon import instance, media, oauth, statuses
from sandbox.platforms.mastodon.endpoint import by_method
from sandbox.platforms.mastodon.refusals import no_such_path

urlpatterns = [
    path("oauth/authorize", oauth.authorize),
    path("oauth/token", by_method(POST=oauth.token)),
    path("oauth/revoke", by_method(POST=oauth.revoke)),
    path("api/v1/apps", by_method(POST=oauth.register_app)),
    path("api/v1/instance", by_method(GET=instance.read_old_instance)),
    path("api/v1/instance/", by_method(GET=instance.read_old_instance)),
    path("api/v2/instance", by_method(GET=instance.read_instance)),
    path("api/v2/instance/", by_method(GET=instance.read_instance)),
    path("api/v1/accounts/verify_credentials", by_method(GET=instance.read_own_account)),
    path("api/v1/accounts/<str:account_id>/statuses", by_method(GET=statuses.read_own)),
    path("api/v1/statuses", by_method(GET=statuses.read_statuses, POST=statuses.create_status)),
    path("api/v1/statuses/<str:status_id>", by_method(GET=statuses.read_status, DELETE=statuses.delete_status)),
    path("api/v1/statuses/<str:status_id>/source", by_method(GET=statuses.read_source)),
    path("api/v2/media", by_method(POST=media.upload_media)),
    path("api/v1/media/<str:media_id>", by_method(GET=media.read_media, PUT=media.change_media)),
    re_path(r"^(?:api|oauth)/", no_such_path),
    path("@<str:handle>/<str:remote_id>", feed.show_post),
    path("users/<str:handle>/statuses/<str:remote_id>", feed.show_post),
    path("statuses/<str:remote_id>", feed.show_post),
    path("@<str:handle>", feed.show_account),
]
