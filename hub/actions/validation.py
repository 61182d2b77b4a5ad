"""`psn_validate`: look at everything that must hold, and name the next command for what does not (HUB-4)."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Literal

from django.conf import settings
from django.db import connections
from django.utils import timezone

from hub.actions import health, hubs, notices, sandbox, workers
from hub.actions.backup.moving import check_no_move
from hub.actions.team import companies
from hub.connections import OWNER, current_hub
from hub.models import Account, ApiKey
from hub.models.base import hub_now
from hub.publishing.addresses import check_addresses
from hub.publishing.grants import open_adapter
from hub.queue import echoes
from hub.queue.heartbeat import living_workers
from hub.rls.audit import audit_catalog
from hub.sealing import context_of, opening
from psn.config.envfile import check_private, read_env_file
from psn.config.hub import HubConfig, get_hub_config
from psn.config.strategy import read_strategy
from psn.config.workspace import Workspace
from psn.errors import Finding, NotReady, Problem
from psn.platforms.registry import get_platform

Status = Literal["pass", "fail", "skip"]
CLOCK_TOLERANCE = timedelta(seconds=2)
_WITH_SCHEMA = ("isolation", "clock", "worker", "queue", "stuck", "undecided", "keys", "sandbox", "accounts")


@dataclass(frozen=True, slots=True)
class Check:
    """What one check found.

    Args:
        next_command: what mends a failure, from the command's name on.
        ask: what only a person can do about it.
    """

    name: str
    status: Status
    message: str
    next_command: str | None = None
    ask: str | None = None

    def to_finding(self) -> Finding:
        """Give a failure as a finding."""
        return Finding(
            target=self.name, code=f"validate.{self.name.split(':')[0]}", message=self.message, fix=self.next_command
        )


class _Skipped(Exception):
    """There is nothing to check, and why."""


def validate(workspace: Workspace, *, live: bool) -> Iterator[Check]:
    """Run every check, in the order in which they depend on each other; one that fails never stops another.

    Args:
        live: also ask the real platforms, read-only.
    """
    yield _run("python", _check_python)
    yield _run("config", lambda: _check_config(workspace), mend="psn_setup --only config")
    hub = _run("hub", lambda: _check_hub(workspace), mend="psn_setup")
    yield hub
    if hub.status != "pass":
        yield from (Check(name, "skip", "needs the hub") for name in ("schema", *_WITH_SCHEMA))
        return
    schema = _run("schema", _check_schema, mend="psn_migrate")
    yield schema
    if schema.status != "pass":
        yield from (Check(name, "skip", "needs the schema") for name in _WITH_SCHEMA)
        return
    config = _get_config(workspace)
    yield _run("isolation", _check_isolation, mend="psn_migrate")
    yield _run("clock", _check_clock)
    yield _run("worker", _check_worker, mend="psn_worker start")
    yield _run("queue", _check_queue)
    yield _run("stuck", _check_stuck)
    yield _run("undecided", _check_undecided)
    yield _run("keys", lambda: _check_keys(workspace), mend="psn_config keys list")
    yield _run("sandbox", lambda: _check_sandbox(config), mend="psn_sandbox start")
    yield from _check_accounts(live=live)
    yield Check("notifications", "skip", "no channel is configured")


def _run(name: str, check: Callable[[], str], *, mend: str | None = None) -> Check:
    try:
        return Check(name, "pass", check())
    except _Skipped as reason:
        return Check(name, "skip", str(reason))
    except Problem as error:
        return Check(name, "fail", error.message, error.next_command or (None if error.ask else mend), error.ask)


def _check_python() -> str:
    return f"Python {sys.version.split()[0]}"


def _get_config(workspace: Workspace) -> HubConfig:
    return get_hub_config(workspace, settings.HUB_SLUG)


def _is_secret_here(config: HubConfig) -> bool:
    """Whether this process may open what is sealed: in a company's hub only its worker's login may."""
    return not config.is_company or settings.LOGIN == "worker"


def _check_config(workspace: Workspace) -> str:
    for path in (workspace.hub_file(settings.HUB_SLUG), workspace.keys_env):
        if not path.exists():
            raise NotReady(f"{path} is missing.", next_command="psn_setup")
        check_private(path)
    read_env_file(workspace.keys_env)
    strategy = read_strategy(workspace.strategy)
    if not os.access(workspace.config, os.W_OK):
        raise NotReady(f"{workspace.config} cannot be written.")
    return f"secrets are private, strategy.yaml is sound, time zone {strategy.timezone}"


def _check_hub(workspace: Workspace) -> str:
    check_no_move(workspace, slug=settings.HUB_SLUG)
    config = _get_config(workspace)
    if _is_secret_here(config):
        config.keyring()
    hubs.start_hub(config)
    if config.has_owner and not hubs.hub_is_made(config):
        raise NotReady("The hub is not made completely.")
    status = hubs.hub_status(config)
    if status["state"] != "running":
        raise NotReady(f"The hub at {config.place} does not answer: {status.get('why', status['state'])}")
    return f"{config.provider}, Postgres {status['version']}, {status['place']}"


def _check_schema() -> str:
    if not current_hub().has_owner:
        missing = hubs.find_missing_migrations()
        if missing:
            raise NotReady(
                f"The hub lacks {missing[-1]}, which this PSN needs.",
                ask="Ask an admin of the team to run psn_migrate.",
            )
        return "up to date"
    state = hubs.schema_state()
    if state.ahead:
        raise NotReady(f"The hub is newer than this PSN: it has {state.ahead[-1]}. Update your clone: git pull.")
    if state.pending:
        raise NotReady(f"{len(state.pending)} migrations are pending.")
    if not (companies.company_is_made() if current_hub().is_company else hubs.people_are_made()):
        raise NotReady("The hub's logins are missing.")
    return "up to date"


def _check_isolation() -> str:
    if not current_hub().has_owner:
        raise _Skipped("needs the owner's login, which an admin's computer has")
    with connections[OWNER].cursor() as cursor:
        findings = audit_catalog(cursor)
    if findings:
        raise NotReady(f"{len(findings)} openings in row-level security: {findings[0].message}")
    return "every table is forced under row-level security, nothing is open"


def _check_clock() -> str:
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        offset: timedelta = abs(cursor.fetchone()[0] - timezone.now())
    if offset > CLOCK_TOLERANCE:
        raise NotReady(
            f"This computer's clock and the hub's differ by {offset.total_seconds():.1f} seconds. Switch on time synchronisation."
        )
    return f"within {offset.total_seconds() * 1000:.0f} ms of the hub's"


def _check_worker() -> str:
    workers.check_worker()
    worker = living_workers()[0]
    if not workers.worker_is_current():
        raise NotReady(
            f"{worker.name} runs version {worker.version}; restart it.", next_command="psn_setup --only worker"
        )
    return f"{worker.name}, last sign of life {(timezone.now() - worker.beat_at).total_seconds():.0f} s ago"


def _check_queue() -> str:
    """Ring, and hear the worker answer. A worker that beats and does not answer is started anew by `psn_worker start`."""
    if not living_workers().exists():
        raise _Skipped("needs a worker")
    if not _is_secret_here(current_hub()):
        raise _Skipped("only the company's worker rings its bells")
    try:
        seconds = echoes.round_trip()
    except NotReady as error:
        raise NotReady(error.message, code=error.error_code, next_command="psn_worker start") from error
    return f"a bell was answered in {seconds * 1000:.0f} ms"


def _check_stuck() -> str:
    now = hub_now()
    stuck = [*health.find_left(now=now), *health.find_overdue(now=now).unclaimed]
    if stuck:
        raise NotReady(
            f"{len(stuck)} {'post is' if len(stuck) == 1 else 'posts are'} stuck, first {stuck[0].id}.",
            next_command=f"psn_post why {stuck[0].id}",
        )
    return "no post is stuck"


def _check_undecided() -> str:
    """Find posts that wait for a person's word; what the person has merely not seen yet is no failure."""
    waiting = health.count(health.find_undecided())
    if waiting:
        first = health.find_undecided().order_by("created_at")[0]
        raise NotReady(
            f"{waiting} {'post waits' if waiting == 1 else 'posts wait'} for you to say whether it is live, first {first.id}.",
            next_command=f"psn_post why {first.id}",
        )
    unseen = notices.count_unseen()
    return (
        f"no post waits for your word; {unseen} notices are unseen (psn_post notices)"
        if unseen
        else "no post waits for your word"
    )


def _check_keys(workspace: Workspace) -> str:
    if not _is_secret_here(current_hub()):
        raise _Skipped("only the company's worker opens them")
    keyring = opening()
    rows = list(ApiKey.objects.all())
    for row in rows:
        keyring.open(row.key_sealed, context=context_of(row, "key_sealed"))
    only_in_file = (
        set() if current_hub().is_company else set(read_env_file(workspace.keys_env)) - {row.name for row in rows}
    )
    if only_in_file:
        name = sorted(only_in_file)[0]
        raise NotReady(
            f"{name} is in config/keys.env but not in the hub, so the worker does not have it.",
            next_command=f"psn_config keys set {name}",
        )
    if not rows:
        raise _Skipped("no vendor keys yet")
    return f"{len(rows)} keys open"


def _check_sandbox(hub: HubConfig) -> str:
    if not Account.objects.filter(is_sandbox=True, status=Account.Status.ACTIVE).exists():
        raise _Skipped("no sandbox account")
    return sandbox.get_sandbox_url(hub)


def _check_accounts(*, live: bool) -> Iterator[Check]:
    found = list(Account.objects.exclude(status=Account.Status.DISCONNECTED).order_by("platform", "handle"))
    for account in found:
        check = partial(_check_account, account, live=live)
        yield _run(f"accounts:{account}", check, mend=f"psn_account show {account.id}")
    if not found:
        yield Check("accounts", "skip", "none connected")
    for name in sorted({account.platform for account in found}):
        if get_platform(name).check_settings is not None:
            yield _run(f"platform:{name}", partial(_check_platform, name))
    if any(get_platform(account.platform).fetches for account in found):
        yield _run("media", partial(_check_media, found))


def _check_account(account: Account, *, live: bool) -> str:
    if not _is_secret_here(current_hub()):
        raise _Skipped("only the company's worker has its grant")
    adapter = open_adapter(account, now=timezone.now())
    try:
        if not (account.is_sandbox or live):
            return "the grant is here and not expired (--live asks the platform)"
        profile = adapter.fetch_profile()
    finally:
        adapter.close()
    return f"the platform knows @{profile.handle}"


def _check_platform(name: str) -> str:
    """See whether what PSN says to a platform is still what it wants to hear."""
    platform = get_platform(name)
    assert platform.check_settings is not None
    chosen = {**platform.settings, **settings.PLATFORM_SETTINGS.get(name, {})}
    findings = platform.check_settings(chosen, timezone.now().date())
    said = " ".join(f"{finding.message} {finding.fix or ''}".strip() for finding in findings)
    if any(finding.level == "error" for finding in findings):
        raise NotReady(said, code=findings[0].code, ask=f"Set PSN_{name.upper()}_VERSION in config/keys.env.")
    return said or ", ".join(f"{key} {value}" for key, value in chosen.items())


def _check_media(accounts: list[Account]) -> str:
    """See whether platforms that fetch media can fetch them."""
    fetching = [account for account in accounts if get_platform(account.platform).fetches]
    for account in fetching:
        finding = check_addresses(account)
        if finding is not None:
            raise NotReady(f"{finding.message} {finding.fix or ''}".strip(), code=finding.code, ask=finding.fix)
    return f"{', '.join(sorted({str(account) for account in fetching}))} can fetch media"


def summarize(checks: list[Check]) -> dict[str, Any]:
    """Count what passed, failed and was skipped."""
    return {status: sum(1 for check in checks if check.status == status) for status in ("pass", "fail", "skip")}
