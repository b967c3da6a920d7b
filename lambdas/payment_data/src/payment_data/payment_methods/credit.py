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
        """Take the order's total from the balance, once; see `PaymentMethod.charge`.

        Raises:
            PaymentDeclined: the balance is too low; the answer stays.
        """
        fields = charge._asdict()
        return self._api.charge(fields.pop("order_id"), method=self.name, **fields)

    def refund(self, order_id: str, *, execution: str, reason: str) -> dict[str, Any]:
        """Return the charge to the balance, or bar it; see `PaymentMethod.refund`."""
        return self._api.refund(order_id, execution=execution, reason=reason)

    def outcome(self, order_id: str) -> dict[str, Any]:
        """Return the balance's record of the order; see `PaymentMethod.outcome`."""
        return self._api.payment(order_id)
