"""A person completes an order that a restored backup knows in an earlier state than its execution."""

from typing import Any

import pytest
from bson.int64 import Int64

from data_api.storage import orders, products, users
from payment_data.errors import (
    IdempotencyMismatch,
    IllegalTransition,
    OrderCompleted,
    OutOfStock,
    PaymentDeclined,
)
from payment_data.metrics import LOST
from tests.integration.data_api.interleaving import Interleaving
from tests.integration.data_api.shop import EXECUTION, Shop, later

FORWARD = ("reserve", "charge")


def park(shop: Shop, *done: str, error: str = LOST) -> None:
    """Bring the order as far as the backup knows it, and park it as the sweeper does."""
    shop.open()
    for step in done:
        getattr(shop, step)()
    assert shop.fail(compensated=False, step="Sweep", error=error) == "NEEDS_ATTENTION"


def complete(shop: Shop, method: str = "credit") -> list[str]:
    shop.api.complete_lost("o1", execution=EXECUTION, method=method)
    return shop.delivered()


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_whatever_the_backup_lacks_of_it_is_done_again_once(shop: Shop, steps: int) -> None:
    # Given
    park(shop, *FORWARD[:steps])
    # When it is asked twice
    assert complete(shop) == complete(shop)
    # Then it is as if it had just been placed, paid and delivered, and an undo is refused
    assert (shop.state(), shop.payment(), shop.holds()) == ("COMPLETED", "charged", {"held"})
    assert shop.delivered() == ["arranged"] * len(shop.api.order("o1")["lines"])
    assert shop.balance() == 10_000 - shop.api.order("o1")["total"]
    with pytest.raises(OrderCompleted):
        shop.refund()


def test_an_order_that_was_parked_for_another_reason_is_not_completed(shop: Shop) -> None:
    park(shop, *FORWARD, error="DeliveryRejected")
    with pytest.raises(IllegalTransition):
        complete(shop)
    assert shop.state() == "NEEDS_ATTENTION"


@pytest.mark.parametrize(
    "moment", [(products, "hold"), (users, "charge"), (orders, "complete_parked")], ids=str
)
@pytest.mark.parametrize("undo", ["refund", "release"])
def test_what_is_being_undone_again_is_not_completed_whenever_that_begins(
    shop: Shop, interleaving: Interleaving, undo: str, moment: tuple[Any, str]
) -> None:
    # Given a person who has it undone while another one completes it
    park(shop)
    interleaving.before(*moment, getattr(shop, undo))
    # When
    with pytest.raises((IllegalTransition, OutOfStock, PaymentDeclined)):
        complete(shop)
    # Then the undo, which goes on, finds what was done again, and nothing is left
    shop.refund()
    shop.release()
    assert shop.fail() == "FAILED"
    assert shop.nothing_moved()


def test_stock_and_money_that_are_gone_since_leave_it_parked(shop: Shop) -> None:
    # Given
    park(shop)
    shop.db.products.update_many({}, {"$set": {"available": Int64(0)}})
    # When; Then
    with pytest.raises(OutOfStock):
        complete(shop)
    shop.db.products.update_many({}, {"$set": {"available": Int64(50)}})
    shop.db.users.update_many({}, {"$set": {"balance": Int64(0)}})
    with pytest.raises(PaymentDeclined):
        complete(shop)
    assert shop.state() == "NEEDS_ATTENTION"


def by_card(shop: Shop, *events: tuple[str, dict[str, str]], opened: bool = True) -> None:
    """Bring the order, paid by card, as far as the backup knows it, and park it."""
    shop.open()
    shop.reserve(method="card")
    if opened:
        shop.api.open_payment("o1", 1, execution=EXECUTION, deadline=later(), method="card")
    for event, body in events:
        shop.api.follow_payment("o1", 1, event, {"execution": EXECUTION, **body})
    shop.fail(compensated=False, error=LOST)


SAVED, ASKED = ("intent", {"payment_intent": "pi_1"}), ("processing", dict[str, str]())


def test_a_gateways_order_needs_its_capture_on_record(shop: Shop) -> None:
    # Given an order by card whose capture came after the backup
    by_card(shop, opened=False)
    # When; Then
    with pytest.raises(IllegalTransition):
        complete(shop, "card")
    with pytest.raises(IdempotencyMismatch):
        complete(shop, "credit")
    assert shop.state() == "NEEDS_ATTENTION"


@pytest.mark.parametrize(
    ("opened", "events"), [(False, ()), (True, ()), (True, (SAVED,)), (True, (SAVED, ASKED))]
)
def test_a_capture_that_is_younger_than_the_backup_is_recorded_again_once(
    shop: Shop, opened: bool, events: tuple[tuple[str, dict[str, str]], ...]
) -> None:
    # Given an order by card of whose payment the backup knows less and more, but not that it was captured
    by_card(shop, *events, opened=opened)
    # When it is completed with the PaymentIntent that a person found at the gateway, twice
    for _ in range(2):
        answer = shop.api.complete_lost("o1", execution=EXECUTION, method="card", payment_intent="pi_1")
        assert len(answer["deliveries"]) == 2
    # Then it is as if nothing had been lost
    payment = shop.api.payment("o1")
    assert (payment["state"], payment["payment_intent"], payment["attempt"]) == ("captured", "pi_1", 1)
    assert (shop.state(), shop.balance(), shop.holds()) == ("COMPLETED", 10_000, {"held"})
    with pytest.raises(OrderCompleted):
        shop.refund()


def test_a_payment_by_another_paymentintent_or_one_that_is_over_is_not_captured_again(shop: Shop) -> None:
    # Given an order by card whose PaymentIntent the backup knows; When another is named
    by_card(shop, SAVED)
    with pytest.raises(IdempotencyMismatch):
        shop.api.complete_lost("o1", execution=EXECUTION, method="card", payment_intent="pi_2")
    # Then nothing is captured; and neither is it once its payment was declined
    assert shop.db.payments.find_one({}, {"_id": 0, "state": 1}) == {"state": "intent"}
    shop.db.payments.update_one({}, {"$set": {"state": "declined", "reason": "expired_card"}})
    with pytest.raises(IllegalTransition):
        shop.api.complete_lost("o1", execution=EXECUTION, method="card", payment_intent="pi_1")
    assert shop.state() == "NEEDS_ATTENTION"


def test_a_wrong_method_is_refused_and_leaves_the_right_one_possible(shop: Shop) -> None:
    # Given an order that a backup knows as new, and that credit paid
    park(shop)
    # When a person says that a card paid it, of which nothing is on record; Then nothing is written down
    with pytest.raises(IllegalTransition):
        complete(shop, "card")
    assert complete(shop) == ["arranged", "arranged"]
    assert (shop.state(), shop.balance()) == ("COMPLETED", 10_000 - shop.api.order("o1")["total"])


def test_a_gateways_order_whose_capture_is_on_record_is_completed(shop: Shop) -> None:
    # Given
    by_card(shop, SAVED, ("capture", {}))
    # When
    assert complete(shop, "card") == ["arranged", "arranged"]
    # Then the balance is untouched
    assert (shop.state(), shop.balance()) == ("COMPLETED", 10_000)
