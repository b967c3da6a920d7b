"""Record why an execution failed, and end its order."""

from collections.abc import Collection, Sequence
from datetime import datetime

from data_api.domain.order import OPEN, Order, State
from data_api.domain.payment import GATEWAYS
from data_api.domain.requests import Document, last_write
from data_api.schemas.views import Answer
from data_api.storage import failures, orders, products, users
from data_api.storage.database import Db
from data_api.use_cases.undo import bar_payment
from payment_data.errors import PaymentNotUndone


def record_failure(db: Db, order_id: str, failure: Document) -> Answer:
    """Record why a step failed and what could not be undone, then end the order if this execution may.

    Compensated: CANCELLING becomes FAILED, NEEDS_ATTENTION by way of CANCELLING. An order that another
    execution of it has moved on is left to that one. Not compensated: what is not ended needs attention.

    Raises:
        PaymentNotUndone: a gateway may hold money of the order, perhaps of another execution's.
    """
    lands_by = last_write()
    failures.record(db, order_id, failure)
    for undo in (undo_failures := failure.get("undo_failures", [])):
        record = undo | {"execution": failure["execution"]}
        failures.record(db, order_id, record, failure.get("redrives", 0))
    order = None if failure.get("record_only") else orders.find_confirmed(db, order_id)
    if order and failure["compensated"]:
        order = _fail(db, order, failure["execution"], failure["error"], lands_by)
    elif order:
        order = _park(db, order, failure["execution"], failure["error"], undo_failures)
    return Answer({"order_id": order_id, "state": order.state.value if order else "UNKNOWN"})


def _fail(db: Db, order: Order, execution: str, reason: str, lands_by: datetime) -> Order:
    """End an order whose execution has undone everything, and make sure of it.

    NEW: the execution failed before the order existed, and can never be started again under its name.
    Another execution of the order may have left a hold or a charge when it was stopped half-way, or may be
    about to make one: both are undone, or barred, before the order is FAILED. The same holds of a request of
    this very execution that landed late, on an order that was not there yet when it was undone.
    """
    late = order.state in OPEN and order.history[-1]["execution"] == execution
    if late or order.state in {State.NEW, State.NEEDS_ATTENTION}:
        order = _move(db, order, {order.state}, State.CANCELLING, execution=execution, reason=reason)
    if order.state is not State.CANCELLING:
        return order
    products.void(db, order, lands_by)
    if order.paid_by in GATEWAYS:
        if bar_payment(db, order, execution=execution, reason=reason).may_hold_money:
            raise PaymentNotUndone("the gateway may hold money of the order: refund it first")
    elif order.paid_by:
        users.refund(db, order, lands_by)
    return _move(db, order, {State.CANCELLING}, State.FAILED, execution=execution, reason=reason)


def _park(db: Db, order: Order, execution: str, reason: str, undo_failures: Sequence[Document]) -> Order:
    """Close the order, since its refund or release may not even have got that far, and ask for a person.

    The history says which undo failed and with what, where the execution knows.
    """
    if order.state in OPEN:
        order = _move(db, order, OPEN, State.CANCELLING, execution=execution, reason=reason)
    if order.state is not State.CANCELLING:
        return order
    why = "; ".join(f"{undo['step']}: {undo['error']}" for undo in undo_failures) or reason
    return _move(db, order, {State.CANCELLING}, State.NEEDS_ATTENTION, execution=execution, reason=why)


def _move(
    db: Db, order: Order, sources: Collection[State], target: State, *, execution: str, reason: str
) -> Order:
    """Return the order as it is afterwards; it may have moved on by itself, which is no error here."""
    moved = orders.advance(db, order, sources, target, execution=execution, reason=reason)
    return moved or orders.get_confirmed(db, order.id)
