"""What a payment asks of Stripe, in our words; `stripe_gateway` asks it. It imports nothing of Stripe's."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol


class Refused(Exception):  # noqa: N818 - an answer, like a decline
    """Stripe will never make this PaymentIntent; the message is the reason to record."""


class KeySpent(Exception):  # noqa: N818 - an answer: ask with another key
    """An idempotency key only repeats what it was answered with before, and that was no refund.

    Stripe keeps the first answer of a key for a day, a 5xx too (https://docs.stripe.com/api/idempotent_requests).
    """


class Disputed(Exception):  # noqa: N818 - an answer: ask how much was taken
    """The shopper's bank disputes the charge, so Stripe refunds nothing of it."""


WITHDRAWING = ("needs_response", "under_review", "lost")
"""Statuses of disputes that have taken the money; an inquiry has not.
https://docs.stripe.com/api/disputes/object
"""


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


class Refund(NamedTuple):
    """A refund (https://docs.stripe.com/api/refunds/object).

    Attributes:
        id: re_….
        status: Stripe's word.
        amount: in Stripe's units.
    """

    id: str
    status: str
    amount: int

    @property
    def returns_money(self) -> bool:
        """Return whether the money is given back or on its way: a refund may also fail, even days later."""
        return self.status not in ("failed", "canceled")


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

    def refunds(self, intent_id: str) -> Sequence[Refund]:
        """Return the refunds of a PaymentIntent, those that failed included."""

    def refund(self, key: str, intent_id: str, amount: int) -> Refund | None:
        """Give `amount` (Stripe's units) back, once per `key`; None where all was given back before.

        Raises:
            KeySpent: the key repeats an answer of before that was no refund.
            Disputed: it is disputed.
        """

    def disputed(self, intent_id: str) -> int:
        """Return how much (Stripe's units) disputes took of a PaymentIntent and did not bring back."""
