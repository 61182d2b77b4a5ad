"""One idea for every platform at once, through the command line and the real worker, and away again (PLAT-1, POST-2)."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from psn.platforms.registry import get_platform, platform_names
from tests import media_files
from tests.e2e.workspace import Outcome, Workspace, new_handle

NAMES = platform_names()
TIKTOK = ["--option", "tiktok.format=direct", "--option", "tiktok.visibility=PUBLIC_TO_EVERYONE"]
TEXT = "One video for all of them."
OTHER_TEXT = "The same video, in words for professionals."


@pytest.fixture(scope="module")
def accounts(shared: Workspace) -> dict[str, dict[str, Any]]:
    """An account on every platform."""
    handle = new_handle("all").replace("_", "")  # every platform would take it
    connect = ["psn_account", "connect"]
    return {name: shared.ok(*connect, name, "--sandbox", "--handle", handle)["account"] for name in NAMES}


@pytest.fixture(scope="module")
def campaign(shared: Workspace, accounts: dict[str, dict[str, Any]]) -> Outcome:
    """A video, written once, for all of them at once."""
    named = [word for account in accounts.values() for word in ("--account", account["id"])]
    content = ["--text", TEXT, "--text-for", accounts["linkedin"]["id"], OTHER_TEXT, "--media", str(media_files.mp4())]
    return shared.run("psn_post", "create", *named, *content, *TIKTOK, "--at", "+1s", "--approve")


@pytest.fixture(scope="module")
def posts(campaign: Outcome) -> dict[str, str]:
    """The posts of the campaign by platform, by their id."""
    return {one["post"]["platform"]: one["post"]["id"] for one in campaign.data["variants"]}


class TestACampaign:
    def test_makes_one_post_for_each_account(self, campaign: Outcome, posts: dict[str, str]) -> None:
        assert posts.keys() == set(NAMES)
        assert {one["post"]["status"] for one in campaign.data["variants"]} == {"scheduled"}
        texts = {one["post"]["platform"]: one["post"]["parts"][0]["text"] for one in campaign.data["variants"]}
        assert texts == dict.fromkeys(NAMES, TEXT) | {"linkedin": OTHER_TEXT}

    @pytest.mark.parametrize("name", NAMES)
    def test_is_published_looked_at_and_taken_down(
        self, shared: Workspace, posts: dict[str, str], accounts: dict[str, dict[str, Any]], name: str
    ) -> None:
        post, abilities = posts[name], get_platform(name).abilities
        live = partial(find_live, shared, accounts[name])
        assert shared.ok("psn_post", "wait", post, "--timeout", "90")["post"]["status"] == "published"
        (shown,) = live()
        assert [media["mime_type"] for media in shown["media"]] == ["video/mp4"]
        (part,) = shared.ok("psn_post", "preview", post)["parts"]
        assert (part["shown"], part["media"][0]["kind"]) == (OTHER_TEXT if name == "linkedin" else TEXT, "video")
        if "metrics" in abilities:
            (numbers,) = shared.ok("psn_post", "metrics", post)["parts"]
            assert all(count >= 0 for count in numbers["metrics"].values())
        if "delete" not in abilities:
            shared.refused("psn_post", "delete", post, code="platform.cannot", exit_code=5)
            return
        assert shared.ok("psn_post", "delete", post, "--dry-run")["dry_run"] is True
        assert len(live()) == 1
        shared.ok("psn_post", "delete", post)
        wait_until(lambda: live() == [])


def find_live(workspace: Workspace, account: dict[str, Any]) -> list[dict[str, Any]]:
    """Find what people see of an account."""
    handle = account["handle"].removeprefix("@")
    found: list[dict[str, Any]] = workspace.ask_sandbox("posts", platform=account["platform"], handle=handle, limit="9")
    return found


def wait_until(true: Callable[[], bool]) -> None:
    """Wait until something is so."""
    give_up = time.monotonic() + 30
    while not true():
        assert time.monotonic() < give_up, "it was never so"
        time.sleep(0.05)
