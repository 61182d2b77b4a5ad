"""Threads' login, declared. developers.facebook.com/documentation/threads, get-started, and Meta's Postman collection (2026-01-02).

A code gives a token of an hour, which is traded for one of sixty days; that one is renewed with itself.
"""

from __future__ import annotations

from datetime import timedelta

from psn.oauth.spec import LOOPBACK_HTTPS_URI, OAuthSpec

REPLIES_SCOPE = "threads_manage_replies"

OAUTH = OAuthSpec(
    authorize_path="/oauth/authorize",
    token_path="/oauth/access_token",
    revoke_path="",
    scopes=(
        "threads_basic",  # whose token this is, own posts
        "threads_content_publish",  # publish
        REPLIES_SCOPE,  # the parts of a thread after the first
        "threads_read_replies",  # finding such a part again when an answer was lost
        "threads_manage_insights",  # metrics
        "threads_delete",  # delete
    ),
    redirect_uri=LOOPBACK_HTTPS_URI,
    pasted=True,  # only https redirects are taken
    client_auth="form",
    pkce="none",
    scope_separator=",",
    longer_path="/access_token",
    longer_grant="th_exchange_token",
    renewal="access_token",
    renew_path="/refresh_access_token",
    renew_grant="th_refresh_token",
    renew_min_age=timedelta(hours=24),
    rotates=False,  # the old token goes on until it expires
    portal_url="https://developers.facebook.com/apps/",
)
