"""What people look at and that is not simply a profile."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect

from sandbox import feed
from sandbox.platforms.linkedin.posts import find_post


@feed.page
def show_post(request: HttpRequest, urn: str) -> HttpResponseBase:
    """Show a post, by any of its names; or the comment below it that the address asks for."""
    post = find_post(urn)
    comment = request.GET.get("commentUrn")
    return feed.show_post(request, remote_id=comment or (post.remote_id if post else urn))


@feed.page
def show_me(_request: HttpRequest) -> HttpResponse:
    """Lead a signed-in member to their own profile. Nobody is signed in here, so to everybody's posts."""
    return HttpResponseRedirect("/")
