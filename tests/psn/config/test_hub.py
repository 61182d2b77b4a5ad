"""`config/hub.env`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from psn.config.hub import HubConfig, find_hub_config, get_hub_config, write_hub_config
from psn.config.workspace import Workspace, find_workspace
from psn.crypto import create_key
from psn.errors import InvalidInput, NotReady


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "a place with 日本")


def make(place: Workspace, **values: Any) -> HubConfig:
    return HubConfig(data=place.root / "pg", socket_dir=place.root / "run", secret_key="s", **values)


class TestHubConfig:
    def test_is_read_as_it_was_written(self, place: Workspace) -> None:
        config = make(place, key=create_key().to_text(), old_key=create_key().to_text())
        write_hub_config(place, config)
        assert get_hub_config(place) == config
        assert config.home == place.root

    def test_is_missing_before_set_up(self, place: Workspace) -> None:
        assert find_hub_config(place) is None
        with pytest.raises(NotReady) as refused:
            get_hub_config(place)
        assert (refused.value.error_code, refused.value.next_command) == ("hub.missing", "psn_setup")

    @pytest.mark.parametrize("key", ["", "abc", "abcd:short"])
    def test_gives_no_keyring_without_a_key(self, place: Workspace, key: str) -> None:
        with pytest.raises(NotReady) as refused:
            make(place, key=key).keyring()
        assert refused.value.error_code == ("key.malformed" if key else "key.missing")
        assert key == "" or key not in refused.value.message

    def test_opens_with_both_keys_while_they_are_exchanged(self, place: Workspace) -> None:
        old, new = create_key(), create_key()
        sealed = make(place, key=old.to_text()).keyring().seal("x", context="c")
        both = make(place, key=new.to_text(), old_key=old.to_text()).keyring()
        assert (both.open(sealed, context="c"), both.current) == ("x", new)

    @pytest.mark.parametrize(
        ("old", "new", "code"),
        [
            ("PROVIDER=local", "PROVIDER=lokal", "provider.unknown"),
            ("PROVIDER=local", "PROVIDER=", "provider.unknown"),
            ("NAME=psn", "NAM=psn", "config.field"),
            ("NAME=psn", "", "config.field"),
            ("DATA='/", "DATA='", "config.field"),
        ],
        ids=["typo", "empty", "unknown", "missing", "relative"],
    )
    def test_names_the_file_and_the_field_that_is_wrong(self, place: Workspace, old: str, new: str, code: str) -> None:
        write_hub_config(place, make(place))
        text = place.hub_env.read_text()
        assert old in text
        place.hub_env.write_text(text.replace(old, new))
        with pytest.raises(InvalidInput) as refused:
            find_hub_config(place)
        assert (refused.value.error_code, str(place.hub_env) in refused.value.message) == (code, True)


class TestWorkspace:
    def test_is_where_the_environment_says(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PSN_WORKSPACE", str(tmp_path / "x" / ".."))
        assert find_workspace().root == tmp_path.resolve()

    def test_keeps_everything_below_its_root(self, place: Workspace) -> None:
        files = (place.hub_env, place.keys_env, place.strategy, *place.folders)
        assert all(path.is_relative_to(place.root) for path in files)
        assert sorted(set(place.folders)) == sorted(place.folders)
