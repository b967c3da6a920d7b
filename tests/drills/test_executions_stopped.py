"""Somebody stops executions half-way: the sweeper undoes their orders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipelines.aws import executions
from tests.rehearsal.sweeping import abandon

if TYPE_CHECKING:
    from tests.drills.drill import Scene

_CUT_OFF: Final = "runbooks/orders-cut-off.md"
_ABANDONED: Final = "runbooks/orders-abandoned.md"


def test_executions_stopped(scene: Scene) -> None:
    system = scene.system
    # Given orders that are reserved and paid
    reserved, paid = system.traffic.prepare(2)

    def stop() -> None:
        for order, state in ((reserved, "RESERVED"), (paid, "PAID")):
            abandon(system.stack, order, state)
            system.traffic.placed.append(order)

    # When their executions are stopped; Then two alarms ring: that they were, and that the sweeper undid them
    scene.breaks("two executions are stopped half-way", stop)
    scene.rings("OrdersCutOff", "OrdersAbandoned")
    execution = executions.arn_of(system.stack.workflow, paid)
    assert execution in scene.follow(_CUT_OFF, "How to see it", ORDER=paid)
    assert paid in scene.follow(_ABANDONED, "How to see it", ORDER=paid)
    # And a redrive, which the runbook allows, changes nothing of what the sweeper did
    scene.follow(_CUT_OFF, "How to fix it", EXECUTION=execution)
    list(
        executions.follow(
            system.stack.aws, execution, after=executions.last_event(system.stack.aws, execution) - 1
        )
    )
    assert "FAILED" in scene.follow(_CUT_OFF, "How to know it is fixed", EXECUTION=execution, ORDER=paid)
    # Then the system is well
    scene.follow(_ABANDONED, "How to know it is fixed")
    scene.well()
