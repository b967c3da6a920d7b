"""What a payment asks of Stripe, in our words; `stripe_gateway` asks it. It imports nothing of Stripe's."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol


class Refused(Exception):  # noqa: N818 - an answer, like a decline
    """Stripe will never make this PaymentIntent; the message is the reason to record."""


class Intent(NamedTuple):
    """A PaymentIntent (https://docs.stripe.com/payments/paymentintents/lifecycle).

    Attributes:
        id: pi_….
        status: Stripe's word.
        reason: why the last attempt to charge it failed, if one did.
    """

    id: str
    status: str
    reason: str | None = None


class PaymentIntents(Protocol):
    """Stripe. `confirm`, `cancel` and `retrieve` may be repeated by themselves, the others by their keys.

    Each may raise `ApiUnavailable`, `Throttled` (not applied), `OutcomeUnknown`, `AccessDenied`,
    `IdempotencyMismatch` and `UnexpectedResponse`.
    """

    def create(self, key: str, params: Mapping[str, Any]) -> Intent:
        """Make a PaymentIntent, one per `key`.

        Raises:
            Refused: Stripe never will.
        """

    def confirm(self, intent_id: str, params: Mapping[str, Any]) -> Intent:
        """Charge a PaymentIntent, which takes money at most once, however often it is confirmed.

        A decline is an answer.
        """

    def cancel(self, intent_id: str) -> Intent:
        """Close a PaymentIntent for good, unless money moved or is moving: the answer says which."""

    def retrieve(self, intent_id: str) -> Intent:
        """Return a PaymentIntent as it is now."""

    def refund(self, key: str, intent_id: str, amount: int) -> None:
        """Give `amount` (minor units) back, once; nothing where all was given back before."""
