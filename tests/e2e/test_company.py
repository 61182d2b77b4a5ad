"""Two people with hubs of their own, a company's between them, and the way of a post from one to the other (TEAM-1, TEAM-2, POST-5)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from tests import media_files
from tests.e2e.companies import Company, found, join
from tests.e2e.workspace import Workspace, set_up_workspace
from tests.servers import need_server


@pytest.fixture(scope="module")
def bob() -> Iterator[Workspace]:
    """Somebody who has a hub of their own already."""
    with set_up_workspace() as workspace:
        yield workspace


@pytest.fixture(scope="module")
def company(bob: Workspace) -> Iterator[Company]:
    """A company's hub, made by somebody with a hub of their own, with its worker and an account."""
    with ExitStack() as stack:
        made = stack.enter_context(found(need_server("18")))
        admin, hub = made.admin, ("--hub", made.slug)
        admin.ok("psn_setup")
        admin.ok("psn_worker", "start", *hub)
        stack.callback(admin.run, "psn_worker", "stop", *hub)
        admin.ok("psn_sandbox", "start", *hub)
        stack.callback(admin.run, "psn_sandbox", "stop", *hub)
        admin.ok("psn_account", "connect", "x", "--sandbox", *hub)
        yield made


@pytest.mark.slow
class TestACompanysPost:
    def test_goes_from_one_persons_draft_over_anothers_yes_to_the_platform_until_the_author_is_removed(
        self, company: Company, bob: Workspace
    ) -> None:
        admin, hub = company.admin, ("--hub", company.slug)
        admin.ok("psn_team", "policy", "approval", *hub)
        joined = join(bob, company.invite("Bob")).data
        assert joined["you"] == joined["you"] | {"name": "Bob", "role": "member"}

        when = datetime.now(UTC) + timedelta(seconds=30)
        for day in {when.date(), (when + timedelta(minutes=1)).date()}:
            bob.ok("psn_calendar", "claim", str(day), "x", *hub)
        picture = media_files.jpeg()
        drafted = bob.run(
            "psn_post", "create", "--account", "x:@sandbox", "--text", "Of the company", "--media", str(picture),
            "--at", when.isoformat(), *hub,
        )  # fmt: skip
        post = drafted.data["post"]
        assert post["status"] == "pending_approval"
        own = bob.refused("psn_approve", "approve", post["id"], *hub, code="approve.not_approver", exit_code=1)
        assert own.result["ok"] is False

        (waiting,) = admin.ok("psn_approve", "list", *hub)["waiting"]
        assert (waiting["post"]["id"], waiting["may_approve"]) == (post["id"], True)
        seen = waiting["post"]["content_hash"]
        admin.ok("psn_approve", "approve", post["id"], "--content-hash", seen, *hub)
        ended = bob.run("psn_post", "wait", post["id"], *hub).data["post"]
        assert ended["status"] == "published"

        (live,) = [
            shown for shown in admin.ok("psn_sandbox", "posts", *hub)["posts"] if shown["text"] == "Of the company"
        ]
        assert len(live["media"]) == 1, "the picture came from the author's computer to the worker's"
        assert [shown["id"] for shown in bob.ok("psn_post", "list")["posts"]] != [post["id"]], (
            "it is in the company's hub alone"
        )
        assert "Of the company" not in str(bob.ok("psn_post", "list")["posts"])

        with company.connect(bob) as session:
            assert session.execute("SELECT count(*) FROM posts").fetchone() == (1,)
            removed = company.team("remove", "Bob").data
            assert removed["member"]["name"] == "Bob"
            with pytest.raises(psycopg.Error) as refused:
                session.execute("SELECT count(*) FROM posts")
            assert refused.value.sqlstate in ("42501", "57P01", None), refused.value
        gone = bob.run("psn_post", "list", *hub)
        assert (gone.exit_code, gone.result["ok"]) in ((1, False), (3, False), (4, False)), gone.result
        assert bob.run("psn_post", "list").exit_code == 0, "what is their own stays"


@pytest.mark.slow
class TestMigrating:
    def test_covers_every_hub_whose_owner_is_here_and_says_who_must_for_the_others(
        self, company: Company, bob: Workspace
    ) -> None:
        (own, of_company) = company.admin.ok("psn_migrate", "--dry-run")["hubs"]
        assert (own["name"], own["state"]) == ("personal", "current")
        assert (of_company["name"], of_company["state"]) == (company.slug, "current")

        join(bob, company.invite("Bob again"))
        newest = "DELETE FROM django_migrations WHERE app = 'hub' AND name = '0010_joining' RETURNING name"
        assert company.count(f"WITH gone AS ({newest}) SELECT count(*) FROM gone") == 1
        try:
            (_, behind) = bob.ok("psn_migrate")["hubs"]
            assert (behind["state"], behind["migrations"]) == ("somebody_else", ["hub.0010_joining"])
            assert "an admin of the team" in behind["message"]
        finally:
            again = "INSERT INTO django_migrations (app, name, applied) VALUES ('hub', '0010_joining', now()) RETURNING name"
            company.count(f"WITH back AS ({again}) SELECT count(*) FROM back")
