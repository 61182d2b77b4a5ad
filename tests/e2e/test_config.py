"""`psn_config` as people use it: what is in force, its versions, files beside them, and several at once (HUB-10)."""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.companies import Company, another_workspace, found, join
from tests.e2e.workspace import Outcome, Workspace, make_workspace, read_outcome, tree_of
from tests.servers import need_server

STEPS = ("environment", "hub", "schema", "config")
MINUTES = "calendar.conflict_minutes"


@pytest.fixture(scope="module")
def place() -> Iterator[Workspace]:
    """A workspace with a hub and without a worker."""
    workspace = make_workspace()
    try:
        for step in STEPS:
            workspace.ok("psn_setup", "--only", step)
        yield workspace
    finally:
        workspace.remove()


@pytest.fixture
def files(place: Workspace) -> Iterator[Workspace]:
    """The workspace, whose strategy is put back after the test, in the file and in the hub."""
    before = place.strategy.read_text()
    yield place
    if place.strategy.is_dir():
        place.strategy.rmdir()
    place.strategy.write_text(before)
    place.ok("psn_config", "sync")


def shown(workspace: Workspace, name: str = "strategy", *more: str) -> dict[str, Any]:
    (document,) = workspace.ok("psn_config", "show", name, *more)["documents"]
    assert document["name"] == name
    return dict(document)


def versions_of(workspace: Workspace, name: str, *more: str) -> list[dict[str, Any]]:
    (document,) = workspace.ok("psn_config", "history", name, "--limit", "100", *more)["documents"]
    return list(document["versions"])


def check_chain(workspace: Workspace, name: str) -> None:
    """Numbers without a gap, each version a change of the one before it."""
    versions = versions_of(workspace, name)
    assert [one["version"] for one in versions] == list(range(len(versions), 0, -1))
    now: dict[str, Any] = {}
    for one in reversed(versions):
        for change in one["diff"]:
            assert now.get(change["key"], change["old"]) == change["old"]
            now[change["key"]] = change["new"]


def at_once(workspace: Workspace, *commands: tuple[str, ...]) -> list[Outcome]:
    """Run commands as processes at the same time."""
    processes = [workspace.launch(*command) for command in commands]
    ended = [(process, *process.communicate(timeout=120)) for process in processes]
    return [read_outcome(process.returncode, stdout, stderr) for process, stdout, stderr in ended]


class TestSetUp:
    def test_puts_the_file_in_force_and_leaves_it_so(self, files: Workspace) -> None:
        strategy = shown(files)
        assert (strategy["note"], strategy["file"]["state"]) == ("sync", "same")
        files.ok("psn_setup", "--only", "config")
        assert shown(files)["version"] == strategy["version"]

    def test_takes_up_what_was_edited(self, files: Workspace) -> None:
        files.strategy.write_text("name: Ana\ntimezone: Asia/Tokyo\ntargets: {x: 3}\n")
        files.ok("psn_setup", "--only", "config")
        strategy = shown(files)
        assert strategy["values"]["targets"] == {"x": 3}
        assert strategy["local"][:16] != strategy["at"][:16].replace("T", " ")  # in the person's new zone


class TestSync:
    def test_says_what_changes_and_changes_it_once(self, files: Workspace) -> None:
        number = shown(files)["version"]
        files.strategy.write_text("name: Eve\npillars: [{name: Eng, weight: 1}]\n")
        rehearsed = files.ok("psn_config", "sync", "--dry-run")
        assert shown(files)["version"] == number
        done = files.ok("psn_config", "sync")
        assert (rehearsed["documents"], rehearsed["dry_run"], done["dry_run"]) == (done["documents"], True, False)
        (document,) = done["documents"]
        assert (document["state"], document["version"]) == ("changed", number + 1)
        assert {"key": "name", "old": "me", "new": "Eve"} in document["diff"]
        (again,) = files.ok("psn_config", "sync")["documents"]
        assert (again["state"], again["version"], again["diff"]) == ("same", number + 1, [])

    @pytest.mark.parametrize(
        ("text", "code", "at"),
        [
            ("version: 1\ntimezon: UTC\n", "config.invalid", "line 2, field timezon"),
            ("name: Ana\ntargets:\n  x: many\n", "config.invalid", "line 3, field targets.x"),
            ("a: &a [1]\nb: *a\n", "config.yaml", "line 1"),
            ("name: Ana\nname: Eve\n", "config.yaml", "line 2, field name"),
            ("#" * 70_000, "config.too_big", "line 1"),
        ],
        ids=["field", "type", "anchor", "twice", "huge"],
    )
    def test_of_a_wrong_file_names_the_line_and_keeps_the_hub(
        self, files: Workspace, text: str, code: str, at: str
    ) -> None:
        before = shown(files)
        files.strategy.write_text(text)
        outcome = files.refused("psn_config", "sync", code=code, exit_code=5)
        assert f"{files.strategy}, {at}" in outcome.result["error"]["message"]
        assert (outcome.result["next_action"]["needs"], outcome.next_command) == ("human", None)
        outcome = files.run("psn_config", "show", "strategy")
        (after,) = outcome.data["documents"]
        assert (after["values"], after["version"], after["file"]["state"]) == (
            before["values"], before["version"], "wrong",
        )  # fmt: skip
        assert [(one["level"], one["at"]) for one in outcome.result["findings"]] == [("warning", at)]

    def test_of_a_file_that_cannot_be_read_says_so(self, files: Workspace) -> None:
        files.strategy.unlink()
        files.strategy.mkdir()
        files.refused("psn_config", "sync", code="config.unreadable", exit_code=5)
        assert shown(files)["file"]["state"] == "wrong"

    def test_of_no_file_leaves_the_hub_as_it_is(self, files: Workspace) -> None:
        before = shown(files)
        files.strategy.unlink()
        (document,) = files.ok("psn_config", "sync")["documents"]
        assert (document["state"], document["version"]) == ("missing", before["version"])
        assert shown(files)["values"] == before["values"]


class TestSet:
    def test_says_what_it_was_and_is(self, place: Workspace) -> None:
        before = shown(place, "preferences")
        rehearsed = place.ok("psn_config", "set", MINUTES, "45", "--dry-run")["setting"]
        assert shown(place, "preferences")["values"] == before["values"]
        done = place.ok("psn_config", "set", MINUTES, "45")["setting"]
        assert rehearsed == done
        assert (done["old"], done["new"], done["state"]) == (30, 45, "changed")
        after = shown(place, "preferences")
        assert (after["values"]["calendar"]["conflict_minutes"], after["origins"][MINUTES]) == (45, "hub")
        assert (after["version"], after["note"], after["by"]["name"]) == (done["version"], f"set {MINUTES}", "me")
        assert place.ok("psn_config", "set", MINUTES, "default")["setting"]["new"] == 30

    @pytest.mark.parametrize(
        ("arguments", "code", "exit_code"),
        [
            (["set", "calendar.conflict_minuts", "5"], "setting.unknown", 5),
            (["set", MINUTES, "soon"], "setting.value", 5),
            (["set", MINUTES, "-5"], "setting.value", 5),
            (["set", MINUTES, "9" * 3000], "setting.value", 5),
            (["set", MINUTES, ""], "setting.value", 5),
            (["set", "persona.default", "x" * 100_000], "setting.value", 5),
            (["set", "timezone", "UTC"], "setting.in_file", 5),
            (["set", MINUTES], "usage", 2),
            (["show", "strategi"], "setting.no_document", 1),
            (["show", "strategy", "--version", "999"], "setting.no_version", 1),
            (["show", "--version", "1"], "setting.no_name", 5),
            (["show", "company"], "setting.no_document", 1),
            (["history", "nothing"], "setting.no_document", 1),
            (["rollback", "strategy", "--to", "0"], "setting.no_version", 1),
            (["rollback", "strategy", "--to", "9" * 40], "setting.no_version", 1),
            (["rollback", "strategy", "--to", "one"], "usage", 2),
            (["rollback", "strategy"], "usage", 2),
        ],
    )
    def test_and_the_others_refuse_bad_input_in_one_line(
        self, place: Workspace, arguments: list[str], code: str, exit_code: int
    ) -> None:
        outcome = place.refused("psn_config", *arguments, code=code, exit_code=exit_code)
        assert len(outcome.result["error"]["message"]) < 500


class TestRollback:
    def test_is_a_new_version_and_says_that_the_file_would_bring_the_old_one_back(self, files: Workspace) -> None:
        number = shown(files)["version"]
        files.strategy.write_text("# mine\nname: Zoe\n")
        files.ok("psn_config", "sync")
        rehearsed = files.ok("psn_config", "rollback", "strategy", "--to", str(number), "--dry-run")["document"]
        outcome = files.run("psn_config", "rollback", "strategy", "--to", str(number))
        assert outcome.data["document"] == rehearsed
        assert outcome.data["document"]["version"] == number + 2
        assert outcome.data["document"]["file"]["differs"][0] == {
            "key": "name", "line": 2, "hub": "me", "file": "Zoe",
        }  # fmt: skip
        action = outcome.result["next_action"]
        assert action["needs"] == "human"
        assert "name is Zoe in line 2 and me in the hub" in action["ask"]
        assert "psn_config sync" in action["ask"]
        assert shown(files)["values"]["name"] == "me"
        assert shown(files, "strategy", "--version", str(number + 1))["values"]["name"] == "Zoe"
        files.ok("psn_setup", "--only", "config")  # as it said
        assert shown(files)["values"]["name"] == "Zoe"
        check_chain(files, "strategy")

    def test_asks_for_nothing_where_no_file_speaks_against_it(self, place: Workspace) -> None:
        number = place.ok("psn_config", "set", MINUTES, "17")["setting"]["version"]
        place.ok("psn_config", "set", MINUTES, "18")
        outcome = place.run("psn_config", "rollback", "preferences", "--to", str(number))
        assert (outcome.exit_code, "next_action" in outcome.result) == (0, False)
        assert shown(place, "preferences")["values"]["calendar"]["conflict_minutes"] == 17


class TestSeveralAtOnce:
    def test_lose_nothing(self, place: Workspace) -> None:
        first = shown(place, "preferences")["version"] or 0
        commands: list[tuple[str, ...]] = [("psn_config", "set", MINUTES, str(100 + number)) for number in range(4)]
        commands += [("psn_config", "set", "persona.default", "brand-ambassador"), ("psn_config", "sync")]
        outcomes = at_once(place, *commands)
        assert [outcome.exit_code for outcome in outcomes] == [0] * 6
        numbers = {outcome.data["setting"]["version"] for outcome in outcomes[:5]}
        assert numbers == set(range(first + 1, first + 6))
        assert shown(place, "preferences")["values"]["persona"]["default"] == "brand-ambassador"
        check_chain(place, "preferences")
        place.ok("psn_config", "set", "persona.default", "default")

    def test_of_one_file_make_one_version(self, files: Workspace) -> None:
        first = shown(files)["version"]
        files.strategy.write_text("name: Once\n")
        outcomes = at_once(files, *[("psn_config", "sync")] * 4)
        states = sorted(outcome.data["documents"][0]["state"] for outcome in outcomes)
        assert (states, shown(files)["version"]) == (["changed", "same", "same", "same"], first + 1)

    def test_that_are_killed_leave_whole_versions(self, files: Workspace) -> None:
        chance = random.Random(5)
        for number in range(6):
            files.strategy.write_text(f"name: Name {number}\ntimezone: UTC\n")
            process = files.launch("psn_config", "sync")
            try:
                process.communicate(timeout=chance.uniform(0.25, 0.6))
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
        files.ok("psn_config", "sync")
        assert shown(files)["values"]["name"] == "Name 5"
        assert shown(files)["by"]["name"] == "Name 5"
        check_chain(files, "strategy")


@contextmanager
def without(*paths: Path) -> Iterator[None]:
    """Move files and folders away for a while."""
    moved = [(path, path.with_name(f"away-{path.name}")) for path in paths if path.exists()]
    for path, away in moved:
        path.rename(away)
    try:
        yield
    finally:
        for path, away in moved:
            if path.is_dir():
                shutil.rmtree(path)
            path.unlink(missing_ok=True)
            away.rename(path)


class TestTheWorker:
    def test_publishes_with_every_file_of_configuration_gone_but_the_one_that_says_where_the_hub_is(
        self, ready: Workspace, create: Callable[..., str]
    ) -> None:
        ready.ok("psn_worker", "stop")
        kept = [path for path in (ready.root / "config").iterdir() if path.name != "hub.env"]
        assert {"strategy.yaml", "keys.env", "company"} <= {path.name for path in kept}
        try:
            with without(*kept):
                ready.ok("psn_worker", "start")
                post = create("Without files", "--at", "+0s", "--approve")
                ended = ready.ok("psn_post", "wait", post)["post"]
                left = [name for name in tree_of(ready.root / "config") if not name.startswith("away-")]
        finally:
            ready.ok("psn_worker", "start")
        assert (ended["status"], left) == ("published", ["hub.env"])


@pytest.fixture(scope="module")
def company() -> Iterator[Company]:
    with found(need_server("18")) as made:
        yield made


@pytest.fixture(scope="module")
def member(company: Company) -> Iterator[Workspace]:
    """Somebody who joined as a plain member, on a computer of their own."""
    with another_workspace() as workspace:
        assert join(workspace, company.invite("Bob")).exit_code == 0
        yield workspace


class TestACompanysHub:
    """Admins decide, everybody in the team reads, and who decided is the hub's word."""

    def test_has_a_file_of_its_own_and_every_member_reads_what_is_in_force(
        self, company: Company, member: Workspace
    ) -> None:
        hub, path = ("--hub", company.slug), company.admin.root / "config" / "company" / f"{company.slug}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("targets: {linkedin: 3}\n")
        (done,) = company.admin.ok("psn_config", "sync", *hub)["documents"]
        assert (done["name"], done["state"], done["path"]) == ("company", "changed", str(path))
        document = shown(member, "company", *hub)
        assert document["values"]["targets"] == {"linkedin": 3}
        assert (document["by"]["name"], document["origins"]["targets.linkedin"]) == ("Ada", "hub")
        assert shown(company.admin, "company", *hub)["origins"]["targets.linkedin"] == "file"
        company.admin.refused("psn_config", "show", "strategy", *hub, code="setting.no_document", exit_code=1)

    def test_is_changed_by_no_plain_member(self, company: Company, member: Workspace) -> None:
        hub, path = ("--hub", company.slug), member.root / "config" / "company" / f"{company.slug}.yaml"
        before = versions_of(member, "company", *hub)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("targets: {linkedin: 9}\n")
        for command in (["sync"], ["set", MINUTES, "5"]):
            outcome = member.refused("psn_config", *command, *hub, code="setting.not_admin", exit_code=1)
            assert outcome.result["next_action"]["needs"] == "human"
        (rehearsed,) = member.ok("psn_config", "sync", "--dry-run", *hub)["documents"]
        assert rehearsed["state"] == "changed"
        assert versions_of(member, "company", *hub) == before

    def test_believes_no_member_who_it_was(self, company: Company) -> None:
        with company.connect() as admin:
            admin.execute(
                "INSERT INTO hub_settings (id, user_id, name, version, value, created_by_id, created_at, note) "
                "SELECT gen_random_uuid(), hub_api.current_owner_id(), 'preferences', 1, '{}', gen_random_uuid(), 'epoch', ''"
            )
        (newest,) = versions_of(company.admin, "preferences", "--hub", company.slug)
        assert (newest["by"]["name"], newest["at"] > "2026") == ("Ada", True)

    def test_takes_a_grace_where_its_worker_is_and_nowhere_else(self, company: Company, member: Workspace) -> None:
        hub = ("--hub", company.slug)
        member.refused(
            "psn_config", "set", "defaults.grace_hours", "5", *hub, code="team.worker_only", exit_code=1
        )  # fmt: skip
        done = company.admin.ok("psn_config", "set", "defaults.grace_hours", "5", *hub)["setting"]
        assert (done["old"], done["new"]) == (48, 5)
        assert shown(member, "preferences", *hub)["values"]["defaults"]["grace_hours"] == 5

    def test_leaves_the_person_s_own_configuration_alone(self, company: Company) -> None:
        path = company.admin.root / "config" / "company" / f"{company.slug}.yaml"
        path.write_text("name: Evil Ltd\n")
        outcome = company.admin.refused(
            "psn_config", "sync", "--hub", company.slug, code="config.invalid", exit_code=5
        )  # fmt: skip
        assert "unknown field" in outcome.result["error"]["message"]

    def test_keeps_its_vendors_keys_from_members(self, company: Company, member: Workspace) -> None:
        hub = ("--hub", company.slug)
        for command in (["list"], ["set", "VENDOR_KEY"], ["remove", "VENDOR_KEY"]):
            member.refused("psn_config", "keys", *command, *hub, code="team.worker_only", exit_code=1)
        member.refused("psn_config", "keys", "rotate", *hub, code="hub.no_owner", exit_code=3)
        stored = company.admin.run("psn_config", "keys", "set", "VENDOR_KEY", *hub, stdin=b"a-secret").data["key"]
        assert stored["in_hub"]
        assert company.admin.ok("psn_config", "keys", "rotate", *hub)["rotation"]["sealed"] == 1
        assert (
            company.count("SELECT count(*) FROM api_keys k JOIN users u ON u.id = k.user_id AND u.kind = 'company'")
            == 1
        )
