"""OAuth 2.0, the protocol once for all platforms (AUTH-1, AUTH-2, AUTH-3). RFC 6749, 7636, 7009; their quirks are in `OAuthSpec`.

Building and reading is pure; the rest sends requests. A code and, where the platform rotates them, a refresh token are spent by
asking, so a lost answer to them is an `UnknownOutcome`.

Below which address each call goes: with an account's own base URL, below that. Otherwise codes, refresh tokens and revocations below
`OAuthSpec.token_base_url` where there is one, everything else below the API's base URL.
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from psn.deadline import Deadline
from psn.errors import InvalidInput, NeedsReconnect, NotAllowed, PlatformError, Rejected, Unavailable, UnknownOutcome
from psn.http import Http, Reply, check_base_url
from psn.oauth.documents import read_token_answer
from psn.oauth.pkce import build_challenge, create_verifier
from psn.oauth.refusals import check_token_reply
from psn.oauth.renewal import can_renew, life_of
from psn.oauth.spec import OAuthSpec, Token

STATE_BYTES = 24  # of randomness: 32 characters
LONGER_TRIES = 3  # of the trade for a long-lived token: harmless to repeat, and the code before it is spent

_DENIED = frozenset(
    {"access_denied", "user_cancelled_login", "user_cancelled_authorize"}
)  # the last two are LinkedIn's
_BARE_CODE = re.compile(r"[A-Za-z0-9_.~+/=-]{8,512}")
_SPENT = "The platform's answer was lost, and what was asked with may be spent. Connect the account again if the next try is refused."
_TOO_OLD = "The platform did not take the code: it may be too old, or used already. Connect again, at once."
_GONE = "The platform no longer accepts this grant. Connect the account again."


@dataclass(frozen=True, slots=True)
class Authorization:
    """One try to get a grant.

    Args:
        url: for the person's browser.
        state: comes back in the redirect; good for one use.
        code_verifier: goes with the code, and nowhere else; empty where the platform knows no PKCE.
        redirect_uri: where the platform sends the person back to.
    """

    url: str
    state: str = field(repr=False)
    code_verifier: str = field(repr=False)
    redirect_uri: str = ""


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
        web_base_url: an account's own base URL, `spec.authorize_base_url`, or the platform's; see `pick_web_base`.
        scopes: the platform's own least scopes when left out (AUTH-4).
        redirect_uri: the platform's registered one when left out.

    Raises:
        InvalidInput: the base URL is unsafe, or there is no client id.
    """
    if not client_id.strip():
        raise InvalidInput("The app's client id is missing.", code="oauth.client_id")
    verifier, state = "" if spec.pkce == "none" else create_verifier(), secrets.token_urlsafe(STATE_BYTES)
    redirect_uri = redirect_uri or spec.redirect_uri
    query = {
        "response_type": "code",
        spec.client_id_name: client_id,
        "redirect_uri": redirect_uri,
        "scope": spec.scope_separator.join(scopes or spec.scopes),
        **spec.extra,
    }
    if verifier:
        query |= {"code_challenge": build_challenge(verifier, method=spec.pkce), "code_challenge_method": "S256"}
    query["state"] = (
        state  # last, so that a person who pastes half of the address gets refused here and not at the platform
    )
    url = f"{check_base_url(web_base_url)}{spec.authorize_path}?{urlencode(query, quote_via=quote)}"
    return Authorization(url=url, state=state, code_verifier=verifier, redirect_uri=redirect_uri)


def pick_web_base(spec: OAuthSpec, *, own: str, platform: str) -> str:
    """Pick where people authorize apps.

    Args:
        own: the account's own base URL, empty for the platform itself.
        platform: the platform's web base URL.
    """
    return own or spec.authorize_base_url or platform


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
    if "code" not in answer and "error" not in answer and "state" not in answer:
        raise _no_code()
    if not state or not hmac.compare_digest(answer.get("state", "").encode(), state.encode()):
        raise NotAllowed(
            "This address belongs to another authorization, or only half of it was pasted. "
            "Open the newest link and paste the whole address where it leads.",
            code="oauth.state_mismatch",
        )
    if answer.get("error") in _DENIED:
        raise NotAllowed("The authorization was declined. Connect again to be asked again.", code="oauth.denied")
    if "error" in answer:
        raise NotAllowed(
            "The platform did not authorize the app. Check the app's settings there.", code="oauth.refused"
        )
    code = answer.get("code", "").removesuffix("#_")  # Meta's way to end an address
    if not code:
        raise _no_code()
    return code


def read_pasted(text: str, *, authorization: Authorization, out_of_band_uri: str) -> str:
    """Read the code out of what a person pasted: the address, or the code itself where the platform shows it to people.

    A code alone carries no state; it is bound to this authorization by PKCE.

    Args:
        out_of_band_uri: of the platform; empty where it always redirects.

    Raises:
        NotAllowed, InvalidInput: as `read_redirect` does.
    """
    text = text.strip()
    shown = (
        bool(out_of_band_uri) and authorization.redirect_uri == out_of_band_uri and bool(authorization.code_verifier)
    )
    if shown and _BARE_CODE.fullmatch(text) and "?" not in text:
        return text
    return read_redirect(text, state=authorization.state)


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
    token_base_url: str = "",
    scopes: Sequence[str] | None = None,
) -> Token:
    """Turn a code into a grant, and where the platform has such a thing into one that lives longer. At once: X's codes live 30 seconds.

    Args:
        client_secret: of a confidential app; empty for a public one.
        redirect_uri: the one the authorization was started with.
        token_base_url: where codes are exchanged, if not at the API's own address.
        scopes: that were asked for; the platform's least when left out.

    Raises:
        NeedsReconnect: the code is not or no longer good.
        UnknownOutcome: the answer was lost, and the code with it: start again.
    """
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri or spec.redirect_uri,
    }
    if code_verifier:
        form["code_verifier"] = code_verifier
    app = _App(spec, client_id, client_secret)
    reply = _ask_once(app, spec.token_path, form, base_url=token_base_url or api_base_url)
    check_token_reply(reply, now=now, refused=_TOO_OLD)
    token = read_token_answer(reply, now=now, asked_scopes=scopes or spec.scopes)
    return _make_longer(app, token, api_base_url=api_base_url, now=now) if spec.longer_path else token


def refresh_token(
    spec: OAuthSpec,
    *,
    api_base_url: str,
    client_id: str,
    token: Token,
    now: datetime,
    client_secret: str = "",
    token_base_url: str = "",
    send_before: Deadline | None = None,
) -> Token:
    """Renew a grant. One caller at a time: where the platform rotates, the old refresh token is spent by this (AUTH-2).

    Args:
        send_before: after it no byte may leave any more: somebody else may renew it by then.

    Raises:
        NeedsReconnect: the grant is refused or revoked, or cannot be renewed (AUTH-3).
        Unavailable: surely not renewed; the old token is as good as before.
        UnknownOutcome: the answer was lost; the old refresh token may be spent.
    """
    if not can_renew(spec, life_of(token), now=now):
        raise NeedsReconnect("This grant cannot be refreshed. Connect the account again.")
    app = _App(spec, client_id, client_secret)
    if spec.renewal == "access_token":
        query = {"grant_type": spec.renew_grant, "access_token": token.access_token}
        reply = _read(api_base_url, "GET", spec.renew_path, params=query, send_before=send_before)
    else:
        form = {"grant_type": spec.renew_grant, "refresh_token": token.refresh_token}
        base_url = api_base_url if spec.renew_path else token_base_url or api_base_url
        reply = _ask_once(app, spec.renew_path or spec.token_path, form, base_url=base_url, send_before=send_before)
    check_token_reply(reply, now=now, refused=_GONE)
    spends = spec.renewal == "refresh_token"
    renewed = read_token_answer(reply, now=now, asked_scopes=token.scopes, spends=spends)
    if renewed.refresh_token or not token.refresh_token:
        return renewed
    # RFC 6749 §6: no new refresh token means that the old one goes on.
    return replace(renewed, refresh_token=token.refresh_token, refresh_expires_at=token.refresh_expires_at)


def revoke_token(
    spec: OAuthSpec,
    *,
    api_base_url: str,
    client_id: str,
    token: Token,
    now: datetime,
    client_secret: str = "",
    token_base_url: str = "",
) -> None:
    """Give a grant back. One that is already gone is no error (RFC 7009 §2.2).

    Raises:
        Unavailable: not revoked; may be repeated.
        Rejected: the platform has no such call, or does not listen to this app.
    """
    if not spec.revoke_path:
        raise Rejected("The platform offers no way to give a grant back: remove the app there.", code="oauth.no_revoke")
    app, refusals, heard = _App(spec, client_id, client_secret), [], False
    for value, kind in ((token.refresh_token, "refresh_token"), (token.access_token, "access_token")):
        if not value:
            continue
        form = app.fields({"token": value, "token_type_hint": kind})
        reply = _read(token_base_url or api_base_url, "POST", spec.revoke_path, form=form, headers=app.headers)
        try:
            check_token_reply(reply, now=now, refused="The grant is already gone.")
        except NeedsReconnect:
            continue
        except Rejected as refusal:  # some take only one of the two kinds
            refusals.append(refusal)
            continue
        heard = True
    if refusals and not heard:
        raise refusals[0]


@dataclass(frozen=True, slots=True)
class _App:
    """How an app shows who it is (RFC 6749 §2.3.1)."""

    spec: OAuthSpec
    client_id: str
    client_secret: str = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        if not self._by_header:
            return {}
        pair = f"{quote(self.client_id, safe='')}:{quote(self.client_secret, safe='')}"
        return {"authorization": "Basic " + base64.b64encode(pair.encode()).decode("ascii")}

    def fields(self, form: Mapping[str, str]) -> dict[str, str]:
        """Add the app to a form.

        Raises:
            InvalidInput: the platform knows only apps with a secret, and there is none.
        """
        if self._by_header:
            return dict(form)
        named = {**form, self.spec.client_id_name: self.client_id}
        return named | {"client_secret": self.secret} if self.spec.client_auth == "form" else named

    @property
    def secret(self) -> str:
        """The app's secret, where there must be one."""
        if not self.client_secret:
            raise InvalidInput("The app's client secret is missing.", code="oauth.client_secret")
        return self.client_secret

    @property
    def _by_header(self) -> bool:
        return self.spec.client_auth == "basic" and bool(self.client_secret)


def _make_longer(app: _App, token: Token, *, api_base_url: str, now: datetime) -> Token:
    """Trade a token of an hour for one of sixty days. The short one is not spent by it, so it is tried again at once."""
    query = {"grant_type": app.spec.longer_grant, "client_secret": app.secret, "access_token": token.access_token}
    for tried in range(1, LONGER_TRIES + 1):
        try:
            reply = _read(api_base_url, "GET", app.spec.longer_path, params=query)
            check_token_reply(reply, now=now, refused=_TOO_OLD)
            return read_token_answer(reply, now=now, asked_scopes=token.scopes, spends=False)
        except Unavailable:
            if tried == LONGER_TRIES:
                raise
    raise AssertionError("unreachable")


def _ask_once(
    app: _App, path: str, form: Mapping[str, str], *, base_url: str, send_before: Deadline | None = None
) -> Reply:
    """Send a form that spends something."""
    with Http(base_url) as http:
        try:
            return http.commit("POST", path, form=app.fields(form), headers=app.headers, send_before=send_before)
        except UnknownOutcome as lost:
            raise _judge_lost(lost) from None


def _judge_lost(lost: UnknownOutcome) -> PlatformError:
    """An answer of 5xx says that nothing was granted; no answer says nothing."""
    if lost.http_status is not None and (lost.http_status >= 500 or lost.http_status == 408):
        return Unavailable(lost.message, http_status=lost.http_status, request_id=lost.request_id)
    return UnknownOutcome(_SPENT, code="oauth.unknown", http_status=lost.http_status, request_id=lost.request_id)


def _read(
    base_url: str,
    method: str,
    path: str,
    *,
    params: Mapping[str, str] | None = None,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    send_before: Deadline | None = None,
) -> Reply:
    """Send what may be repeated; its address may hold a token, which no message shows."""
    if send_before is not None and send_before.is_over():
        raise Unavailable("The renewal was not sent: its deadline had passed.", code="platform.deadline_passed")
    with Http(base_url) as http:
        return http.read(method, path, params=params, form=form, headers=headers)


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
