"""What is lost, repeated or frozen between two calls changes nothing about the money."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from payment_data.errors import OutcomeUnknown, PaymentDeclined, Problem
from payment_data.payment_methods.stripe_gateway import StripeGateway
from payment_data.payment_methods.stripe_payment import StripePayment
from tests.integration.card_gateway.accounts import Account
from tests.integration.card_gateway.orders import Desk, Freezing, Losing, Order, Rekeyed, Way

SITES = [
    ("records", "open"),
    ("gateway", "create"),
    ("records", "save"),
    ("gateway", "confirm"),
    ("records", "capture"),
]


def test_four_executions_of_one_order_pay_it_once(order: Order, account: Account) -> None:
    # Given
    def charge(_: int) -> str:
        mine = StripeGateway(lambda fresh=False: account.key, account.url)
        try:
            return str(order.charge(order.method(mine))["state"])
        finally:
            mine.close()

    # When
    with ThreadPoolExecutor(4) as pool:
        states = list(pool.map(charge, range(4)))
    # Then
    assert states == ["charged"] * 4
    assert (order.kept(), len(order.intents())) == (1999, 1)


@pytest.mark.parametrize("call", ["create", "confirm"])
def test_a_charge_whose_answer_was_lost_is_found_again(order: Order, call: str) -> None:
    # Given
    losing = Losing(order.gateway, call)
    # When
    answer = order.charge(order.method(losing))
    # Then
    assert losing.lost
    assert answer["state"] == "charged"
    assert (order.kept(), len(order.intents())) == (1999, 1)


@pytest.mark.parametrize("call", ["create", "confirm", "cancel"])
def test_a_decline_whose_answer_was_lost_is_found_again(desk: Desk, way: Way, call: str) -> None:
    # Given
    order = Order.that_is_declined(desk, way)
    losing: Any = Losing(desk.gateway, call)
    # When
    with pytest.raises(PaymentDeclined) as decline:
        order.charge(order.method(losing))
    # Then
    assert losing.lost
    assert desk.account.is_stripe or decline.value.detail == way.reason


def test_a_refund_whose_answer_was_lost_is_made_once(order: Order) -> None:
    # Given
    order.charge()
    losing = Losing(order.gateway, "refund")
    # When
    answer = order.refund(order.method(losing))
    # Then
    assert losing.lost
    assert (answer["state"], order.kept()) == ("refunded", 0)


@pytest.mark.parametrize(("side", "call"), SITES, ids=lambda part: part)
def test_a_charge_that_freezes_until_the_undo_is_over_leaves_no_money_behind(
    order: Order, side: str, call: str
) -> None:
    # Given
    inner: Any = order.records if side == "records" else order.gateway
    freezing: Any = Freezing(inner, call, order.refund)
    method = order.method(**{side: freezing})
    # When
    try:
        answer = order.charge(method)["state"]
    except Problem as problem:
        answer = type(problem).__name__
    # Then
    assert freezing.frozen
    assert answer == ("charged" if call == "capture" else "OrderClosed")
    assert order.kept() == 0
    assert order.refund()["state"] in ("void", "refunded")


def test_a_payment_intent_that_was_not_saved_is_never_charged(order: Order) -> None:
    # Given a handler that is frozen between creating and saving, for longer than the gateway keeps keys
    other = StripePayment(order.means, order.records, Rekeyed(order.gateway))
    freezing: Any = Freezing(order.gateway, "create", lambda: order.charge(other))
    # When it resumes
    answer = order.charge(order.method(freezing))
    # Then
    assert answer["state"] == "charged"
    assert sorted(intent.status for intent in order.intents()) == ["requires_confirmation", "succeeded"]
    assert order.kept() == 1999


def test_a_refund_after_the_keys_are_forgotten_is_still_made_once(order: Order) -> None:
    # Given a refund that was made and not recorded
    order.charge()
    losing: Any = Losing(order.gateway, "refund")
    with pytest.raises(OutcomeUnknown):
        order.method(losing).refund(order.id, execution="execution", reason="compensation")
    # When
    answer = order.refund(order.method(Rekeyed(order.gateway)))
    # Then
    assert (answer["state"], order.kept()) == ("refunded", 0)
