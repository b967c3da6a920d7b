"""What every payment method can do: charge, refund, and say what became of a payment."""

from typing import Any, NamedTuple, Protocol


class Charge(NamedTuple):
    """One charge of an order's total.

    Attributes:
        order_id: what is paid; with `attempt` it is the idempotency key.
        execution: ARN of the execution that asks, for the audit trail.
        deadline: RFC 3339, UTC; later than that the charge must not happen.
        attempt: business data, 1 for an order's first charge; never a retry count.
    """

    order_id: str
    execution: str
    deadline: str
    attempt: int = 1


class PaymentMethod(Protocol):
    """A way to pay; every method passes the same contract tests.

    All operations may be repeated: the answer to a repeated charge never changes, a refund happens once, and
    a charge that arrives after its refund does nothing.
    """

    name: str

    def charge(self, charge: Charge) -> dict[str, Any]:
        """Take the order's total and return {order_id, state: "charged", amount, currency, method}.

        Raises:
            PaymentDeclined: refused; the detail is the reason.
            OutcomeUnknown: nobody can tell yet; ask again with the same key.
            PaymentPending: the bank takes days; ask again much later, with the same key.
        """

    def refund(self, order_id: str, *, execution: str, reason: str) -> dict[str, Any]:
        """Return what was charged, or make sure that nothing will be; {order_id, state, amount, currency}.

        Raises:
            PaymentPending: the bank has not settled yet, so it cannot be undone yet.
        """

    def outcome(self, order_id: str) -> dict[str, Any]:
        """Return what is on record: {order_id, state, amount, currency, method}.

        `state` is none, pending, charged, declined, refunded or void.
        """
