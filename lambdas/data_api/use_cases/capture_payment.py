"""Record that the gateway took the money, and that the order is paid."""

from datetime import timedelta

from data_api.domain.order_states import CLOSED, State
from data_api.domain.payment import UNSETTLED, Payment
from data_api.domain.requests import Document
from data_api.schemas import views
from data_api.schemas.views import Answer
from data_api.storage import orders, payments
from data_api.storage.database import Db
from data_api.use_cases.follow_payment import require_payment
from payment_data.errors import IllegalTransition

DELIVERY_TIME = timedelta(hours=1)
"""A bank may take days; a paid order then has at least so long to be delivered, whatever its deadline was."""


def capture_payment(db: Db, order_id: str, attempt: str, request: Document) -> Answer:
    """Record that the gateway captured the payment, and that the order is paid.

    Raises:
        OrderClosed: the order is being undone; what was captured is then refunded by that.
        IllegalTransition: it was declined, never opened, or no PaymentIntent is saved.
    """
    execution = request["execution"]
    moved = payments.move(
        db, order_id, int(attempt), UNSETTLED, "captured", execution=execution, at_gateway=True
    )
    payment = moved or _captured(db, order_id, attempt)
    paid = orders.advance_unread(
        db,
        order_id,
        {State.RESERVED},
        State.PAID,
        execution=execution,
        changes={"payment": f"{payment.method}:{payment.attempt}:{payment.amount}:{payment.currency}"},
        extend=DELIVERY_TIME,
    )
    order = paid or orders.get(db, order_id)
    if order.state in CLOSED:
        raise order.refusal("payment")
    return Answer(views.gateway_payment(payment))


def _captured(db: Db, order_id: str, attempt: str) -> Payment:
    payment = require_payment(db, order_id, attempt)
    if payment.state == "declined" or payment.state in UNSETTLED:
        raise IllegalTransition(f"a payment that is {payment.state} was not captured")
    if refusal := payment.refusal():
        raise refusal
    return payment
