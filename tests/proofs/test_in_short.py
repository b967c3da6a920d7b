"""The money path proven in short, as a rehearsal's build does it: a part of what `make money-path` runs."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

import pytest

from embedded_aws import mongod
from tests.crash_matrix import plan
from tests.crash_matrix.bench import open_benches
from tests.crash_matrix.hunting import hunt_by_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.crash_matrix.bench import Benches

_FAULTS, _SEED = 100, 1
_MUTANTS: Final = (
    "idempotency record of a charge",
    "charge's deadline",
    "compare-and-set to PAID",
    "stock guard",
    "a line that cannot be delivered is not completed",
    "an undo bars what is not settled",
)


@pytest.fixture(scope="module")
def benches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Benches]:
    """Worker processes that run cells, on a server of their own: at their end its benches go."""
    server = mongod.start(tmp_path_factory.mktemp("mongod"))
    with open_benches(server.uri) as opened:
        yield opened
    server.kill()


def test_every_guarantee_holds_whatever_goes_wrong_of_what_is_drawn(benches: Benches) -> None:
    # Given faults drawn from all that can strike once in any scenario; the same each time
    recordings = plan.recordings()
    recorded = zip(recordings, benches.run(recordings), strict=True)
    every = [task for recording, result in recorded for task in plan.one_more_fault(recording, result)]
    tasks = random.Random(_SEED).sample(every, _FAULTS)  # noqa: S311 - a sample, no secret
    # When each strikes
    results = dict(zip(tasks, benches.run(tasks), strict=True))
    # Then every one did, and every guarantee holds
    assert [str(task) for task, result in results.items() if len(result.struck) < len(task.faults)] == []
    assert {str(task): result.violations for task, result in results.items() if result.violations} == {}


def test_the_lack_of_a_protection_is_noticed(benches: Benches) -> None:
    # Given some mutants, each without one protection; When each runs through the cells where that should show
    hunts = dict(zip(_MUTANTS, benches.each(hunt_by_name, _MUTANTS), strict=True))
    # Then each is caught
    assert [name for name, hunt in hunts.items() if not hunt.caught_by] == []
