"""Whether a post's content may go out at all: the platform's rules and what the account was granted (PUB-11).

Looked at when a post is written, approved and scheduled, and once more by the worker before its first call: rules, grants and what is
known of the account may have changed since.
"""

from __future__ import annotations

from collections.abc import Sequence

from hub.models import Account
from psn.errors import Finding, Rejected
from psn.oauth.spec import OAuthSpec
from psn.platforms.base import AccountFacts, Part
from psn.platforms.registry import get_platform


def check_content(account: Account, parts: Sequence[Part], *, facts: AccountFacts) -> list[Finding]:
    """Check parts against the platform's rules and the account's grant, without sending anything."""
    return [*get_platform(account.platform).check_parts(parts, facts), *check_scopes(account, facts=facts)]


def check_scopes(account: Account, *, facts: AccountFacts) -> list[Finding]:
    """Say which of the scopes that publishing needs were not granted; nothing when it is not known what was."""
    sign_in = get_platform(account.platform).sign_in
    if not isinstance(sign_in, OAuthSpec) or not facts.scopes:
        return []
    missing = [scope for scope in sign_in.scopes if scope not in facts.scopes]
    if not missing:
        return []
    return [
        Finding(
            target=account.platform,
            code="scopes.missing",
            level="warning",  # a platform may name what it granted otherwise than what was asked
            message=f"{account} was connected without {', '.join(missing)}.",
            fix=f"Connect it again with every scope: {account.connect_command}",
        )
    ]


def refuse_errors(findings: Sequence[Finding]) -> None:
    """Refuse what the platform would refuse.

    Raises:
        Rejected: with the first error's code.
    """
    for finding in findings:
        if finding.level == "error":
            raise Rejected(f"{finding.message} {finding.fix or ''}".strip(), code=finding.code)
