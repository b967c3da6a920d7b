"""Folders of test runs whose data need not outlast them: in memory, where the machine has room for it.

A mongod waits for its journal in every write; memory takes it in half the time and two thirds of the work.
What it does is the same: a killed one finds its journal again, and nobody cuts the power of a test.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - folders in it are this user's own, as mkdtemp makes them
_ROOM: Final = 4 * 1024**3
"""Bytes that must be free: the servers of a run take a quarter. A container has 64 MB by default."""
_PREFIX: Final = "payment-tests-"


@contextmanager
def folder(place: Path = _MEMORY, room: int = _ROOM) -> Iterator[Path]:
    """Make an empty folder in memory, or among other temporary files; it is removed in the end.

    What processes left that were killed is removed, too: it would take memory as long as the machine runs.
    """
    roomy = place.is_dir() and os.access(place, os.W_OK) and shutil.disk_usage(place).free >= room
    if roomy:
        for left in place.glob(f"{_PREFIX}*"):
            if not Path("/proc", left.name.split("-")[2]).exists():
                shutil.rmtree(left, ignore_errors=True)
    made = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=place if roomy else None))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)
