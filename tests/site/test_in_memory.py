"""Folders in memory: where there is room, and without what killed processes left."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests import in_memory

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(("room", "is_there"), [(0, True), (2**80, False)])
def test_a_folder_is_where_there_is_room_and_ends(tmp_path: Path, room: int, is_there: bool) -> None:
    with in_memory.folder(tmp_path, room) as made:
        (made / "data").touch()
        assert (made.parent == tmp_path) is is_there
    assert not made.exists()


def test_what_a_killed_process_left_is_removed_and_nothing_of_a_living_one(tmp_path: Path) -> None:
    # Given what two processes have, of which one was killed
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    left, used = (tmp_path / f"payment-tests-{pid}-x" for pid in (ended.pid, os.getppid()))
    left.mkdir()
    used.mkdir()
    # When another begins; Then
    with in_memory.folder(tmp_path, 0):
        assert not left.exists()
        assert used.exists()
