"""Background work: one named daemon thread for each build, action or condition that runs."""

import logging
import threading
from collections.abc import Callable

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
