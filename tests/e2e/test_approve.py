"""A company's posts from draft to platform, over the yes of somebody else, on computers of their own (POST-4, POST-5, TEAM-2)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.e2e.companies import Company, another_workspace, found, join
from tests.e2e.workspace import Outcome, Workspace
from tests.servers import need_server

HANDLE = "acme_says"
SOON = "+25s"  # time enough for three commands on a busy machine


@dataclass(frozen=True)
class Firm:
    """A company's hub with its worker on the admin's computer, an approver (Bob) and a member (Mia) on theirs."""

    company: Company
    bob: Workspace
    mia: Workspace

    @property
    def hub(self) -> tuple[str, str]:
        return ("--hub", self.company.slug)

    @property
    def admin(self) -> Workspace:
        return self.company.admin

    def set_policy(self, policy: str) -> None:
        """Have the admin set by which rules posts go out."""
        self.admin.ok("psn_team", "policy", policy, *self.hub)

    def claim_days(self) -> None:
        """Let Mia have today and tomorrow, which a test may run into."""
        today = datetime.now(UTC).date()
        for day in (today, today + timedelta(days=1)):
            self.mia.ok("psn_calendar", "claim", str(day), "x", *self.hub)

    def create(self, text: str, *more: str, by: Workspace | None = None) -> Outcome:
        """Draft a post on a member's computer."""
        account = f"x:@{HANDLE}"
        return (by or self.mia).run("psn_post", "create", "--account", account, "--text", text, *more, *self.hub)

    def approve_shown(self, post: str) -> Outcome:
        """Let Bob look at a post, and run what he is told to run when he says yes."""
        shown = self.bob.run("psn_approve", "show", post, *self.hub)
        assert shown.exit_code == 0, shown.result
        return run_as_it_stands(self.bob, shown.result["next_action"]["options"][0]["command"])

    def texts(self) -> list[str]:
        """What the platform shows, oldest first."""
        shown = self.admin.ok("psn_sandbox", "posts", "--limit", "1000", *self.hub)["posts"]
        return [post["text"] for post in reversed(shown)]


def run_as_it_stands(workspace: Workspace, command: str, *, stdin: bytes = b"") -> Outcome:
    """Run a command that another one proposed, word for word."""
    program, manage, *arguments = command.split()
    assert (program, manage) == ("python3", "manage.py")
    return workspace.run(*arguments, stdin=stdin)


@pytest.fixture(scope="module")
def firm() -> Iterator[Firm]:
    with ExitStack() as stack:
        company = stack.enter_context(found(need_server("18"), "--timezone", "UTC"))
        bob, mia = stack.enter_context(another_workspace()), stack.enter_context(another_workspace())
        for workspace, name, role in ((bob, "Bob", "approver"), (mia, "Mia", "member")):
            joined = join(workspace, company.invite(name, "--role", role))
            assert joined.exit_code == 0, joined.result
        firm = Firm(company, bob, mia)
        company.admin.ok("psn_account", "connect", "x", "--sandbox", "--handle", HANDLE, *firm.hub)
        company.admin.ok("psn_worker", "start", *firm.hub)
        yield firm


def ids(listed: list[dict[str, Any]]) -> list[str]:
    return [one["post"]["id"] for one in listed]


class TestAPostOfACompany:
    def test_goes_out_once_an_approver_said_yes_to_what_was_shown(self, firm: Firm) -> None:
        firm.set_policy("approval")
        firm.claim_days()
        made = firm.create("Our news", "--at", SOON, "--approve")
        assert (made.exit_code, made.code) == (6, "approval.needed")
        post = made.result["data"]["post"]
        assert (post["status"], post["author"]) == ("pending_approval", "Mia")
        assert "Bob" in made.result["next_action"]["ask"]

        (waiting,) = firm.bob.ok("psn_approve", "list", *firm.hub)["waiting"]
        assert (waiting["post"]["id"], waiting["post"]["author"]) == (post["id"], "Mia")
        assert (waiting["may_approve"], waiting["due"]) == (True, "near")
        assert ids(firm.mia.ok("psn_approve", "list", *firm.hub)["waiting_for_others"]) == [post["id"]]

        approved = firm.approve_shown(post["id"])
        assert approved.data["counts"] == {"approved": 1, "refused": 0}
        assert firm.mia.run("psn_post", "wait", post["id"], "--timeout", "60", *firm.hub).exit_code == 0
        assert firm.texts().count("Our news") == 1
        told = firm.mia.ok("psn_post", "notices", *firm.hub)["notices"]
        assert [notice["code"] for notice in told if notice["post_id"] == post["id"]] == ["approve.approved"]

    def test_comes_back_with_a_reason_and_goes_out_changed(self, firm: Firm) -> None:
        firm.set_policy("approval")
        firm.claim_days()
        post = firm.create("Buy now, fools", "--at", "+60s").data["post"]["id"]
        shown = firm.bob.run("psn_approve", "show", post, *firm.hub)
        reject = shown.result["next_action"]["options"][1]["command"]
        reason = 'Nobody is a fool.\nSay it "kindly".'
        assert run_as_it_stands(firm.bob, reject, stdin=reason.encode()).data["post"]["status"] == "draft"

        why = firm.mia.run("psn_post", "why", post, *firm.hub)
        assert "Bob sent it back" in why.data["summary"]
        assert (why.data["verdicts"][0]["verdict"], why.data["verdicts"][0]["feedback"]) == ("rejected", reason)
        edited = firm.mia.run("psn_post", "edit", post, "--text", "Buy now, friends", "--approve", *firm.hub)
        assert (edited.exit_code, edited.result["data"]["post"]["status"]) == (6, "pending_approval")
        (change,) = firm.bob.ok("psn_approve", "show", post, *firm.hub)["changes"]
        assert [(piece["fate"], piece["text"]) for piece in change["pieces"]] == [
            ("same", "Buy now, "), ("removed", "fools"), ("added", "friends"),
        ]  # fmt: skip
        firm.approve_shown(post)
        assert firm.mia.ok("psn_post", "show", post, *firm.hub)["post"]["status"] in (
            "scheduled",
            "publishing",
            "published",
        )
        firm.mia.ok("psn_post", "cancel", post, *firm.hub)

    def test_goes_out_by_one_command_where_authors_decide(self, firm: Firm) -> None:
        firm.set_policy("free")
        post = firm.create("Said freely").data["post"]["id"]
        firm.mia.ok("psn_post", "publish", post, "--approve", *firm.hub)
        assert firm.mia.run("psn_post", "wait", post, "--timeout", "60", *firm.hub).exit_code == 0
        assert firm.texts().count("Said freely") == 1

    def test_says_which_day_its_author_must_claim(self, firm: Firm) -> None:
        firm.set_policy("calendar")
        at = (datetime.now(UTC) + timedelta(days=40)).replace(hour=12)
        made = firm.create("On a day of mine", "--at", at.isoformat(), "--approve")
        assert (made.exit_code, made.code) == (1, "approve.no_slot")
        assert made.next_command is not None
        assert run_as_it_stands(firm.mia, made.next_command).exit_code == 0
        post = made.result["data"]["post"]["id"]
        assert firm.mia.ok("psn_post", "schedule", post, "--approve", *firm.hub)["post"]["status"] == "scheduled"
        firm.mia.ok("psn_post", "cancel", post, *firm.hub)


class TestAYes:
    def test_to_what_was_changed_meanwhile_is_refused(self, firm: Firm) -> None:
        firm.set_policy("free")
        post = firm.create("First words", "--at", "+1d").data["post"]
        firm.mia.ok("psn_post", "edit", post["id"], "--text", "Other words", *firm.hub)
        arguments = ("psn_approve", "approve", post["id"], "--content-hash", post["content_hash"], *firm.hub)
        firm.bob.refused(*arguments, code="post.changed", exit_code=7)
        firm.mia.ok("psn_post", "cancel", post["id"], *firm.hub)

    def test_to_all_counts_and_takes_only_what_the_list_showed(self, firm: Firm) -> None:
        firm.set_policy("free")
        posts = [firm.create(f"One of several {number}", "--at", "+2d").data["post"]["id"] for number in range(2)]
        listed = firm.bob.ok("psn_approve", "list", *firm.hub)
        approve = ("psn_approve", "approve", "--all", "--content-hash", listed["content_hash"], *firm.hub)
        rehearsed = firm.bob.ok(*approve, "--dry-run")
        assert (rehearsed["counts"], rehearsed["dry_run"]) == ({"approved": 2, "refused": 0}, True)
        assert sorted(ids(firm.bob.ok("psn_approve", "list", *firm.hub)["waiting"])) == sorted(posts)
        late = firm.create("Slipped in", "--at", "+2d").data["post"]["id"]
        firm.bob.refused(*approve, code="approve.list_changed", exit_code=7)
        firm.mia.ok("psn_post", "cancel", late, *firm.hub)
        assert firm.bob.ok(*approve)["counts"] == {"approved": 2, "refused": 0}
        for post in posts:
            firm.mia.ok("psn_post", "cancel", post, *firm.hub)

    @pytest.mark.parametrize(
        "arguments",
        [
            ("approve",),
            ("approve", "--all"),
            ("approve", "x", "--all", "--content-hash", "y"),
            ("reject", "x"),
            ("reject", "x", "--feedback", "a", "--stdin"),
        ],
        ids=lambda value: " ".join(value),
    )
    def test_that_says_too_little_is_no_yes(self, firm: Firm, arguments: tuple[str, ...]) -> None:
        outcome = firm.bob.run("psn_approve", *arguments, *firm.hub)
        assert outcome.exit_code == 2, outcome.result


class TestAMember:
    def test_changes_no_colleagues_post(self, firm: Firm) -> None:
        firm.set_policy("free")
        post = firm.create("Mine", "--at", "+1d").data["post"]["id"]
        for deed in (("edit", post, "--text", "Yours"), ("schedule", post, "--at", "+2d"), ("cancel", post)):
            refused = firm.bob.refused("psn_post", *deed, *firm.hub, code="post.not_author", exit_code=1)
            assert "Mia" in refused.result["error"]["message"]
        firm.mia.ok("psn_post", "cancel", post, *firm.hub)

    @pytest.mark.parametrize(
        "command",
        [
            ("psn_account", "connect", "x", "--sandbox"),
            ("psn_account", "cap", f"x:@{HANDLE}", "3"),
            ("psn_account", "disconnect", f"x:@{HANDLE}"),
            ("psn_post", "resolve", "x", "--not-published"),
            ("psn_config", "keys", "list"),
            ("psn_sandbox", "start"),
        ],
        ids=lambda command: " ".join(command[:3]),
    )
    def test_is_told_where_the_workers_work_is_done(self, firm: Firm, command: tuple[str, ...]) -> None:
        refused = firm.mia.refused(*command, *firm.hub, code="team.worker_only", exit_code=1)
        assert "WORKER_URL" in refused.result["next_action"]["ask"]

    def test_sees_the_account_and_nothing_of_its_grant(self, firm: Firm) -> None:
        shown = firm.mia.ok("psn_account", "show", f"x:@{HANDLE}", *firm.hub)
        assert (shown["account"]["status"], shown["grant"]) == ("active", None)
        assert firm.admin.ok("psn_account", "show", f"x:@{HANDLE}", *firm.hub)["grant"] is not None


class TestAPersonalHub:
    def test_has_its_desk_too(self, ready: Workspace, account: str) -> None:
        made = ready.ok("psn_post", "create", "--account", f"@{account}", "--text", "Mine alone", "--at", "+3d")["post"]
        listed = ready.ok("psn_approve", "list")
        assert (made["id"] in ids(listed["waiting"]), listed["company"], made["author"]) == (True, None, None)
        shown = ready.run("psn_approve", "show", made["id"])
        yes, no = (option["command"] for option in shown.result["next_action"]["options"])
        assert run_as_it_stands(ready, no, stdin=b"Not yet.").data["post"]["status"] == "draft"
        again = ready.ok("psn_post", "edit", made["id"], "--text", "Mine alone, again", "--approve")["post"]
        assert (again["status"], again["scheduled_at"]) == ("scheduled", made["scheduled_at"])
        ready.refused(*yes.split()[2:], code="post.changed", exit_code=7)
        ready.ok("psn_post", "cancel", made["id"])
