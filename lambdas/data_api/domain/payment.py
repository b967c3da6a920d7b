"""An order's payment through a gateway: one attempt, its states, and what a later request is told.

intent → processing → captured → refunded. Until it is captured it may be declined, or void once the order is
being undone; a void one may turn out to have been captured at the gateway, then it is refunded too.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from payment_data.errors import IllegalTransition, OrderClosed, PaymentDeclined, Problem
from payment_data.payment_methods.names import STRIPE

STATES = ("intent", "processing", "captured", "declined", "void", "refunded")
GATEWAYS = frozenset(STRIPE)
"""Payment methods through a gateway."""
UNSETTLED = frozenset({"intent", "processing"})
"""The gateway may still take money."""

TRANSITIONS: Mapping[str, frozenset[str]] = {
    "intent": frozenset({"processing", "captured", "declined", "void"}),
    "processing": frozenset({"captured", "declined", "void"}),
    "captured": frozenset({"refunded"}),
    "void": frozenset({"refunded"}),
    "declined": frozenset(),
    "refunded": frozenset(),
}
"""From a state to those it may change to."""


def in_order(state: str, history: Sequence[Mapping[str, Any]]) -> bool:
    """Say whether a history leads from nothing to a state, by changes that there are and without a gap."""
    places = [None, *(entry["to"] for entry in history)]
    whole = all(entry["from"] == before for before, entry in zip(places, history, strict=False))
    legal = all(after in TRANSITIONS[before] for before, after in pairwise(places[1:]))
    return whole and legal and places[-1] == state


class Payment(NamedTuple):
    """One attempt to pay an order; amount in minor units.

    Attributes:
        order_id: the order.
        attempt: 1 for the first; with the order the key.
        method: card or bank_account.
        state: one of `STATES`.
        amount: 0 for a tombstone.
        currency: ISO 4217.
        payment_intent: id at the gateway of the one PaymentIntent that may be confirmed, once saved.
        reason: why it was declined.
        customer: the user's id at the gateway, copied when it was opened.
        payment_method: id at the gateway of what the user pays with, copied when it was opened.
        adjustments: what moved money of it later without the workflow: its id there to {kind, amount, at}.
        closed: the gateway said that it has taken nothing, and never will.
        late: whether the order's deadline has passed, by MongoDB's clock; None for a tombstone.
    """

    order_id: str
    attempt: int
    method: str
    state: str
    amount: int
    currency: str
    payment_intent: str | None = None
    reason: str | None = None
    customer: str | None = None
    payment_method: str | None = None
    adjustments: Mapping[str, Mapping[str, Any]] | None = None
    closed: bool | None = None
    late: bool | None = None

    @property
    def may_hold_money(self) -> bool:
        """Say whether the gateway may hold money of this attempt, of an order that is being undone."""
        if self.state == "void":
            return self.payment_intent is not None and not self.closed
        return self.state not in ("declined", "refunded")

    def refusal(self, *, captured: bool = False) -> Problem | None:
        """Return what a request to go on with it is told, if it is over; `captured` counts that as over."""
        if self.state == "declined":
            return PaymentDeclined(self.reason or "")
        if self.state in ("void", "refunded"):
            return OrderClosed(f"the order's payment is {self.state}")
        if captured and self.state == "captured":
            return IllegalTransition("the payment was captured")
        return None
