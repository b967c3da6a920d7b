"""The sweeper's look at one order, by its generated definition, told how the order's execution has ended."""

from typing import Any

from templates.definitions.sweeper import ALONE, EACH, LOOK, SWEPT, definition
from tests.crash_matrix.clock import Clock
from tests.crash_matrix.executor import Execution, Invoke

__all__ = ["ALONE", "SWEPT", "sweep"]


def sweep(order_id: str, invoke: Invoke, clock: Clock, *, status: str = "ABORTED") -> Any:
    """Sweep an order and return how it ended: `SWEPT`, `ALONE`, or that it is to be tried again later."""
    started = clock.timestamp()

    def invoke_or_look(state: str, arguments: dict[str, Any]) -> Any:
        if state == LOOK:
            return {"Status": status, "StartDate": started}
        return invoke(state, arguments)

    one = definition()["States"][EACH]["ItemProcessor"]
    found = {"order_id": order_id, "updated_at": started, "overdue": False, "undo": False}
    return Execution(one, f"sweep-of-{order_id}", invoke_or_look, clock).start(found).output
