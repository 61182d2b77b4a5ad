"""Every error PSN raises on purpose: one tree, one class per decision the caller makes.

    Problem
    ├── NotFound           there is no such thing
    ├── InvalidInput       the input must change            (exit 5; Usage: exit 2)
    ├── NotAllowed         not by this person
    │   └── ApprovalNeeded a person must say yes first      (exit 6)
    ├── Conflict           somebody else was faster, or the state does not allow it  (exit 7)
    ├── NotReady           the environment is not ready     (exit 3)
    └── PlatformError      the platform, or the way to it
        ├── RateLimited    refused for now: wait until `retry_at`          (exit 8)
        ├── QuotaSpent     refused until the quota or credit is renewed    (exit 8)
        ├── NeedsReconnect the grant is gone: a person must connect again  (exit 4)
        ├── Rejected       refused for good: never retry
        │   ├── Duplicate     refused because the platform has this very post, and names it
        │   └── CameToNothing accepted first, and then not carried out
        ├── Unavailable    surely not sent: retry                          (exit 4)
        └── UnknownOutcome may be live: look first, never repeat blindly   (exit 9)

The exit codes and the envelope they travel in are `psn.cli/1`; see `hub/management/base.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal

Level = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a check found.

    Args:
        target: what was checked: a platform, a file, an account.
        code: stable, dotted: `text.too_long`.
        at: where inside the target: `parts.2`, `line 14`.
        limit, got: in the unit the code names.
        fix: one sentence that says what to do.
    """

    target: str
    code: str
    message: str
    level: Level = "error"
    at: str | None = None
    limit: int | str | None = None
    got: int | str | None = None
    fix: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Give the finding as it stands in the envelope, without empty fields."""
        return {key: value for key, value in asdict(self).items() if value is not None}


class Problem(Exception):
    """Something PSN refuses or cannot do, with the next step.

    Args:
        message: a sentence a person understands.
        code: stable and dotted; the class's own when left out.
        next_command: what to run next, from the command's name on: `psn_setup --status`.
        ask: what only a person can do, in one sentence.
        findings: for checks that found several things.
    """

    code: ClassVar[str] = "problem"
    exit_code: ClassVar[int] = 1

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        next_command: str | None = None,
        ask: str | None = None,
        findings: Sequence[Finding] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.error_code = code or self.code
        self.next_command = next_command
        self.ask = ask
        self.findings = tuple(findings)


class NotFound(Problem):
    """There is no such thing, or it is not visible to this person."""

    code = "not_found"


class InvalidInput(Problem):
    """The input must change before it can be accepted."""

    code = "validation.failed"
    exit_code = 5


class Usage(InvalidInput):
    """The command line itself is wrong."""

    code = "usage"
    exit_code = 2


class NotAllowed(Problem):
    """This person may not do this."""

    code = "not_allowed"


class ApprovalNeeded(NotAllowed):
    """A person must approve exactly this content first (POST-4)."""

    code = "approval.needed"
    exit_code = 6


class Conflict(Problem):
    """Somebody else was faster, or the present state does not allow this."""

    code = "conflict"
    exit_code = 7


class NotReady(Problem):
    """The environment is not ready: the hub, the worker, a file, a key."""

    code = "not_ready"
    exit_code = 3


class PlatformError(Problem):
    """The platform refused, or could not be reached.

    Args:
        http_status: of the answer, when there was one.
        request_id: the platform's own id of the call, for its support.
    """

    code = "platform"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        http_status: int | None = None,
        request_id: str | None = None,
        next_command: str | None = None,
        ask: str | None = None,
    ) -> None:
        super().__init__(message, code=code, next_command=next_command, ask=ask)
        self.http_status = http_status
        self.request_id = request_id


class RateLimited(PlatformError):
    """Refused for now and surely not carried out.

    Args:
        retry_at: aware UTC instant before which another try is pointless.
    """

    code = "platform.rate_limited"
    exit_code = 8

    def __init__(
        self, message: str, *, retry_at: datetime, http_status: int | None = None, request_id: str | None = None
    ) -> None:
        super().__init__(message, http_status=http_status, request_id=request_id)
        self.retry_at = retry_at


class QuotaSpent(PlatformError):
    """Refused until a quota or a credit is renewed; surely not carried out."""

    code = "platform.quota_spent"
    exit_code = 8


class NeedsReconnect(PlatformError):
    """The grant is refused or revoked: a person must connect the account again."""

    code = "account.needs_reconnect"
    exit_code = 4


class Rejected(PlatformError):
    """Refused for good: the same request will never be accepted."""

    code = "platform.rejected"


class Duplicate(Rejected):
    """Refused because the platform has this very post already. After our own doubtful call, that is the answer (PUB-6).

    Args:
        platform_post_id, url: of the post it has.
    """

    code = "platform.duplicate"

    def __init__(
        self,
        message: str,
        *,
        platform_post_id: str,
        url: str,
        code: str | None = None,
        http_status: int | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message, code=code, http_status=http_status, request_id=request_id)
        self.platform_post_id = platform_post_id
        self.url = url


class CameToNothing(Rejected):
    """Accepted first, and then not carried out for a reason that the platform names: surely not live."""

    code = "platform.came_to_nothing"


class Unavailable(PlatformError):
    """Surely not sent, or surely without effect: safe to try again."""

    code = "platform.unavailable"
    exit_code = 4


class UnknownOutcome(PlatformError):
    """The request may have been carried out: look first, never repeat blindly (PUB-6).

    Args:
        reference: what tells this call from any other at the platform, where only the answer said so.
    """

    code = "publish.unknown"
    exit_code = 9

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        http_status: int | None = None,
        request_id: str | None = None,
        next_command: str | None = None,
        reference: str = "",
    ) -> None:
        super().__init__(message, code=code, http_status=http_status, request_id=request_id, next_command=next_command)
        self.reference = reference
