"""Arrange one delivery per line of a paid order, and complete it."""

from data_api.domain.order import Decision, Order
from data_api.domain.order_states import CLOSED, State
from data_api.domain.requests import Document, deadline
from data_api.schemas import views
from data_api.schemas.views import Answer
from data_api.storage import deliveries, orders
from data_api.storage.database import Db
from payment_data.errors import DeadlineExceeded, DeliveryRejected, FieldError, IllegalTransition

_OPERATION = "deliveries"
_REJECTED_FOR_TESTS = "REJECT"


def arrange_deliveries(db: Db, order_id: str, request: Document) -> Answer:
    """Arrange an order's deliveries and complete it; the same answer however often it is asked.

    Raises:
        DeliveryRejected: decided; nothing is delivered.
        IllegalTransition: the order is not paid.
        OrderNotFound, DeadlineExceeded, OrderClosed: nothing is delivered.
    """
    deadline(request)
    execution = request["execution"]
    order = _begin(db, order_id, execution)
    if order.state is State.DELIVERING:
        order = _deliver(db, order, execution)
    if order.state in CLOSED:
        raise order.refusal(_OPERATION)
    return Answer(views.deliveries(order, deliveries.arranged(order)))


def _begin(db: Db, order_id: str, execution: str) -> Order:
    """Return the order once it is being delivered, or beyond."""
    begun = orders.advance_unread(
        db, order_id, {State.PAID}, State.DELIVERING, execution=execution, before_deadline=True
    )
    order = begun or orders.get(db, order_id)
    if order.state is State.PAID:
        raise DeadlineExceeded("the order's deadline passed before it was delivered")
    if order.state in {State.NEW, State.RESERVED}:
        raise IllegalTransition("the order is not paid yet")
    return order


def _deliver(db: Db, order: Order, execution: str) -> Order:
    """Return the order as it is afterwards, by whoever changed it."""
    if rejected := _rejected(order):
        decision = Decision.from_problem(_OPERATION, rejected)
        return orders.refuse(db, order, State.DELIVERING, decision, execution)
    deliveries.arrange(db, order)
    completed = orders.advance(db, order, {State.DELIVERING}, State.COMPLETED, execution=execution)
    return completed or orders.get(db, order.id)


def _rejected(order: Order) -> DeliveryRejected | None:
    """Refuse blank addresses, and the one that smoke executions and tests use to be refused."""
    errors = [
        FieldError(f"lines[{number}].delivery_address", "must be an address that can be delivered to")
        for number, line in enumerate(order.lines)
        if not line.delivery_address.strip()
        or (order.synthetic and line.delivery_address == _REJECTED_FOR_TESTS)
    ]
    return DeliveryRejected(f"{len(errors)} line(s) cannot be delivered", errors) if errors else None
