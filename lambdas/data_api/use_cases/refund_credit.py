"""Undo an order's payment from the user's balance."""

from data_api.domain.documents import Document
from data_api.domain.order_states import State
from data_api.schemas import views
from data_api.storage import deliveries, users
from data_api.storage.database import Db
from data_api.use_cases.answers import Answer
from data_api.use_cases.cancel_order import cancel_order


def refund_credit(db: Db, order_id: str, request: Document) -> Answer:
    """Cancel the order {execution, reason}, void its deliveries, return its charge; any number of times.

    What was not charged yet can never be charged afterwards. Only an order that was being delivered can have
    deliveries, because the fence lets nobody start after it.

    Raises:
        OrderCompleted: it is too late to cancel.
        OrderNotFound: no such order.
    """
    order = cancel_order(db, order_id, execution=request["execution"], reason=request["reason"])
    if order.reached(State.DELIVERING):
        deliveries.void(db, order)
    return Answer(views.payment(order, users.refund(db, order)))
