"""Vendors' keys, here and in the hub."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from hub.actions.keys import list_keys, remove_key, set_key
from hub.models import ApiKey, User
from hub.sealing import context_of, opening
from psn.config.envfile import read_env_file
from psn.config.workspace import Workspace
from psn.errors import InvalidInput, NotFound

SECRET = "a-secret-41b7"


@pytest.fixture
def place(me: User) -> Iterator[Workspace]:
    found: Workspace = settings.WORKSPACE
    yield found
    Path(found.keys_env).unlink(missing_ok=True)


class TestSetKey:
    def test_stores_it_in_the_file_and_sealed_in_the_hub(self, place: Workspace) -> None:
        set_key(place, name="VENDOR_KEY", value=f" {SECRET}\n")
        row = ApiKey.objects.get(name="VENDOR_KEY")
        assert read_env_file(place.keys_env) == {"VENDOR_KEY": SECRET}
        assert SECRET not in row.key_sealed
        assert opening().open(row.key_sealed, context=context_of(row, "key_sealed")) == SECRET

    def test_replaces_the_one_before_and_keeps_the_others(self, place: Workspace) -> None:
        set_key(place, name="OTHER", value="kept")
        for value in ("first", "second"):
            set_key(place, name="VENDOR_KEY", value=value)
        assert read_env_file(place.keys_env) == {"OTHER": "kept", "VENDOR_KEY": "second"}
        assert ApiKey.objects.count() == 2

    @pytest.mark.parametrize("name", ["", "a", "vendor_key", "VENDOR-KEY", "1KEY", "KEY\n", "K" * 65, "ÑKEY"])
    def test_refuses_a_name_that_is_none(self, place: Workspace, name: str) -> None:
        with pytest.raises(InvalidInput) as refused:
            set_key(place, name=name, value=SECRET)
        assert (refused.value.error_code, SECRET in refused.value.message) == ("key.name", False)

    @pytest.mark.parametrize(
        ("value", "code"),
        [
            ("", "key.value"),
            (" \n", "key.value"),
            (f"{SECRET}\n2", "key.value"),
            (f"{SECRET}\x00", "key.value"),
            (f"{SECRET}\udcff", "key.value"),
            (SECRET * 1000, "key.value"),
            (f"{SECRET}'", "config.value"),
            (f'{SECRET}"', "config.value"),
            (f"{SECRET}\\", "config.value"),
        ],
    )
    def test_refuses_a_value_without_showing_or_storing_it(self, place: Workspace, value: str, code: str) -> None:
        with pytest.raises(InvalidInput) as refused:
            set_key(place, name="VENDOR_KEY", value=value)
        assert (refused.value.error_code, SECRET in refused.value.message) == (code, False)
        assert (read_env_file(place.keys_env), ApiKey.objects.count()) == ({}, 0)


class TestListAndRemove:
    def test_say_where_each_key_is(self, place: Workspace) -> None:
        set_key(place, name="BOTH", value="x")
        place.keys_env.write_text(f"{place.keys_env.read_text()}FILE_ONLY=y\n")
        assert list_keys(place) == [
            {"name": "BOTH", "in_file": True, "in_hub": True},
            {"name": "FILE_ONLY", "in_file": True, "in_hub": False},
        ]

    def test_take_a_key_away_from_both_places(self, place: Workspace) -> None:
        set_key(place, name="BOTH", value="x")
        assert remove_key(place, name="BOTH") == "BOTH"
        assert (read_env_file(place.keys_env), ApiKey.objects.count()) == ({}, 0)
        with pytest.raises(NotFound) as refused:
            remove_key(place, name="BOTH")
        assert refused.value.error_code == "key.not_found"
