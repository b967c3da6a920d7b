"""What can go wrong, and where: layers, kinds, sites."""

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import NamedTuple


class Layer(StrEnum):
    """The boundaries that a side effect crosses."""

    LAMBDA = "lambda"  # Step Functions invokes a step
    HTTP = "http"  # a step sends a request to the data API
    MONGODB = "mongodb"  # the data API sends a command to MongoDB
    GATEWAY = "gateway"  # a step sends a request to Stripe


class Point(Enum):
    """When something that was held back goes on."""

    EFFECT = "the next effect"  # the next write that MongoDB applies
    STEP = "the next step"  # the end of the next invocation, so its successor did all it does
    END = "the end"  # of the execution and its redrives
    PRUNED = "pruning"  # of the order's records, long after


class Kind(StrEnum):
    """What happens at a site."""

    CRASH_BEFORE = "crash before"
    CRASH_AFTER = "crash after"
    REFUSED = "refused"  # an error is answered, nothing is done
    LOST = "response lost"  # done, and the caller learns of a time-out
    TWICE = "lands twice"
    TORN = "half of it lands"  # some documents of a bulk, then a crash
    PAST_DEADLINE = "lands after the deadline"
    LATE_EFFECT = "lands after the next effect"
    LATE_STEP = "lands after the next step"
    LATE_END = "lands after the end"
    LATE_PRUNED = "lands after pruning"
    FREEZE_BEFORE_EFFECT = "freezes before, resumes after the next effect"
    FREEZE_BEFORE_STEP = "freezes before, resumes after the next step"
    FREEZE_BEFORE_END = "freezes before, resumes after the end"
    FREEZE_BEFORE_PRUNED = "freezes before, resumes after pruning"
    FREEZE_AFTER_EFFECT = "freezes after, resumes after the next effect"
    FREEZE_AFTER_STEP = "freezes after, resumes after the next step"
    FREEZE_AFTER_END = "freezes after, resumes after the end"
    FREEZE_AFTER_PRUNED = "freezes after, resumes after pruning"
    HUNG_UP = "done, and MongoDB hangs up"  # as a primary that steps down: the data API asks again at once
    REPLAYED = "answers 500, and repeats it for a day"  # what a gateway does with an idempotency key
    OVERTAKEN = "is overtaken"  # by another execution, a sweep, a release: what the scenario says


LATE = {
    Kind.LATE_EFFECT: Point.EFFECT,
    Kind.LATE_STEP: Point.STEP,
    Kind.LATE_END: Point.END,
    Kind.LATE_PRUNED: Point.PRUNED,
}
FREEZE_BEFORE = {
    Kind.FREEZE_BEFORE_EFFECT: Point.EFFECT,
    Kind.FREEZE_BEFORE_STEP: Point.STEP,
    Kind.FREEZE_BEFORE_END: Point.END,
    Kind.FREEZE_BEFORE_PRUNED: Point.PRUNED,
}
FREEZE_AFTER = {
    Kind.FREEZE_AFTER_EFFECT: Point.EFFECT,
    Kind.FREEZE_AFTER_STEP: Point.STEP,
    Kind.FREEZE_AFTER_END: Point.END,
    Kind.FREEZE_AFTER_PRUNED: Point.PRUNED,
}
FREEZES = FREEZE_BEFORE | FREEZE_AFTER
PRUNED = {kind for kind, point in (LATE | FREEZES).items() if point is Point.PRUNED}
AT_ONCE = frozenset(Kind) - {Kind.PAST_DEADLINE, Kind.OVERTAKEN, *LATE, *FREEZES}
"""What is over when the invocation is: nothing lands later, and no time passes."""
_ONCE_ONLY = {Kind.OVERTAKEN, Kind.PAST_DEADLINE}
# A read has no effect that could be lost, late or doubled: only what its reader does with it can go wrong.
_READ_KINDS = {Kind.CRASH_BEFORE, Kind.REFUSED, Kind.OVERTAKEN, *FREEZE_AFTER}


@dataclass(frozen=True, slots=True)
class Site:
    """A place where a side effect happens, named by the run that found it."""

    layer: Layer
    name: str
    writes: bool = True
    documents: int = 1

    def kinds(self) -> list[Kind]:
        """List what can go wrong here."""
        kinds = set(Kind)
        if self.documents == 1:
            kinds.discard(Kind.TORN)
        if self.layer is not Layer.GATEWAY:
            kinds.discard(Kind.REPLAYED)
        if self.layer is not Layer.MONGODB:
            kinds.discard(Kind.HUNG_UP)
        if self.layer is Layer.LAMBDA:  # a handler freezes at what it does itself
            kinds -= set(FREEZES)
        if not self.writes:
            kinds &= _READ_KINDS
        return [kind for kind in Kind if kind in kinds]


class Fault(NamedTuple):
    """One thing going wrong: at the nth time that a site is reached (1 is the first), or every time."""

    site: str
    kind: Kind
    occurrence: int | None

    def __str__(self) -> str:
        when = "always" if self.occurrence is None else f"time {self.occurrence}"
        return f"{self.site} | {self.kind} | {when}"


class Visit(NamedTuple):
    """A site that a run reached, and for the how manieth time."""

    site: Site
    occurrence: int


def single_faults(visit: Visit, *, always: bool) -> list[Fault]:
    """List every fault that may strike at this visit, once and perhaps every time from the first one on."""
    site, occurrence = visit
    faults = [Fault(site.name, kind, occurrence) for kind in site.kinds()]
    if always and occurrence == 1:
        faults += [Fault(site.name, kind, None) for kind in site.kinds() if kind not in _ONCE_ONLY]
    return faults
