"""Stripe's own list and our records are compared from both sides, and each difference says both."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.orders.reconciliation.order_legs import Difference
from pipelines.orders.reconciliation.stripe import RecordedPayments, StripePayment, stripe_differences
from pipelines.orders.reconciliation.stripe_account import MoneyMove, missing_adjustments

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 11, 29, tzinfo=UTC)
TAKEN = StripePayment("pi_1", "o1", "succeeded", 1250, 0, 0, "EUR")


class Account:
    """Stripe with PaymentIntents, some of them on its list; notes since when that was read."""

    def __init__(self, *listed: StripePayment, older: tuple[StripePayment, ...] = ()) -> None:
        self._listed, self._older = listed, older
        self.since: datetime | None = None

    def payments(self, since: datetime) -> Iterator[StripePayment]:
        self.since = since
        return iter(self._listed)

    def payment(self, intent_id: str) -> StripePayment | None:
        return next((payment for payment in self._older if payment.id == intent_id), None)


def _recorded(
    *payments: dict[str, Any], state: str = "captured", order_state: str = "FAILED"
) -> RecordedPayments:
    """Return the records of one order, whose first payment is captured where none is given."""
    recorded = RecordedPayments()
    first = {"attempt": 1, "payment_intent": "pi_1", "state": state, "amount": 1250, "currency": "EUR"}
    order = {"order_id": "o1", "created_at": NOW.isoformat(), "state": order_state}
    recorded.add(order | {"payments": [*payments] or [first]})
    return recorded


@pytest.mark.parametrize(
    ("stripe", "named"),
    [
        (TAKEN, None),
        (TAKEN._replace(order_id=None), None),
        (
            TAKEN._replace(received=1249),
            (
                "payment 1 is captured, at Stripe it is succeeded",
                1250,
                "1249 (succeeded: 1249 received, 0 refunded)",
            ),
        ),
        (
            TAKEN._replace(refunded=50, disputed=200),
            (
                "payment 1 is captured, at Stripe it is succeeded",
                1250,
                "1000 (succeeded: 1250 received, 50 refunded, 200 disputed)",
            ),
        ),
        (TAKEN._replace(currency="USD"), ("payment 1 is captured, at Stripe it is in", "EUR", "USD")),
        (TAKEN._replace(order_id="o2"), ("its PaymentIntent names another order", "o1", "o2")),
    ],
)
@pytest.mark.parametrize("listed", [True, False], ids=["on the list", "older than the list"])
def test_what_is_captured_is_at_stripe_in_full(
    stripe: StripePayment, named: tuple[object, ...] | None, *, listed: bool
) -> None:
    # Given
    account = Account(stripe) if listed else Account(older=(stripe,))
    # When
    differences = [*stripe_differences(_recorded(), account)]
    # Then
    assert differences == ([Difference("pi_1", "o1", *map(_any, named))] if named else [])


def _any(value: object) -> Any:
    return value


def test_a_payment_that_stripe_does_not_know_is_named() -> None:
    [difference] = stripe_differences(_recorded(), Account())
    what = "payment 1 is captured, at Stripe it is unknown"
    assert difference == Difference("pi_1", "o1", what, 1250, "unknown")


def test_money_that_no_record_has_is_named_once_unless_a_smoke_execution_took_it() -> None:
    # Given three PaymentIntents that no order's record has
    lost, nothing, smoke = (
        TAKEN._replace(id="pi_7", order_id="o7"),
        TAKEN._replace(id="pi_8", received=0, status="canceled"),
        TAKEN._replace(id="pi_9", order_id="smoke-1"),
    )
    # When
    [difference] = stripe_differences(RecordedPayments(), Account(lost, nothing, smoke))
    # Then one of them holds money of a customer
    what = "Stripe holds money of a PaymentIntent that no record of an order has"
    assert difference == Difference("pi_7", "o7", what, 0, "1250 (succeeded: 1250 received, 0 refunded)")


@pytest.mark.parametrize("state", ["intent", "processing"])
def test_a_payment_under_way_may_be_ahead_at_stripe(state: str) -> None:
    assert [*stripe_differences(_recorded(state=state), Account(TAKEN))] == []
    assert [*stripe_differences(_recorded(state=state), Account())] == []


@pytest.mark.parametrize(("order_state", "named"), [("CANCELLING", 0), ("NEEDS_ATTENTION", 1), ("FAILED", 1)])
def test_a_void_payment_may_be_ahead_at_stripe_only_while_its_order_is_being_undone(
    order_state: str, named: int
) -> None:
    recorded = _recorded(state="void", order_state=order_state)
    assert len([*stripe_differences(recorded, Account(TAKEN))]) == named


@pytest.mark.parametrize("state", ["refunded", "void", "declined"])
def test_nothing_is_kept_of_what_is_not_captured(state: str) -> None:
    assert [*stripe_differences(_recorded(state=state), Account(TAKEN._replace(refunded=1250)))] == []
    [difference] = stripe_differences(_recorded(state=state), Account(TAKEN))
    assert (difference.expected, difference.found) == (0, "1250 (succeeded: 1250 received, 0 refunded)")


def test_what_moved_later_counts_and_a_payment_without_an_intent_is_not_looked_for() -> None:
    # Given an order whose first attempt never came to Stripe, and whose second was partly given back
    adjustments = [
        {"id": "re_1", "kind": "refund", "amount": 300},
        {"id": "du_1", "kind": "dispute", "amount": 950},
        {"id": "du_1-won", "kind": "dispute_won", "amount": 950},
    ]
    money = {"amount": 1250, "currency": "EUR"}
    recorded = _recorded(
        {"attempt": 1, "state": "void", **money},
        {"attempt": 2, "payment_intent": "pi_1", "state": "captured", "adjustments": adjustments, **money},
    )
    # Then
    assert [*stripe_differences(recorded, Account(TAKEN._replace(refunded=300)))] == []
    assert len([*stripe_differences(recorded, Account(TAKEN))]) == 1


def test_stripes_list_is_read_from_an_hour_before_the_oldest_order_unless_it_is_said() -> None:
    account, recorded = Account(TAKEN), _recorded()
    recorded.add({"order_id": "o0", "created_at": (NOW - timedelta(days=3)).isoformat(), "payments": []})
    # The clocks of Stripe and of the database are no further apart
    assert [*stripe_differences(recorded, account)] == []
    assert account.since == NOW - timedelta(days=3, hours=1)
    assert [*stripe_differences(recorded, account, NOW)] == []
    assert account.since == NOW
    # Without any order, all that there can be is read
    assert len([*stripe_differences(RecordedPayments(), account)]) == 1
    assert account.since is not None
    assert account.since.year <= 2011


REFUND = MoneyMove("re_1", "refund", 100)
FAILED = MoneyMove("re_1-failed", "refund_failed", 100)
DISPUTE = MoneyMove("du_1", "dispute", 1250)
WON = MoneyMove("du_1-won", "dispute_won", 1250)


@pytest.mark.parametrize(
    ("state", "recorded", "moves", "missing"),
    [
        ("captured", [], [], []),
        ("captured", [], [REFUND], [REFUND]),
        ("captured", [REFUND], [REFUND], []),
        ("captured", [], [REFUND, FAILED], []),
        ("captured", [REFUND], [REFUND, FAILED], [FAILED]),
        ("captured", [], [DISPUTE, WON], [DISPUTE, WON]),
        ("captured", [DISPUTE], [DISPUTE, WON], [WON]),
        ("refunded", [], [REFUND], []),
        ("refunded", [], [REFUND, FAILED], [FAILED]),
        ("refunded", [], [REFUND, FAILED, REFUND._replace(id="re_2")], []),
        ("refunded", [], [DISPUTE], [MoneyMove("du_1-failed", "refund_failed", 1250), DISPUTE]),
        ("refunded", [MoneyMove("du_1-failed", "refund_failed", 1250)], [DISPUTE], [DISPUTE]),
        ("refunded", [], [], []),
        ("void", [], [REFUND, FAILED], []),
    ],
)
def test_the_adjustments_that_a_payment_lacks(
    state: str, recorded: list[MoneyMove], moves: list[MoneyMove], missing: list[MoneyMove]
) -> None:
    payment = {"state": state, "adjustments": [move._asdict() for move in recorded]}
    assert missing_adjustments(payment, moves) == missing
