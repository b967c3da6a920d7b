"""Runs a scenario with every single fault, or a drawn part of them, one after another, on one bench."""

import os
import random
from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from tests.crash_matrix.bench import Bench, Task
from tests.crash_matrix.plan import one_more_fault

WHOLE = os.environ.get("CRASH_MATRIX") == "whole"
"""Set by `make proofs`: each cell, mutant and damage of books; `make test` runs a part, always the same."""
_SHARE = 10
_SEED = 1
_T = TypeVar("_T")


def drawn(items: Sequence[_T], share: int, about: str) -> list[_T]:
    """Return one item in `share`, at least one, drawn by what they are about; all of them in a whole run."""
    if WHOLE:
        return list(items)
    dice = random.Random(f"{_SEED}:{about}")  # noqa: S311 - a sample, no secret
    return dice.sample(items, -(-len(items) // share))


class Singles(NamedTuple):
    """What came of a scenario's cells: how many, which struck nothing, which broke a guarantee."""

    cells: int
    missed: list[str]
    violations: dict[str, list[str]]


def single_faults(bench: Bench, scenario: str) -> Singles:
    """Record the scenario, then run it with faults, each at a site that the recording visited."""
    recording = Task(scenario)
    recorded = bench.run(recording)
    tasks = drawn(one_more_fault(recording, recorded), _SHARE, scenario)
    cells = {recording: recorded} | {task: bench.run(task) for task in tasks}
    return Singles(
        len(cells) - 1,
        [str(task) for task, result in cells.items() if len(result.struck) < len(task.faults)],
        {str(task): result.violations for task, result in cells.items() if result.violations},
    )
