"""Lambda handler of the step *Check order products are available*."""

import os
from typing import Any

from payment_data.payment_methods.names import VARIABLE
from payment_data.step import Step, data_api, step

api = data_api()
method = os.environ[VARIABLE]


@step
def handler(order: Step) -> dict[str, Any]:
    """Hold every line's quantity of {order_id, execution, deadline} and return {order_id, state}.

    Raises:
        OutOfStock, InvalidOrder, OrderNotFound: nothing is held.
    """
    api.reserve(order.order_id, execution=order.execution, deadline=order.deadline, method=method)
    return {"order_id": order.order_id, "state": "held"}
