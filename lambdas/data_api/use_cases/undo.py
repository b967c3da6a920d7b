"""Undo an order: close it, then return what it paid and what it holds.

Closing is the fence that every undo passes first: a cancelled order takes no forward step any more, and a
parked one that is being undone again can no longer be completed.
"""

from data_api.domain.order import UNDOABLE, Order, State
from data_api.domain.payment import GATEWAYS, UNSETTLED, Payment
from data_api.domain.requests import Document, last_write
from data_api.schemas import views
from data_api.schemas.views import Answer
from data_api.storage import orders, payments, products, users
from data_api.storage.database import Db
from payment_data.errors import OrderCompleted, Throttled

_LAST_ATTEMPT = 99
_ROUNDS = 3


def cancel_order(db: Db, order_id: str, *, execution: str, reason: str) -> Order:
    """Close the order, or find it closed.

    Raises:
        OrderCompleted: it is too late to cancel.
        OrderNotFound: no such order.
    """
    cancelled = orders.advance_unread(
        db, order_id, UNDOABLE, State.CANCELLING, execution=execution, reason=reason
    )
    order = cancelled or orders.get_confirmed(db, order_id)
    if order.state is State.COMPLETED:
        raise OrderCompleted("the order is completed and cannot be cancelled")
    return order


def undo_payment(db: Db, order_id: str, request: Document) -> Answer:
    """Cancel the order and undo its payment, by the way it is paid on record; any number of times.

    Credit is returned here. Of a payment through a gateway the answer is the attempt that may hold money
    there: barred, unless it was captured.

    Raises:
        OrderCompleted: it is too late to cancel.
        OrderNotFound: no such order.
    """
    lands_by = last_write()
    order = cancel_order(db, order_id, execution=request["execution"], reason=request["reason"])
    if order.paid_by in GATEWAYS:
        return Answer(
            views.gateway_payment(
                bar_payment(db, order, execution=request["execution"], reason=request["reason"])
            )
        )
    if order.state is State.FAILED or order.paid_by is None:  # undone before, or none could begin
        payer = users.payer(db, order)
        return Answer(views.payment(order, payer and payer.operation))
    return Answer(views.payment(order, users.refund(db, order, lands_by)))


def release_products(db: Db, order_id: str, request: Document) -> Answer:
    """Cancel the order and return what it holds; any number of times.

    What was not held yet can never be held afterwards.

    Raises:
        OrderCompleted: it is too late to cancel.
        OrderNotFound: no such order.
    """
    lands_by = last_write()
    order = cancel_order(db, order_id, execution=request["execution"], reason=request["reason"])
    if order.state is not State.FAILED:  # else whoever ended it has voided them
        products.void(db, order, lands_by)
    return Answer(views.reservation(order, {line.product_id: "void" for line in order.lines}))


def bar_payment(db: Db, order: Order, *, execution: str, reason: str) -> Payment:
    """Return the attempt that alone can hold money at the gateway, barred unless it was captured.

    Walks past what was declined; where nothing was tried, a tombstone bars it for ever.

    Raises:
        Throttled: the payment kept changing; ask again.
    """
    for attempt in range(1, _LAST_ATTEMPT + 1):
        payment = _bar(db, order, attempt, execution, reason)
        if payment.state != "declined":
            break
    return payment


def _bar(db: Db, order: Order, attempt: int, execution: str, reason: str) -> Payment:
    for _ in range(_ROUNDS):
        payment = payments.find_confirmed(db, order.id, attempt)
        if payment is None:
            payments.bar(db, order, attempt, str(order.paid_by), execution=execution, reason=reason)
        elif payment.state in UNSETTLED:
            moved = payments.move(
                db, order.id, attempt, UNSETTLED, "void", execution=execution, reason=reason
            )
            if moved:
                return moved
        else:
            return payment
    raise Throttled("the payment kept changing while it was being undone")
