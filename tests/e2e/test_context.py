"""`psn_post context` as agents use it: on a fresh clone, in a personal hub, between that and a company's (POST-1, POST-5)."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.companies import Company, found, join
from tests.e2e.workspace import Workspace, make_workspace, set_up_workspace, tree_of
from tests.media_files import mp4
from tests.servers import need_server


@pytest.fixture(scope="module")
def bea() -> Iterator[Workspace]:
    """Somebody with a personal hub, in no team."""
    with set_up_workspace() as workspace:
        yield workspace


@pytest.fixture(scope="module")
def team() -> Iterator[tuple[Company, Workspace]]:
    """A company with an account, and a member of it who has a personal hub, too."""
    mia = make_workspace()
    try:
        mia.ok("psn_setup")
        with found(need_server("18")) as company:
            assert join(mia, company.invite("Mia")).exit_code == 0
            hub = ("--hub", company.slug)
            company.admin.ok("psn_sandbox", "start", *hub)
            company.admin.ok("psn_account", "connect", "x", "--sandbox", "--handle", "acme", *hub)
            yield company, mia
            company.admin.run("psn_sandbox", "stop", *hub)
    finally:
        mia.remove()


def texts(shown: dict[str, Any]) -> list[tuple[str, str]]:
    return [(post["hub"], post["text"]) for post in shown["upcoming"]]


class TestAFreshClone:
    def test_is_told_to_set_up_with_exit_code_0_and_is_left_as_it_is(self) -> None:
        workspace = make_workspace()
        try:
            before = tree_of(workspace.folder)
            outcome = workspace.run("psn_post", "context")
            assert (outcome.data["ready"], outcome.data["persona"]) == (False, "personal")
            assert outcome.next_command == "python3 manage.py psn_setup"
            assert tree_of(workspace.folder) == before
            workspace.refused("psn_post", "list", code="hub.missing", exit_code=3)
        finally:
            workspace.remove()


class TestOnePerson:
    def test_gets_all_that_a_post_needs_in_one_document(self, bea: Workspace) -> None:
        shown = bea.ok("psn_post", "context")
        (account,) = shown["lands_in"]["accounts"]
        assert (shown["ready"], account["account"], account["text"]["limit"]) == (True, "x:@sandbox", 280)
        assert [hub["state"] for hub in shown["hubs"]] == ["ok"]
        assert len(shown["days"][0]["free"]) in (13, 14)

    @pytest.mark.parametrize("persona", ["brand-operator", "brand-ambassador"])
    def test_cannot_speak_for_a_company_they_are_not_in(self, bea: Workspace, persona: str) -> None:
        outcome = bea.refused("psn_post", "context", "--persona", persona, code="persona.no_company", exit_code=5)
        assert "psn_team join" in outcome.result["next_action"]["ask"]

    def test_cannot_name_a_company_that_is_not_there_nor_a_persona(self, bea: Workspace) -> None:
        bea.refused("psn_post", "context", "--hub", "nowhere", code="hub.missing", exit_code=3)
        bea.refused("psn_post", "context", "--persona", "ghost", code="persona.unknown", exit_code=5)


@pytest.mark.slow
class TestAMember:
    def test_posts_as_the_company_in_its_hub_alone(self, team: tuple[Company, Workspace]) -> None:
        company, mia = team
        shown = mia.ok("psn_post", "context", "--persona", "brand-operator")
        assert (shown["lands_in"]["hub"], shown["company"]["role"]) == (company.slug, "member")
        (account,) = shown["lands_in"]["accounts"]
        command = shown["lands_in"]["command"].replace("ACCOUNT", account["account"]).split()
        assert command[:2] == ["python3", "manage.py"]
        mia.ok(*command[2:], "--at", "+1d", stdin=b"As the company")
        mine = mia.ok("psn_post", "create", "--account", "@sandbox", "--text", "As myself", "--at", "+1d")["post"]["id"]
        for persona, wanted in (
            ("personal", [("personal", "As myself")]),
            ("brand-ambassador", [("personal", "As myself"), (company.slug, "As the company")]),
            ("brand-operator", [("personal", "As myself"), (company.slug, "As the company")]),
        ):
            told = mia.ok("psn_post", "context", "--persona", persona)
            assert sorted(texts(told)) == sorted(wanted), persona
        assert [post["id"] for post in mia.ok("psn_post", "list")["posts"] if post["status"] != "published"] == [mine]
        there = [post["parts"][0]["text"] for post in mia.ok("psn_post", "list", "--hub", company.slug)["posts"]]
        assert "As the company" in there
        assert "As myself" not in there

    def test_is_told_the_same_in_a_process_of_the_company(self, team: tuple[Company, Workspace]) -> None:
        company, mia = team
        shown = mia.ok("psn_post", "context", "--hub", company.slug)
        assert (shown["persona"], shown["lands_in"]["hub"]) == ("brand-operator", company.slug)
        own = mia.ok("psn_post", "context", "--persona", "brand-ambassador", "--hub", company.slug)
        assert (own["lands_in"]["hub"], own["company"]["slug"]) == ("personal", company.slug)
        assert "--hub" not in own["lands_in"]["command"]

    def test_hears_which_hub_did_not_answer_and_gets_the_rest(self, team: tuple[Company, Workspace]) -> None:
        company, mia = team
        path = mia.root / "config" / "connections" / f"{company.slug}.env"
        before = path.read_text()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        path.write_text(before.replace(f":{company.server.port}/", f":{port}/"))
        try:
            outcome = mia.run("psn_post", "context", "--persona", "brand-ambassador")
            assert outcome.data["ready"] is True
            assert [(hub["hub"], hub["state"]) for hub in outcome.data["hubs"]] == [
                ("personal", "ok"),
                (company.slug, "away"),
            ]
            assert [finding["code"] for finding in outcome.result["findings"]] == ["hub.away"]
            nowhere = mia.run("psn_post", "context", "--persona", "brand-operator")
            assert (nowhere.exit_code, nowhere.data["ready"]) == (0, False)
        finally:
            path.write_text(before)


@pytest.mark.slow
class TestALargeFile:
    def test_says_how_far_it_is_on_its_way_into_the_hub(self, team: tuple[Company, Workspace], tmp_path: Path) -> None:
        company, mia = team
        video = tmp_path / "large.mp4"
        unused = 12 * 1024**2  # bytes of a box that players pass over (ISO/IEC 14496-12, 8.1.2)
        video.write_bytes(mp4().read_bytes() + struct.pack(">I4s", unused + 8, b"free") + bytes(unused))
        outcome = mia.run(
            "psn_post",
            "create",
            "--account",
            "x:@acme",
            "--text",
            "Large",
            "--media",
            str(video),
            "--hub",
            company.slug,
        )
        assert outcome.exit_code == 0, outcome.result
        told = [line for line in outcome.lines if line["type"] == "progress"]
        assert [line["status"] for line in told] == ["wait", "done"]
        assert told[-1]["detail"]["bytes"] == told[-1]["detail"]["of"] == video.stat().st_size
