"""Sealed columns: bound to their place, and never lost to a rotation, wherever it is killed and whoever writes meanwhile (HUB-8)."""

from __future__ import annotations

import itertools
import os
import signal
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from threading import Event
from time import monotonic, sleep
from typing import Any

import pytest
from django.conf import settings
from django.db import connections, transaction

from hub import sealing
from hub.models import ApiKey, OAuthToken
from hub.sealing import SEALED, check_opens, context_of, count_foreign, opening, rotate_key
from psn.config.hub import HubConfig, get_hub_config, write_hub_config
from psn.crypto import Keyring, create_key, key_id_of
from psn.errors import NotReady
from tests.factories import OWNER, People, make_account
from tests.hub.worlds import NOW

COLUMNS = [(model, column) for model, columns in SEALED.items() for column in columns]


@pytest.fixture(autouse=True)
def _same_key_for_the_next_test() -> Iterator[None]:
    before = config()
    yield
    write_hub_config(settings.WORKSPACE, before)


@pytest.fixture
def people(hub: People) -> People:
    """Both have a grant and a vendor's key, sealed; what is sealed says where it belongs."""
    for user in (hub.me, hub.other):
        account = make_account(user)
        token = OAuthToken(user_id=user.id, account_id=account.id, obtained_at=NOW)
        for row in (token, ApiKey(user_id=user.id, name="vendor", updated_at=NOW)):
            fill(row, opening())
            row.save(using=OWNER, force_insert=True)
    return hub


def config() -> HubConfig:
    return get_hub_config(settings.WORKSPACE)


def fill(row: Any, keyring: Keyring) -> None:
    for column in SEALED[type(row)]:
        setattr(row, column, keyring.seal(f"secret of {context_of(row, column)}", context=context_of(row, column)))


def values() -> list[tuple[Any, str, str]]:
    """Everything sealed in the hub: row, column, value."""
    return [
        (row, column, getattr(row, column))
        for model, column in COLUMNS
        for row in model._default_manager.using(OWNER).all()
    ]


def all_open(keyring: Keyring) -> bool:
    """Whether every value opens with these keys, to what was put there."""
    return all(
        keyring.open(value, context=context_of(row, column)) == f"secret of {context_of(row, column)}"
        for row, column, value in values()
    )


def add_key(name: str, user_id: uuid.UUID, *, keyring: Keyring, using: str = OWNER) -> None:
    row = ApiKey(user_id=user_id, name=name, updated_at=NOW)
    fill(row, keyring)
    row.save(using=using, force_insert=True)


class TestSealing:
    def test_covers_every_sealed_column_there_is(self) -> None:
        named = {
            (model, field.name)
            for model in SEALED
            for field in model._meta.concrete_fields
            if field.name.endswith("_sealed")
        }
        assert named == set(COLUMNS)

    def test_gives_back_what_was_sealed_for_the_place(self, people: People) -> None:
        assert len(values()) == 8
        assert all_open(opening())

    def test_stores_nothing_readable(self, people: People) -> None:
        assert not [value for _, _, value in values() if "secret" in value]

    def test_does_not_open_anywhere_else(self, people: People) -> None:
        keyring = opening()
        for (row, column, _), (_, _, foreign) in itertools.permutations(values(), 2):
            with pytest.raises(NotReady) as caught:
                keyring.open(foreign, context=context_of(row, column))
            assert caught.value.error_code == "key.wrong"

    def test_keeps_its_keys_until_the_transaction_ends(self, people: People) -> None:
        """A rotation that begins meanwhile waits, so that what is stored is never sealed with a key it has dropped."""
        with ThreadPoolExecutor(1) as pool:
            with transaction.atomic(), sealing.sealing() as keyring:
                rotation = pool.submit(in_a_thread(rotate_key))
                give_up = monotonic() + 10
                while not (rotation.done() or somebody_waits() or monotonic() > give_up):
                    sleep(0.005)
                add_key("slow", people.me.id, keyring=keyring, using="default")
                assert config().key.startswith(keyring.current.id)
            rotation.result(timeout=10)
        assert all_open(opening())
        assert opening().current.id != keyring.current.id

    def test_refuses_without_a_key(self, hub: People) -> None:
        write_hub_config(settings.WORKSPACE, replace(config(), key=""))
        with pytest.raises(NotReady) as caught, sealing.sealing():
            pass
        assert caught.value.error_code == "key.missing"


class TestRotateKey:
    def test_seals_everything_anew_and_drops_the_old_key(self, people: People) -> None:
        before = opening()
        result = rotate_key()
        assert result == {"key": config().keyring().current.id, "sealed": 8}
        assert config().old_key == ""
        assert result["key"] != before.current.id
        assert {key_id_of(value) for _, _, value in values()} == {result["key"]}
        assert all_open(opening())

    def test_leaves_empty_columns_empty(self, people: People) -> None:
        OAuthToken.objects.using(OWNER).update(refresh_token_sealed="")
        assert rotate_key()["sealed"] == 6
        assert set(OAuthToken.objects.using(OWNER).values_list("refresh_token_sealed", flat=True)) == {""}

    def test_keeps_everything_else_of_the_configuration(self, people: People) -> None:
        before = config()
        rotate_key()
        assert replace(config(), key=before.key) == before

    def test_makes_up_no_first_key(self, hub: People) -> None:
        write_hub_config(settings.WORKSPACE, replace(config(), key=""))
        with pytest.raises(NotReady) as caught:
            rotate_key()
        assert (caught.value.error_code, config().key) == ("key.missing", "")

    def test_drops_nothing_while_a_value_does_not_open(self, people: People) -> None:
        add_key("lost", people.other.id, keyring=Keyring(create_key()))
        before = config()
        for _ in range(2):
            with pytest.raises(NotReady) as caught:
                rotate_key()
            assert caught.value.error_code == "key.unknown"
            assert config().old_key == before.key
        ApiKey.objects.using(OWNER).filter(name="lost").delete()
        rotate_key()
        assert config().old_key == ""
        assert all_open(opening())

    def test_seals_what_came_late_before_it_drops_the_key(
        self, people: People, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sealing, "_reseal_all", with_a_late_value(people.me.id, sealing._reseal_all))
        assert rotate_key()["sealed"] == 9
        assert (config().old_key, all_open(opening())) == ("", True)

    def test_leaves_another_run_its_key(self, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
        """A run that was slow must not write down the key of a rotation that is over."""
        unpatched = sealing._reseal_all

        def overtaken(keyring: Keyring, *, using: str) -> int:
            monkeypatch.setattr(sealing, "_reseal_all", unpatched)
            rotate_key()  # ends the rotation that is under way
            rotate_key()  # and this is the next one
            return 0

        monkeypatch.setattr(sealing, "_reseal_all", overtaken)
        slow = rotate_key()
        assert config().keyring().current.id != slow["key"]
        assert all_open(opening())

    def test_killed_at_any_step_loses_nothing_and_ends_when_run_again(self, people: People) -> None:
        for steps in itertools.count(1):
            first = config().key
            if not killed(after=steps, user_id=people.me.id):
                break
            assert all_open(opening()), f"lost at step {steps}"
            rotate_key()
            after = config()
            assert after.old_key == ""
            assert after.key != first
            assert all_open(Keyring(after.keyring().current)), f"lost after step {steps}"
            ApiKey.objects.using(OWNER).filter(name="late").delete()
        assert steps > 2 * (2 + 9 + 3)  # before and after two files, nine values, three transactions

    def test_beside_writers_leaves_no_value_sealed_with_a_dropped_key(self, people: People) -> None:
        over = Event()

        def write() -> int:
            for number in itertools.count():
                with sealing.sealing("default") as keyring:
                    row = ApiKey.objects.filter(name="busy").first() or ApiKey(
                        user_id=people.me.id, name="busy", updated_at=NOW
                    )
                    fill(row, keyring)
                    row.save(using="default")
                if over.is_set():
                    return number
            raise AssertionError

        with ThreadPoolExecutor(1) as pool:
            writer = pool.submit(in_a_thread(write))
            keys = [rotate_key()["key"] for _ in range(10)]
            over.set()
            assert writer.result(timeout=10) > 0
        assert len(set(keys)) == 10
        assert count_foreign(opening(), using=OWNER) == 0
        assert all_open(opening())

    def test_twice_at_once_works_on_one_key(self, people: People) -> None:
        with ThreadPoolExecutor(2) as pool:
            for run in [pool.submit(in_a_thread(rotate_key)) for _ in range(6)]:
                run.result(timeout=10)
        assert config().old_key == ""
        assert all_open(opening())


class TestCheckOpens:
    def test_is_silent_while_everything_opens(self, people: People) -> None:
        check_opens(OWNER)

    def test_refuses_when_a_key_is_gone(self, people: People) -> None:
        add_key("lost", people.other.id, keyring=Keyring(create_key()))
        with pytest.raises(NotReady) as caught:
            check_opens(OWNER)
        assert caught.value.error_code == "key.unknown"
        check_opens("default")  # another person's value is not this one's to open


class TestCountForeign:
    def test_counts_values_whose_key_is_gone(self, people: People) -> None:
        assert count_foreign(opening(), using=OWNER) == 0
        add_key("lost", people.me.id, keyring=Keyring(create_key()))
        assert count_foreign(opening(), using=OWNER) == 1


def somebody_waits() -> bool:
    """Whether a connection waits for the sealing lock."""
    with connections[OWNER].cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)")
        return bool(cursor.fetchone()[0])


def in_a_thread(action: Callable[[], Any]) -> Callable[[], Any]:
    """Close the thread's own connections behind it."""

    def run() -> Any:
        try:
            return action()
        finally:
            connections.close_all()

    return run


def with_a_late_value(user_id: uuid.UUID, reseal: Callable[..., int]) -> Callable[..., int]:
    """The first pass, after which somebody stores one more value sealed with the old key."""
    first = iter([True])

    def run(keyring: Keyring, *, using: str) -> int:
        count = reseal(keyring, using=using)
        if next(first, False):
            add_key("late", user_id, keyring=Keyring(*reversed(config().read_keys())))
        return count

    return run


def killed(*, after: int, user_id: uuid.UUID) -> bool:
    """Rotate in a process that is killed after so many steps; False when it came to its end before."""
    connections.close_all()  # none may be shared with the child
    process = get_context("fork").Process(target=_rotate_and_die, args=(after, user_id))
    process.start()
    process.join(timeout=20)
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode != 0


def _rotate_and_die(after: int, user_id: uuid.UUID) -> None:
    """Rotate; before and after each file, each UPDATE and each COMMIT is a step."""
    left = itertools.count(after - 1, -1)

    def step() -> None:
        if next(left) == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def stepping(action: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **named: Any) -> Any:
            step()
            result = action(*arguments, **named)
            step()
            return result

        return run

    def statement(execute: Any, sql: str, *rest: Any) -> Any:
        return (stepping(execute) if sql.startswith("UPDATE") else execute)(sql, *rest)

    owner: Any = connections[OWNER]
    owner._commit = stepping(owner._commit)
    owner.execute_wrappers.append(statement)
    vars(sealing)["write_hub_config"] = stepping(write_hub_config)
    vars(sealing)["_reseal_all"] = with_a_late_value(user_id, sealing._reseal_all)
    rotate_key()
