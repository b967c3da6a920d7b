"""Pay from the user's balance in MongoDB; the data API does it in one write."""

from typing import Any

from payment_data.client import DataApi
from payment_data.payment_methods.protocol import Charge


class Credit:
    """The payment method `credit`; see `PaymentMethod`."""

    name = "credit"

    def __init__(self, api: DataApi) -> None:
        self._api = api

    def charge(self, charge: Charge) -> dict[str, Any]:
        """Take the order's total from the balance, once."""
        return self._api.charge(
            charge.order_id,
            execution=charge.execution,
            deadline=charge.deadline,
            method=self.name,
            attempt=charge.attempt,
        )

    def refund(self, order_id: str, *, execution: str, reason: str) -> dict[str, Any]:
        """Return the charge to the balance, or bar it."""
        return self._api.refund(order_id, execution=execution, reason=reason)

    def outcome(self, order_id: str) -> dict[str, Any]:
        """Return what the balance's record says."""
        return self._api.payment(order_id)
