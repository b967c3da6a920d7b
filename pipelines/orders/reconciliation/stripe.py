"""Does Stripe hold what our records say, and nothing that they do not?

Its own list of PaymentIntents is one side: one that moved money must be the payment of the order that it
names. Our records are the other: what is captured must be there, less what later refunds and disputes took
away.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from pipelines.orders.reconciliation.order_legs import Difference, taken_away

if TYPE_CHECKING:
    from collections.abc import Iterator

_UNSETTLED: Final = ("intent", "processing")
"""Stripe may be ahead of the record; the workflow is not done with it."""
_SKEW: Final = timedelta(hours=1)
_BEGINNING: Final = datetime(2011, 1, 1, tzinfo=UTC)
"""Stripe is no older."""


class StripePayment(NamedTuple):
    """A PaymentIntent as Stripe has it; amounts in minor units.

    Attributes:
        id: pi_….
        order_id: The order that its metadata names.
        status: Stripe's word (https://docs.stripe.com/payments/paymentintents/lifecycle).
        received: What was captured.
        refunded: What was given back, refunds that failed not counted.
        disputed: What disputes took away.
        currency: ISO 4217.
    """

    id: str
    order_id: str | None
    status: str
    received: int
    refunded: int
    disputed: int
    currency: str

    @property
    def kept(self) -> int:
        """Return what Stripe holds of it for us."""
        return self.received - self.refunded - self.disputed

    def __str__(self) -> str:
        disputed = f", {self.disputed} disputed" if self.disputed else ""
        return f"{self.kept} ({self.status}: {self.received} received, {self.refunded} refunded{disputed})"


class StripeReader(Protocol):
    """Where PaymentIntents can be looked at."""

    def payments(self, since: datetime) -> Iterator[StripePayment]:
        """Yield the stack's PaymentIntents made since a moment, newest first."""
        ...

    def payment(self, intent_id: str) -> StripePayment | None:
        """Return a PaymentIntent, None if Stripe does not know it."""
        ...


@dataclass(slots=True)
class RecordedPayments:
    """What our records say of PaymentIntents, gathered while the orders are walked.

    Attributes:
        since: When the oldest order was created, however it is paid.
        expected: PaymentIntent to the order, what must be held in which currency, and the record in words.
        unsettled: PaymentIntents that may have moved on since.
    """

    since: datetime | None = None
    expected: dict[str, tuple[str, int, str, str]] = field(default_factory=dict)
    unsettled: set[str] = field(default_factory=set)

    def add(self, order: dict[str, Any]) -> None:
        """Take up the payments of an order of `GET /audit/orders`."""
        created = datetime.fromisoformat(order["created_at"])
        self.since = min(self.since or created, created)
        for payment in order["payments"]:
            intent = payment.get("payment_intent")
            if intent is None:
                continue
            undoing = payment["state"] == "void" and order["state"] == "CANCELLING"
            if payment["state"] in _UNSETTLED or undoing:
                self.unsettled.add(intent)
                continue
            kept = payment["amount"] if payment["state"] == "captured" else 0
            kept -= sum(taken_away(adjustment) for adjustment in payment.get("adjustments", ()))
            words = f"payment {payment['attempt']} is {payment['state']}"
            self.expected[intent] = (order["order_id"], kept, payment["currency"], words)


def stripe_differences(
    recorded: RecordedPayments, reader: StripeReader, since: datetime | None = None
) -> Iterator[Difference]:
    """Yield what Stripe and our records say differently.

    Args:
        recorded: The payments of all orders.
        reader: Stripe.
        since: From when on Stripe's list is read, and what is older is asked for one by one. If None, from
            the oldest order; where there is none, all of it, for orders may have been lost.
    """
    missing = dict(recorded.expected)
    start = since or (recorded.since - _SKEW if recorded.since else _BEGINNING)
    for payment in reader.payments(start):
        if payment.id in recorded.unsettled or (payment.order_id or "").startswith("smoke-"):
            continue
        if payment.id in missing:
            yield from _compared(payment, *missing.pop(payment.id))
        elif payment.kept:
            what = "Stripe holds money of a PaymentIntent that no record of an order has"
            yield Difference(payment.id, payment.order_id, what, 0, str(payment))
    for intent, (order_id, kept, currency, words) in missing.items():
        single = reader.payment(intent)
        if single is None:
            yield Difference(intent, order_id, f"{words}, at Stripe it is unknown", kept, "unknown")
        else:
            yield from _compared(single, order_id, kept, currency, words)


def _compared(
    payment: StripePayment, order_id: str, kept: int, currency: str, words: str
) -> Iterator[Difference]:
    if payment.currency != currency:
        yield Difference(payment.id, order_id, f"{words}, at Stripe it is in", currency, payment.currency)
    elif payment.kept != kept:
        yield Difference(
            payment.id, order_id, f"{words}, at Stripe it is {payment.status}", kept, str(payment)
        )
    elif payment.order_id not in (None, order_id):
        what = "its PaymentIntent names another order"
        yield Difference(payment.id, order_id, what, order_id, payment.order_id)
