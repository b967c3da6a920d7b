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


def test_a_gateways_order_needs_its_capture_on_record(shop: Shop) -> None:
    # Given an order by card whose capture came after the backup
    shop.open()
    shop.reserve(method="card")
    shop.fail(compensated=False, error=LOST)
    # When; Then
    with pytest.raises(IllegalTransition):
        complete(shop, "card")
    with pytest.raises(IdempotencyMismatch):
        complete(shop, "credit")
    assert shop.state() == "NEEDS_ATTENTION"


def test_a_gateways_order_whose_capture_is_on_record_is_completed(shop: Shop) -> None:
    # Given
    shop.open()
    shop.reserve(method="card")
    shop.api.open_payment("o1", 1, execution=EXECUTION, deadline=later(), method="card")
    for event, body in (("intent", {"payment_intent": "pi_1"}), ("capture", {})):
        shop.api.follow_payment("o1", 1, event, {"execution": EXECUTION, **body})
    shop.fail(compensated=False, error=LOST)
    # When
    assert complete(shop, "card") == ["arranged", "arranged"]
    # Then the balance is untouched
    assert (shop.state(), shop.balance()) == ("COMPLETED", 10_000)
