"""MongoDB stalls again and again: orders take seconds longer until it does not."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.drills.drill import Scene

_STALLED_SECONDS, _MOVING_SECONDS = 1.75, 0.5
_PAGE: Final = "runbooks/data-api-slow.md"


@contextmanager
def _stalling(pid: int) -> Iterator[threading.Event]:
    """Stop a process for a while, again and again, until the event is set."""
    over = threading.Event()

    def stall() -> None:
        while not over.wait(_MOVING_SECONDS):
            os.kill(pid, signal.SIGSTOP)
            over.wait(_STALLED_SECONDS)
            os.kill(pid, signal.SIGCONT)

    thread = threading.Thread(target=stall)
    thread.start()
    try:
        yield over
    finally:
        over.set()
        thread.join()


def test_data_api_slow(scene: Scene) -> None:
    system = scene.system
    # Given customers who buy
    system.traffic.prepare(120)
    assert system.database.pid
    with system.traffic.flowing(per_second=2), _stalling(system.database.pid) as over:
        # When MongoDB stalls for most of every two seconds; Then it is heard and shown
        scene.breaks("MongoDB stalls for 1.75 s, again and again", lambda: None)
        scene.rings("DataApiSlow")
        assert "Latency" in scene.follow(_PAGE, "How to see it")
        # And when its owner has mended it
        scene.outside("the database's owner finds the disk that stalls", over.set)
    # And what was parked meanwhile is redriven
    scene.redrive_parked()
    # Then the system is well, and so are the orders of the time between
    scene.follow(_PAGE, "How to know it is fixed")
    scene.well()
