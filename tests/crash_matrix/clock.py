"""Virtual time: retries, time-outs and deadlines pass without waiting."""

import datetime
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

MINUTE = datetime.timedelta(minutes=1)
"""Nothing that the code decides turns on seconds: deadlines and pruning are minutes and days away. Told in
minutes, a retry some seconds later finds what the first attempt would have found."""
_BSON_KEEPS = datetime.timedelta(milliseconds=1)


class Clock:
    """The one clock of a cell, in UTC: it moves only when it is told to, and shows whole ticks."""

    def __init__(self, start: datetime.datetime, tick: datetime.timedelta = _BSON_KEEPS) -> None:
        self._start = start
        self._tick = tick
        self._passed = datetime.timedelta()

    def now(self) -> datetime.datetime:
        """Tell the time."""
        return self._start + self._passed // self._tick * self._tick

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._passed += datetime.timedelta(seconds=seconds)

    def timestamp(self) -> str:
        """Write the time as Step Functions does in its context object."""
        return self.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Times:
    """Stands for the class `datetime` in a module: the time is the cell's."""

    def __init__(self, now: Callable[[], datetime.datetime]) -> None:
        self._now = now

    def now(self, _: datetime.tzinfo) -> datetime.datetime:
        """Tell the time."""
        return self._now()

    def __getattr__(self, name: str) -> Any:
        return getattr(datetime.datetime, name)


def readers(package: str) -> list[ModuleType]:
    """List the modules of a package, all of them loaded, that can ask `datetime` for the time."""
    loaded = [module for name, module in sys.modules.items() if name.split(".")[0] == package]
    return [module for module in loaded if getattr(module, "datetime", None) is datetime.datetime]
