"""What is recorded of an execution that failed, and how its order ends."""

from datetime import datetime

import pytest
from bson.int64 import Int64

from data_api.storage import orders, products
from payment_data.errors import OrderClosed, PaymentDeclined
from tests.integration.data_api.interleaving import Interleaving
from tests.integration.data_api.shop import EXECUTION, Shop


def test_a_failure_of_an_unknown_order_is_recorded(shop: Shop) -> None:
    # Given no such order; When
    state = shop.fail("nowhere")
    # Then
    assert state == "UNKNOWN"
    failures = shop.api.failures("nowhere")["failures"]
    assert datetime.fromisoformat(failures[0].pop("at")).tzinfo
    assert failures == [
        {"step": "Arrange delivery", "error": "E", "cause": "because", "execution": EXECUTION}
    ]


def test_the_first_record_of_a_step_stays_and_each_step_has_its_own(shop: Shop) -> None:
    # Given
    shop.fail(error="First")
    # When
    shop.fail(error="Second")
    shop.fail(step="Process order payment", error="Third")
    # Then
    assert [f["error"] for f in shop.api.failures("o1")["failures"]] == ["First", "Third"]


def test_each_failed_undo_of_each_redrive_is_kept_and_the_history_says_what_failed(shop: Shop) -> None:
    # Given an order whose execution could not undo it, twice in the same request, and again when redriven
    shop.open()
    shop.reserve()
    refund = {"step": "Refund payment", "error": "ApiUnavailable", "cause": "no route"}
    release = {"step": "Release products", "error": "States.Timeout", "cause": ""}
    # When each request arrives twice
    for redrives, undone_not in ((0, [refund, release]), (1, [refund | {"cause": "reset"}])):
        for _ in range(2):
            shop.fail(compensated=False, undo_failures=undone_not, redrives=redrives)
    # Then
    failures = shop.api.failures("o1")["failures"]
    assert [(f["step"], f["cause"]) for f in failures] == [
        ("Arrange delivery", "because"),
        ("Refund payment", "no route"),
        ("Release products", ""),
        ("Refund payment", "reset"),
    ]
    last = shop.api.history("o1")["history"][-1]
    assert last["to"] == "NEEDS_ATTENTION"
    assert last["reason"] == "Refund payment: ApiUnavailable; Release products: States.Timeout"


def test_failures_of_orders_whose_ids_begin_alike_are_kept_apart(shop: Shop) -> None:
    # Given
    shop.fail("o1")
    shop.fail("o10", error="Other")
    # Then
    assert [f["error"] for f in shop.api.failures("o1")["failures"]] == ["E"]


def test_a_compensated_order_has_failed(shop: Shop) -> None:
    # Given
    shop.open()
    shop.reserve()
    shop.release()
    # When it is recorded twice
    states = [shop.fail(), shop.fail()]
    # Then
    assert states == ["FAILED", "FAILED"]
    assert shop.states() == ["NEW", "RESERVED", "CANCELLING", "FAILED"]


@pytest.mark.parametrize("done", [[], ["reserve"], ["reserve", "charge"]])
def test_what_is_not_compensated_needs_attention_and_can_still_be_undone(shop: Shop, done: list[str]) -> None:
    # Given an order whose undo never reached the data API
    shop.open()
    for step in done:
        getattr(shop, step)()
    # When
    assert shop.fail(compensated=False) == "NEEDS_ATTENTION"
    # Then nothing forward happens, and a redrive finishes it
    with pytest.raises(OrderClosed):
        shop.reserve()
    shop.refund()
    shop.release()
    assert shop.fail() == "FAILED"
    assert shop.nothing_moved()
    assert shop.states()[-4:] == ["CANCELLING", "NEEDS_ATTENTION", "CANCELLING", "FAILED"]


@pytest.mark.parametrize("done", [["reserve"], ["reserve", "charge"], ["reserve", "charge", "deliver"]])
def test_a_failed_execution_leaves_another_executions_order_alone(shop: Shop, done: list[str]) -> None:
    # Given an order that another execution of it moved on
    shop.open()
    for step in done:
        getattr(shop, step)()
    state = shop.state()
    # When this execution failed with nothing left to undo
    shop.fail(step="Check order products are available", execution="arn:another")
    # Then
    assert shop.state() == state


@pytest.mark.parametrize("done", [["reserve"], ["reserve", "charge"]])
def test_a_failed_execution_ends_what_a_late_request_of_its_own_began(shop: Shop, done: list[str]) -> None:
    # Given an order that was created after its execution undid nothing, and requests of it that landed then
    shop.open()
    for step in done:
        getattr(shop, step)()
    # When the execution records its failure
    assert shop.fail(step="Check order products are available") == "FAILED"
    # Then nothing is left of them
    assert shop.nothing_moved()


@pytest.mark.parametrize("compensated", [True, False])
def test_a_completed_order_stays_complete(shop: Shop, compensated: bool) -> None:
    # Given
    shop.open()
    for step in ("reserve", "charge", "deliver"):
        getattr(shop, step)()
    # When
    state = shop.fail(compensated=compensated)
    # Then
    assert state == "COMPLETED"


def test_an_order_that_came_after_its_execution_failed_ends_with_nothing_held(shop: Shop) -> None:
    # Given an order that did not exist when its execution asked, and of which something is held since
    shop.open()
    order = orders.get(shop.db, "o1")
    products.hold(shop.db, order, order.lines[:1], order.created_at.replace(year=9999))
    # When
    assert shop.fail(step="Check order products are available", error="OrderNotFound") == "FAILED"
    # Then
    assert shop.nothing_moved()
    assert shop.holds() == {"void"}


def test_a_charge_left_over_by_another_execution_is_returned_before_the_order_fails(
    shop: Shop, interleaving: Interleaving
) -> None:
    # Given an order that was charged by an execution that was stopped, and released by one that never charged
    shop.open()
    shop.reserve()
    shop.charge()
    shop.release()
    # When
    assert shop.fail() == "FAILED"
    # Then
    assert shop.nothing_moved()
    assert shop.payment() == "refunded"


def test_a_decline_leaves_its_record_when_the_order_fails(shop: Shop) -> None:
    # Given
    shop.open()
    shop.db.users.update_one({"_id": "ann"}, {"$set": {"balance": Int64(0)}})
    shop.reserve()
    with pytest.raises(PaymentDeclined):
        shop.charge()
    shop.release()
    # When
    shop.fail()
    # Then
    assert (shop.payment(), shop.balance()) == ("declined", 0)


def test_a_record_under_an_executions_name_leaves_an_order_of_that_name_alone(shop: Shop) -> None:
    # Given an order, and an execution of the same name that was started with something that is no order id
    shop.open()
    # When
    state = shop.fail("o1", record_only=True, error="InvalidOrder")
    # Then
    assert state == "UNKNOWN"
    assert shop.state() == "NEW"
    assert len(shop.api.failures("o1")["failures"]) == 1
