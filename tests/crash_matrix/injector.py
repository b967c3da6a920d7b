"""Strikes faults at sites while a cell runs, and records every site that is reached."""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from tests.crash_matrix import lanes
from tests.crash_matrix.faults import (
    FREEZE_AFTER,
    FREEZE_BEFORE,
    LATE,
    Fault,
    Kind,
    Layer,
    Point,
    Site,
    Visit,
)

_STORES = (Layer.MONGODB, Layer.GATEWAY)


@dataclass(frozen=True, slots=True)
class Failures:
    """How a layer's caller learns that something went wrong; each makes the exception it sees."""

    died: Callable[[], BaseException]
    refused: Callable[[], BaseException]
    lost: Callable[[], BaseException]
    replayed: Callable[[], Any] | None = None
    """Of a gateway: answers an error that its key repeats."""
    hung_up: Callable[[], BaseException] | None = None
    """Of MongoDB: the connection was closed, and there is time to ask again."""


@dataclass(frozen=True, slots=True)
class _HeldBack:
    point: Point
    invocation: int
    go_on: Callable[[], Any]


class Injector:
    """The faults of one cell.

    Args:
        faults: what goes wrong.
        pass_deadline: lets time pass until the order's deadline is over.
        landed_late: looks at what something did that landed after it.
        overtake: runs another execution of the same order.
    """

    def __init__(
        self,
        faults: Iterable[Fault],
        pass_deadline: Callable[[], None],
        landed_late: Callable[[], None],
        overtake: Callable[[], None],
    ) -> None:
        self._faults = list(faults)
        self._pass_deadline = pass_deadline
        self._landed_late = landed_late
        self._overtake = overtake
        self._times: Counter[str] = Counter()
        self._held_back: list[_HeldBack] = []
        self._invocations = 0
        self.visits: list[Visit] = []
        self.struck: list[Fault] = []

    def cross(
        self,
        site: Site,
        effect: Callable[[], Any],
        failures: Failures,
        part: Callable[[], Any] | None = None,
    ) -> Any:
        """Do what happens at a site, or what goes wrong there instead.

        Args:
            site: where.
            effect: the side effect.
            failures: what the caller sees when it fails.
            part: half of the side effect, for a bulk.
        """
        if lanes.is_ghost():
            return effect()
        kind = self._strike(site)

        def apply(do: Callable[[], Any] = effect) -> Any:
            try:
                return do()
            finally:
                if site.layer in _STORES and site.writes:
                    self.release(Point.EFFECT)

        return apply() if kind is None else self._go_wrong(kind, apply, effect, failures, part)

    def invoked(self, run: Callable[[], Any]) -> Any:
        """Run an invocation; when it ends, what waited for a step to pass goes on."""
        if lanes.is_ghost():
            return run()
        self._invocations += 1
        number = self._invocations
        try:
            return run()
        finally:
            self.release(Point.STEP, before=number)

    def release(self, point: Point, before: int | None = None) -> None:
        """Let go on what was held back until this point, in the order it was held back."""
        due = [h for h in self._held_back if h.point is point and (before is None or h.invocation < before)]
        self._held_back = [h for h in self._held_back if h not in due]
        for held_back in due:
            lanes.as_ghost(held_back.go_on)

    def armed(self, place: str) -> frozenset[tuple[str, Kind, int | None]] | None:
        """Tell what may go wrong while something at this place runs, and at which time that it is reached.

        None if it cannot be told beforehand: something waits to land after the next effect.
        """
        if lanes.is_ghost():
            return frozenset()
        if any(held_back.point is Point.EFFECT for held_back in self._held_back):
            return None
        here = [fault for fault in self._faults if fault.site.startswith(f"{place} / ")]
        left = [(f.site, f.kind, f.occurrence and f.occurrence - self._times[f.site]) for f in here]
        return frozenset(one for one in left if one[2] is None or one[2] > 0)

    def again(self, sites: Iterable[Site], struck: Iterable[Fault]) -> None:
        """Note that sites were reached, and what went wrong there."""
        for site in sites:
            self._reach(site)
        alike = {(fault.site, fault.kind): fault for fault in self._faults}
        self.struck += [alike[fault.site, fault.kind] for fault in struck]

    def lift(self) -> None:
        """Let nothing go wrong any more."""
        self._faults = []

    def _strike(self, site: Site) -> Kind | None:
        occurrence = self._reach(site)
        for fault in self._faults:
            if fault.site == site.name and fault.occurrence in (None, occurrence):
                self.struck.append(fault)
                return fault.kind
        return None

    def _reach(self, site: Site) -> int:
        self._times[site.name] += 1
        self.visits.append(Visit(site, self._times[site.name]))
        return self._times[site.name]

    def _go_wrong(  # noqa: C901 - one case for each kind
        self,
        kind: Kind,
        apply: Callable[..., Any],
        effect: Callable[[], Any],
        failures: Failures,
        part: Callable[[], Any] | None,
    ) -> Any:
        match kind:
            case Kind.CRASH_BEFORE:
                raise failures.died()
            case Kind.REFUSED:
                raise failures.refused()
            case Kind.REPLAYED:
                assert failures.replayed, "only a gateway repeats an error"
                return failures.replayed()
            case Kind.HUNG_UP:
                assert failures.hung_up, "only MongoDB hangs up"
                _quietly(apply)
                raise failures.hung_up()
            case Kind.TWICE:
                _quietly(apply)
                return apply()
            case Kind.OVERTAKEN:
                lanes.as_ghost(self._overtake)
                return apply()
            case Kind.TORN if part is not None:
                _quietly(lambda: apply(part))
                raise failures.died()
            case _ if kind in FREEZE_BEFORE:
                self._freeze(FREEZE_BEFORE[kind])
                return effect()
            case _ if kind in FREEZE_AFTER:
                result = apply()
                self._freeze(FREEZE_AFTER[kind])
                return result
            case _ if kind in LATE:
                self._hold_back(LATE[kind], lambda: _quietly(effect))
            case Kind.PAST_DEADLINE:
                self._pass_deadline()
                _quietly(apply)
                self._landed_late()
            case _:
                _quietly(apply)
        raise failures.died() if kind is Kind.CRASH_AFTER else failures.lost()

    def _freeze(self, point: Point) -> None:
        lane = lanes.current.get()
        assert lane is not None, "only what runs in a lane can freeze"
        self._hold_back(point, lane.resume)
        lane.freeze()

    def _hold_back(self, point: Point, go_on: Callable[[], Any]) -> None:
        self._held_back.append(_HeldBack(point, self._invocations, go_on))


def _quietly(effect: Callable[[], Any]) -> None:
    """Do it; whatever it answers, error or not, reaches nobody."""
    with contextlib.suppress(Exception):  # any answer at all is lost here: that is the fault
        effect()
