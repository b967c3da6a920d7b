from pathlib import Path

import pytest

from tests.crash_matrix import plan, report
from tests.crash_matrix.bench import Bench, Benches, Task
from tests.crash_matrix.cells import Result
from tests.crash_matrix.journal import Journal
from tests.crash_matrix.mutations import Edit, Mutant, Stale, mutated

SCENARIO = "credit: delivery refused"


@pytest.fixture(scope="module")
def firsts(benches: Benches) -> list[tuple[Task, Result]]:
    """Some single faults with what their runs visited."""
    recording = Task(SCENARIO)
    (recorded,) = benches.run([recording])
    tasks = plan.one_more_fault(recording, recorded)[::40]
    return list(zip(tasks, benches.run(tasks), strict=True))


def test_a_seed_draws_the_same_pairs_and_every_guarantee_holds(
    benches: Benches, firsts: list[tuple[Task, Result]]
) -> None:
    # Given a sample of pairs, drawn twice
    tasks = list(plan.sampled(firsts, 60, seed=7))
    assert tasks == list(plan.sampled(firsts, 60, seed=7))
    assert tasks != list(plan.sampled(firsts, 60, seed=8))
    # When they run, twice
    results, again = (list(benches.run(tasks)) for _ in range(2))
    # Then every guarantee holds, and each cell went the same way both times
    assert {str(t): r.violations for t, r in zip(tasks, results, strict=True) if r.violations} == {}
    assert [(r.visits, r.struck, r.ends) for r in results] == [(r.visits, r.struck, r.ends) for r in again]


def test_a_second_fault_may_strike_where_only_the_first_one_leads(firsts: list[tuple[Task, Result]]) -> None:
    # Given every pair that the single faults begin
    seconds = {task.faults[1].site for task in plan.pairs(firsts)}
    # Then some are at sites that no run without faults visits
    assert "Refund payment / PUT refund #1 / users.find_one #1" in seconds


def test_a_run_goes_on_where_it_was_stopped(tmp_path: Path, firsts: list[tuple[Task, Result]]) -> None:
    # Given a journal that was killed while it wrote the third of three cells
    path = tmp_path / "journal.jsonl"
    journal = Journal(path, {"seed": 1})
    for first in firsts[:3]:
        journal.write(*first)
    path.write_text(path.read_text()[:-20])
    # When the same plan goes on; Then two cells are done
    resumed = Journal(path, {"seed": 1})
    assert resumed.done == 2
    # And the figures count them
    assert report.figures(resumed.entries())["by_scenario"][SCENARIO] == {"cells": 2, "violations": 0}
    # And another plan begins anew
    assert Journal(path, {"seed": 2}).done == 0


def test_a_mutant_of_code_that_has_changed_says_so(bench: Bench) -> None:
    # Given a mutant that wants to change what the code does not say
    stale = Mutant("none", (SCENARIO,), (Edit("data_api.use_cases.undo:cancel_order", "no such text", ""),))
    # When it is made; Then it is told
    with pytest.raises(Stale, match="no such text"), mutated(bench, stale):
        pass
