"""Rates in one run, side by side: contestants take turns for a moment each, again and again.

What the machine does beside hits all of them alike, so a ratio is that of two neighbours in one round, and
the figure is the median of the rounds.
"""

from __future__ import annotations

import itertools
import json
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psutil
import pymongo

from pipelines.cli.terminal import table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rich.table import Table

FOLDER: Final = Path(__file__).parents[2] / "reports" / "benchmarks"
_PATIENCE_SECONDS: Final = 60.0  # a rate, not a time-out, is what is measured
_numbers = itertools.count()
measured: Final[list[Table]] = []
"""What was found, for the end of the run."""


class Contest:
    """Rates of every contestant in every round, and the server's processor seconds for one operation."""

    def __init__(self, rates: Mapping[str, Sequence[float]], spent: Mapping[str, Sequence[float]]) -> None:
        self._rates, self._spent = rates, spent

    def rate(self, name: str) -> float:
        """Return the median operations a second."""
        return statistics.median(self._rates[name])

    def ratio(self, name: str, other: str, factor: float = 1) -> float:
        """Return the median of `name` / (`other` x `factor`), round by round."""
        pairs = zip(self._rates[name], self._rates[other], strict=True)
        return statistics.median(one / (another * factor) for one, another in pairs)

    def server_milliseconds(self, name: str) -> float:
        """Return the median processor milliseconds that the server spends on one operation."""
        return statistics.median(self._spent[name]) * 1000


def hold(
    contestants: Mapping[str, Callable[[int], object]],
    *,
    callers: int,
    server: int | None = None,
    rounds: int = 5,
    seconds: float = 0.4,
) -> Contest:
    """Let each contestant run for a moment with so many callers, in turns; the first round warms up.

    A contestant does one thing; it is called with a number that never comes again. `server` is the process
    that does the work for them, or else this one.
    """
    rates: dict[str, list[float]] = {name: [] for name in contestants}
    spent: dict[str, list[float]] = {name: [] for name in contestants}
    process = psutil.Process(server)
    names = list(contestants)
    with ThreadPoolExecutor(callers) as pool:
        for number in range(rounds + 1):
            for name in names:
                before = sum(process.cpu_times()[:2])
                done, rate = _run(pool, contestants[name], callers, seconds)
                if number:
                    rates[name].append(rate)
                    spent[name].append((sum(process.cpu_times()[:2]) - before) / done)
            names = names[1:] + names[:1]
    return Contest(rates, spent)


def _run(
    pool: ThreadPoolExecutor, operation: Callable[[int], object], callers: int, seconds: float
) -> tuple[int, float]:
    gate = threading.Barrier(callers)

    def call(_: int) -> tuple[int, float, float]:
        gate.wait()
        began = time.perf_counter()
        done = 0
        with pymongo.timeout(_PATIENCE_SECONDS):
            while (now := time.perf_counter()) - began < seconds or not done:
                operation(next(_numbers))
                done += 1
        return done, began, now

    ends = list(pool.map(call, range(callers)))
    total, last = sum(done for done, _, _ in ends), max(end for _, _, end in ends)
    return total, total / (last - min(began for _, began, _ in ends))


def show(found: Table) -> None:
    """Print a table when all is measured, since what handlers log stands between until then."""
    measured.append(found)


def report(name: str, figures: Mapping[str, Any]) -> None:
    """Print the figures, and write them beside the other reports."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.json"
    path.write_text(json.dumps(dict(figures), indent=2) + "\n", encoding="utf-8")
    rows = [(key, str(value)) for key, value in figures.items() if not isinstance(value, list)]
    if rows:
        show(table(name, ("what", "how much"), rows))
    for key, value in figures.items():
        if isinstance(value, list) and value:
            lines = [tuple(str(cell) for cell in row.values()) for row in value]
            show(table(f"{name}: {key}", tuple(value[0]), lines))


def line(what: str, measured: float, expected: float, **beside: Any) -> dict[str, Any]:
    """Return a row of a report: a ratio, and the one that was expected at least."""
    met = "yes" if measured >= expected else "no"
    return {"what": what, **beside, "measured": round(measured, 2), "expected": expected, "met": met}
