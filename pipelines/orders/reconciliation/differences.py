"""A difference that reconciliation reports: between what is and what must be."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that does not fit.

    Attributes:
        about: The product, user, PaymentIntent or ledger leg it is about, or the order itself.
        order_id: The order it belongs to. Of a sum that does not fit: the order whose difference explains
            it, or none where somebody changed the sum itself.
        what: What does not fit, in words.
        expected: What must be there.
        found: What is there.
        account: The account whose sum it changes, if it does.
        amount: By how much: minor units or pieces, found minus expected.
    """

    about: str
    order_id: str | None
    what: str
    expected: object
    found: object
    account: str = ""
    amount: int = 0


def of_order(
    order_id: str, what: str, expected: object, found: object, effect: tuple[str, int] = ("", 0)
) -> Difference:
    """Return a difference of an order; `effect` is the account whose sum it changes, and by how much."""
    return Difference(f"order {order_id}", order_id, what, expected, found, *effect)
