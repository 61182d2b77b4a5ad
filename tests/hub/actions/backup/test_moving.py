"""What a move that is under way, or was begun, stands in the way of (HUB-12)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings

from hub.actions.backup import moving
from hub.actions.backup.moving import check_no_move, find_move
from psn.config.hub import get_hub_config, write_hub_config
from psn.config.workspace import Workspace
from psn.errors import Conflict, NotReady


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace with a hub, and the beginning of a move."""
    workspace = Workspace(tmp_path)
    config = get_hub_config(settings.WORKSPACE)
    write_hub_config(workspace, config)
    write_hub_config(moving._building(workspace), replace(config, name="elsewhere"))
    return workspace


class TestAMove:
    def test_that_was_begun_is_found(self, workspace: Workspace, tmp_path: Path) -> None:
        target = find_move(workspace)
        assert target is not None
        assert target.name == "elsewhere"
        assert find_move(Workspace(tmp_path / "another")) is None

    def test_stands_in_the_way_only_while_the_old_hub_has_no_worker(self, workspace: Workspace) -> None:
        check_no_move(workspace)
        moving._frozen(moving._building(workspace)).touch()
        with pytest.raises(NotReady) as caught:
            check_no_move(workspace)
        assert (caught.value.error_code, caught.value.next_command) == (
            "move.unfinished",
            "psn_hub move --provider local",
        )
        check_no_move(workspace, slug="acme")

    def test_is_the_only_one(self, workspace: Workspace) -> None:
        building = moving._building(workspace)
        with moving._only_one(building), pytest.raises(Conflict) as caught:
            moving._only_one(building).__enter__()
        assert caught.value.error_code == "move.running"
        with moving._only_one(building):
            pass

    def test_that_never_came_to_anything_leaves_nothing_behind(self, tmp_path: Path) -> None:
        building = moving._building(Workspace(tmp_path))
        with moving._only_one(building):
            assert building.root.stat().st_mode & 0o077 == 0
        assert not building.root.exists()

    def test_is_over_only_when_the_files_were_exchanged(self, workspace: Workspace) -> None:
        building = moving._building(workspace)
        assert not moving._was_switched(building)
        moving._exchanged(building).touch()
        assert not moving._was_switched(building)
        building.hub_env.replace(workspace.hub_env)
        assert moving._was_switched(building)
        moving._forget(building)
        assert not moving._was_switched(building)
