"""Runs a scenario with every single fault, one after another, on one bench."""

from typing import NamedTuple

from tests.crash_matrix.bench import Bench, Task
from tests.crash_matrix.plan import one_more_fault


class Singles(NamedTuple):
    """What came of a scenario's cells: how many, which struck nothing, which broke a guarantee."""

    cells: int
    missed: list[str]
    violations: dict[str, list[str]]


def every_single_fault(bench: Bench, scenario: str) -> Singles:
    """Record the scenario, then run it with each fault at each site that the recording visited."""
    recording = Task(scenario)
    recorded = bench.run(recording)
    cells = {recording: recorded} | {task: bench.run(task) for task in one_more_fault(recording, recorded)}
    return Singles(
        len(cells) - 1,
        [str(task) for task, result in cells.items() if len(result.struck) < len(task.faults)],
        {str(task): result.violations for task, result in cells.items() if result.violations},
    )
