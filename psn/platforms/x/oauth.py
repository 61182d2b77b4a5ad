"""X's OAuth 2.0 with PKCE, declared. docs.x.com/fundamentals/authentication/oauth-2-0 (read 2026-11-20)."""

from __future__ import annotations

from psn.oauth.spec import OAuthSpec

OAUTH = OAuthSpec(
    authorize_path="/i/oauth2/authorize",
    token_path="/2/oauth2/token",
    revoke_path="/2/oauth2/revoke",
    scopes=(
        "tweet.read",  # own posts and their metrics
        "tweet.write",  # publish, delete
        "users.read",  # whose token this is
        "media.write",  # upload
        "offline.access",  # a refresh token: an access token lives two hours
    ),
    portal_url="https://developer.x.com/en/portal/dashboard",
)
