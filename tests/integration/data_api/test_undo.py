"""Refund and release: everything comes back once, in whatever state the order was."""

from types import SimpleNamespace
from typing import Any

import pytest

from data_api.domain.payment import Payment
from data_api.storage import payments
from data_api.use_cases import undo
from payment_data.errors import OrderClosed, OrderCompleted, OrderNotFound, Throttled
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
    assert (entry["from"], entry["to"], entry["reason"]) == ("NEW", "CANCELLING", "E")
    assert entry["execution"].startswith("arn:aws:states:")


def barred(monkeypatch: pytest.MonkeyPatch, *seen: Payment, moves: bool = True) -> Payment:
    """Bar a payment whose attempts look like this, one after the other; `moves` or changed meanwhile."""
    looks = iter(seen)

    def move(*_: object, **__: object) -> Payment | None:
        return made("void") if moves else None

    monkeypatch.setattr(payments, "find_confirmed", lambda *_: next(looks))
    monkeypatch.setattr(payments, "move", move)
    order: Any = SimpleNamespace(id="o1", paid_by="card")
    return undo.bar_payment(None, order, execution="e", reason="r")  # type: ignore[arg-type]  # no database is asked


def made(state: str, attempt: int = 1) -> Payment:
    return Payment("o1", attempt, "card", state, 100, "EUR")


def test_an_attempt_that_is_barred_is_not_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    for open_state in ("intent", "processing"):
        assert barred(monkeypatch, made(open_state)).state == "void"


def test_an_attempt_that_changed_meanwhile_is_judged_by_what_it_became(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert barred(monkeypatch, made("intent"), made("captured"), moves=False).state == "captured"
    # What was declined meanwhile gives way to the next attempt.
    declined = barred(monkeypatch, made("intent"), made("declined"), made("captured", 2), moves=False)
    assert (declined.state, declined.attempt) == ("captured", 2)


def test_an_attempt_that_keeps_changing_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Throttled, match="kept changing"):
        barred(monkeypatch, *[made("intent")] * 3, moves=False)
