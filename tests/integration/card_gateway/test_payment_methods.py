"""What `card` and `bank_account` do beside the contract of every payment method."""

import pytest

from payment_data.errors import DeadlineExceeded, OrderClosed, OutcomeUnknown, PaymentDeclined, PaymentPending
from payment_data.payment_methods.stripe_payment import StripePayment
from tests.integration.card_gateway.orders import BANK, Desk, Order, Way


def test_a_declined_order_can_be_charged_by_nobody_any_more(desk: Desk, way: Way) -> None:
    # Given
    order = Order.that_is_declined(desk, way)
    # When
    with pytest.raises(PaymentDeclined):
        order.charge()
    # Then
    assert [intent.status for intent in order.intents()] == ["canceled"]


def test_a_charge_asked_for_twice_makes_one_payment_intent(order: Order) -> None:
    # When
    order.charge()
    order.charge()
    # Then
    assert len(order.intents()) == 1


@pytest.mark.parametrize(
    ("pays_with", "reason"),
    [(None, "payment_method_missing"), ("pm_canary_0001", "payment_method_unknown")],
)
def test_what_can_not_be_paid_with_is_a_decline(
    desk: Desk, way: Way, pays_with: str | None, reason: str
) -> None:
    # Given
    order = Order(desk, way, pays_with)
    # When
    with pytest.raises(PaymentDeclined) as decline:
        order.charge()
    # Then
    assert decline.value.detail == reason
    assert order.intents() == []


def test_a_bank_account_pays_in_euros_alone(desk: Desk) -> None:
    # Given
    order = Order(desk, BANK, currency="USD")
    # When / Then
    with pytest.raises(PaymentDeclined, match="currency_not_supported"):
        order.charge()


def test_a_charge_past_the_deadline_is_not_made(order: Order) -> None:
    # Given
    order.expire()
    # When / Then
    with pytest.raises(DeadlineExceeded):
        order.charge()
    assert order.intents() == []


def test_a_debit_that_settles_after_the_deadline_still_pays_and_can_be_delivered(desk: Desk) -> None:
    # Given a debit under way
    order = Order(desk, BANK)
    with pytest.raises(PaymentPending):
        order.method().charge(order.ask())
    assert order.method().outcome(order.id)["state"] in ("pending", "charged")
    # When
    order.expire()
    answer = order.charge()
    # Then
    assert (answer["state"], order.kept()) == ("charged", 1999)
    desk.api.deliver(order.id, execution="execution", deadline=order.deadline)
    assert order.state() == "COMPLETED"


def test_the_undo_of_a_debit_under_way_waits_for_the_bank(desk: Desk) -> None:
    # Given
    order = Order(desk, BANK, "pm_successDelayed_de")
    with pytest.raises(PaymentPending):
        order.method().charge(order.ask())
    # When
    with pytest.raises(PaymentPending, match="processing"):
        order.method().refund(order.id, execution="execution", reason="compensation")
    # Then it is barred, so that it is refunded once the bank has answered
    assert order.records.find(order.id).state == "void"
    with pytest.raises(OrderClosed):
        order.charge()


def test_no_call_is_begun_that_might_outlive_the_function(order: Order) -> None:
    # Given a gateway that takes four of the function's seconds
    seconds = iter([0.0, 0.0, 4.0, 4.0, 4.0])
    ticking, stack = lambda: next(seconds), order.desk.stack
    slow = StripePayment(order.means, order.records, order.gateway, ticking, stack=stack)
    # When
    with pytest.raises(OutcomeUnknown, match="out of time"):
        slow.charge(order.ask())
    # Then what was begun is found when asked again
    assert order.charge()["state"] == "charged"
    assert len(order.intents()) == 1
