"""What each scope that PSN asks for lets it do, in words for the person who is asked (AUTH-4)."""

from __future__ import annotations

from collections.abc import Iterable

MEANINGS = {
    # of X, docs.x.com/fundamentals/authentication/oauth-2-0 (this and the following pages read 2026-11-20)
    "tweet.read": "read your own posts and how they did",
    "tweet.write": "publish and delete posts for you",
    "users.read": "see whose account this is",
    "media.write": "upload your pictures and videos",
    "offline.access": "stay connected: without it access ends after two hours",
    # of LinkedIn, learn.microsoft.com/linkedin, Share on LinkedIn and Community Management
    "openid": "see whose account this is",
    "profile": "see your name",
    "w_member_social": "publish, comment and delete posts for you",
    "r_member_social": "read your own posts",
    "r_member_postAnalytics": "read how your posts did",
    "w_organization_social": "publish, comment and delete posts for the company page",
    "r_organization_social": "read the company page's posts",
    "rw_organization_admin": "see which pages you manage, and how their posts did",
    # of Instagram, developers.facebook.com/docs/instagram-platform
    "instagram_business_basic": "see whose account this is, and read your own posts",
    "instagram_business_content_publish": "publish posts, Reels and Stories for you",
    "instagram_business_manage_insights": "read how your posts did",
    "instagram_business_manage_comments": "write the first comment below your own posts",
    # of TikTok, developers.tiktok.com/doc/tiktok-api-scopes
    "user.info.basic": "see whose account this is",
    "user.info.profile": "see your handle and the address of your profile",
    "user.info.stats": "read how many followers you have",
    "video.upload": "put drafts into your TikTok inbox, where you finish them",
    "video.publish": "publish for you",
    "video.list": "read your own public videos and how they did",
    # of Mastodon, docs.joinmastodon.org/api/oauth-scopes
    "read:accounts": "see whose account this is",
    "read:statuses": "read your own posts and how they did",
    "write:statuses": "publish and delete posts for you",
    "write:media": "upload your pictures and videos",
    # of Threads, developers.facebook.com/docs/threads
    "threads_basic": "see whose account this is, and read your own posts",
    "threads_content_publish": "publish posts for you",
    "threads_manage_insights": "read how your posts did",
    "threads_manage_replies": "choose who may reply, and publish threads",
    "threads_read_replies": "read the replies to your posts",
    "threads_delete": "delete your posts",
}


def explain_scopes(scopes: Iterable[str]) -> dict[str, str]:
    """Say what each scope lets PSN do; empty for one that nobody wrote down."""
    return {scope: MEANINGS.get(scope, "") for scope in scopes}
