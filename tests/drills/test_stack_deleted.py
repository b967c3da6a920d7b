"""The payments stack is deleted by hand: deployed again, it finishes the orders that it had in flight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipelines.aws import executions, stacks
from pipelines.orders import payment_stack
from tests.rehearsal.sweeping import lose

if TYPE_CHECKING:
    from tests.drills.drill import Scene

_PAGE: Final = "disaster-recovery.md"
_SECTION: Final = "A payments stack is deleted"


def test_stack_deleted(scene: Scene) -> None:
    system = scene.system
    aws, name = system.stack.aws, system.stack.name
    # Given orders that are complete, and two that are half-way
    reserved, paid, *rest = system.traffic.prepare(8)
    for order in rest:
        list(executions.follow(aws, system.traffic.place(order)))
    for order in (reserved, paid):
        lose(system.stack, order, "PAID" if order == paid else "RESERVED")
        system.traffic.placed.append(order)
    # When the stack is deleted; Then its alarms are gone with it, and the page's commands say so
    scene.breaks("the payments stack is deleted by hand", lambda: stacks.delete(aws, name))
    assert name in scene.follow(_PAGE, _SECTION, only=0)
    assert system.alarms() == {}
    scene.told("rings: nothing, the alarms are gone with the stack")
    # And when it is deployed again, what was half-way is found and placed again
    scene.follow(_PAGE, _SECTION, only=1)
    system.reconnect(payment_stack.connect(aws, name))
    listed = scene.follow(_PAGE, _SECTION, only=2)
    assert reserved in listed
    assert paid in listed
    for order in (reserved, paid):
        scene.follow(_PAGE, _SECTION, only=3, ORDER=order)
        assert system.stack.api.order(order)["state"] == "COMPLETED"
    # Then the system is well
    scene.follow(_PAGE, _SECTION, only=4)
    scene.well()
