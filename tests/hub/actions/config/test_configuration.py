"""The configuration in force: versions that are only added, whoever writes at the same time, and read by everybody from the hub."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from pytest_django import Settings

from hub.actions.config import configuration, versions
from hub.actions.config.configuration import Changed, KeySet, effective, roll_back, set_key, show, sync
from hub.models import Account, AuditEntry, HubSetting, User
from hub.publishing import claims
from hub.rls.identity import acting_as
from psn.config.strategy import Strategy
from psn.config.workspace import Workspace
from psn.errors import Conflict, InvalidInput, NotFound, NotReady
from tests.factories import OWNER, People, make_account, make_post
from tests.hub.actions.stage import WORKER, at_once

Write = Callable[..., Workspace]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Make a workspace whose strategy says this."""
    numbers = itertools.count()

    def write(text: str = "", *, name: str = "strategy.yaml", into: Workspace | None = None) -> Workspace:
        place = into or Workspace(tmp_path / str(next(numbers)))
        (place.config / name).parent.mkdir(parents=True, exist_ok=True)
        (place.config / name).write_text(text)
        return place

    return write


def numbers_of(name: str) -> list[int]:
    return list(HubSetting.objects.filter(name=name).order_by("version").values_list("version", flat=True))


def me_again(me: User) -> tuple[str, str]:
    me.refresh_from_db()
    return me.name, me.timezone


class TestEffective:
    def test_is_the_defaults_before_anybody_decided(self, me: User) -> None:
        assert effective("strategy") == Strategy()
        assert (effective("preferences").calendar.conflict_minutes, effective("company").targets) == (30, {})

    def test_is_what_the_worker_reads_for_whom_it_acts(self, hub: People, write: Write) -> None:
        sync(write("name: Ana\ntargets: {x: 4}\n"))
        with acting_as(hub.me.id):
            assert effective("strategy", using="worker").targets == {"x": 4}
        with acting_as(hub.other.id):
            assert effective("strategy", using="worker").targets == {}

    def test_is_never_somebody_else_s(self, hub: People, write: Write) -> None:
        sync(write("name: Ana\n"))
        assert effective("strategy", using="another") == Strategy()

    def test_leaves_aside_what_only_a_newer_psn_knows(self, me: User) -> None:
        value = {"name": "Ana", "newer": {"a": 1}}
        HubSetting.objects.using(OWNER).create(user=me, name="strategy", version=1, value=value)
        assert effective("strategy").name == "Ana"

    @pytest.mark.parametrize("value", [[], None, "text", {"pillars": 7}, {"timezone": "Nowhere"}])
    def test_says_what_it_cannot_read(self, me: User, value: Any) -> None:
        stored = {"a": value} if value is None else value
        HubSetting.objects.using(OWNER).create(user=me, name="strategy", version=3, value=stored)
        if value is None:
            assert effective("strategy") == Strategy()
            return
        with pytest.raises(NotReady) as refused:
            effective("strategy")
        assert (refused.value.error_code, "Version 3" in refused.value.message) == ("setting.unreadable", True)


class TestSync:
    def test_puts_the_file_in_force_and_tells_the_hub_who_the_person_is(self, me: User, write: Write) -> None:
        place = write("name: Ana\ntimezone: Europe/Paris\nlanguages: {x: es}\n")
        (changed,) = sync(place)
        assert (changed.state, changed.version, changed.path) == ("changed", 1, place.strategy)
        assert {one.key: (one.old, one.new) for one in changed.diff} == {
            "name": ("me", "Ana"), "timezone": ("UTC", "Europe/Paris"), "languages.x": (None, "es"),
        }  # fmt: skip
        assert me_again(me) == ("Ana", "Europe/Paris")
        row = HubSetting.objects.get()
        assert (row.created_by_id, row.note) == (me.id, "sync")

    def test_writes_nothing_the_second_time(self, me: User, write: Write) -> None:
        place = write("name: Ana\n")
        assert [sync(place)[0].state for _ in range(3)] == ["changed", "same", "same"]
        assert numbers_of("strategy") == [1]

    def test_writes_a_first_version_also_of_a_file_that_says_nothing(self, me: User, write: Write) -> None:
        assert [(one.state, one.version) for one in sync(write("# nothing\n"))] == [("changed", 1)]
        assert HubSetting.objects.get().value == {}

    def test_takes_a_default_that_is_spelled_out_for_no_change(self, me: User, write: Write) -> None:
        sync(write("name: Ana\n"))
        assert sync(write("version: 1\nname: Ana\ntimezone: UTC\ntargets: {}\n"))[0].state == "same"

    def test_mends_the_person_when_the_versions_are_the_same(self, me: User, write: Write) -> None:
        place = write("name: Ana\ntimezone: Europe/Paris\n")
        sync(place)
        User.objects.filter(id=me.id).update(name="somebody", timezone="UTC")
        assert sync(place)[0].state == "same"
        assert me_again(me) == ("Ana", "Europe/Paris")

    def test_leaves_the_hub_as_it_is_where_there_is_no_file(self, me: User, write: Write, tmp_path: Path) -> None:
        sync(write("name: Ana\n"))
        (changed,) = sync(Workspace(tmp_path / "empty"))
        assert (changed.state, changed.version) == ("missing", 1)
        assert effective("strategy").name == "Ana"

    def test_only_says_what_it_would_do_in_a_rehearsal(self, me: User, write: Write) -> None:
        before = me_again(me)
        (changed,) = sync(write("name: Ana\n"), dry_run=True)
        assert (changed.state, changed.version, len(changed.diff)) == ("changed", 1, 1)
        assert (numbers_of("strategy"), me_again(me), AuditEntry.objects.count()) == ([], before, 0)

    def test_keeps_everything_as_it_is_when_the_file_is_wrong(self, me: User, write: Write) -> None:
        place = write("name: Ana\n")
        sync(place)
        write("name: Eve\ntimezone: Nowhere\n", into=place)
        with pytest.raises(InvalidInput) as refused:
            sync(place)
        assert refused.value.findings[0].at == "line 2, field timezone"
        assert (numbers_of("strategy"), me_again(me)[0]) == ([1], "Ana")

    def test_keeps_the_fields_that_only_a_newer_psn_knows(self, me: User, write: Write) -> None:
        HubSetting.objects.using(OWNER).create(user=me, name="strategy", version=1, value={"newer": [1], "name": "Ana"})
        sync(write("name: Eve\n"))
        assert HubSetting.objects.get(version=2).value == {"newer": [1], "name": "Eve"}

    def test_replaces_what_nobody_can_read(self, me: User, write: Write) -> None:
        HubSetting.objects.using(OWNER).create(user=me, name="strategy", version=1, value=["?"])
        assert sync(write("name: Ana\n"))[0].version == 2
        assert effective("strategy").name == "Ana"

    def test_reads_the_company_s_file_in_a_company_s_hub(self, me: User, write: Write, settings: Settings) -> None:
        settings.HUB_SLUG = "acme"
        place = write("name: Ana\n")
        before = me_again(me)
        assert [(one.name, one.state) for one in sync(place)] == [("company", "missing")]
        write("targets: {linkedin: 2}\n", name="company/acme.yaml", into=place)
        assert [(one.name, one.version) for one in sync(place)] == [("company", 1)]
        assert (effective("company").targets, me_again(me)) == ({"linkedin": 2}, before)
        with pytest.raises(NotFound):
            show(place, name="strategy")

    def test_leaves_a_line_in_the_record(self, me: User, write: Write) -> None:
        sync(write("name: Ana\n"))
        entry = AuditEntry.objects.get(action="setting.changed")
        assert (entry.actor, entry.detail) == ("person", {"name": "strategy", "version": 1, "keys": ["name"]})


class TestSetKey:
    def test_says_what_it_was_and_what_it_is(self, me: User, write: Write) -> None:
        place = write()
        assert set_key(place, key="calendar.conflict_minutes", value="45") == KeySet(
            "calendar.conflict_minutes", 30, 45, 1
        )
        assert set_key(place, key="calendar.conflict_minutes", value="20").old == 45
        assert set_key(place, key="calendar.conflict_minutes", value="20") == KeySet(
            "calendar.conflict_minutes", 20, 20, 2
        )
        assert set_key(place, key="calendar.conflict_minutes", value="default").new == 30
        assert effective("preferences").calendar.conflict_minutes == 30
        assert numbers_of("preferences") == [1, 2, 3]

    def test_changes_nothing_in_a_rehearsal(self, me: User, write: Write) -> None:
        changed = set_key(write(), key="persona.default", value="brand-operator", dry_run=True)
        assert (changed.old, changed.new, changed.version, numbers_of("preferences")) == (
            "personal", "brand-operator", 1, [],
        )  # fmt: skip

    def test_gives_the_grace_to_the_accounts_that_have_the_former_one(self, hub: People, write: Write) -> None:
        usual, own, theirs = (
            make_account(hub.me),
            make_account(hub.me, grace=timedelta(hours=7)),
            make_account(hub.other),
        )
        set_key(write(), key="defaults.grace_hours", value="24")
        graces = dict(Account.objects.using(OWNER).values_list("id", "grace"))
        assert [graces[one.id] // timedelta(hours=1) for one in (usual, own, theirs)] == [24, 7, 48]
        assert configuration.default_grace() == timedelta(hours=24)
        roll_back(write(), name="preferences", to=1)
        set_key(write(), key="defaults.grace_hours", value="default")
        assert Account.objects.get(id=usual.id).grace == timedelta(hours=48)

    def test_is_what_the_engine_goes_by(self, me: User, write: Write) -> None:
        post = make_post(make_account(me), status="scheduled", due_in=-7200)
        set_key(write(), key="defaults.grace_hours", value="1")
        assert claims.claim(post.id, worker=WORKER) is None
        set_key(write(), key="defaults.grace_hours", value="3")
        assert claims.claim(post.id, worker=WORKER) is not None

    @pytest.mark.parametrize("key", ["timezone", "name", "targets.x", "pillars"])
    def test_refuses_what_a_file_decides(self, me: User, write: Write, key: str) -> None:
        place = write()
        with pytest.raises(InvalidInput) as refused:
            set_key(place, key=key, value="x")
        assert refused.value.error_code == "setting.in_file"
        assert str(place.strategy) in str(refused.value.ask)

    def test_never_builds_on_what_it_cannot_read(self, me: User, write: Write) -> None:
        value = {"calendar": {"conflict_minutes": "soon"}}
        HubSetting.objects.using(OWNER).create(user=me, name="preferences", version=1, value=value)
        with pytest.raises(NotReady):
            set_key(write(), key="persona.default", value="personal")
        assert numbers_of("preferences") == [1]


class TestShow:
    def test_says_where_each_value_comes_from(self, me: User, write: Write) -> None:
        place = write("name: Ana\nlanguages: {x: es}\n")
        sync(place)
        write("name: Ana\nlanguages:\n  x: en\ntargets: {x: 1}\n", into=place)
        (view,) = show(place, name="strategy")
        assert view.origins == {
            "version": "default", "name": "file", "timezone": "default",
            "pillars": "default", "languages.x": "hub", "targets": "default",
        }  # fmt: skip
        assert view.file is not None
        assert (view.file.state, [(one.key, one.old, one.new) for one in view.file.differs]) == (
            "differs", [("languages.x", "es", "en"), ("targets.x", None, 1)],
        )  # fmt: skip
        assert view.file.lines == (3, 4)

    @pytest.mark.parametrize(
        ("text", "state", "origin"),
        [("name: Ana\n", "same", "file"), (None, "missing", "hub"), ("name: [\n", "wrong", "hub")],
    )
    def test_goes_on_without_the_file(self, me: User, write: Write, text: str | None, state: str, origin: str) -> None:
        place = write("name: Ana\n")
        sync(place)
        place.strategy.unlink()
        if text is not None:
            write(text, into=place)
        (view,) = show(place, name="strategy")
        assert view.file is not None
        assert (view.file.state, view.origins["name"], view.values["name"]) == (state, origin, "Ana")

    def test_shows_every_document_of_the_hub(self, me: User, write: Write, settings: Settings) -> None:
        assert [view.name for view in show(write())] == ["strategy", "preferences"]
        settings.HUB_SLUG = "acme"
        assert [view.name for view in show(write())] == ["company", "preferences"]

    def test_shows_an_old_version(self, me: User, write: Write) -> None:
        for name in ("Ana", "Eve"):
            sync(write(f"name: {name}\n"))
        (view,) = show(write(), name="strategy", version=1)
        assert (view.values["name"], view.setting and view.setting.version) == ("Ana", 1)

    @pytest.mark.parametrize("number", [0, -1, 2, 10**30])
    def test_knows_no_version_that_never_was(self, me: User, write: Write, number: int) -> None:
        sync(write("name: Ana\n"))
        with pytest.raises(NotFound) as refused:
            show(write(), name="strategy", version=number)
        assert (refused.value.error_code, refused.value.next_command) == (
            "setting.no_version", "psn_config history strategy",
        )  # fmt: skip

    def test_asks_whose_version_is_meant(self, me: User, write: Write) -> None:
        with pytest.raises(InvalidInput) as refused:
            show(write(), version=1)
        assert refused.value.error_code == "setting.no_name"

    @pytest.mark.parametrize("name", ["company", "strateg", "", "x" * 5000])
    def test_knows_no_document_of_another_hub(self, me: User, write: Write, name: str) -> None:
        with pytest.raises(NotFound) as refused:
            show(write(), name=name)
        assert (refused.value.error_code, len(refused.value.message) < 300) == ("setting.no_document", True)


class TestListHistory:
    def test_lists_the_newest_first_with_what_each_changed(self, me: User, write: Write) -> None:
        for text in ("name: Ana\n", "name: Ana\ntargets: {x: 1}\n", "name: Eve\ntargets: {x: 1}\n"):
            sync(write(text))
        (history,) = configuration.list_history(name="strategy", limit=10)
        assert [(past.setting.version, [one.key for one in past.diff]) for past in history.versions] == [
            (3, ["name"]), (2, ["targets.x"]), (1, ["name"]),
        ]  # fmt: skip
        assert not history.has_more

    def test_goes_on_where_it_stopped(self, me: User, write: Write) -> None:
        for minutes in range(1, 8):
            set_key(write(), key="calendar.conflict_minutes", value=str(minutes))
        seen: list[tuple[int, Any, Any]] = []
        before, more = None, True
        while more:
            (history,) = configuration.list_history(name="preferences", limit=3, before=before)
            seen += [(past.setting.version, past.diff[0].old, past.diff[0].new) for past in history.versions]
            before, more = seen[-1][0], history.has_more
        assert seen == [(n, n - 1 if n > 1 else 30, n) for n in range(7, 0, -1)]

    def test_shows_also_what_this_psn_cannot_read(self, me: User, write: Write) -> None:
        HubSetting.objects.using(OWNER).create(user=me, name="strategy", version=1, value={"name": 7})
        (history,) = configuration.list_history(name="strategy", limit=1)
        assert ("name", "me", 7) in [(one.key, one.old, one.new) for one in history.versions[0].diff]


class TestRollBack:
    def test_adds_a_version_and_changes_none(self, me: User, write: Write) -> None:
        for name in ("Ana", "Eve"):
            sync(write(f"name: {name}\n"))
        before = list(HubSetting.objects.order_by("version").values("id", "version", "value", "created_at"))
        changed = roll_back(write("name: Ana\n"), name="strategy", to=1)
        assert (changed.state, changed.version) == ("changed", 3)
        assert list(HubSetting.objects.order_by("version").values("id", "version", "value", "created_at"))[:2] == before
        assert (effective("strategy").name, me_again(me)[0]) == ("Ana", "Ana")
        assert HubSetting.objects.get(version=3).note == "rollback to 1"
        assert changed.file is not None
        assert changed.file.state == "same"

    def test_says_that_the_next_sync_would_undo_it(self, me: User, write: Write) -> None:
        place = write("name: Ana\n")
        sync(place)
        write("# now\nname: Eve\n", into=place)
        sync(place)
        changed = roll_back(place, name="strategy", to=1)
        assert changed.file is not None
        assert [(one.key, one.old, one.new) for one in changed.file.differs] == [("name", "Ana", "Eve")]
        assert changed.file.lines == (2,)
        assert sync(place)[0].state == "changed"  # as it said
        assert effective("strategy").name == "Eve"

    def test_adds_nothing_when_it_is_so_already(self, me: User, write: Write) -> None:
        sync(write("name: Ana\n"))
        assert roll_back(write(), name="strategy", to=1).state == "same"
        assert numbers_of("strategy") == [1]

    def test_changes_nothing_in_a_rehearsal(self, me: User, write: Write) -> None:
        for name in ("Ana", "Eve"):
            sync(write(f"name: {name}\n"))
        assert roll_back(write(), name="strategy", to=1, dry_run=True).version == 3
        assert (numbers_of("strategy"), me_again(me)[0]) == ([1, 2], "Eve")

    def test_refuses_what_this_psn_cannot_read(self, me: User, write: Write) -> None:
        HubSetting.objects.using(OWNER).create(user=me, name="strategy", version=1, value={"name": 7})
        with pytest.raises(Conflict) as refused:
            roll_back(write(), name="strategy", to=1)
        assert refused.value.error_code == "setting.unreadable_version"

    def test_leads_away_from_what_this_psn_cannot_read(self, me: User, write: Write) -> None:
        account = make_account(me)
        set_key(write(), key="defaults.grace_hours", value="24")
        HubSetting.objects.using(OWNER).create(user=me, name="preferences", version=2, value={"defaults": 7})
        Account.objects.filter(id=account.id).update(grace=timedelta(hours=48))
        roll_back(write(), name="preferences", to=1)
        account.refresh_from_db()
        assert (configuration.default_grace(), account.grace) == (timedelta(hours=24), timedelta(hours=24))


class TestAtOnce:
    """Versions make a chain: who comes second builds on what the first one made, or finds nothing left to do."""

    def test_one_file_makes_one_version(self, me: User, write: Write) -> None:
        place = write("name: Ana\n")
        outcomes = at_once(*[lambda: sync(place) for _ in range(6)])
        states = sorted(one[0].state for one in outcomes if isinstance(one, list))
        assert (states, numbers_of("strategy")) == (["changed"] + ["same"] * 5, [1])

    def test_different_files_make_one_version_each_and_the_person_is_as_the_last_one_says(
        self, me: User, write: Write
    ) -> None:
        places = [write(f"name: Name {number}\n") for number in range(6)]
        for _ in range(3):
            outcomes = at_once(*[lambda place=place: sync(place) for place in places])
            assert not [one for one in outcomes if isinstance(one, BaseException)]
            newest = HubSetting.objects.order_by("-version")[0]
            assert me_again(me)[0] == newest.value["name"]
        numbers = numbers_of("strategy")
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) >= 6

    def test_keys_that_are_set_are_all_set(self, me: User, write: Write) -> None:
        place, account = write(), make_account(me)
        wanted = [
            ("defaults.grace_hours", "24"), ("calendar.conflict_minutes", "5"), ("persona.default", "brand-operator"),
        ]  # fmt: skip
        outcomes = at_once(*[lambda k=k, v=v: set_key(place, key=k, value=v) for k, v in wanted * 2])
        assert not [one for one in outcomes if isinstance(one, BaseException)]
        found = effective("preferences")
        assert (found.defaults.grace_hours, found.calendar.conflict_minutes, found.persona.default) == (
            24, 5, "brand-operator",
        )  # fmt: skip
        assert numbers_of("preferences") == [1, 2, 3]
        account.refresh_from_db()
        assert account.grace == timedelta(hours=24)

    def test_every_version_says_truly_what_it_changed(self, me: User, write: Write) -> None:
        place = write()
        values = [str(number) for number in range(1, 7)]
        outcomes = at_once(*[lambda v=v: set_key(place, key="calendar.conflict_minutes", value=v) for v in values])
        told = sorted((one.version, one.old, one.new) for one in outcomes if isinstance(one, KeySet))
        assert [number for number, _, _ in told] == [1, 2, 3, 4, 5, 6]
        assert [old for _, old, _ in told] == [30, *(new for _, _, new in told[:-1])]

    def test_a_rollback_and_a_sync_follow_each_other(self, me: User, write: Write) -> None:
        for name in ("Ana", "Eve"):
            sync(write(f"name: {name}\n"))
        place = write("name: Zoe\n")

        def back() -> list[Changed]:
            return [roll_back(place, name="strategy", to=1)]

        outcomes = at_once(back, lambda: sync(place))
        assert not [one for one in outcomes if isinstance(one, BaseException)]
        assert numbers_of("strategy") == [1, 2, 3, 4]
        assert me_again(me)[0] == HubSetting.objects.get(version=4).value["name"]

    def test_who_finds_nothing_to_change_never_undoes_the_person_of_a_newer_version(
        self, me: User, write: Write, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        old, new = write("name: Ana\n"), write("name: Eve\n")
        sync(old)
        plan, between = versions.plan_version, iter([lambda: at_once(lambda: sync(new))])

        def plan_and_be_overtaken(*args: Any, **kwargs: Any) -> versions.Written:
            written = plan(*args, **kwargs)
            if action := next(between, None):
                action()
            return written

        monkeypatch.setattr(versions, "plan_version", plan_and_be_overtaken)
        (last,) = sync(old)
        assert (last.state, numbers_of("strategy")) == ("changed", [1, 2, 3])
        assert me_again(me)[0] == HubSetting.objects.get(version=3).value["name"] == "Ana"

    def test_who_is_overtaken_again_and_again_is_told(
        self, me: User, write: Write, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        HubSetting.objects.using(OWNER).create(user=me, name="preferences", version=1, value={})
        monkeypatch.setattr(versions, "find_newest", lambda _: None)  # what it reads is always behind
        with pytest.raises(Conflict) as refused:
            set_key(write(), key="persona.default", value="brand-operator")
        assert refused.value.error_code == "setting.busy"

    def test_nothing_is_left_of_a_writer_that_dies(self, me: User, write: Write) -> None:
        before = me_again(me)

        def die(*_: Any) -> None:
            connections["default"].connection.close()

        with pytest.raises(Exception, match="closed"):
            versions.add_version("strategy", change=lambda _: {"name": "Ana"}, effect=die, note="sync")
        connections["default"].close()
        assert (numbers_of("strategy"), me_again(me), AuditEntry.objects.count()) == ([], before, 0)


class TestTheHistory:
    @pytest.mark.parametrize("using", ["default", "worker"])
    @pytest.mark.parametrize("sql", ["UPDATE hub_settings SET value = '{}'", "DELETE FROM hub_settings"])
    def test_is_never_rewritten_by_any_login(self, me: User, write: Write, using: str, sql: str) -> None:
        sync(write("name: Ana\n"))
        with (
            acting_as(me.id),
            pytest.raises(Exception, match="permission denied"),
            connections[using].cursor() as cursor,
        ):
            cursor.execute(sql)


class TestTheWorker:
    def test_never_loads_what_reads_the_files(self) -> None:
        code = (
            "import sys, django; django.setup(); import hub.tasks, hub.worker, hub.schedules, hub.queue.cluster; "
            "print(*sorted(name for name in sys.modules if name == 'yaml' or name.startswith('psn.config')))"
        )
        environment = os.environ | {"DJANGO_SETTINGS_MODULE": "psn.settings", "PSN_LOGIN": "worker"}
        loaded = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
        )
        assert "psn.config.hub" in loaded.stdout
        assert not {"yaml", "psn.config.yamlfile", "psn.config.strategy"} & set(loaded.stdout.split())
