"""Reconciliation of payments by every method: records, ledger and gateway say the same, or it is told."""

import pytest

from payment_data.errors import PaymentDeclined
from pipelines.core.refusals import Refused
from pipelines.orders.payment_stack import settle
from pipelines.orders.reconciliation.reconcile import reconcile
from pipelines.orders.reconciliation.stripe_account import StripeAccount, adjust_order
from tests.integration.card_gateway.orders import CARD, CREDIT, Desk, Order, Way
from tests.integration.data_api.aging import age
from tests.waiting import wait_until


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
    why = {"step": "Arrange delivery", "error": "compensation", "cause": "because"}
    failure = {"execution": "execution", **why}
    api.record_failure(order.id, failure | {"compensated": True})


def _found(order: Order, looker: StripeAccount) -> list[tuple[str | None, str]]:
    return [(d.order_id, d.what) for d in reconcile(order.desk.api, stripe=looker).differences]


def _settle(order: Order, *, old: bool = False) -> dict[str, int]:
    settle(order.desk.api)
    if old:
        age(order.desk.db)
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
    assert _found(order, looker) == [
        (order.id, "the history of payment 1"),
        (order.id, "payment 1 is refunded, at Stripe it is succeeded"),
    ]


@pytest.mark.parametrize("adjusted_before", [True, False])
@pytest.mark.parametrize("evidence", ["", "winning_evidence", "losing_evidence"])
def test_an_order_whose_money_a_dispute_took_before_its_undo_ends_and_agrees(
    desk: Desk, looker: StripeAccount, evidence: str, adjusted_before: bool
) -> None:
    # Given a captured order whose shopper went to the bank, and a person who perhaps entered that at once
    order = Order(desk, CARD, "pm_card_createDispute")
    order.charge()
    [intent] = order.intents()
    disputes = desk.account.client.v1.disputes
    [dispute] = wait_until(
        lambda: disputes.list({"payment_intent": intent.id}).data, "a dispute", seconds=desk.account.patience
    )
    if adjusted_before:
        adjust_order(desk.api, looker, order.id)
    # When it is undone; Then it ends, since Stripe has nothing of it that could be given back
    order.refund()
    _ended(order)
    assert desk.api.order(order.id)["state"] == "FAILED"
    # When the dispute ends, and what happened is entered, twice
    if evidence:
        disputes.update(dispute.id, {"evidence": {"uncategorized_text": evidence}, "submit": True})
        wait_until(
            lambda: disputes.retrieve(dispute.id).status != "needs_response",
            "it to end",
            seconds=desk.account.patience,
        )
    adjust_order(desk.api, looker, order.id)
    assert adjust_order(desk.api, looker, order.id) == []
    # Then records, ledger and Stripe say the same
    _settle(order)
    assert _found(order, looker) == []


def _paid_and_settled(desk: Desk, pays_with: str) -> Order:
    order = Order(desk, CARD, pays_with)
    _completed(order)
    _settle(order)
    return order


def _adjusted(order: Order, looker: StripeAccount) -> list[tuple[str, int]]:
    return [(move.kind, move.amount) for move in adjust_order(order.desk.api, looker, order.id)]


def test_a_refund_made_elsewhere_is_recorded_once_and_explained(desk: Desk, looker: StripeAccount) -> None:
    # Given a completed order that somebody refunded in part at the gateway
    order = _paid_and_settled(desk, "pm_card_visa")
    [intent] = order.intents()
    desk.account.client.v1.refunds.create({"payment_intent": intent.id, "amount": 500})
    assert _found(order, looker) == [(order.id, "payment 1 is captured, at Stripe it is succeeded")]
    # When
    first, again = _adjusted(order, looker), _adjusted(order, looker)
    # Then
    assert (first, again) == ([("refund", 500)], [])
    assert _found(order, looker) == []
    legs = desk.db.ledger.find({"order_id": order.id, "transaction": {"$regex": "^adjust"}})
    assert {leg["account"]: leg["amount"] for leg in legs} == {"card:adjusted": -500, "card:outside": 500}


@pytest.mark.parametrize(
    ("evidence", "kinds"),
    [
        (None, [("dispute", 1999)]),
        ("losing_evidence", [("dispute", 1999)]),
        ("winning_evidence", [("dispute", 1999), ("dispute_won", 1999)]),
    ],
)
def test_a_dispute_is_recorded_and_explained(
    desk: Desk, looker: StripeAccount, evidence: str | None, kinds: list[tuple[str, int]]
) -> None:
    # Given
    order = _paid_and_settled(desk, "pm_card_createDispute")
    [intent] = order.intents()
    disputes = desk.account.client.v1.disputes
    [dispute] = wait_until(
        lambda: disputes.list({"payment_intent": intent.id}).data, "a dispute", seconds=desk.account.patience
    )
    assert _found(order, looker) == [(order.id, "payment 1 is captured, at Stripe it is succeeded")]
    # When
    if evidence:
        disputes.update(dispute.id, {"evidence": {"uncategorized_text": evidence}, "submit": True})
    # Then
    assert _adjusted(order, looker) == kinds
    assert _found(order, looker) == []


def test_a_refund_that_failed_later_is_recorded_and_explained(desk: Desk, looker: StripeAccount) -> None:
    # Given an order that was undone, and a bank that sent the money back
    order = Order(desk, CARD, "pm_card_refundFail")
    _undone(order)
    _settle(order)
    wait_until(lambda: _found(order, looker), "the refund to fail", seconds=desk.account.patience)
    assert _found(order, looker) == [(order.id, "payment 1 is refunded, at Stripe it is succeeded")]
    # When
    adjusted = _adjusted(order, looker)
    # Then it is ours again, and the ledger says so
    assert adjusted == [("refund_failed", 1999)]
    assert _found(order, looker) == []


def test_an_order_without_a_payment_at_stripe_has_nothing_to_adjust(
    desk: Desk, looker: StripeAccount
) -> None:
    order = Order(desk, CREDIT)
    _completed(order)
    for order_id, why in ((order.id, "has no payment at Stripe"), ("ghost", "There is no order ghost")):
        with pytest.raises(Refused, match=why):
            adjust_order(desk.api, looker, order_id)


def test_another_stacks_payments_are_none_of_ours(desk: Desk, looker: StripeAccount) -> None:
    # Given a payment of the same Stripe account, made by another stack
    other = Desk(desk.api, desk.db, desk.account, desk.gateway, "another")
    order = Order(other, CARD)
    order.charge()
    desk.db.payments.delete_many({})
    # When, then
    assert "Stripe holds money" not in str(_found(order, looker))
    theirs = StripeAccount(desk.account.key, desk.account.url, "another")
    assert any("Stripe holds money" in what for _, what in _found(order, theirs))
