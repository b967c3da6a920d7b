"""The sweeper cannot undo what was left half-way, until what stops it is mended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.drills.drill import SWEEP_AT_ONCE
from tests.rehearsal.sweeping import abandon

if TYPE_CHECKING:
    from tests.drills.drill import Scene

_PAGE: Final = "runbooks/sweep-failing.md"


def test_sweep_failing(scene: Scene) -> None:
    system = scene.system
    functions, release = system.stack.aws.functions, system.physical("ReleaseProductsFunction")
    [order] = system.traffic.prepare(1)

    def stop() -> None:
        functions.put_function_concurrency(FunctionName=release, ReservedConcurrentExecutions=0)
        abandon(system.stack, order, "RESERVED")
        system.traffic.placed.append(order)

    # When an execution is stopped while nothing can be released; Then the sweeper fails
    scene.breaks("an execution is stopped while releases are throttled", stop)
    scene.rings("SweepFailing")
    assert "SweepIncomplete" in scene.follow(_PAGE, "How to see it")
    # And when the cause is mended, it sweeps at once
    scene.follow("runbooks/functions-throttled.md", "How to fix it", only=0, FUNCTION=release)
    scene.follow(_PAGE, "How to fix it", only=SWEEP_AT_ONCE)
    # Then the system is well
    scene.follow(_PAGE, "How to know it is fixed")
    scene.well()
