"""What a payment through Stripe needs of the data API: one record per order and attempt, the fence of it all.

A record goes intent → processing → captured → refunded. Until it is captured it may also be declined or
void, and a void one may turn out to have been captured, then it is refunded too. Each change is one
compare-and-set on one document. The answer to a repeated call is the answer of the first.
"""

from typing import NamedTuple, Protocol

from payment_data.payment_methods.protocol import Charge


class Record(NamedTuple):
    """One attempt to pay an order.

    Attributes:
        order_id: the order.
        attempt: its attempt, 1 for the first; with `order_id` the id of the record.
        state: intent, processing, captured, declined, refunded, void, or none where nothing was ever tried.
        amount: minor units.
        currency: ISO 4217, upper case.
        payment_intent: id of the one PaymentIntent that may be confirmed, once it is known.
        reason: why it was declined.
        customer: the user's id at the gateway, if the user is known there.
        payment_method: id at the gateway of what the user pays with.
    """

    order_id: str
    attempt: int
    state: str
    amount: int
    currency: str
    payment_intent: str | None = None
    reason: str | None = None
    customer: str | None = None
    payment_method: str | None = None

    @property
    def key(self) -> str:
        """What idempotency keys at the gateway begin with."""
        return f"{self.order_id}:{self.attempt}"


class PaymentRecords(Protocol):
    """The records; every method may also raise what any call of the data API may."""

    def open(self, charge: Charge, method: str) -> Record:
        """Insert the record in the state intent, or return it (intent, processing or captured).

        Raises:
            PaymentDeclined: it was declined; the detail is the recorded reason.
            OrderClosed: it is void or refunded, or the order is being undone.
            DeadlineExceeded: too late, and as far as is known the bank was not asked yet.
            OrderNotFound, InvalidOrder, IllegalTransition: nothing was inserted.
            IdempotencyMismatch: opened before with another method.
        """

    def save(self, record: Record, payment_intent: str, *, execution: str) -> Record:
        """Save the PaymentIntent's id if none is saved; return the record, with the id that counts.

        Raises:
            OrderClosed: it is void or refunded; the PaymentIntent must not be confirmed.
        """

    def processing(self, record: Record, *, execution: str) -> Record:
        """Record that the bank was asked: from now on the answer is waited for, also past the deadline.

        Raises:
            OrderClosed: it is void or refunded.
        """

    def capture(self, record: Record, *, execution: str) -> Record:
        """Record that the money was taken, and that the order is paid.

        Raises:
            OrderClosed: it is void or refunded, or the order is being undone.
        """

    def decline(self, record: Record, reason: str, *, execution: str) -> Record:
        """Record the refusal; the first reason stays.

        Raises:
            OrderClosed: it is void or refunded.
            IllegalTransition: it was captured.
        """

    def void(self, order_id: str, method: str, *, execution: str, reason: str) -> Record:
        """Cancel the order and bar its payment; return the attempt that may still hold money.

        What is intent or processing becomes void and keeps its PaymentIntent; where nothing was tried, a void
        record is left. What is captured stays so until `refunded`.

        Raises:
            OrderCompleted: it is too late to undo.
            OrderNotFound: no such order.
        """

    def refunded(self, record: Record, *, execution: str) -> Record:
        """Record that the gateway gave the money back."""

    def find(self, order_id: str) -> Record:
        """Return the latest attempt, in the state none where there is none. Raises `OrderNotFound`."""
