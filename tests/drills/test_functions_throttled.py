"""Nothing can be refunded, since refunds are throttled: orders are parked, and redriven."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tests.drills.drill import Scene

_THROTTLED: Final = "runbooks/functions-throttled.md"
_PARKED: Final = "runbooks/orders-parked.md"


def test_functions_throttled(scene: Scene) -> None:
    system = scene.system
    functions, refund = system.stack.aws.functions, system.physical("RefundPaymentFunction")
    another = system.physical("SmokeFunction")
    # Given orders that cannot be delivered, so that they are charged and refunded
    system.traffic.prepare(90, address=" ")
    with system.traffic.flowing(per_second=1):
        # When refunds are throttled; Then one alarm rings at once, and one when the first order is parked
        scene.breaks(
            "the refund function has concurrency 0 reserved",
            lambda: functions.put_function_concurrency(FunctionName=refund, ReservedConcurrentExecutions=0),
        )
        scene.rings("FunctionsThrottled")
        assert "reserved 0" in scene.follow(_THROTTLED, "How to see it")
        scene.rings("OrdersParked")
    parked = system.parked()
    assert parked[0] in scene.follow(_PARKED, "How to see it", ORDER=parked[0])
    # And the runbook's commands take the reservation away, and bound another function
    scene.follow(_THROTTLED, "How to fix it", only=0, FUNCTION=refund)
    scene.follow(_THROTTLED, "How to fix it", only=1, FUNCTION=another)
    functions.delete_function_concurrency(FunctionName=another)
    # And what was parked is redriven
    scene.redrive_parked()
    # Then the system is well
    scene.follow(_THROTTLED, "How to know it is fixed")
    scene.follow(_PARKED, "How to know it is fixed")
    scene.well()
