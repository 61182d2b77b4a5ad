"""TikTok's OAuth 2.0, declared. developers.tiktok.com: login-kit-desktop, oauth-user-access-token-management (read 2026-11-20).

Only an app registered for the platform *Desktop* may lead back to this machine, and such an app must use PKCE. The challenge is
the hash in hex, which no other platform does.
"""

from __future__ import annotations

from psn.oauth.spec import OAuthSpec

OAUTH = OAuthSpec(
    authorize_path="/v2/auth/authorize/",
    token_path="/v2/oauth/token/",
    revoke_path="/v2/oauth/revoke/",
    scopes=(
        "user.info.basic",  # whose token this is
        "video.upload",  # drafts in the app's inbox
        "video.publish",  # direct posts, and what the creator allows
        "video.list",  # own public posts and their metrics
        "user.info.stats",  # followers
    ),
    client_id_name="client_key",
    client_auth="form",
    pkce="s256_hex",
    scope_separator=",",
    portal_url="https://developers.tiktok.com/apps",
)
