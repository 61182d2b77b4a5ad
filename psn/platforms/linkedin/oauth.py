"""LinkedIn's OAuth 2.0, declared. learn.microsoft.com/linkedin/shared/authentication (read 2026-11-20).

A code lives 30 minutes, an access token 60 days. Only approved partners get a refresh token; its year runs from the first
consent on and a renewal does not prolong it. Everybody else consents again before day 60.
"""

from __future__ import annotations

from psn.oauth.spec import OAuthSpec

ANALYTICS_SCOPE = (
    "r_member_postAnalytics"  # numbers of a member's posts; only with the vetted Community Management product
)

OAUTH = OAuthSpec(
    authorize_path="/oauth/v2/authorization",
    token_path="/oauth/v2/accessToken",
    revoke_path="",  # LinkedIn documents none: people end a grant in their settings
    token_base_url="https://www.linkedin.com",
    scopes=(
        "openid",  # with the next: whose token this is
        "profile",
        "w_member_social",  # publish, comment, delete
    ),
    organization_scopes=(
        "w_organization_social",  # publish as a page
        "r_organization_social",  # read the page's posts back
        "rw_organization_admin",  # which pages the person administers; their numbers
    ),
    client_auth="form",
    pkce="none",
    rotates=False,
    portal_url="https://www.linkedin.com/developers/apps",
)
