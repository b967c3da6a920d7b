"""Arrange one delivery per line of a paid order, and complete it: one write."""

from data_api.domain.order import CLOSED, Decision, Order, State
from data_api.domain.requests import Document, deadline
from data_api.schemas import views
from data_api.schemas.views import Answer
from data_api.storage import orders
from data_api.storage.database import Db
from payment_data.errors import DeadlineExceeded, DeliveryRejected, FieldError, IllegalTransition

_OPERATION = "deliveries"


def arrange_deliveries(db: Db, order_id: str, request: Document) -> Answer:
    """Arrange an order's deliveries and complete it; the same answer however often it is asked.

    Raises:
        DeliveryRejected: decided; nothing is delivered.
        IllegalTransition: the order is not paid.
        OrderNotFound, DeadlineExceeded, OrderClosed: nothing is delivered.
    """
    deadline(request)
    execution = request["execution"]
    order = orders.complete(db, order_id, execution=execution) or orders.get(db, order_id)
    if order.state in {State.NEW, State.RESERVED}:
        raise IllegalTransition("the order is not paid yet")
    if order.state is State.PAID:
        order = _refuse(db, order, execution)
    if order.state in CLOSED:
        raise order.refusal(_OPERATION)
    return Answer(views.deliveries(order))


def _refuse(db: Db, order: Order, execution: str) -> Order:
    """Return the order as it is once its rejection is decided, by whoever changed it."""
    if not order.undeliverable:
        raise DeadlineExceeded("the order's deadline passed before it was delivered")
    rule = "must be an address that can be delivered to"
    errors = [FieldError(f"lines[{number}].delivery_address", rule) for number in order.undeliverable]
    rejected = DeliveryRejected(f"{len(errors)} line(s) cannot be delivered", errors)
    return orders.refuse(db, order, State.PAID, Decision.from_problem(_OPERATION, rejected), execution)
