"""Refund and release: everything comes back once, in whatever state the order was."""

import pytest

from payment_data.errors import OrderClosed, OrderCompleted, OrderNotFound
from tests.integration.data_api.shop import Shop

FORWARD = ["reserve", "charge", "deliver"]


@pytest.mark.parametrize("done", [[], ["reserve"], ["reserve", "charge"]])
def test_undoing_returns_stock_and_money_once(shop: Shop, done: list[str]) -> None:
    # Given an order that came as far as that
    shop.open()
    for step in done:
        getattr(shop, step)()
    # When it is undone, every part of it twice
    answers = [shop.refund(), shop.refund(), shop.release(), shop.release()]
    # Then everything is back, and the second answer is the first
    assert shop.nothing_moved()
    assert (answers[0], answers[2]) == (answers[1], answers[3])
    undone = "refunded" if "charge" in done else "void" if "reserve" in done else "none"
    assert answers[0]["state"] == undone
    assert shop.holds() == {"void"}
    assert shop.states()[-1] == "CANCELLING"


@pytest.mark.parametrize("undo", ["refund", "release"])
@pytest.mark.parametrize("step", FORWARD)
def test_nothing_forward_happens_once_an_undo_has_begun(shop: Shop, undo: str, step: str) -> None:
    # Given an order whose undo arrived before its step
    shop.open()
    for before in FORWARD[: FORWARD.index(step)]:
        getattr(shop, before)()
    getattr(shop, undo)()
    # When the step arrives
    with pytest.raises(OrderClosed):
        getattr(shop, step)()
    # Then it did nothing that the other undo would not return
    shop.refund()
    shop.release()
    assert shop.nothing_moved()
    assert shop.delivered() == []


@pytest.mark.parametrize("undo", ["refund", "release"])
def test_a_completed_order_cannot_be_undone(shop: Shop, undo: str) -> None:
    # Given
    shop.open()
    for step in FORWARD:
        getattr(shop, step)()
    before = shop.everything()
    # When
    with pytest.raises(OrderCompleted):
        getattr(shop, undo)()
    # Then
    assert shop.everything() == before


@pytest.mark.parametrize("operation", [*FORWARD, "refund", "release"])
def test_an_unknown_order_is_not_found_and_nothing_is_written(shop: Shop, operation: str) -> None:
    # Given no such order
    before = shop.everything()
    # When
    with pytest.raises(OrderNotFound):
        getattr(shop, operation)("nowhere")
    # Then
    assert shop.everything() == before


def test_the_history_names_who_undid_it_and_why(shop: Shop) -> None:
    # Given
    shop.open()
    # When
    shop.release()
    # Then
    entry = shop.api.history("o1")["history"][-1]
    assert (entry["from"], entry["to"], entry["reason"]) == ("NEW", "CANCELLING", "test")
    assert entry["execution"].startswith("arn:aws:states:")
