"""A company's hub on a real server, and its people one after the other at this process's keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import psycopg
from django.conf import settings
from django.db import connections

from hub.models import Account, Post, User
from psn.config.hub import HubConfig
from psn.settings import load_databases
from tests.factories import OWNER, make_account
from tests.servers import need_server
from tests.teams.company import Company, Member, make_company

PEOPLE = {"bob": "approver", "mia": "member", "tom": "member"}
_OF_POSTS = "posts, post_parts, post_media, attempts, approvals, notices, slots, audit_log, media_chunks, accounts, oauth_tokens"


@dataclass(frozen=True)
class Team:
    """A company's people: `ann` is its admin, `bob` an approver, `mia` and `tom` are members."""

    company: Company
    people: dict[str, Member]

    @contextmanager
    def at_keyboard(self, name: str, *, worker: bool = True) -> Iterator[User]:
        """Let everything inside run as a process of a member's computer would.

        Args:
            worker: whether that computer may run the hub's worker, too.
        """
        member = self.people[name]
        own = self.company.config.url("worker").with_login(member.login, member.password)
        urls = {**self.company.config.urls, "app": own}
        if not worker:
            del urls["worker"]
        config = replace(self.company.config, urls=urls, folder=settings.WORKSPACE.root)
        with _switched(config):
            yield User.objects.get(id=member.id)

    def set_policy(self, policy: str, *, self_approval: bool = False) -> None:
        """Change the company's rules, past everybody."""
        self.execute("UPDATE companies SET posting_policy = %s, self_approval = %s", policy, self_approval)

    def claim(self, name: str, on: date, *, platform: str = "x") -> None:
        """Give a member a slot, past everybody."""
        columns = "id, user_id, on, platform, claimed_by_id".replace("on", '"on"')
        self.execute(
            f"INSERT INTO slots ({columns}) VALUES (gen_random_uuid(), %s, %s, %s, %s)",
            self.company.id, on, platform, self.people[name].id,
        )  # fmt: skip

    def connect_account(self, **values: Any) -> Account:
        """Give the company a connected account."""
        with self.at_keyboard("ann"):
            return make_account(User(id=self.company.id), **values)

    def forget_posts(self) -> None:
        """Empty the company's hub of everything but its people."""
        self.execute(f"TRUNCATE {_OF_POSTS}, django_q_ormq")

    def execute(self, statement: str, *values: Any) -> None:
        """Run a statement past every policy."""
        with self.company.enter_as_superuser() as everything:
            everything.execute(statement, values)

    def ask(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Read past every policy."""
        with self.company.enter_as_superuser() as everything:
            return everything.execute(query, values).fetchall()

    def enter(self, name: str) -> psycopg.Connection[Any]:
        """Connect as a member with the bare driver: what a hostile client can do."""
        return self.company.enter(self.people[name])

    def read(self, post: Post) -> Post:
        """Read a post as it is now, with its account and author."""
        return Post.objects.select_related("account", "author").get(id=post.id)

    def bells(self) -> list[str]:
        """What waits in the queue."""
        return [payload for (payload,) in self.ask("SELECT payload FROM django_q_ormq")]


@contextmanager
def make_team(slug: str) -> Iterator[Team]:
    """Make a company's hub with four people; skips where there is no server."""
    with make_company(need_server("18"), slug=slug) as company:
        people = {name: company.join(name.title(), role) for name, role in PEOPLE.items()}
        yield Team(company, {"ann": company.ann, **people})


@contextmanager
def _switched(config: HubConfig) -> Iterator[None]:
    """Work on another hub, and come back."""
    before = settings.HUB, settings.HUB_SLUG, settings.DATABASES
    _work_on(config, config.slug, load_databases(config))
    try:
        yield
    finally:
        _work_on(*before)


def _work_on(hub: HubConfig | None, slug: str, databases: dict[str, Any]) -> None:
    connections.close_all()
    settings.HUB, settings.HUB_SLUG, settings.DATABASES = hub, slug, databases
    connections.settings = connections.configure_settings(databases)
    for alias in {*databases, "default", "queue", OWNER}:
        if hasattr(connections._connections, alias):  # type: ignore[attr-defined]  # as the product's own switch does
            del connections[alias]
