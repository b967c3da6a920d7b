"""Lambda handler of the step *Process order payment*."""

import os
from typing import Any

from payment_data.payment_methods.protocol import Charge
from payment_data.payment_methods.registry import select
from payment_data.step import Step, data_api, step

method = select(os.environ, data_api())


@step
def handler(order: Step) -> dict[str, Any]:
    """Charge the total of {order_id, execution, deadline}; return {order_id, state, amount, currency, ...}.

    Raises:
        PaymentDeclined, InvalidOrder, OrderNotFound: nothing is charged.
    """
    return method.charge(Charge(order.order_id, order.execution, order.deadline))
