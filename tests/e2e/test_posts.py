"""Posts through the command line, sent by the real worker to the sandbox over real HTTP (PUB, POST-4)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.workspace import WEB, Outcome, Workspace
from tests.sandbox.files import make_png

Create = Callable[..., str]


def show(workspace: Workspace, post: str) -> dict[str, Any]:
    shown: dict[str, Any] = workspace.ok("psn_post", "show", post)["post"]
    return shown


def wait(workspace: Workspace, post: str, *, seconds: float = 40) -> Outcome:
    return workspace.run("psn_post", "wait", post, "--timeout", str(seconds))


def texts_at(workspace: Workspace, account: str) -> list[str]:
    return [post["text"] for post in workspace.sandbox_posts(account)]


def notices_of(workspace: Workspace, post: str) -> list[dict[str, Any]]:
    """What PSN told about a post and nobody has seen yet."""
    listed = workspace.ok("psn_post", "notices", "--limit", "200")["notices"]
    return [notice for notice in listed if notice["post_id"] == post]


class TestADraft:
    def test_has_the_shape_that_scripts_rely_on(self, ready: Workspace, account: str, create: Create) -> None:
        post = show(ready, create("Shape"))
        part = {"index": 0, "text": "Shape", "media": [], "platform_post_id": None, "url": None}
        assert (post["account"], post["platform"], post["status"], post["parts"]) == (
            f"@{account}",
            "x",
            "draft",
            [part],
        )
        nothing = ("scheduled_at", "published_at", "lateness_ms", "url", "error")
        assert {name: post[name] for name in nothing} == dict.fromkeys(nothing)
        assert len(post["content_hash"]) == 64

    def test_says_what_comes_next(self, ready: Workspace, account: str) -> None:
        outcome = ready.run("psn_post", "create", "--account", f"@{account}", "--text", "Next")
        post = outcome.data["post"]
        approve = f"psn_post approve {post['id']} --content-hash {post['content_hash']}"
        assert outcome.next_command == f"python3 manage.py {approve}"
        assert outcome.result["next_action"]["needs"] == "human"

    @pytest.mark.parametrize("source", ["stdin", "file"])
    def test_takes_text_without_a_shell_in_between(
        self, ready: Workspace, account: str, source: str, tmp_path: Path
    ) -> None:
        text = "$(rm -rf /) `id` \"quotes\" 'and' \\n ñ 日本 🎉\nsecond line"
        (tmp_path / "post.txt").write_text(f"{text}\n")
        where = ["--stdin"] if source == "stdin" else ["--file", str(tmp_path / "post.txt")]
        stdin = f"{text}\n".encode() if source == "stdin" else b""
        post = ready.ok("psn_post", "create", "--account", f"@{account}", *where, stdin=stdin)["post"]
        assert post["parts"][0]["text"] == text

    def test_is_replaced_by_an_edit_and_passes_the_check(self, ready: Workspace, create: Create) -> None:
        post = create("Before")
        edited = ready.ok("psn_post", "edit", post, "--text", "After", "--part", "And more")["post"]
        assert ([part["text"] for part in edited["parts"]], edited["status"]) == (["After", "And more"], "draft")
        assert ready.ok("psn_post", "check", post)["post"]["id"] == post


class TestDryRuns:
    def test_leave_nothing_behind(self, ready: Workspace, account: str, create: Create, tmp_path: Path) -> None:
        image = tmp_path / "a.png"
        image.write_bytes(make_png(colour=(1, 2, 3)))
        post = create("Only looking")
        before = show(ready, post)
        media = sorted((ready.root / "content" / "media").iterdir())
        new = ["create", "--account", f"@{account}", "--text", "x", "--at", "+1h", "--approve", "--media", str(image)]
        for arguments, status in (
            (new, "scheduled"),
            (["edit", post, "--text", "y"], "draft"),
            (["approve", post], "approved"),
            (["schedule", post, "--at", "+1h", "--approve"], "scheduled"),
            (["publish", post, "--approve"], "scheduled"),
            (["cancel", post], "cancelled"),
        ):
            data = ready.ok("psn_post", *arguments, "--dry-run")
            assert (data["dry_run"], data["post"]["status"]) == (True, status)
        assert show(ready, post) == before
        listed = ready.ok("psn_post", "list", "--account", f"@{account}")["posts"]
        assert [found["id"] for found in listed] == [post]
        assert sorted((ready.root / "content" / "media").iterdir()) == media
        assert ready.ok("psn_worker", "status")["scheduled"] == 0


class TestListing:
    def test_gives_every_post_once_page_by_page(self, ready: Workspace, account: str, create: Create) -> None:
        made = [create(f"Page {number}") for number in range(5)]
        seen: list[str] = []
        more: list[str] = []
        while len(seen) < 10:
            page = ready.ok("psn_post", "list", "--account", f"@{account}", "--limit", "2", *more)
            seen += [post["id"] for post in page["posts"]]
            if page["next_before"] is None:
                break
            more = ["--before", page["next_before"]]
        assert seen == made[::-1]

    def test_can_be_narrowed_by_status(self, ready: Workspace, account: str, create: Create) -> None:
        create("Stays")
        gone = create("Goes")
        ready.ok("psn_post", "cancel", gone)
        listed = ready.ok("psn_post", "list", "--account", f"@{account}", "--status", "cancelled")["posts"]
        assert [post["id"] for post in listed] == [gone]


class TestApproval:
    def test_and_a_time_make_a_schedule_in_either_order(self, ready: Workspace, create: Create) -> None:
        asked = create("Asked first")
        refused = ready.refused("psn_post", "schedule", asked, "--at", "+1h", code="approval.needed", exit_code=6)
        assert refused.next_command == f"python3 manage.py psn_post approve {asked}"
        assert refused.result["next_action"]["needs"] == "human"
        assert show(ready, asked)["status"] == "pending_approval"
        assert ready.ok("psn_post", "approve", asked)["post"]["status"] == "scheduled"
        approved = create("Approved first")
        assert ready.ok("psn_post", "approve", approved)["post"]["status"] == "approved"
        assert ready.ok("psn_post", "schedule", approved, "--at", "+1h")["post"]["status"] == "scheduled"

    def test_is_void_after_an_edit(self, ready: Workspace, create: Create) -> None:
        post = create("Approved text", "--at", "+1h", "--approve")
        edited = ready.ok("psn_post", "edit", post, "--text", "Other text")["post"]
        assert (edited["status"], edited["approved"]) == ("pending_approval", False)
        ready.refused("psn_post", "schedule", post, "--at", "+2h", code="approval.needed", exit_code=6)

    def test_for_one_time_is_none_for_another(self, ready: Workspace, create: Create) -> None:
        post = create("At its time", "--at", "+1h", "--approve")
        ready.refused("psn_post", "schedule", post, "--at", "+2h", code="approval.needed", exit_code=6)
        assert show(ready, post)["approved"] is False

    def test_is_asked_for_before_anything_is_sent(self, ready: Workspace, account: str, create: Create) -> None:
        post = create("Not yet")
        before = show(ready, post)
        ready.refused("psn_post", "publish", post, code="approval.needed", exit_code=6)
        assert show(ready, post) == before
        assert ready.commits(account) == []


class TestPublishing:
    def test_sends_a_thread_with_a_picture_in_order(self, ready: Workspace, account: str, tmp_path: Path) -> None:
        image = tmp_path / "a name with spaces.png"
        image.write_bytes(make_png())
        post = ready.ok(
            "psn_post", "create", "--account", f"@{account}", "--text", "One", "--part", "Two", "--part", "Three",
            "--media", str(image), "--alt", "A blue square", "--at", "+1s", "--approve",
        )["post"]  # fmt: skip
        image.unlink()  # what was approved lies in the workspace
        done = wait(ready, post["id"]).data["post"]
        assert (done["status"], done["approved"], done["error"]) == ("published", True, None)
        assert 0 <= done["lateness_ms"] < 5000
        shown = ready.sandbox_posts(account)
        assert [(each["text"], each["in_reply_to"]) for each in shown] == [
            ("One", None), ("Two", shown[0]["id"]), ("Three", shown[1]["id"]),
        ]  # fmt: skip
        assert [part["platform_post_id"] for part in done["parts"]] == [each["id"] for each in shown]
        assert [(media["mime_type"], media["alt_text"]) for media in shown[0]["media"]] == [
            ("image/png", "A blue square")
        ]
        assert "One" in WEB.get(done["url"]).text
        attempts = ready.ok("psn_post", "attempts", post["id"])["attempts"]
        assert [attempt["kind"] for attempt in attempts] == ["upload", "commit", "commit", "commit"]
        assert {attempt["outcome"] for attempt in attempts} == {"ok"}
        why = ready.ok("psn_post", "why", post["id"])
        assert (done["url"] in why["summary"], len(why["attempts"])) == (True, 4)

    def test_now_needs_no_time(self, ready: Workspace, account: str, create: Create) -> None:
        post = create("Right now")
        ready.ok("psn_post", "publish", post, "--approve")
        assert wait(ready, post).data["post"]["status"] == "published"
        again = ready.refused("psn_post", "publish", post, "--approve", code="post.state", exit_code=7)
        assert again.next_command == f"python3 manage.py psn_post show {post}"
        assert texts_at(ready, account) == ["Right now"]

    def test_sends_two_that_are_due_at_once_one_after_the_other(
        self, ready: Workspace, account: str, create: Create
    ) -> None:
        when = (datetime.now().astimezone() + timedelta(seconds=4)).isoformat()
        posts = [create(f"Twin {number}", "--at", when, "--approve") for number in range(2)]
        assert [wait(ready, post).data["post"]["status"] for post in posts] == ["published", "published"]
        assert sorted(texts_at(ready, account)) == ["Twin 0", "Twin 1"]
        assert [call["status"] for call in ready.commits(account)] == [201, 201]

    def test_honours_a_cancel_until_the_last_moment(self, ready: Workspace, account: str, create: Create) -> None:
        post = create("Never", "--at", "+3s", "--approve")
        assert ready.ok("psn_post", "cancel", post)["post"]["status"] == "cancelled"
        outcome = wait(ready, post)
        assert (outcome.exit_code, outcome.code) == (1, "post.cancelled")
        later = create("Later", "--at", "+4s", "--approve")
        assert wait(ready, later).exit_code == 0
        assert texts_at(ready, account) == ["Later"]
        ready.refused("psn_post", "schedule", post, "--at", "+1s", "--approve", code="post.state", exit_code=7)

    def test_goes_by_the_new_time_alone_after_a_change(self, ready: Workspace, account: str, create: Create) -> None:
        post = create("Moved", "--at", "+4s", "--approve")
        ready.ok("psn_post", "schedule", post, "--at", "+9s", "--approve")
        early = ready.refused("psn_post", "wait", post, "--timeout", "5", code="post.not_ended", exit_code=7)
        assert early.next_command == f"python3 manage.py psn_post why {post}"
        assert ready.commits(account) == []
        done = wait(ready, post).data["post"]
        assert 0 <= done["lateness_ms"] < 5000
        assert texts_at(ready, account) == ["Moved"]


class TestWhenThePlatformFails:
    def test_a_limit_is_waited_for(self, ready: Workspace, account: str, create: Create) -> None:
        ready.ok("psn_sandbox", "fault", "status", "--status", "429", "--retry-after", "2")
        post = create("Patience", "--at", "+0s", "--approve")
        assert wait(ready, post).data["post"]["status"] == "published"
        outcomes = [attempt["outcome"] for attempt in ready.ok("psn_post", "attempts", post)["attempts"]]
        assert outcomes == ["limited", "ok"]
        assert texts_at(ready, account) == ["Patience"]

    @pytest.mark.parametrize("order", ["drop_after", "garbage"])
    def test_a_lost_answer_is_found_at_the_platform_and_nothing_is_sent_twice(
        self, ready: Workspace, account: str, create: Create, order: str
    ) -> None:
        ready.ok("psn_sandbox", "fault", order)
        post = create("Found again", "--at", "+0s", "--approve")
        outcome = wait(ready, post)
        done = outcome.data["post"]
        assert (done["status"], done["error"]) == ("published", None)
        assert "post is unknown" in [line["name"] for line in outcome.lines if line["type"] == "progress"]
        assert texts_at(ready, account) == ["Found again"]
        assert len(ready.commits(account)) == 1
        why = ready.ok("psn_post", "why", post)
        assert why["is_out"] == "yes"
        assert [call["kind"] for call in why["attempts"]] == ["commit", "probe"]
        assert "no clear answer, so it may be live" in why["attempts"][0]["words"]
        assert f"it is live as {done['parts'][0]['platform_post_id']}" in why["attempts"][1]["words"]
        (notice,) = notices_of(ready, post)
        assert (notice["code"], notice["level"], notice["seen_at"]) == ("post.found", "know", None)
        assert ready.ok("psn_post", "notices", "--seen", notice["id"])["marked"] == 1
        assert notices_of(ready, post) == []

    @pytest.mark.parametrize("order", [["status", "--status", "503"], ["drop_before"]], ids=["503", "dropped before"])
    def test_an_outcome_that_nobody_knows_is_not_sent_again_but_by_a_person_s_word_and_yes(
        self, ready: Workspace, account: str, create: Create, order: list[str]
    ) -> None:
        ready.ok("psn_sandbox", "fault", *order)
        post = create("Perhaps", "--at", "+0s", "--approve")
        outcome = wait(ready, post, seconds=4)
        assert (outcome.exit_code, outcome.code, outcome.result["data"]["post"]["status"]) == (
            9,
            "publish.unknown",
            "unknown",
        )
        assert outcome.next_command == f"python3 manage.py psn_post wait {post} --timeout 600"
        why = ready.run("psn_post", "why", post)
        assert (why.data["is_out"], why.data["by_itself"]["at"] is not None) == ("maybe", True)
        assert "asks X whether it is there" in why.data["by_itself"]["what"]
        ready.refused("psn_post", "schedule", post, "--at", "+1s", "--approve", code="post.state", exit_code=7)
        rehearsed = ready.ok("psn_post", "resolve", post, "--not-published", "--dry-run")
        assert (rehearsed["post"]["status"], show(ready, post)["status"]) == ("failed", "unknown")
        assert ready.ok("psn_post", "resolve", post, "--not-published")["post"]["error"]["code"] == "post.not_published"
        again = ready.run("psn_post", "why", post)
        assert again.next_command == f"python3 manage.py psn_post schedule {post} --at +10m --approve"
        assert again.result["next_action"]["needs"] == "human"
        ready.ok("psn_post", "schedule", post, "--at", "+0s", "--approve")
        assert wait(ready, post).data["post"]["status"] == "published"
        assert texts_at(ready, account) == ["Perhaps"]

    def test_a_person_s_word_that_it_is_there_links_it(self, ready: Workspace, account: str, create: Create) -> None:
        ready.ok("psn_sandbox", "fault", "invisible", "--seconds", "600")
        ready.ok("psn_sandbox", "fault", "drop_after")
        post = create("Hidden for a while", "--at", "+0s", "--approve")
        assert wait(ready, post, seconds=4).exit_code == 9
        (shown,) = ready.sandbox_posts(account)
        url = f"{ready.sandbox_url}/x/{account}/status/{shown['id']}"
        ready.refused("psn_post", "resolve", post, "--published", url.upper(), code="url.post", exit_code=5)
        ready.refused(
            "psn_post",
            "resolve",
            post,
            "--published",
            f"https://x.com/a/status/{shown['id']}",
            code="url.foreign",
            exit_code=5,
        )
        done = ready.ok("psn_post", "resolve", post, "--published", url)["post"]
        assert (done["status"], done["parts"][0]["platform_post_id"], done["url"]) == ("published", shown["id"], url)
        ready.refused("psn_post", "resolve", post, "--not-published", code="post.state", exit_code=7)
        assert len(ready.commits(account)) == 1
        assert notices_of(ready, post) == []
        story = ready.ok("psn_post", "why", post)["story"]
        assert [line["who"] for line in story][-1] == "PSN"
        assert any(line["who"] == "you" and shown["id"] in line["what"] for line in story)

    def test_a_refusal_is_final_and_says_why(self, ready: Workspace, account: str, create: Create) -> None:
        first = create("Twice the same", "--at", "+0s", "--approve")
        assert wait(ready, first).exit_code == 0
        second = create("Twice the same", "--at", "+0s", "--approve")
        outcome = wait(ready, second)
        assert (outcome.exit_code, outcome.code) == (1, "x.duplicate")
        assert texts_at(ready, account) == ["Twice the same"]
        why = ready.ok("psn_post", "why", second)
        assert (why["is_out"], "It was not sent." in why["summary"]) == ("no", True)
        (notice,) = notices_of(ready, second)
        assert (notice["level"], notice["code"], notice["status"]) == ("act", "x.duplicate", "failed")
        assert ready.ok("psn_post", "list")["unseen_notices"] > 0
        told = ready.run("psn_post", "notices")
        assert told.result["next_action"]["needs"] == "human"
        ready.ok("psn_post", "notices", "--seen", "all")
        assert ready.ok("psn_post", "notices")["notices"] == []
        assert second in [notice["post_id"] for notice in ready.ok("psn_post", "notices", "--all")["notices"]]

    def test_a_thread_goes_on_where_it_stopped(self, ready: Workspace, account: str, create: Create) -> None:
        post = create(
            "Part one", "--part", "Part one", "--at", "+0s", "--approve"
        )  # the second is refused as a duplicate
        assert wait(ready, post).code == "x.duplicate"
        conflict = ready.refused("psn_post", "edit", post, "--text", "Other", code="post.partly_live", exit_code=7)
        assert conflict.result["next_action"]["needs"] == "human"
        assert texts_at(ready, account) == ["Part one"]


class TestAYesToWhatWasShown:
    def test_is_refused_for_what_came_after_it(self, ready: Workspace, create: Callable[..., str]) -> None:
        post = create("As it was shown", "--at", "+1h")
        shown = ready.run("psn_post", "show", post)
        assert shown.result["next_action"]["needs"] == "human"
        yes = str(shown.next_command).removeprefix("python3 manage.py ").split()
        ready.ok("psn_post", "edit", post, "--text", "As it was not shown")
        ready.refused(*yes, code="post.changed", exit_code=7)
        assert ready.ok("psn_post", "show", post)["post"]["status"] == "pending_approval"
        again = str(ready.run("psn_post", "show", post).next_command).removeprefix("python3 manage.py ").split()
        assert ready.ok(*again)["post"]["status"] == "scheduled"
        ready.ok("psn_post", "cancel", post)
