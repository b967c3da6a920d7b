"""Lambda handler of the step *Refund payment*."""

import os
from typing import Any

from payment_data import metrics
from payment_data.errors import OrderNotFound
from payment_data.payment_methods.registry import select, undo
from payment_data.step import Step, data_api, step

api = data_api()
method = select(os.environ, api)


@step
def handler(order: Step) -> dict[str, Any]:
    """Undo the payment of {order_id, execution}; return {order_id, state}, `state` none if no such order.

    Raises:
        OrderCompleted: it is too late to undo.
    """
    try:
        undone = undo(method, os.environ, api, order.order_id, execution=order.execution, reason=order.reason)
    except OrderNotFound:
        return {"order_id": order.order_id, "state": "none"}
    metrics.count("Compensations", step="refund_payment")
    return undone
