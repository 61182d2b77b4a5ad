"""Set-up: from a bare clone to one post out (HUB-1, HUB-3).

Seven steps, each `check, apply, verify`. A run looks at the world and not at a log of what an earlier run did, so it may be killed
anywhere and run again: it skips what holds and goes on with what does not.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Literal

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from hub.actions import connecting, drafts, hubs, posts, sandbox, workers
from hub.actions.people import get_me
from hub.connections import reload_hub
from hub.models import Account, AuditEntry, Post, Status
from hub.publishing.grants import open_adapter
from hub.sealing import check_opens, count_foreign
from psn.config.envfile import check_private, read_env_file, write_private
from psn.config.hub import HubConfig, find_hub_config, get_hub_config, write_hub_config
from psn.config.strategy import DEFAULT_TEXT, read_strategy
from psn.config.workspace import Workspace
from psn.crypto import Keyring, create_key
from psn.errors import Conflict, InvalidInput, NotReady, PlatformError, Problem
from psn.times import system_zone

FREE_BYTES = 200_000_000  # an empty hub takes 50 MB; posts and logs want some room
PROOF_AHEAD = timedelta(seconds=2)
PROOF_SECONDS = 60.0
PROOF = "setup.proof"
LOCK_SECONDS = 180.0  # how long a second set-up waits for the first
BEFORE_THE_HUB = ("environment", "hub")
KEYS_TEXT = """# Your vendors' keys, for commands on this computer. The worker reads its own, sealed copies in the hub.
# Set them with: python3 manage.py psn_config keys set NAME   (the value on stdin)
# Never commit this file; it must stay readable by you alone (chmod 600).
"""

Outcome = Literal["start", "done", "skip", "fail"]


@dataclass
class Run:
    """What one run of set-up learns on its way."""

    workspace: Workspace
    provider: str = "local"
    proof: dict[str, Any] = field(default_factory=dict)
    web_url: str | None = None

    @property
    def hub(self) -> HubConfig:
        """The hub as `config/hub.env` describes it now."""
        return get_hub_config(self.workspace)


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    Args:
        check: whether the world is as this step leaves it; without any effect.
        apply: makes it so, and says what it did; repeatable.
    """

    name: str
    title: str
    check: Callable[[Run], bool]
    apply: Callable[[Run], str]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a step: it starts, is done, was found done, or failed."""

    number: int
    step: Step
    outcome: Outcome
    detail: str = ""

    @property
    def position(self) -> str:
        return f"{self.number}/{len(STEPS)}"


def run_setup(run: Run, *, only: str | None = None, first: str | None = None) -> Iterator[Event]:
    """Bring every step to where its check holds, in order.

    Args:
        only: run this step alone; `first`: begin with this one.

    Raises:
        InvalidInput: no such provider or step; nothing was done.
        Problem: of the step that cannot be brought about; the steps before it stay done.
    """
    hubs.check_provider(run.provider)
    chosen = _chosen(only=only, first=first)
    with _only_one(run.workspace):
        for number, step in chosen:
            if step.name not in BEFORE_THE_HUB:
                _ = run.hub  # refuses when there is none
            if step.check(run):
                yield Event(number, step, "skip", "already done")
            else:
                yield from _bring_about(run, number, step)


def _bring_about(run: Run, number: int, step: Step) -> Iterator[Event]:
    """Apply one step and look whether it holds now."""
    yield Event(number, step, "start")
    try:
        detail = step.apply(run)
        if not step.check(run):
            raise NotReady(
                f"{step.title}: done, but it does not hold.", code="setup.not_verified", next_command="psn_validate"
            )
    except Problem as error:
        yield Event(number, step, "fail", error.message)
        error.next_command = error.next_command or "psn_setup"
        raise
    yield Event(number, step, "done", detail)


@contextmanager
def _only_one(workspace: Workspace) -> Iterator[None]:
    """Let one set-up of a workspace work at a time; another waits, then goes by what the first one made.

    Raises:
        NotReady: the workspace cannot be made.
        Conflict: the other one takes too long.
    """
    try:
        workspace.root.mkdir(parents=True, exist_ok=True)
        folder = os.open(workspace.root, os.O_RDONLY)  # the folder is its own lock: nothing is left behind
    except OSError as error:
        raise _not_writable(workspace, error) from error
    try:
        _wait_for_lock(folder)
        if find_hub_config(workspace) != settings.HUB:
            reload_hub()
        yield
    finally:
        os.close(folder)


def _wait_for_lock(descriptor: int) -> None:
    give_up = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > give_up:
                raise Conflict(
                    "Another psn_setup works on this workspace.",
                    code="setup.running",
                    next_command="psn_setup --status",
                ) from None
            time.sleep(0.1)


def _not_writable(workspace: Workspace, error: OSError) -> NotReady:
    return NotReady(
        f"{workspace.root} cannot be written: {error.strerror}. Clone PSN into a folder of your own.",
        code="config.not_writable",
        ask=f"Give this user the right to write {workspace.root}, or clone PSN into a folder of your own.",
    )


def plan_setup(run: Run) -> list[tuple[Step, bool]]:
    """Tell for every step whether it holds, with no effect at all; what follows a step that does not is not looked at."""
    hubs.check_provider(run.provider)
    plan: list[tuple[Step, bool]] = []
    for step in STEPS:
        holds = all(done for _, done in plan) and _holds(step, run)
        plan.append((step, holds))
    return plan


def describe(run: Run) -> dict[str, Any]:
    """Tell which hub the run ended with."""
    if find_hub_config(run.workspace) is None:  # --only environment
        return {"hub": None}
    status = hubs.hub_status(run.workspace)
    return {"hub": {"provider": status["provider"], "state": status["state"], "data": status["data"]}}


def _chosen(*, only: str | None, first: str | None) -> Sequence[tuple[int, Step]]:
    numbered = list(enumerate(STEPS, 1))
    names = [step.name for step in STEPS]
    for name in (only, first):
        if name is not None and name not in names:
            raise InvalidInput(f"There is no step {name!r}. Known: {', '.join(names)}.", code="setup.step")
    if only is not None:
        return [item for item in numbered if item[1].name == only]
    return numbered[names.index(first) if first is not None else 0 :]


def _holds(step: Step, run: Run) -> bool:
    try:
        return step.check(run)
    except Problem:
        return False


# -- 1 environment


def _environment_holds(run: Run) -> bool:
    folders = run.workspace.folders
    return all(folder.is_dir() and os.access(folder, os.W_OK) for folder in folders) and _free_bytes(run) >= FREE_BYTES


def _make_environment(run: Run) -> str:
    hubs.check_provider(run.provider)
    root = run.workspace.root
    try:
        for folder in run.workspace.folders:
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _not_writable(run.workspace, error) from error
    for folder in run.workspace.folders:
        if not os.access(folder, os.W_OK):
            raise NotReady(
                f"{folder} cannot be written. Clone PSN into a folder of your own.", code="config.not_writable"
            )
    free = _free_bytes(run)
    if free < FREE_BYTES:
        raise NotReady(
            f"Only {free // 1_000_000} MB are free on the disk of {root}; PSN needs {FREE_BYTES // 1_000_000}.",
            code="hub.no_disk",
        )
    return f"Python {sys.version.split()[0]}, {root}"


def _free_bytes(run: Run) -> int:
    return shutil.disk_usage(run.workspace.root).free


# -- 2 hub


def _hub_holds(run: Run) -> bool:
    config = find_hub_config(run.workspace)
    return config is not None and hubs.hub_is_made(config)


def _make_hub(run: Run) -> str:
    hubs.check_provider(run.provider)
    config = hubs.create_hub(run.workspace)
    return f"Postgres at {config.data}"


# -- 3 schema


def _schema_holds(run: Run) -> bool:
    state = hubs.schema_state()
    return not state.pending and not state.ahead and hubs.people_are_made()


def _make_schema(run: Run) -> str:
    strategy = read_strategy(run.workspace.strategy)
    applied = hubs.migrate_hub(name=strategy.name, timezone=strategy.timezone)
    return f"{len(applied)} migrations"


# -- 4 keys and config files


def _config_holds(run: Run) -> bool:
    if not (run.workspace.strategy.exists() and run.workspace.keys_env.exists() and run.hub.key):
        return False
    check_opens()
    strategy = read_strategy(run.workspace.strategy)
    read_env_file(run.workspace.keys_env)
    me = get_me()
    return (me.name, me.timezone) == (strategy.name, strategy.timezone)


def _make_config(run: Run) -> str:
    if not run.hub.key:
        _make_key(run)
    if not run.workspace.keys_env.exists():
        write_private(run.workspace.keys_env, KEYS_TEXT)
    check_private(run.workspace.keys_env)
    if not run.workspace.strategy.exists():
        run.workspace.strategy.write_text(DEFAULT_TEXT.format(timezone=system_zone()), encoding="utf-8")
    strategy = read_strategy(run.workspace.strategy)
    hubs.update_person(name=strategy.name, timezone=strategy.timezone)
    return f"config/hub.env, config/keys.env, config/strategy.yaml ({strategy.timezone})"


def _make_key(run: Run) -> None:
    """Make the hub's key, but never over values that only the lost one opens (HUB-8)."""
    key = create_key()
    if sealed := count_foreign(Keyring(key)):
        raise NotReady(
            f"{run.workspace.hub_env} has no HUB_ENCRYPTION_KEY, and {sealed} secrets in the hub open with it alone.",
            code="key.missing",
            ask=f"Put HUB_ENCRYPTION_KEY back into {run.workspace.hub_env} from your copy.",
        )
    write_hub_config(run.workspace, replace(run.hub, key=key.to_text()))
    reload_hub()


# -- 5 worker


def _worker_holds(run: Run) -> bool:
    return workers.worker_is_well(run.hub) and workers.worker_is_current()


def _make_worker(run: Run) -> str:
    if not workers.worker_is_current():
        workers.stop_worker(run.hub)
    return f"process {workers.start_worker(run.hub)['pid']}"


# -- 6 sandbox account


def _sandbox_holds(run: Run) -> bool:
    run.web_url = sandbox.find_sandbox_url(run.hub)
    account = _sandbox_account()
    if run.web_url is None or account is None or not account.base_url.startswith(f"{run.web_url}/"):
        return False
    try:
        adapter = open_adapter(account, now=timezone.now())
        try:
            adapter.fetch_profile()
        finally:
            adapter.close()
    except (PlatformError, NotReady):
        return False
    return True


def _make_sandbox(run: Run) -> str:
    url, _ = sandbox.start_sandbox(run.hub)
    account = connecting.connect_sandbox(platform="x", sandbox_url=url, now=timezone.now())
    return f"{account} at {url}"


def _sandbox_account() -> Account | None:
    return Account.objects.filter(
        is_sandbox=True, platform="x", status=Account.Status.ACTIVE, handle=connecting.SANDBOX_HANDLE
    ).first()


# -- 7 proof


def _proof_holds(run: Run) -> bool:
    post = _last_proof()
    if post is None or post.status != Status.PUBLISHED:
        return False
    adapter = open_adapter(post.account, now=timezone.now())
    try:
        seen = adapter.fetch_posts([post.platform_post_id])
    finally:
        adapter.close()
    run.proof = {
        "post_id": str(post.id),
        "platform_post_id": post.platform_post_id,
        "url": post.url,
        "lateness_ms": post.lateness_ms,
        "read_back": bool(seen),
    }
    return bool(seen)


def _make_proof(run: Run) -> str:
    """Schedule a post two seconds ahead and wait until the worker has published it; one that is under way is waited for."""
    post = _last_proof()
    if post is None or post.status not in (Status.SCHEDULED, Status.PUBLISHING):
        post = _schedule_proof()
    ended = posts.wait_for_post(str(post.id), timeout_seconds=PROOF_SECONDS)
    if ended.status != Status.PUBLISHED:
        raise NotReady(
            f"The proof post is {ended.status}: {ended.error_message}",
            code="setup.proof_failed",
            next_command=f"psn_post why {post.id}",
        )
    return f"published {ended.lateness_ms} ms after its time: {ended.url}"


def _schedule_proof() -> Post:
    account = _sandbox_account()
    if account is None:
        raise NotReady(
            "There is no sandbox account yet.", code="setup.no_sandbox", next_command="psn_setup --from sandbox"
        )
    when = timezone.now() + PROOF_AHEAD
    text = f"PSN is set up. This post was scheduled for {when:%H:%M:%S} UTC on {when:%Y-%m-%d}, and my own worker published it."
    with transaction.atomic():
        post, _ = posts.create_post(account=str(account.id), parts=[drafts.DraftPart(text)], at=when, approve=True)
        AuditEntry.objects.create(
            user_id=post.user_id, actor="setup", action=PROOF, subject="post", subject_id=str(post.id)
        )
    return post


def _last_proof() -> Post | None:
    """The proof post of the account that is connected now; an older account's proves nothing."""
    entry = AuditEntry.objects.filter(action=PROOF, subject="post").order_by("-at").first()
    account = _sandbox_account()
    if entry is None or account is None:
        return None
    return Post.objects.select_related("account").filter(id=entry.subject_id, account_id=account.id).first()


STEPS = (
    Step("environment", "Preparing the workspace", _environment_holds, _make_environment),
    Step("hub", "Creating your hub", _hub_holds, _make_hub),
    Step("schema", "Creating tables and their policies", _schema_holds, _make_schema),
    Step("config", "Making keys and config files", _config_holds, _make_config),
    Step("worker", "Starting the worker", _worker_holds, _make_worker),
    Step("sandbox", "Connecting a sandbox account", _sandbox_holds, _make_sandbox),
    Step("proof", "Publishing a post as proof", _proof_holds, _make_proof),
)
