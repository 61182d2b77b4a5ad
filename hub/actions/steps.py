"""The seven steps of set-up, each `check, apply, verify` (HUB-3). A check looks at the world; it never reads a log of what was done."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from hub.actions import connecting, drafts, hubs, keys, posts, sandbox, sources, waiting, workers
from hub.actions.config import configuration
from hub.actions.people import get_me
from hub.connections import reload_hub
from hub.models import Account, AuditEntry, Post, Status
from hub.publishing.grants import open_adapter
from hub.sealing import check_opens, count_foreign
from psn.config.envfile import check_private, read_env_file
from psn.config.hub import HubConfig, find_hub_config, get_hub_config, write_hub_config
from psn.config.strategy import DEFAULT_TEXT, read_strategy
from psn.config.workspace import Workspace
from psn.crypto import Keyring, create_key
from psn.errors import Conflict, NotReady, PlatformError
from psn.providers.url import check_fit, inspect_server
from psn.times import system_zone

FREE_BYTES = 200_000_000  # an empty hub takes 50 MB; posts and logs want some room
PROOF_AHEAD = timedelta(seconds=2)
PROOF_SECONDS = 60.0
PROOF = "setup.proof"


@dataclass
class Run:
    """What one run of set-up learns on its way.

    Args:
        provider: `local`, `neon` or `url`; empty keeps the hub that is there, or makes a local one.
        read_url: asks for the address of the database, where the provider is `url`.
        ssl_root_cert: a file of certificate authorities, for a server of one's own.
        tell: hears what takes long.
        look_only: checks may not even talk to a platform, because that may renew a token.
    """

    workspace: Workspace
    provider: str = ""
    read_url: Callable[[], str] = lambda: ""
    ssl_root_cert: str = ""
    tell: Callable[[str], None] = lambda _: None
    look_only: bool = False
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


def not_writable(workspace: Workspace, error: OSError) -> NotReady:
    return NotReady(
        f"{workspace.root} cannot be written: {error.strerror}. Clone PSN into a folder of your own.",
        code="config.not_writable",
        ask=f"Give this user the right to write {workspace.root}, or clone PSN into a folder of your own.",
    )


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
        raise not_writable(run.workspace, error) from error
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
    existing = find_hub_config(run.workspace)
    if existing is not None and run.provider not in ("", existing.provider):
        raise Conflict(
            f"This workspace has a hub already: {existing.provider}, {existing.place}.",
            code="hub.exists",
            next_command=f"psn_hub move --provider {run.provider}",
        )
    provider = existing.provider if existing else run.provider or "local"
    if provider == "local":
        return f"Postgres at {hubs.create_hub(run.workspace).data}"
    source = sources.find_source(
        provider,
        workspace=run.workspace,
        project=existing.project if existing else "",
        read_url=run.read_url,
        tell=run.tell,
    )
    _check_server(run, source, existing)
    planned = existing or hubs.plan_remote_hub(
        source.admin, provider=provider, project=source.project, ssl_root_cert=run.ssl_root_cert
    )
    config = hubs.create_remote_hub(run.workspace, source.admin, planned)
    return f"Postgres at {config.place}"


def _check_server(run: Run, source: sources.Source, existing: HubConfig | None) -> None:
    """Refuse a server on which no hub can be, and a database that somebody else's hub is in."""
    if existing is not None and existing.url("owner").place != source.admin.direct().place:
        raise Conflict(
            f"config/hub.env is for the hub at {existing.place}, not at {source.admin.place}.",
            code="hub.exists",
            ask="Give the address of that server. To begin anew elsewhere, move config/hub.env away first.",
        )
    options = source.admin.options(ssl_root_cert=existing.ssl_root_cert if existing else run.ssl_root_cert)
    facts = inspect_server(options, prefix=existing.prefix if existing else "")
    check_fit(facts, company=False, loopback=source.admin.is_loopback)
    if facts.is_hub and (existing is None or facts.role_prefix != existing.prefix):
        raise Conflict(
            f"The database at {source.admin.place} has a hub already ({facts.role_prefix}).",
            code="server.other_hub",
            ask="Give a database of its own, or bring that hub's config/hub.env here.",
        )


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
    if not (run.workspace.strategy.exists() and run.workspace.keys_env.exists() and run.hub.key and run.hub.secret_key):
        return False
    check_opens()
    strategy = read_strategy(run.workspace.strategy)
    read_env_file(run.workspace.keys_env)
    me = get_me()
    if (me.name, me.timezone) != (strategy.name, strategy.timezone):
        return False
    return all(one.state == "same" for one in configuration.sync(run.workspace, dry_run=True))


def _make_config(run: Run) -> str:
    if not run.hub.key:
        _make_key(run)
    if not run.hub.secret_key:
        _make_secret_key(run)
    keys.create_keys_file(run.workspace)
    check_private(run.workspace.keys_env)
    if not run.workspace.strategy.exists():
        run.workspace.strategy.write_text(DEFAULT_TEXT.format(timezone=system_zone()), encoding="utf-8")
    configuration.sync(run.workspace)
    return f"config/hub.env, config/keys.env, config/strategy.yaml ({get_me().timezone})"


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


def _make_secret_key(run: Run) -> None:
    """Make the key that the worker signs with; nothing that is stored was signed with the lost one."""
    write_hub_config(run.workspace, replace(run.hub, secret_key=hubs.create_secret_key()))
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
    if run.look_only:
        return True
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
    run.proof = {
        "post_id": str(post.id),
        "platform_post_id": post.platform_post_id,
        "url": post.url,
        "lateness_ms": post.lateness_ms,
    }
    if run.look_only:
        return True
    adapter = open_adapter(post.account, now=timezone.now())
    try:
        run.proof["read_back"] = bool(adapter.fetch_posts([post.platform_post_id]))
    finally:
        adapter.close()
    return bool(run.proof["read_back"])


def _make_proof(run: Run) -> str:
    """Schedule a post two seconds ahead and wait until the worker has published it; one that is under way is waited for."""
    post = _last_proof()
    if post is None or post.status not in (Status.SCHEDULED, Status.PUBLISHING):
        post = _schedule_proof()
    *_, last = waiting.watch_post(str(post.id), timeout_seconds=PROOF_SECONDS)
    ended = last.post
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
        AuditEntry.objects.record(post, action=PROOF, actor="setup")
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
