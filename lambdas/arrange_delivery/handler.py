"""Lambda handler of the step *Arrange delivery*."""

from typing import Any

from payment_data import metrics
from payment_data.step import Step, data_api, step

api = data_api()


@step
def handler(order: Step) -> dict[str, Any]:
    """Arrange deliveries for {order_id, execution, deadline, started, release}.

    Returns:
        {order_id, deliveries: count}.

    Raises:
        DeliveryRejected: a line cannot be delivered.
    """
    arranged = api.deliver(order.order_id, execution=order.execution, deadline=order.deadline)
    metrics.order_ended(order.event)
    return {"order_id": order.order_id, "deliveries": len(arranged["deliveries"])}
