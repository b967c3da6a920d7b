"""What an order's change of state means for the business, counted once: where the change itself is made."""

from data_api.domain.order import Order
from data_api.domain.order_states import State
from payment_data import metrics


def moved(order: Order, reason: str | None) -> None:
    """Count an order that has just reached its end; what smoke tests place is no business."""
    if order.synthetic:
        return
    match order.state:
        case State.COMPLETED:
            metrics.count("OrdersPlaced")
            metrics.count("AmountPlaced", order.total, currency=order.currency)
        case State.FAILED:
            metrics.count("OrdersFailed", reason=metrics.reason(reason))
        case State.NEEDS_ATTENTION:
            metrics.count("OrdersNeedingAttention")
