"""TikTok's paths, below `/tiktok`."""

from __future__ import annotations

from django.urls import path, re_path

from sandbox import feed
from sandbox.platforms.tiktok import creators, oauth, publishing, refusals, statuses, uploading, videos

HANDLE = r"(?P<handle>[A-Za-z0-9_.]{2,24})"

urlpatterns = [
    path("v2/auth/authorize/", oauth.authorize),
    path("v2/oauth/token/", oauth.token),
    path("v2/oauth/revoke/", oauth.revoke),
    path("v2/user/info/", creators.read_user),
    path("v2/post/publish/creator_info/query/", creators.query_creator),
    path("v2/post/publish/inbox/video/init/", publishing.open_draft),
    path("v2/post/publish/video/init/", publishing.open_video),
    path("v2/post/publish/content/init/", publishing.open_photos),
    path("v2/post/publish/status/fetch/", statuses.fetch_status),
    path("v2/video/list/", videos.list_videos),
    path("v2/video/query/", videos.query_videos),
    path("upload/video/", uploading.put_piece),
    re_path(r"^(?:v2|upload)/", refusals.no_such_path),
    # what people look at
    re_path(rf"^@{HANDLE}/(?:video|photo)/(?P<remote_id>[0-9]{{1,19}})$", feed.show_post),
    re_path(rf"^@{HANDLE}$", feed.show_account),
]
