"""What a payment through Stripe keeps in the data API: one record per order and attempt, which is its fence.

A record goes intent → processing → captured → refunded. Until it is captured it may also be declined or
void, and a void one may turn out to have been captured, then it is refunded too. Each change is one
compare-and-set on one document. The answer to a repeated call is the answer of the first.
"""

from typing import Any, NamedTuple

from payment_data.client import DataApi
from payment_data.payment_methods.protocol import Charge


class PaymentAttempt(NamedTuple):
    """One attempt to pay an order, as it is on record.

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
        """Return what this attempt's idempotency keys at the gateway begin with."""
        return f"{self.order_id}:{self.attempt}"


class PaymentRecords:
    """The records; each method is one request, and may also raise what any call of the data API may."""

    def __init__(self, api: DataApi) -> None:
        self._api = api

    def open(self, charge: Charge, method: str) -> PaymentAttempt:
        """Insert the record in the state intent, or return it (intent, processing or captured).

        Raises:
            PaymentDeclined: it was declined; the detail is the recorded reason.
            OrderClosed: it is void or refunded, or the order is being undone.
            DeadlineExceeded: too late, and as far as is known the bank was not asked yet.
            OrderNotFound, InvalidOrder, IllegalTransition: nothing was inserted.
            IdempotencyMismatch: opened before with another method.
        """
        return _attempt(
            self._api.open_payment(
                charge.order_id,
                charge.attempt,
                execution=charge.execution,
                deadline=charge.deadline,
                method=method,
            )
        )

    def save(self, record: PaymentAttempt, payment_intent: str, *, execution: str) -> PaymentAttempt:
        """Save the PaymentIntent's id if none is saved; return the record, with the id that counts.

        Raises:
            OrderClosed: it is void or refunded; the PaymentIntent must not be confirmed.
        """
        return self._follow(record, "intent", execution=execution, payment_intent=payment_intent)

    def processing(self, record: PaymentAttempt, *, execution: str) -> PaymentAttempt:
        """Record that the bank was asked: from now on the answer is waited for, also past the deadline.

        Raises:
            OrderClosed: it is void or refunded.
        """
        return self._follow(record, "processing", execution=execution)

    def capture(self, record: PaymentAttempt, *, execution: str) -> PaymentAttempt:
        """Record that the money was taken, and that the order is paid.

        Raises:
            OrderClosed: it is void or refunded, or the order is being undone.
        """
        return self._follow(record, "capture", execution=execution)

    def decline(self, record: PaymentAttempt, reason: str, *, execution: str) -> PaymentAttempt:
        """Record the refusal; the first reason stays.

        Raises:
            OrderClosed: it is void or refunded.
            IllegalTransition: it was captured.
        """
        return self._follow(record, "decline", execution=execution, reason=reason)

    def void(self, order_id: str, *, execution: str, reason: str) -> PaymentAttempt:
        """Cancel the order and bar its payment; return the attempt that may still hold money.

        What is intent or processing becomes void and keeps its PaymentIntent; where nothing was tried, a void
        record is left. What is captured stays so until `refunded`.

        Raises:
            OrderCompleted: it is too late to undo.
            OrderNotFound: no such order.
        """
        return _attempt(self._api.refund(order_id, execution=execution, reason=reason))

    def closed(self, record: PaymentAttempt, *, execution: str) -> PaymentAttempt:
        """Record that the gateway closed a void payment without taking money."""
        return self._follow(record, "closure", execution=execution)

    def refunded(self, record: PaymentAttempt, *, execution: str) -> PaymentAttempt:
        """Record that the gateway gave the money back."""
        return self._follow(record, "refund", execution=execution)

    def find(self, order_id: str) -> PaymentAttempt:
        """Return the latest attempt, in the state none where there is none.

        Raises:
            OrderNotFound: no such order.
        """
        return _attempt(self._api.payment(order_id))

    def _follow(self, record: PaymentAttempt, event: str, **fields: str) -> PaymentAttempt:
        return _attempt(self._api.follow_payment(record.order_id, record.attempt, event, fields))


def _attempt(answer: dict[str, Any]) -> PaymentAttempt:
    """Return the attempt that an answer holds; where nothing was tried it is the first."""
    fields = {name: answer[name] for name in PaymentAttempt._fields if name in answer}
    return PaymentAttempt(**{"attempt": 1, **fields})
