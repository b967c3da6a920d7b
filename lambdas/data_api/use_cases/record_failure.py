"""Record why an execution failed, and end its order."""

from collections.abc import Collection

from data_api.domain.order import Order
from data_api.domain.order_states import CLOSED, OPEN, State
from data_api.domain.requests import Document
from data_api.schemas.views import Answer
from data_api.storage import failures, orders, products, users
from data_api.storage.database import Db


def record_failure(db: Db, order_id: str, failure: Document) -> Answer:
    """Record why a step failed, then end the order if it is this execution's to end.

    Compensated: CANCELLING or NEEDS_ATTENTION becomes FAILED. An order further on belongs to another
    execution of it, and is left to that one. Not compensated: one that is not ended becomes NEEDS_ATTENTION.
    """
    failures.record(db, order_id, failure)
    order = None if failure.get("record_only") else orders.find(db, order_id)
    if order:
        end = _fail if failure["compensated"] else _park
        order = end(db, order, failure["execution"], failure["error"])
    return Answer({"order_id": order_id, "state": order.state.value if order else "UNKNOWN"})


def _fail(db: Db, order: Order, execution: str, reason: str) -> Order:
    """End an order whose execution has undone everything, and make sure that it has.

    NEW: the execution failed before the order existed, and can never be started again under its name.
    A charge can be left over by another execution of the order that was stopped half-way.
    """
    if order.state is State.NEW:
        order = _move(db, order, {State.NEW}, State.CANCELLING, execution=execution, reason=reason)
        if order.state in CLOSED:
            products.void(db, order)
    if order.state not in {State.CANCELLING, State.NEEDS_ATTENTION}:
        return order
    if order.reached(State.RESERVED):
        _return_left_over_charge(db, order)
    return _move(
        db, order, {State.CANCELLING, State.NEEDS_ATTENTION}, State.FAILED, execution=execution, reason=reason
    )


def _return_left_over_charge(db: Db, order: Order) -> None:
    payer = users.payer(db, order)
    if payer and payer.operation and payer.operation.state == "charged":
        users.refund(db, order)


def _park(db: Db, order: Order, execution: str, reason: str) -> Order:
    """Close the order, since its refund or release may not even have got that far, and ask for a person."""
    if order.state in OPEN:
        order = _move(db, order, OPEN, State.CANCELLING, execution=execution, reason=reason)
    if order.state is not State.CANCELLING:
        return order
    return _move(db, order, {State.CANCELLING}, State.NEEDS_ATTENTION, execution=execution, reason=reason)


def _move(
    db: Db, order: Order, sources: Collection[State], target: State, *, execution: str, reason: str
) -> Order:
    """Return the order as it is afterwards; it may have moved on by itself, which is no error here."""
    moved = orders.advance(db, order, sources, target, execution=execution, reason=reason)
    return moved or orders.get(db, order.id)
