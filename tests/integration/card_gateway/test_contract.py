"""The contract of every payment method: an order is paid once, or not at all."""

import pytest

from payment_data.errors import OrderClosed, OutcomeUnknown, PaymentDeclined, PaymentPending
from payment_data.payment_methods.names import BALANCE
from tests.integration.card_gateway.orders import Desk, Order, Way, losing

WRITES = dict.fromkeys(BALANCE, 1) | {"card": 3, "bank_account": 3}
"""At least so many requests to the data API does a charge take."""


def test_an_order_is_paid(any_order: Order) -> None:
    # When
    answer = any_order.charge()
    # Then
    assert answer == {
        "order_id": any_order.id,
        "state": "charged",
        "amount": 1999,
        "currency": "EUR",
        "method": any_order.way.name,
    }
    assert (any_order.kept(), any_order.state()) == (1999, "PAID")
    assert any_order.method().outcome(any_order.id)["state"] == "charged"


def test_a_decline_has_a_reason_that_never_changes(desk: Desk, any_way: Way) -> None:
    # Given
    order = Order.that_is_declined(desk, any_way)
    with pytest.raises(PaymentDeclined) as first:
        order.charge()
    # When
    with pytest.raises(PaymentDeclined) as again:
        order.charge()
    # Then
    assert str(first.value) == str(again.value)
    assert desk.account.is_stripe or first.value.detail == any_way.reason
    assert (order.kept(), order.state()) == (0, "RESERVED")
    assert order.method().outcome(order.id)["state"] == "declined"


def test_a_charge_asked_for_twice_is_made_once(any_order: Order) -> None:
    # Given
    first = any_order.charge()
    # When
    again = any_order.charge()
    # Then
    assert first == again
    assert any_order.kept() == 1999


@pytest.mark.parametrize("request_number", [1, 2, 3])
def test_a_charge_whose_outcome_is_unknown_is_found_again_and_made_once(
    any_order: Order, request_number: int
) -> None:
    number = min(request_number, WRITES[any_order.way.name])  # credit takes one request in all
    # Given a charge that was asked for, and an answer that was lost
    api, writes = losing(any_order.desk.api, number)
    with pytest.raises((OutcomeUnknown, PaymentPending)):
        any_order.method(api=api).charge(any_order.ask())
    assert len(writes) == number
    # When it is asked for again
    answer = any_order.charge()
    # Then
    assert answer["state"] == "charged"
    assert (any_order.kept(), any_order.state()) == (1999, "PAID")


def test_a_paid_order_is_refunded(any_order: Order) -> None:
    # Given
    any_order.charge()
    # When
    answer = any_order.refund()
    # Then
    assert (answer["state"], answer["amount"]) == ("refunded", 1999)
    assert (any_order.kept(), any_order.state()) == (0, "CANCELLING")
    assert any_order.method().outcome(any_order.id)["state"] == "refunded"


def test_a_refund_asked_for_twice_is_made_once(any_order: Order) -> None:
    # Given
    any_order.charge()
    # When
    first, again = any_order.refund(), any_order.refund()
    # Then
    assert first == again
    assert any_order.kept() == 0


def test_a_refund_of_nothing_bars_the_charge(any_order: Order) -> None:
    # When
    first, again = any_order.refund(), any_order.refund()
    # Then
    assert first == again
    assert (first["state"], first["amount"], any_order.kept()) == ("void", 0, 0)


def test_a_declined_order_has_nothing_to_refund(desk: Desk, any_way: Way) -> None:
    # Given
    order = Order.that_is_declined(desk, any_way)
    with pytest.raises(PaymentDeclined):
        order.charge()
    # When
    order.refund()
    # Then
    assert order.kept() == 0
    assert order.method().outcome(order.id)["state"] == "declined"


@pytest.mark.parametrize("paid", [False, True], ids=["unpaid", "paid"])
def test_a_charge_that_comes_after_the_refund_does_nothing(any_order: Order, paid: bool) -> None:
    # Given
    if paid:
        any_order.charge()
    any_order.refund()
    # When
    with pytest.raises(OrderClosed):
        any_order.charge()
    # Then
    assert any_order.kept() == 0
