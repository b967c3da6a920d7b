"""Does the card gateway say the same of an order's payments as our records do?

Asked payment by payment. A PaymentIntent that our records do not know was never confirmed, because its id is
saved first, so it holds no money; those are not looked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from pipelines.orders.reconciliation.differences import Difference

if TYPE_CHECKING:
    from collections.abc import Iterator


class Seen(NamedTuple):
    """A PaymentIntent as the gateway has it; amounts in minor units.

    Attributes:
        status: Stripe's word. https://docs.stripe.com/payments/paymentintents/lifecycle
        received: What was captured.
        refunded: What was given back.
    """

    status: str
    received: int
    refunded: int


class Gateway(Protocol):
    """Where PaymentIntents can be looked at."""

    def look(self, payment_intent: str) -> Seen | None:
        """Return it, or none if the gateway does not know it."""
        ...


_UNSURE: Final = ("intent", "processing")
"""The gateway may be ahead of the record; the workflow is not done with it."""


def gateway_differences(order: dict[str, Any], gateway: Gateway) -> Iterator[Difference]:
    """Yield what the gateway says otherwise of an order's payments, as `GET /audit/orders` tells them."""
    for payment in order["payments"]:
        intent = payment.get("payment_intent")
        if intent is None or payment["state"] in _UNSURE:
            continue
        seen = gateway.look(intent)
        kept = payment["amount"] if payment["state"] == "captured" else 0
        found = None if seen is None else seen.received - seen.refunded
        if found != kept:
            there = seen.status if seen else "unknown"
            what = f"payment {payment['attempt']} is {payment['state']}, at the gateway it is {there}"
            yield Difference(intent, order["order_id"], what, kept, found)
