"""Who calls X: living bearer tokens with the right scopes, or X's refusal."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpRequest

from sandbox import access
from sandbox.models import Account
from sandbox.platforms.x import problems

ACCESS_LIFE = timedelta(seconds=7200)  # docs.x.com OAuth 2.0: two hours (2026-11)


def get_account(request: HttpRequest, *, scopes: tuple[str, ...]) -> Account:
    """Say who calls.

    Raises:
        Refusal: 401 without a living token, 403 when the grant lacks a scope.
    """
    try:
        return access.get_grant(request, platform="x", scopes=scopes).account
    except access.NoAccess as no:
        if no.reason != "scope":
            raise problems.unauthorized() from None
        raise problems.forbidden(
            f"Your grant lacks the scope {no.detail}. You are not permitted to perform this action."
        ) from None
