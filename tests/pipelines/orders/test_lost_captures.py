"""Money at Stripe of which a restored backup knows nothing is found, and named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.core.refusals import Refused
from pipelines.orders.reconciliation.stripe import RecordedPayments, StripePayment, stripe_differences
from pipelines.orders.reconciliation.stripe_account import intent_of

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 11, 29, tzinfo=UTC)
ORDER: dict[str, Any] = {"order_id": "o1", "total": 1250, "currency": "EUR"}
TAKEN = StripePayment("pi_1", "o1", "succeeded", 1250, 0, 0, "EUR")


class Account:
    """Stripe with PaymentIntents, each made a day before the next one."""

    def __init__(self, *payments: StripePayment) -> None:
        made = [NOW - timedelta(days=number) for number in range(len(payments))][::-1]
        self._payments = list(zip(made, payments, strict=True))

    def payments(self, since: datetime) -> Iterator[StripePayment]:
        return (payment for made, payment in self._payments if made >= since)

    def payment(self, intent_id: str) -> StripePayment | None:
        return next((payment for _, payment in self._payments if payment.id == intent_id), None)


@pytest.mark.parametrize(
    "beside",
    [
        (),
        (TAKEN._replace(id="pi_0", order_id="other"),),
        (TAKEN._replace(id="pi_0", status="canceled", received=0),),
    ],
)
def test_the_one_that_took_the_total_is_found(beside: tuple[StripePayment, ...]) -> None:
    assert intent_of(Account(*beside, TAKEN), ORDER, NOW - timedelta(days=2)) == "pi_1"
    # A dispute that came since is entered afterwards
    assert (
        intent_of(Account(*beside, TAKEN._replace(disputed=1250)), ORDER, NOW - timedelta(days=2)) == "pi_1"
    )


@pytest.mark.parametrize(
    "there",
    [
        (),
        (TAKEN._replace(order_id="other"),),
        (TAKEN._replace(order_id=None),),
        (TAKEN._replace(status="processing", received=0),),
        (TAKEN._replace(received=1249),),
        (TAKEN._replace(refunded=1),),
        (TAKEN._replace(currency="USD"),),
        (TAKEN, TAKEN._replace(id="pi_2")),
        (TAKEN, TAKEN._replace(id="pi_2", received=1)),
    ],
)
def test_anything_else_is_left_to_a_person(there: tuple[StripePayment, ...]) -> None:
    with pytest.raises(Refused, match="over 1250 EUR, and at Stripe there is") as refused:
        intent_of(Account(*there), ORDER, NOW - timedelta(days=9))
    assert all(each.id in str(refused.value) for each in there if each.received and each.order_id == "o1")


@pytest.mark.parametrize(("minutes", "there"), [(5, True), (6, False)])
def test_the_clocks_of_stripe_and_step_functions_may_be_five_minutes_apart(
    minutes: int, *, there: bool
) -> None:
    # Given a PaymentIntent that Stripe made so long before its execution began
    account, began = Account(TAKEN), NOW + timedelta(minutes=minutes)
    # When, then
    if there:
        assert intent_of(account, ORDER, began) == "pi_1"
    else:
        with pytest.raises(Refused, match="at Stripe there is nothing"):
            intent_of(account, ORDER, began)


def test_without_a_key_it_cannot_be_looked_for() -> None:
    with pytest.raises(Refused, match="no key"):
        intent_of(None, ORDER, NOW)


def test_all_of_stripes_list_is_read_where_no_order_is_left_and_from_the_oldest_order_else() -> None:
    account = Account(*(TAKEN._replace(id=f"pi_{number}") for number in range(3)))
    assert len([*stripe_differences(RecordedPayments(), account)]) == 3
    # An order that is paid by credit counts: who knows what paid those that are lost
    recorded = RecordedPayments()
    recorded.add({"order_id": "o2", "created_at": (NOW - timedelta(days=1)).isoformat(), "payments": []})
    assert len([*stripe_differences(recorded, account)]) == 2
