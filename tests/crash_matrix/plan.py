"""Which cells there are: found by running, never listed by hand."""

import random
from collections.abc import Iterator

from tests.crash_matrix.bench import Task
from tests.crash_matrix.cells import Result
from tests.crash_matrix.faults import Visit, single_faults
from tests.crash_matrix.scenarios import SCENARIOS


def recordings() -> list[Task]:
    """List the runs that find the sites: every scenario, with nothing going wrong."""
    return [Task(name) for name in SCENARIOS]


def one_more_fault(recording: Task, found: Result) -> list[Task]:
    """List every fault that may strike at what a run visited, besides those that did.

    After a run without faults these are the single faults; after one with a fault, the pairs it begins.
    """
    scenario = SCENARIOS[recording.scenario]
    only = None if recording.faults else scenario.begins_with
    return [
        Task(recording.scenario, (*recording.faults, fault))
        for visit in _visits(recording, found)
        for fault in single_faults(visit, always=scenario.always)
        if only in (None, fault.kind)
    ]


def sampled(firsts: list[tuple[Task, Result]], count: int, seed: int) -> Iterator[Task]:
    """Draw pairs: a first fault, a place that its run visited, a second fault. Same seed, same pairs."""
    for number in range(count):
        dice = random.Random(f"{seed}:{number}")  # noqa: S311 - a sample, no secret
        first, found = dice.choice(firsts)
        always = SCENARIOS[first.scenario].always
        second = dice.choice(single_faults(dice.choice(_visits(first, found)), always=always))
        yield Task(first.scenario, (*first.faults, second))


def pairs(firsts: list[tuple[Task, Result]]) -> Iterator[Task]:
    """List every pair."""
    for first in firsts:
        yield from one_more_fault(*first)


def _visits(recording: Task, found: Result) -> list[Visit]:
    scenario = SCENARIOS[recording.scenario]
    taken = {(fault.site, fault.occurrence or 1) for fault in recording.faults}
    return [
        visit
        for visit in found.visits
        if scenario.strikes(visit.site.name) and (visit.site.name, visit.occurrence) not in taken
    ]
