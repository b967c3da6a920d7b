"""An order as use cases see it: its states and the only changes between them, and how its end is counted.

NEW → RESERVED → PAID → COMPLETED; undoing goes CANCELLING first, and ends FAILED, or
NEEDS_ATTENTION until a person redrives it, which goes CANCELLING again. An order that was parked because its
execution had succeeded may be COMPLETED instead, by a person.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from typing import Any, NamedTuple

from data_api.domain.requests import CLOCK_SKEW, Document, fingerprint
from payment_data import metrics
from payment_data.errors import BY_NAME, FieldError, OrderClosed, Problem

_REJECTED_FOR_TESTS = "REJECT"


class State(StrEnum):
    """Where an order is on its journey."""

    NEW = "NEW"
    RESERVED = "RESERVED"
    PAID = "PAID"
    COMPLETED = "COMPLETED"
    CANCELLING = "CANCELLING"
    FAILED = "FAILED"
    NEEDS_ATTENTION = "NEEDS_ATTENTION"


OPEN = frozenset({State.NEW, State.RESERVED, State.PAID})
"""May still be completed, or cancelled."""
UNDOABLE = OPEN | {State.NEEDS_ATTENTION}
"""What an undo closes first."""
CLOSED = frozenset({State.CANCELLING, State.FAILED, State.NEEDS_ATTENTION})
"""Is being undone or has been: nothing forward happens any more."""

TRANSITIONS: Mapping[State, frozenset[State]] = {
    State.NEW: frozenset({State.RESERVED, State.CANCELLING}),
    State.RESERVED: frozenset({State.PAID, State.CANCELLING}),
    State.PAID: frozenset({State.COMPLETED, State.CANCELLING}),
    State.COMPLETED: frozenset(),
    State.CANCELLING: frozenset({State.FAILED, State.NEEDS_ATTENTION}),
    State.NEEDS_ATTENTION: frozenset({State.CANCELLING, State.COMPLETED}),
    State.FAILED: frozenset(),
}
"""From a state to those it may change to."""


class Line(NamedTuple):
    """What is ordered of one product; price in minor units."""

    product_id: str
    name: str
    type: str
    price: int
    quantity: int
    delivery_address: str


class Decision(NamedTuple):
    """Why an operation was refused for good; a repeated request gets the same answer."""

    operation: str
    error: str
    detail: str
    errors: list[list[str]]

    @classmethod
    def from_problem(cls, operation: str, problem: Problem) -> "Decision":
        """Return a problem as data that can be stored."""
        errors = [list(error) for error in problem.errors]
        return cls(operation, type(problem).__name__, problem.detail, errors)

    def problem(self) -> Problem:
        """Return the stored problem."""
        return BY_NAME[self.error](self.detail, [FieldError(*error) for error in self.errors])


@dataclass(frozen=True, slots=True)
class Order:
    """An order as it was read; amounts in minor units.

    Attributes beside those that its use cases write:
        paid_by: the payment method, recorded before any payment can begin.
        deliveries: one for each line, in the order of the lines, once it is COMPLETED.
        undeliverable: numbers of the lines whose delivery is refused.
        books: how far its records have come on their way to the ledger (storage/ledger.py).
        ledger: the transactions that the ledger has.
        operation: the copy of the user's record that a settled order keeps.
    """

    id: str
    user_id: str
    currency: str
    total: int
    lines: tuple[Line, ...]
    synthetic: bool
    fingerprint: str
    state: State
    deadline: datetime | None
    payment: str | None
    decision: Decision | None
    history: list[dict[str, Any]]
    created_at: datetime
    updated_at: datetime
    paid_by: str | None = None
    deliveries: tuple[dict[str, Any], ...] = ()
    undeliverable: tuple[int, ...] = ()
    books: str | None = None
    ledger: tuple[str, ...] = ()
    operation: dict[str, Any] | None = None

    @property
    def as_created(self) -> bool:
        """Say whether payer, currency and lines are still those of the request that created the order.

        So are the lines that are not delivered.
        """
        lines = [line._asdict() for line in self.lines]
        body: dict[str, Any] = {"user_id": self.user_id, "currency": self.currency, "lines": lines}
        requests = [body | {"synthetic": self.synthetic}] + ([] if self.synthetic else [body])
        refused = undeliverable(body | {"synthetic": self.synthetic})
        return self.fingerprint in map(fingerprint, requests) and list(self.undeliverable) == refused

    @property
    def in_time(self) -> bool:
        """Say whether its times agree: created with its first state, last changed with its last.

        No change is before the one before it; all this by clocks that may differ.
        """
        times = [entry["at"] for entry in self.history]
        return (
            times[:1] == [self.created_at]
            and all(later >= earlier - CLOCK_SKEW for earlier, later in pairwise(times))
            and abs(self.updated_at - times[-1]) <= CLOCK_SKEW
        )

    @property
    def as_paid(self) -> bool:
        """Say whether what it was paid with is written down when it was, and is its own method and total."""
        if self.payment is None:
            return self.state not in {State.PAID, State.COMPLETED}
        method, attempt, *rest = self.payment.split(":")
        return method == self.paid_by and attempt.isdecimal() and rest == [str(self.total), self.currency]

    @property
    def settled(self) -> bool:
        """Say whether the order's records may be gone from products and users: then nothing is written."""
        return self.books in {"settling", "settled"}

    def reached(self, state: State) -> bool:
        """Say whether the order was ever in this state."""
        return any(entry["to"] == state for entry in self.history)

    def refusal(self, operation: str) -> Problem:
        """Return what a closed order answers to an operation: what was decided, or that it is closed."""
        if self.decision and self.decision.operation == operation:
            return self.decision.problem()
        return OrderClosed(f"the order is {self.state}")


def undeliverable(body: dict[str, Any]) -> list[int]:
    """Return the numbers of the lines of a new order that cannot be delivered.

    Blank addresses, and the one that smoke executions use to be refused.
    """
    return [
        number
        for number, line in enumerate(body["lines"])
        if not line["delivery_address"].strip()
        or (body.get("synthetic") and line["delivery_address"] == _REJECTED_FOR_TESTS)
    ]


def count_end(order: Order, reason: str | None) -> None:
    """Count an order that has just ended, but none that smoke tests placed.

    Each adds 0 or 1 to TechnicalFailures, so that its average is the share of orders that failed by a fault.
    """
    if order.synthetic:
        return
    match order.state:
        case State.COMPLETED:
            metrics.count("TechnicalFailures", 0)
            metrics.count("OrdersPlaced")
            metrics.count("AmountPlaced", order.total, currency=order.currency)
        case State.FAILED:
            metrics.count("TechnicalFailures", int(metrics.is_technical(reason)))
            metrics.count("OrdersFailed", reason=metrics.reason(reason))
        case State.NEEDS_ATTENTION:
            metrics.count("TechnicalFailures", 1)
            metrics.count("OrdersNeedingAttention")


def from_document(document: Document) -> Order:
    """Read an order of the document that holds it."""
    decision = document.get("decision")
    return Order(
        id=document["_id"],
        user_id=document["user_id"],
        currency=document["currency"],
        total=document["total"],
        lines=tuple(Line(**line) for line in document["lines"]),
        synthetic=document["synthetic"],
        fingerprint=document["fingerprint"],
        state=State(document["state"]),
        deadline=document.get("deadline"),
        payment=document.get("payment"),
        paid_by=document.get("paid_by"),
        decision=Decision(**decision) if decision else None,
        history=document["history"],
        created_at=document["created_at"],
        updated_at=document["updated_at"],
        deliveries=tuple(document.get("deliveries", ())),
        undeliverable=tuple(document.get("undeliverable", ())),
        books=document.get("books"),
        ledger=tuple(document.get("ledger", ())),
        operation=document.get("operation"),
    )
