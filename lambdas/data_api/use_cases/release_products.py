"""Undo an order's reservation."""

from data_api.domain.order_states import State
from data_api.domain.requests import Document, last_write
from data_api.schemas import views
from data_api.schemas.views import Answer
from data_api.storage import products
from data_api.storage.database import Db
from data_api.use_cases.cancel_order import cancel_order


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
