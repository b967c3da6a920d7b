"""Somebody who listens for alarms: one that rings for a minute alone is heard, too."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tests.drills.system import System

_EVERY_SECONDS: Final = 0.7


@dataclass(slots=True)
class Ears:
    """Looks at a system's alarms all the time.

    Attributes:
        system: Whose alarms.
        heard: Those that rang since `listen`.
    """

    system: System
    heard: set[str] = field(default_factory=set)
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def listen(self) -> None:
        """Begin."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._look)
            self._thread.start()

    def rest(self) -> None:
        """End."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(_EVERY_SECONDS):
            self.heard |= self.system.ringing()
