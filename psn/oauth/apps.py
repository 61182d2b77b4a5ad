"""An app that registers itself, where each instance has apps of its own (Mastodon).

docs.joinmastodon.org/methods/apps (read 2026-11-20).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from psn.errors import InvalidInput, Problem, RateLimited, Rejected, Unavailable
from psn.http import Http, Reply
from psn.oauth.spec import OAuthSpec

CLIENT_NAME = "Post Shit Now"
RETRY_AFTER = timedelta(minutes=5)  # the window of its limits. docs.joinmastodon.org/api/rate-limits (read 2026-11-20)


@dataclass(frozen=True, slots=True)
class AppKeys:
    """What an app shows to a platform; `client_secret` is empty for an app without one."""

    client_id: str
    client_secret: str = field(default="", repr=False)


class _Registered(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    client_id: str = Field(min_length=1, max_length=1000)
    client_secret: str = Field(min_length=1, max_length=1000, repr=False)


def register_app(spec: OAuthSpec, *, base_url: str, scopes: Sequence[str], now: datetime) -> AppKeys:
    """Make an app of this name at an instance. Every call makes another; an instance forgets those that nobody uses.

    Args:
        scopes: the most that will ever be asked for with it.

    Raises:
        InvalidInput: there is no such instance at this address (`account.instance`).
        Unavailable: it does not answer just now.
        Rejected: it takes no app.
    """
    redirects = [spec.redirect_uri] + ([spec.out_of_band_uri] if spec.out_of_band_uri else [])
    form = {
        "client_name": CLIENT_NAME,
        "redirect_uris": "\n".join(redirects),
        "scopes": spec.scope_separator.join(scopes),
    }
    with Http(base_url) as http:
        try:
            reply = http.read("POST", spec.apps_path, form=form)
        except Unavailable as error:
            raise Unavailable(
                f"{base_url} does not answer ({error.message.rstrip('.')}). Check the address of the instance, or try again later.",
                http_status=error.http_status,
            ) from None
    if reply.status == 429:
        raise RateLimited(
            f"{base_url} takes no more apps for the moment.", retry_at=now + RETRY_AFTER, http_status=reply.status
        )
    try:
        found = _Registered.model_validate(reply.json() if 200 <= reply.status < 300 else None)
    except (ValidationError, ValueError):
        raise _refusal(reply, base_url=base_url) from None
    return AppKeys(client_id=found.client_id, client_secret=found.client_secret)


def _refusal(reply: Reply, *, base_url: str) -> Problem:
    """Tell an instance that takes no app from something that is no instance: only the former answers in JSON."""
    try:
        speaks_json = "error" in reply.json()
    except (ValueError, TypeError):
        speaks_json = False
    if speaks_json and reply.status not in (404, 405):
        return Rejected(
            f"{base_url} takes no app ({reply.status}).", code="oauth.app_refused", http_status=reply.status
        )
    return InvalidInput(
        f"{base_url} is no instance that PSN can talk to: it answered {reply.status} where apps register. "
        "Give the address of the server itself, like https://mastodon.social.",
        code="account.instance",
    )
