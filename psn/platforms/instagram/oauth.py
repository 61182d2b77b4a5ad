"""Instagram's Business Login, declared. developers.facebook.com/documentation/instagram-platform, business-login (read 2026-11-20).

A code gives a token of an hour, which is traded for one of sixty days; that one is renewed with itself. An app without Facebook
Login cannot delete posts, and cannot look for hashtags.
"""

from __future__ import annotations

from datetime import timedelta

from psn.oauth.spec import LOOPBACK_HTTPS_URI, OAuthSpec

COMMENTS_SCOPE = "instagram_business_manage_comments"

OAUTH = OAuthSpec(
    authorize_path="/oauth/authorize",
    token_path="/oauth/access_token",
    token_base_url="https://api.instagram.com",
    revoke_path="",
    scopes=(
        "instagram_business_basic",  # whose token this is, own posts
        "instagram_business_content_publish",  # publish
        COMMENTS_SCOPE,  # the first comment, and finding it again
        "instagram_business_manage_insights",  # metrics
    ),
    redirect_uri=LOOPBACK_HTTPS_URI,
    pasted=True,  # only https redirects are taken
    client_auth="form",
    pkce="none",
    scope_separator=",",
    longer_path="/access_token",
    longer_grant="ig_exchange_token",
    renewal="access_token",
    renew_path="/refresh_access_token",
    renew_grant="ig_refresh_token",
    renew_min_age=timedelta(hours=24),
    rotates=False,  # the old token goes on until it expires
    portal_url="https://developers.facebook.com/apps/",
)
