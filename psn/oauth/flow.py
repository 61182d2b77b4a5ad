"""OAuth 2.0 with PKCE, the protocol once for all platforms (AUTH-1, AUTH-2, AUTH-3). RFC 6749, 7636, 7009.

Building and reading is pure; `exchange_code`, `refresh_token` and `revoke_token` send one request each. A code and, where
the platform rotates them, a refresh token are spent by asking, so a lost answer to them is an `UnknownOutcome`.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NoReturn
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from psn.errors import (
    InvalidInput,
    NeedsReconnect,
    NotAllowed,
    PlatformError,
    RateLimited,
    Rejected,
    Unavailable,
    UnknownOutcome,
)
from psn.http import Http, Reply, check_base_url
from psn.oauth.documents import read_token_answer
from psn.oauth.pkce import build_challenge, create_verifier
from psn.oauth.spec import OAuthSpec, Token

STATE_BYTES = 24  # of randomness: 32 characters
RETRY_AFTER = timedelta(minutes=1)  # when a platform asks to wait and does not say how long

# RFC 6749 §5.2. X says `invalid_request` for a refresh token that is dead or already spent.
_GRANT_REFUSED = frozenset({"invalid_grant", "invalid_request", "invalid_token", "access_denied"})
_APP_REFUSED = frozenset({"invalid_client", "unauthorized_client", "unsupported_grant_type", "invalid_scope"})


@dataclass(frozen=True, slots=True)
class Authorization:
    """One try to get a grant.

    Args:
        url: for the person's browser.
        state: comes back in the redirect; good for one use.
        code_verifier: goes with the code, and nowhere else.
    """

    url: str
    state: str = field(repr=False)
    code_verifier: str = field(repr=False)


def start_authorization(
    spec: OAuthSpec,
    *,
    web_base_url: str,
    client_id: str,
    scopes: Sequence[str] | None = None,
    redirect_uri: str | None = None,
) -> Authorization:
    """Make the address at which a person says yes.

    Args:
        scopes: the platform's own least scopes when left out (AUTH-4).
        redirect_uri: the platform's registered one when left out.

    Raises:
        InvalidInput: the base URL is unsafe, or there is no client id.
    """
    if not client_id.strip():
        raise InvalidInput("The app's client id is missing.", code="oauth.client_id")
    verifier, state = create_verifier(), secrets.token_urlsafe(STATE_BYTES)
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri or spec.redirect_uri,
        "scope": " ".join(scopes or spec.scopes),
        "code_challenge": build_challenge(verifier),
        "code_challenge_method": "S256",
        "state": state,  # last, so that a person who pastes half of the address gets refused here and not at the platform
    }
    url = f"{check_base_url(web_base_url)}{spec.authorize_path}?{urlencode(query, quote_via=quote)}"
    return Authorization(url=url, state=state, code_verifier=verifier)


def read_redirect(url: str, *, state: str) -> str:
    """Read the code out of the address to which the platform sent the person back.

    Args:
        url: as pasted or received; its query alone will do.
        state: of the `Authorization` that is waited for.

    Raises:
        NotAllowed: the person said no (`oauth.denied`), or this answers another authorization (`oauth.state_mismatch`).
        InvalidInput: there is no code in it.
    """
    answer = _read_query(url)
    if not state or not hmac.compare_digest(answer.get("state", "").encode(), state.encode()):
        raise NotAllowed(
            "This address belongs to another authorization. Open the newest link and paste where it leads.",
            code="oauth.state_mismatch",
        )
    if answer.get("error") == "access_denied":
        raise NotAllowed("The authorization was declined. Connect again to be asked again.", code="oauth.denied")
    if "error" in answer:
        raise NotAllowed(
            "The platform did not authorize the app. Check the app's settings there.", code="oauth.refused"
        )
    if not answer.get("code"):
        raise _no_code()
    return answer["code"]


def exchange_code(
    spec: OAuthSpec,
    *,
    api_base_url: str,
    client_id: str,
    code: str,
    code_verifier: str,
    now: datetime,
    client_secret: str = "",
    redirect_uri: str | None = None,
) -> Token:
    """Turn a code into a grant. At once: X's codes live 30 seconds.

    Args:
        client_secret: of a confidential app; empty for a public one.
        redirect_uri: the one the authorization was started with.

    Raises:
        NeedsReconnect: the code is not or no longer good.
        UnknownOutcome: the answer was lost, and the code with it: start again.
    """
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri or spec.redirect_uri,
        "code_verifier": code_verifier,
    }
    reply = _ask(spec.token_path, form, api_base_url=api_base_url, client_id=client_id, client_secret=client_secret)
    _check_reply(
        reply, now=now, refused="The platform did not take the code: it may be too old. Connect again, at once."
    )
    return read_token_answer(reply, now=now, asked_scopes=spec.scopes)


def refresh_token(
    spec: OAuthSpec,
    *,
    api_base_url: str,
    client_id: str,
    token: Token,
    now: datetime,
    client_secret: str = "",
) -> Token:
    """Renew a grant. One caller at a time: the old refresh token is spent by this (AUTH-2).

    Raises:
        NeedsReconnect: the grant is refused or revoked, or cannot be refreshed (AUTH-3).
        Unavailable: surely not refreshed; the old token is as good as before.
        UnknownOutcome: the answer was lost; the old refresh token may be spent.
    """
    if not token.refresh_token:
        raise NeedsReconnect("This grant cannot be refreshed. Connect the account again.")
    form = {"grant_type": "refresh_token", "refresh_token": token.refresh_token}
    reply = _ask(spec.token_path, form, api_base_url=api_base_url, client_id=client_id, client_secret=client_secret)
    _check_reply(reply, now=now, refused="The platform no longer accepts this grant. Connect the account again.")
    renewed = read_token_answer(reply, now=now, asked_scopes=token.scopes)
    if renewed.refresh_token:
        return renewed
    # RFC 6749 §6: no new refresh token means that the old one goes on.
    return Token(
        access_token=renewed.access_token,
        refresh_token=token.refresh_token,
        access_expires_at=renewed.access_expires_at,
        scopes=renewed.scopes,
        obtained_at=renewed.obtained_at,
    )


def revoke_token(
    spec: OAuthSpec, *, api_base_url: str, client_id: str, token: Token, now: datetime, client_secret: str = ""
) -> None:
    """Give a grant back. One that is already gone is no error (RFC 7009 §2.2).

    Raises:
        Unavailable: not revoked; may be repeated.
    """
    for value, kind in ((token.refresh_token, "refresh_token"), (token.access_token, "access_token")):
        if not value:
            continue
        form = {"token": value, "token_type_hint": kind}
        reply = _ask(
            spec.revoke_path,
            form,
            api_base_url=api_base_url,
            client_id=client_id,
            client_secret=client_secret,
            once=False,
        )
        try:
            _check_reply(reply, now=now, refused="The grant is already gone.")
        except NeedsReconnect:
            continue


def _ask(
    path: str,
    form: Mapping[str, str],
    *,
    api_base_url: str,
    client_id: str,
    client_secret: str,
    once: bool = True,
) -> Reply:
    """Send one form to the platform's token endpoints, as a public or as a confidential app (RFC 6749 §2.3.1)."""
    headers: dict[str, str] = {}
    fields = dict(form)
    if client_secret:
        pair = f"{quote(client_id, safe='')}:{quote(client_secret, safe='')}"
        headers["authorization"] = "Basic " + base64.b64encode(pair.encode()).decode("ascii")
    else:
        fields["client_id"] = client_id
    with Http(api_base_url) as http:
        try:
            return http.read("POST", path, form=fields, headers=headers, once=once)
        except UnknownOutcome as lost:
            raise UnknownOutcome(
                "The platform's answer was lost, and what was asked with may be spent. Connect the account again "
                "if the next try is refused.",
                code="oauth.unknown",
                http_status=lost.http_status,
                request_id=lost.request_id,
            ) from None


def _check_reply(reply: Reply, *, now: datetime, refused: str) -> None:
    """Raise what a refusal means. The platform's own words stay out of it: they may quote what was sent."""
    if 200 <= reply.status < 300:
        return
    if reply.status == 429:
        raise RateLimited("The platform asks to wait.", retry_at=_read_retry_at(reply, now=now), http_status=429)
    _raise_refusal(reply, error=_read_error(reply), refused=refused)


def _raise_refusal(reply: Reply, *, error: str, refused: str) -> NoReturn:
    kind: type[PlatformError] = Unavailable
    message, code = (
        f"The platform answered {reply.status} where a token was expected. Try again later.",
        "oauth.unexpected",
    )
    if error in _APP_REFUSED:
        kind, code = Rejected, "oauth.app_refused"
        message = f"The platform refuses the app ({error}). Check its client id, secret and settings there."
    elif reply.status in (400, 401) and error in _GRANT_REFUSED:
        kind, code, message = NeedsReconnect, NeedsReconnect.code, refused
    raise kind(message, code=code, http_status=reply.status, request_id=reply.request_id)


def _read_error(reply: Reply) -> str:
    """Take the error's name, if it is one of the known names."""
    try:
        body = reply.json()
    except ValueError:
        return ""
    error = body.get("error") if isinstance(body, dict) else ""
    return error if isinstance(error, str) and error in _GRANT_REFUSED | _APP_REFUSED else ""


def _read_retry_at(reply: Reply, *, now: datetime) -> datetime:
    try:
        if "x-rate-limit-reset" in reply.headers:
            return max(datetime.fromtimestamp(int(reply.headers["x-rate-limit-reset"]), tz=UTC), now)
        return now + timedelta(seconds=max(int(reply.headers["retry-after"]), 1))
    except (KeyError, ValueError, OverflowError, OSError):
        return now + RETRY_AFTER


def _read_query(url: str) -> dict[str, str]:
    try:
        query = parse_qs(urlsplit(url.strip()).query, keep_blank_values=True, max_num_fields=50)
    except ValueError:
        raise _no_code() from None
    if any(len(values) > 1 for values in query.values()):
        raise _no_code()
    return {name: values[0] for name, values in query.items()}


def _no_code() -> InvalidInput:
    return InvalidInput(
        "There is no authorization code in this address. Paste the whole address of the page you were sent to.",
        code="oauth.redirect",
    )
