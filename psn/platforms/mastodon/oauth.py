"""Mastodon's OAuth 2.0, declared. docs.joinmastodon.org/methods/oauth and /methods/apps, /api/oauth-scopes (read 2026-11-20).

Every instance is its own platform here: the app registers itself there (`POST /api/v1/apps`), and all addresses lie below the
instance's own. PKCE is checked since 4.3 and ignored before. Tokens do not expire.
"""

from __future__ import annotations

from psn.oauth.spec import OAuthSpec

OAUTH = OAuthSpec(
    authorize_path="/oauth/authorize",
    token_path="/oauth/token",
    revoke_path="/oauth/revoke",
    scopes=(
        "read:accounts",  # whose token this is, and its counts
        "read:statuses",  # own posts and their metrics
        "write:statuses",  # publish, delete
        "write:media",  # upload
    ),
    client_auth="form",
    renewal="none",
    rotates=False,
    apps_path="/api/v1/apps",
    out_of_band_uri="urn:ietf:wg:oauth:2.0:oob",
    portal_url="https://YOUR-INSTANCE/settings/applications",
)
