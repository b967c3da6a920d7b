"""The fence that every undo passes first: a cancelled order takes no forward step any more."""

from data_api.domain.order import Order
from data_api.domain.order_states import OPEN, State
from data_api.storage import orders
from data_api.storage.database import Db
from payment_data.errors import OrderCompleted


def cancel_order(db: Db, order_id: str, *, execution: str, reason: str) -> Order:
    """Close the order, or find it closed.

    Raises:
        OrderCompleted: it is too late to cancel.
        OrderNotFound: no such order.
    """
    cancelled = orders.advance_unread(
        db, order_id, OPEN, State.CANCELLING, execution=execution, reason=reason
    )
    order = cancelled or orders.get(db, order_id)
    if order.state is State.COMPLETED:
        raise OrderCompleted("the order is completed and cannot be cancelled")
    return order
