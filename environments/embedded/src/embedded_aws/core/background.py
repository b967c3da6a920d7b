"""The one way of waiting here: ask again until there is an answer, an interruption or no time left.

Background work: one named daemon thread for each build, action or condition that runs.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")


class Interrupted(Exception):  # noqa: N818 - it says what happened
    """The waiting was given up before its time was over."""


def wait_for(
    probe: Callable[[], _T | None],
    *,
    seconds: float,
    every: float,
    pause: Callable[[float], object] = time.sleep,
) -> _T | None:
    """Return the first answer of `probe` that is not None; None when the time is over.

    Args:
        probe: asked at least once, and once more when the time is over.
        seconds: how long to wait.
        every: how many seconds lie between two questions.
        pause: waits that long; one that returns something true gives up.

    Raises:
        Interrupted: `pause` gave up.
    """
    deadline = time.monotonic() + seconds
    while True:
        late = time.monotonic() >= deadline
        answer = probe()
        if answer is not None or late:
            return answer
        if pause(min(every, max(0.0, deadline - time.monotonic()))):
            raise Interrupted


_log = logging.getLogger(__name__)


def start(name: str, task: Callable[[], None]) -> None:
    """Run `task` beside us; what it does not handle itself is logged."""
    threading.Thread(target=_logged, args=(name, task), name=f"{name}", daemon=True).start()


def later(seconds: float, name: str, task: Callable[[], None]) -> None:
    """Run `task` after a while, unless the process has ended by then."""
    timer = threading.Timer(seconds, _logged, args=(name, task))
    timer.daemon = True
    timer.name = f"{name}"
    timer.start()


def _logged(name: str, task: Callable[[], None]) -> None:
    try:
        task()
    except Exception:  # noqa: BLE001 - the last stop of a thread; its work has recorded what it could
        _log.exception("%s failed", name)
