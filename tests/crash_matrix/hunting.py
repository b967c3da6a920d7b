"""Looks for a cell that catches a mutant."""

from dataclasses import dataclass

from tests.crash_matrix.bench import Bench, Task
from tests.crash_matrix.gateway_mutants import GATEWAY
from tests.crash_matrix.mutants import CODE
from tests.crash_matrix.mutations import Mutant, mutated
from tests.crash_matrix.odd_world_mutants import ODD_WORLD
from tests.crash_matrix.plan import one_more_fault
from tests.crash_matrix.workflow_mutants import CLIENT, WORKFLOW

MUTANTS = {mutant.name: mutant for mutant in (*CODE, *WORKFLOW, *CLIENT, *GATEWAY, *ODD_WORLD)}


@dataclass(frozen=True)
class Hunt:
    """What became of a mutant: the cells that were tried, and the first that caught it, if any."""

    cells: int
    caught_by: str = ""
    violations: tuple[str, ...] = ()


def hunt(bench: Bench, mutant: Mutant) -> Hunt:
    """Run a mutant through its cells until one shows a violation.

    The faults are those that the healthy code's recordings find, so that a mutant cannot hide its sites.
    """
    names = [f"{method}: {scenario}" for method in mutant.methods for scenario in mutant.scenarios]
    chosen = [Task(name, mutant.given) for name in names]
    tasks = [more for task in chosen for more in one_more_fault(task, bench.run(task))]
    cells = 0
    with mutated(bench, mutant):
        for task in [*chosen, *filter(mutant.may_show, tasks)]:
            cells += 1
            if found := bench.run(task).violations:
                return Hunt(cells, str(task), tuple(found))
    return Hunt(cells)


def hunt_by_name(bench: Bench, name: str) -> Hunt:
    """Hunt a mutant in a worker process, which cannot be sent one."""
    return hunt(bench, MUTANTS[name])
