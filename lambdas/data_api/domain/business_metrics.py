"""Business metrics of orders that end, counted once: where the change of state itself is made."""

from data_api.domain.order import Order
from data_api.domain.order_states import State
from payment_data import metrics


def count_end(order: Order, reason: str | None) -> None:
    """Count an order that has just ended; one that smoke tests placed is not counted.

    Each adds 0 or 1 to TechnicalFailures, so that its average is the share of orders that failed by a fault.
    """
    if order.synthetic:
        return
    match order.state:
        case State.COMPLETED:
            metrics.count("TechnicalFailures", 0)
            metrics.count("OrdersPlaced")
            metrics.count("AmountPlaced", order.total, currency=order.currency)
        case State.FAILED:
            metrics.count("TechnicalFailures", int(metrics.is_technical(reason)))
            metrics.count("OrdersFailed", reason=metrics.reason(reason))
        case State.NEEDS_ATTENTION:
            metrics.count("TechnicalFailures", 1)
            metrics.count("OrdersNeedingAttention")
