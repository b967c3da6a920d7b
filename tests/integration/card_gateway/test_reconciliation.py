"""Reconciliation of payments by every method: records, ledger and gateway say the same, or it is told."""

from datetime import UTC, datetime, timedelta

import pytest

from payment_data.errors import PaymentDeclined
from pipelines.orders.reconciliation.reconcile import reconcile
from pipelines.orders.reconciliation.stripe import StripeAccount
from pipelines.orders.settlement import settle
from tests.integration.card_gateway.orders import Desk, Order, Way


@pytest.fixture
def looker(desk: Desk) -> StripeAccount:
    return StripeAccount(desk.account.key, desk.account.url, desk.stack)


def _completed(order: Order) -> None:
    order.charge()
    order.desk.api.deliver(order.id, execution="execution", deadline=order.deadline)


def _undone(order: Order) -> None:
    order.charge()
    order.refund()
    _ended(order)


def _ended(order: Order) -> None:
    api = order.desk.api
    api.release(order.id, execution="execution", reason="compensation")
    failure = {"execution": "execution", "step": "Arrange delivery", "error": "E", "cause": "because"}
    api.record_failure(order.id, failure | {"compensated": True})


def _found(order: Order, looker: StripeAccount) -> list[tuple[str | None, str]]:
    return [(d.order_id, d.what) for d in reconcile(order.desk.api, stripe=looker).differences]


def _settle(order: Order, *, old: bool = False) -> dict[str, int]:
    settle(order.desk.api)
    if old:
        order.desk.db.orders.update_many({}, {"$set": {"updated_at": datetime.now(UTC) - timedelta(days=20)}})
    return settle(order.desk.api)


@pytest.mark.parametrize("old", [False, True], ids=["entered", "settled"])
def test_a_completed_order_agrees_and_its_money_is_in_the_ledger(
    any_order: Order, looker: StripeAccount, old: bool
) -> None:
    # Given
    _completed(any_order)
    assert _settle(any_order, old=old)["settled"] == old
    # When, then
    assert _found(any_order, looker) == []
    total = any_order.desk.api.order(any_order.id)["total"]
    verb = {False: "charge", True: "charge"} if any_order.way.means is None else {}
    leg = next(
        leg
        for leg in any_order.desk.db.ledger.find({"order_id": any_order.id, "unit": "EUR"}).sort("_id")
        if leg["amount"] > 0
    )
    assert leg["amount"] == total
    assert leg["transaction"].split(".")[0] == verb.get(old, "capture")


@pytest.mark.parametrize("old", [False, True], ids=["entered", "settled"])
def test_an_order_that_was_undone_agrees(any_order: Order, looker: StripeAccount, old: bool) -> None:
    _undone(any_order)
    assert _settle(any_order, old=old)["settled"] == old
    assert _found(any_order, looker) == []


def test_a_declined_order_agrees(desk: Desk, any_way: Way, looker: StripeAccount) -> None:
    order = Order.that_is_declined(desk, any_way)
    with pytest.raises(PaymentDeclined):
        order.charge()
    _ended(order)
    _settle(order)
    assert _found(order, looker) == []


def test_money_that_was_given_back_behind_our_back_is_found(order: Order, looker: StripeAccount) -> None:
    # Given a completed order in the ledger
    _completed(order)
    _settle(order)
    [intent] = order.intents()
    # When somebody refunds it at the gateway
    order.desk.account.client.v1.refunds.create({"payment_intent": intent.id})
    # Then
    assert _found(order, looker) == [(order.id, "payment 1 is captured, at Stripe it is succeeded")]


def test_a_capture_that_our_records_say_was_refunded_is_found(order: Order, looker: StripeAccount) -> None:
    # Given an order whose refund was only written down
    order.charge()
    records = order.desk.db.payments
    records.update_one({"order_id": order.id}, {"$set": {"state": "refunded"}})
    order.refund()
    _ended(order)
    _settle(order)
    # Then
    assert _found(order, looker) == [(order.id, "payment 1 is refunded, at Stripe it is succeeded")]
