"""Undo an order's payment, whatever it is paid with."""

from data_api.domain.documents import Document
from data_api.domain.order import Order
from data_api.domain.order_states import State
from data_api.domain.payment import UNSETTLED, Payment
from data_api.schemas import views
from data_api.storage import deliveries, payments
from data_api.storage.database import Db
from data_api.use_cases.answers import Answer
from data_api.use_cases.cancel_order import cancel_order
from data_api.use_cases.refund_credit import refund_credit
from payment_data.errors import Throttled

_LAST_ATTEMPT = 99
_ROUNDS = 3


def undo_payment(db: Db, order_id: str, request: Document) -> Answer:
    """Cancel the order {execution, reason, method?}, void its deliveries, undo its payment; repeatable.

    Credit, where no other method is named, is returned here. Of a payment through a gateway the answer is the
    attempt that may hold money there: barred, unless it was captured.

    Raises:
        OrderCompleted: it is too late to cancel.
        OrderNotFound: no such order.
    """
    method = request.get("method", "credit")
    if method == "credit":
        return refund_credit(db, order_id, request)
    order = cancel_order(db, order_id, execution=request["execution"], reason=request["reason"])
    if order.reached(State.DELIVERING):
        deliveries.void(db, order)
    return Answer(views.gateway_payment(_barred(db, order, method, request)))


def _barred(db: Db, order: Order, method: str, request: Document) -> Payment:
    """Walk past what was declined: the next attempt alone can hold money, or is barred."""
    for attempt in range(1, _LAST_ATTEMPT + 1):
        payment = _bar(db, order, attempt, method, request)
        if payment.state != "declined":
            break
    return payment


def _bar(db: Db, order: Order, attempt: int, method: str, request: Document) -> Payment:
    why = {"execution": request["execution"], "reason": request["reason"]}
    for _ in range(_ROUNDS):
        payment = payments.find(db, order.id, attempt)
        if payment is None:
            payments.bar(db, order, attempt, method, **why)
        elif payment.state in UNSETTLED:
            if moved := payments.move(db, order.id, attempt, UNSETTLED, "void", **why):
                return moved
        else:
            return payment
    raise Throttled("the payment kept changing while it was being undone")
