"""Tokens as JSON: what a platform's token endpoint answers, and what a person hands in (AUTH-1). RFC 6749 §5.1.

No message repeats a value: the values are secrets.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import (
    AliasChoices,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
)

from psn.errors import Finding, InvalidInput, Unavailable, UnknownOutcome
from psn.http import Reply
from psn.oauth.spec import Token

MAX_LIFE_SECONDS = 20 * 366 * 24 * 3600  # nothing lives longer; keeps a slip of the pen inside the calendar

# Visible ASCII: it travels in a header (RFC 6750 §2.1).
_Secret = Annotated[str, StringConstraints(strict=True, pattern=r"^[\x21-\x7e]+$", max_length=16384)]
_Seconds = Annotated[int, Field(ge=0, le=MAX_LIFE_SECONDS)]


class _TokenDocument(BaseModel):
    """A grant in JSON; fields nobody knows are ignored."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    access_token: _Secret = Field(repr=False)
    refresh_token: _Secret | None = Field(None, repr=False)
    token_type: Annotated[str, StringConstraints(pattern=r"^(?i:bearer)$")] | None = None
    expires_in: _Seconds | None = None
    expires_at: AwareDatetime | None = None
    # LinkedIn's name for it, and TikTok's
    refresh_expires_in: _Seconds | None = Field(
        None, validation_alias=AliasChoices("refresh_token_expires_in", "refresh_expires_in")
    )
    refresh_expires_at: AwareDatetime | None = None
    scope: str | None = None
    scopes: list[str] | None = Field(
        None, validation_alias=AliasChoices("scopes", "permissions")
    )  # Instagram's name for it

    @field_validator("refresh_token", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("scopes", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        """Instagram sends its permissions as a list or as one text."""
        return value.replace(",", " ").split() if isinstance(value, str) and "," in value else value

    def to_token(self, *, now: datetime, default_scopes: Sequence[str] = ()) -> Token:
        """Give the grant as of `now`; `expires_at` outranks `expires_in`, which begins to count at `now`."""
        scopes = self.scopes if self.scopes is not None else (self.scope or "").replace(",", " ").split()
        return Token(
            access_token=self.access_token,
            refresh_token=self.refresh_token or "",
            access_expires_at=_end_of_life(self.expires_at, self.expires_in, now=now),
            refresh_expires_at=_end_of_life(self.refresh_expires_at, self.refresh_expires_in, now=now)
            if self.refresh_token
            else None,
            scopes=tuple(scopes or default_scopes),
            obtained_at=now,
        )


def read_token_document(text: str, *, now: datetime) -> Token:
    """Read a grant that a person hands in as JSON.

    Takes `access_token`, and where there are any `refresh_token`, `expires_in` (seconds from now on) or `expires_at` (ISO
    8601 with a zone, or Unix seconds), the same for the refresh token (`refresh_expires_in`, `refresh_expires_at`), `scope` (a
    string) or `scopes` (a list).

    Raises:
        InvalidInput: `account.token_document`, with a finding for every field that is wrong.
    """
    try:
        return _TokenDocument.model_validate_json(text).to_token(now=now)
    except ValidationError as problem:
        findings = _read_findings(problem)
    names = ", ".join(finding.at or "the document" for finding in findings)
    raise InvalidInput(
        f'This is no token document: look at {names}. It looks like {{"access_token": "…"}}.',
        code="account.token_document",
        findings=findings,
    )


def read_token_answer(reply: Reply, *, now: datetime, asked_scopes: Sequence[str], spends: bool = True) -> Token:
    """Read what a token endpoint granted.

    Args:
        asked_scopes: what is granted when the answer does not say (RFC 6749 §5.1).
        spends: what was asked with serves once.

    Raises:
        UnknownOutcome: granted, but not readable: what was asked with is spent.
        Unavailable: not readable, and nothing is spent.
    """
    try:
        return _TokenDocument.model_validate(_unwrap(reply.json())).to_token(now=now, default_scopes=asked_scopes)
    except ValueError:
        pass
    if not spends:
        raise Unavailable(
            "The platform's token cannot be read. Try again later.",
            code="oauth.unexpected",
            http_status=reply.status,
            request_id=reply.request_id,
        )
    raise UnknownOutcome(
        "The platform's token cannot be read, and what was asked with is spent. Connect the account again.",
        code="oauth.unknown",
        http_status=reply.status,
        request_id=reply.request_id,
    )


def _unwrap(answer: Any) -> Any:
    """Take a grant out of `{"data": [{…}]}`, in which Instagram sends it at times."""
    inner = answer.get("data") if isinstance(answer, dict) and "access_token" not in answer else None
    if isinstance(inner, list) and len(inner) == 1:
        return inner[0]
    return inner if isinstance(inner, dict) else answer


def _end_of_life(instant: datetime | None, seconds: int | None, *, now: datetime) -> datetime | None:
    if instant is not None:
        return instant.astimezone(UTC)
    return now + timedelta(seconds=seconds) if seconds is not None else None


def _read_findings(problem: ValidationError) -> list[Finding]:
    """Name fields and what is wrong with them, never their values."""
    return [
        Finding(
            target="token",
            code=f"token.{error['type']}",
            message=_EXPECTED.get(str(error["loc"][0]) if error["loc"] else "", "It must be one JSON object."),
            at=str(error["loc"][0]) if error["loc"] else None,
        )
        for error in problem.errors(include_url=False, include_context=False, include_input=False)
    ]


_EXPECTED = {
    "access_token": "It must be a text without spaces or line breaks.",
    "refresh_token": "It must be a text without spaces or line breaks.",
    "token_type": "Only bearer tokens are supported.",
    "expires_in": "It must be a number of seconds.",
    "expires_at": "It must be an instant with its zone, or Unix seconds.",
    "refresh_token_expires_in": "It must be a number of seconds.",
    "refresh_expires_in": "It must be a number of seconds.",
    "refresh_expires_at": "It must be an instant with its zone, or Unix seconds.",
    "scope": "It must be a text of scopes with spaces between them.",
    "scopes": "It must be a list of texts.",
    "permissions": "It must be a list of texts.",
}
