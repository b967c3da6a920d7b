"""Undo an order's payment, whatever it is paid with."""

from data_api.domain.order import Order
from data_api.domain.order_states import State
from data_api.domain.payment import UNSETTLED, Payment
from data_api.domain.requests import Document
from data_api.schemas import views
from data_api.schemas.views import Answer
from data_api.storage import deliveries, payments, users
from data_api.storage.database import Db
from data_api.use_cases.cancel_order import cancel_order
from payment_data.errors import Throttled

_LAST_ATTEMPT = 99
_ROUNDS = 3


def undo_payment(db: Db, order_id: str, request: Document) -> Answer:
    """Cancel the order, void its deliveries and undo its payment; any number of times.

    Credit, where no other method is named, is returned here. Of a payment through a gateway the answer is the
    attempt that may hold money there: barred, unless it was captured.

    Raises:
        OrderCompleted: it is too late to cancel.
        OrderNotFound: no such order.
    """
    order = cancel_order(db, order_id, execution=request["execution"], reason=request["reason"])
    if order.reached(State.DELIVERING):  # else the fence let nobody begin
        deliveries.void(db, order)
    method = request.get("method", "credit")
    if method == "credit":
        return Answer(views.payment(order, users.refund(db, order)))
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
