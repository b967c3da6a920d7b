"""How long actions took on this machine before, so that whoever waits is told what to expect."""

from __future__ import annotations

import contextlib
import json
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from pipelines.core.repository import CACHE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipelines.promotion.execution import Promotion, Step

FILE: Final = CACHE / "durations.json"
_KEPT: Final = 5
_SHORT_SECONDS: Final = 5
_MINUTE: Final = 60


class Durations:
    """The last durations of each action, by pipeline, stage and action; kept in a file of this machine's."""

    def __init__(self, file: Path = FILE) -> None:
        self._file = file
        self._seconds: dict[str, list[float]] = _read(file)

    def expected(self, which: str, step: Step) -> str:
        """Return what an action usually takes, as `usually 40 s`; nothing where that is short or unknown."""
        return self.named(f"{which}/{step.stage}/{step.action}")

    def named(self, name: str) -> str:
        """Return what something usually takes, as `usually 40 s`; nothing where that is short or unknown."""
        known = self._seconds.get(name, [])
        usual = median(known) if known else 0
        return f"usually {described(usual)}" if usual >= _SHORT_SECONDS else ""

    def together(self, names: Sequence[str]) -> str:
        """Return what several things usually take one after the other; nothing where one was never seen."""
        seen = [self._seconds.get(name, []) for name in names]
        return f"usually {described(sum(map(median, seen)))}" if seen and all(seen) else ""

    def keep(self, promotion: Promotion) -> None:
        """Remember how long the actions of a promotion took that succeeded."""
        for step in promotion.steps:
            if step.status == "Succeeded":
                self._add(f"{promotion.which}/{step.stage}/{step.action}", step.seconds)
        self._write()

    def keep_named(self, name: str, seconds: float) -> None:
        """Remember how long something took."""
        self._add(name, seconds)
        self._write()

    def _add(self, name: str, seconds: float) -> None:
        self._seconds[name] = [*self._seconds.get(name, []), round(seconds, 1)][-_KEPT:]

    def _write(self) -> None:
        with contextlib.suppress(OSError):  # an estimate is worth no failure where nothing can be written
            self._file.parent.mkdir(parents=True, exist_ok=True)
            scratch = self._file.with_suffix(".new")
            scratch.write_text(json.dumps(self._seconds, indent=1), encoding="utf-8")
            scratch.replace(self._file)


def described(seconds: float) -> str:
    """Return a duration in words, as `40 s` or `3 min`."""
    return f"{seconds:.0f} s" if seconds < 2 * _MINUTE else f"{seconds / _MINUTE:.0f} min"


def _read(file: Path) -> dict[str, list[float]]:
    try:
        known: Any = json.loads(file.read_text(encoding="utf-8"))
        return {str(name): [float(seconds) for seconds in values] for name, values in known.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
