"""Meta's tokens for Instagram and Threads: a code gives one of an hour, that one of sixty days, and that renews itself.

Source: developers.facebook.com/documentation/instagram-platform, business-login and refresh_access_token; /threads, get-started
(read 2026-11-20). Neither spends the token it is asked with.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.http import HttpRequest, JsonResponse

from sandbox import access, clock, oauth
from sandbox.meta.refusals import Refused, dead_token, invalid
from sandbox.models import Grant
from sandbox.tokens import NO_REFRESH, Tokens, issue_tokens

REDIRECT_URIS = ("https://127.0.0.1:8765/callback",)  # only https is taken
CODE_LIFE = timedelta(hours=1)
SHORT_LIFE = timedelta(hours=1)
LONG_LIFE = timedelta(days=60)
RENEW_AGE = timedelta(hours=24)
DENIED = {
    "error": "access_denied",
    "error_reason": "user_denied",
    "error_description": "The user denied your request",
}


@dataclass(frozen=True, slots=True)
class TokenPages:
    """The token endpoints of one platform.

    Args:
        prefix: of its grant types: `ig`, `th`.
    """

    page: oauth.AuthPage
    prefix: str

    def exchange(self, request: HttpRequest) -> Tokens:
        """Trade a code for a token of an hour.

        Raises:
            OAuthRefused: no.
        """
        client, now = oauth.read_client(request), clock.now()
        oauth.check_client(client, page=self.page, secret="required")
        if request.POST.get("grant_type") != "authorization_code":
            raise oauth.OAuthRefused("grant_type")
        code = oauth.take_code(request.POST, page=self.page, client_id=client.id, now=now)
        return issue_tokens(
            code.account,
            client_id=client.id,
            scope=code.scope,
            now=now,
            life=SHORT_LIFE,
            refresh_life=NO_REFRESH,
            data={"kind": "short"},
        )

    def lengthen(self, request: HttpRequest) -> JsonResponse:
        """Trade a token of an hour for one of sixty days.

        Raises:
            Refused: no.
        """
        if request.GET.get("grant_type") != f"{self.prefix}_exchange_token":
            raise invalid("Unsupported grant type")
        if request.GET.get("client_secret") != oauth.SANDBOX_APP.secret:
            raise Refused(1, "Error validating client secret.")
        grant = self._get_grant(request)
        if grant.data.get("kind") != "short":
            raise invalid("The access token is long-lived already")
        return self._give_long(grant)

    def renew(self, request: HttpRequest) -> JsonResponse:
        """Trade a token of sixty days for another one.

        Raises:
            Refused: it is younger than a day, or no such token.
        """
        if request.GET.get("grant_type") != f"{self.prefix}_refresh_token":
            raise invalid("Unsupported grant type")
        grant = self._get_grant(request)
        if grant.data.get("kind") != "long":
            raise invalid("Only long-lived access tokens can be refreshed")
        if grant.issued_at is None or clock.now() - grant.issued_at < RENEW_AGE:
            raise invalid("The access token must be at least 24 hours old")
        return self._give_long(grant)

    def _get_grant(self, request: HttpRequest) -> Grant:
        try:
            return access.get_grant(request, platform=self.page.platform, parameter="access_token")
        except access.NoAccess as no:
            raise dead_token(no.reason) from None

    def _give_long(self, grant: Grant) -> JsonResponse:
        tokens = issue_tokens(
            grant.account,
            client_id=grant.client_id,
            scope=grant.scope,
            now=clock.now(),
            life=LONG_LIFE,
            refresh_life=NO_REFRESH,
            data={"kind": "long"},
        )
        seconds = int(LONG_LIFE.total_seconds())
        return JsonResponse({"access_token": tokens.access, "token_type": "bearer", "expires_in": seconds})
