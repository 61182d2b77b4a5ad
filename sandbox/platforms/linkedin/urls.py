"""LinkedIn's paths, below `/linkedin`."""

from __future__ import annotations

from django.urls import path, re_path

from sandbox import feed
from sandbox.platforms.linkedin import comments, files, members, oauth, pages, posts, statistics
from sandbox.platforms.linkedin.endpoint import by_method, no_such_path

POST = r"(?P<urn>urn:li:(?:share|ugcPost|activity):[0-9]{1,19})"

urlpatterns = [
    path("oauth/v2/authorization", by_method(GET=oauth.authorize, POST=oauth.authorize)),
    path("oauth/v2/accessToken", by_method(POST=oauth.token)),
    path("oauth/v2/introspectToken", by_method(POST=oauth.introspect)),
    path("v2/userinfo", by_method(GET=members.read_userinfo)),
    path("rest/organizationAcls", by_method(GET=members.read_roles)),
    re_path(r"^rest/organizations/(?P<number>[0-9]{1,19})$", by_method(GET=members.read_organization)),
    path("rest/networkSizes/<str:urn>", by_method(GET=members.read_network)),
    path("rest/posts", by_method(GET=posts.read_posts, POST=posts.create_post)),
    re_path(rf"^rest/posts/{POST}$", by_method(GET=posts.read_post, DELETE=posts.delete_post)),
    re_path(
        rf"^rest/socialActions/{POST}/comments$", by_method(GET=comments.read_comments, POST=comments.create_comment)
    ),
    re_path(
        rf"^rest/socialActions/{POST}/comments/(?P<number>[0-9]{{1,19}})$", by_method(DELETE=comments.delete_comment)
    ),
    path("rest/images", by_method(POST=files.act(initializeUpload=files.open_image))),
    path("rest/documents", by_method(POST=files.act(initializeUpload=files.open_document))),
    path(
        "rest/videos", by_method(POST=files.act(initializeUpload=files.open_video, finalizeUpload=files.finalize_video))
    ),
    path("rest/images/<str:urn>", by_method(GET=files.read_status("image"))),
    path("rest/documents/<str:urn>", by_method(GET=files.read_status("document"))),
    path("rest/videos/<str:urn>", by_method(GET=files.read_status("video"))),
    path("dms-uploads/<str:secret>/<str:part>", by_method(PUT=files.put_file)),
    path("rest/memberCreatorPostAnalytics", by_method(GET=statistics.read_member_numbers)),
    path("rest/organizationalEntityShareStatistics", by_method(GET=statistics.read_page_numbers)),
    re_path(r"^(?:rest|v2|oauth|dms-uploads)/", no_such_path),
    # what people look at
    re_path(rf"^feed/update/{POST}/?$", pages.show_post),
    re_path(r"^feed/update/(?P<remote_id>urn:li:comment:[^/]+?)/?$", feed.show_post),
    path("in/me", pages.show_me),
    re_path(r"^(?:in|company)/(?P<handle>[a-z0-9-]{1,200})/?$", feed.show_account),
]
