"""One idea for several accounts: each gets a post of its own, and one that fails touches no other (PUB-9)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from hub.actions import drafts, posts
from hub.actions.accounts import find_account
from hub.models import Post
from psn.errors import Finding, InvalidInput, Problem
from psn.platforms.registry import get_platform


@dataclass(frozen=True, slots=True)
class Variant:
    """What became of one account's post.

    Args:
        error: why there is no post; then `post` is None.
    """

    account: str
    post: Post | None
    findings: Sequence[Finding] = ()
    error: Problem | None = None


@dataclass(frozen=True, slots=True)
class Campaign:
    """Posts that share an idea."""

    id: uuid.UUID
    variants: list[Variant]


def create_campaign(
    *,
    accounts: Sequence[str],
    written: drafts.Written,
    own_texts: Mapping[str, str],
    at: datetime | None,
    approve: bool,
    dry_run: bool = False,
) -> Campaign:
    """Make a post for each account.

    Args:
        accounts: as `create_post` takes them.
        own_texts: what the first part of some of them says instead, by the same words.

    Raises:
        InvalidInput: an account is named twice, or gets a text and is not among them.
    """
    strangers = [account for account in own_texts if account not in accounts]
    twice = _find_twice(accounts)
    if strangers or twice:
        named = strangers[0] if strangers else twice[0]
        reason = "gets a text of its own and is not among the accounts" if strangers else "is named twice"
        raise InvalidInput(f"{named} {reason}.", code="campaign.accounts")
    platforms = _platforms_of(accounts)
    names = {option.name for platform in platforms for option in get_platform(platform).options}
    unknown = [name for name in written.options if name not in names and name.partition(".")[0] not in platforms]
    if unknown:
        raise InvalidInput(f"None of these accounts' platforms knows the option {unknown[0]!r}.", code="option.unknown")
    campaign = uuid.uuid4()
    variants = []
    for account in accounts:
        try:
            found = find_account(account)
            post, findings = posts.create_post(
                account=str(found.id),
                parts=_say(written, own_texts.get(account)).for_account(found),
                at=at,
                approve=approve,
                options=written.options_of(found),
                campaign=campaign,
                dry_run=dry_run,
            )
            variants.append(Variant(account, post, findings))
        except Problem as error:
            variants.append(Variant(account, None, error.findings, error))
    return Campaign(campaign, variants)


def _find_twice(accounts: Sequence[str]) -> list[str]:
    """Give the names of accounts that were named before, in whatever words: each would get the same post once more."""
    seen: set[object] = set()
    twice = []
    for account in accounts:
        key: object = account
        with suppress(Problem):  # said for the account itself, later
            key = find_account(account).id
        if key in seen:
            twice.append(account)
        seen.add(key)
    return twice


def _platforms_of(accounts: Sequence[str]) -> set[str]:
    found = set()
    for account in accounts:
        with suppress(Problem):  # said for the account itself, later
            found.add(find_account(account).platform)
    return found


def _say(written: drafts.Written, text: str | None) -> drafts.Written:
    if text is None:
        return written
    first, *others = written.parts
    return replace(written, parts=[replace(first, text=text), *others])
