"""A handler that froze, or died, between two of its writes; the workflow went on without it."""

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from data_api.domain.requests import last_write
from data_api.storage import orders, products, users
from data_api.use_cases import undo
from payment_data.errors import (
    DeadlineExceeded,
    IdempotencyMismatch,
    InvalidOrder,
    OrderClosed,
    OutcomeUnknown,
    OutOfStock,
    PaymentDeclined,
    Throttled,
)
from tests.integration.data_api.interleaving import Interleaving, crash
from tests.integration.data_api.shop import Shop, line


def _undo(shop: Shop) -> None:
    shop.refund()
    shop.release()
    shop.fail()


@pytest.mark.parametrize("place", [(products, "hold"), (orders, "advance")])
def test_a_reservation_that_lands_after_its_release_holds_nothing(
    shop: Shop, interleaving: Interleaving, place: tuple[Any, str]
) -> None:
    # Given a reservation that freezes with the order read as NEW, and is undone meanwhile
    shop.open()
    interleaving.before(*place, lambda: _undo(shop))
    # When it goes on
    with pytest.raises(OrderClosed):
        shop.reserve()
    # Then
    assert shop.nothing_moved()
    assert shop.state() == "FAILED"


@pytest.mark.parametrize("place", [(users, "charge"), (orders, "advance")])
def test_a_charge_that_lands_after_its_refund_takes_nothing(
    shop: Shop, interleaving: Interleaving, place: tuple[Any, str]
) -> None:
    # Given a charge that freezes with the order read as RESERVED, and is undone meanwhile
    shop.open()
    shop.reserve()
    interleaving.before(*place, lambda: _undo(shop))
    # When it goes on
    with pytest.raises(OrderClosed):
        shop.charge()
    # Then
    assert shop.nothing_moved()
    assert shop.state() == "FAILED"


def test_a_delivery_that_lands_after_its_undo_delivers_nothing(
    shop: Shop, interleaving: Interleaving
) -> None:
    # Given an order that is about to be delivered by a handler that freezes, and is undone meanwhile
    shop.open()
    shop.reserve()
    shop.charge()
    interleaving.before(orders, "complete", lambda: _undo(shop))
    # When it goes on
    with pytest.raises(OrderClosed):
        shop.deliver()
    # Then
    assert shop.nothing_moved()
    assert shop.delivered() == []
    assert shop.state() == "FAILED"


def test_a_charge_between_a_refunds_fence_and_its_write_is_returned(
    shop: Shop, interleaving: Interleaving
) -> None:
    # Given a charge that read the order as RESERVED, and lands when its refund has closed the order
    shop.open()
    shop.reserve()
    order = orders.get(shop.db, "o1")
    interleaving.before(
        users, "refund", lambda: users.charge(shop.db, order, "credit:1:800:EUR", last_write())
    )
    # When
    answer = shop.refund()
    # Then
    assert (answer["state"], answer["amount"]) == ("refunded", 800)
    assert shop.balance() == 10_000


@pytest.mark.parametrize("step", ["reserve", "charge", "deliver"])
def test_a_handler_that_sleeps_through_its_successors_success_gives_the_same_answer(
    shop: Shop, interleaving: Interleaving, step: str
) -> None:
    # Given a handler that freezes before its first write, and its retry that succeeds meanwhile
    shop.open()
    place = {"reserve": (products, "hold"), "charge": (users, "charge"), "deliver": (orders, "complete")}
    answers: list[Any] = []
    for before in ["reserve", "charge", "deliver"]:
        if before == step:
            interleaving.before(*place[step], lambda: answers.append(getattr(shop, step)()))
        # When it goes on
        answers.append(getattr(shop, before)())
        if before == step:
            break
    # Then
    assert answers[-1] == answers[-2]
    assert shop.state() == {"reserve": "RESERVED", "charge": "PAID", "deliver": "COMPLETED"}[step]
    assert (shop.available("apple"), shop.available("pear")) == (8, 9)
    assert shop.balance() == (10_000 if step == "reserve" else 9_200)


class Fault(NamedTuple):
    """A crash in an operation, before or after a function that writes."""

    operation: str
    module: Any
    effect: str
    when: str


EFFECTS = [
    ("reserve", products, "hold"),
    ("reserve", orders, "advance"),
    ("charge", users, "charge"),
    ("charge", orders, "advance"),
    ("deliver", orders, "complete"),
]
UNDO_EFFECTS = [
    ("refund", undo, "cancel_order"),
    ("refund", users, "refund"),
    ("release", undo, "cancel_order"),
    ("release", products, "void"),
]


def _faults(effects: list[tuple[str, Any, str]]) -> list[Any]:
    return [
        pytest.param(Fault(*effect, when), id=f"{effect[0]} {when} {effect[1].__name__}.{effect[2]}")
        for effect in effects
        for when in ("before", "after")
    ]


def _completed(fault: Fault) -> bool:
    """Say whether the order is complete when the step dies there."""
    return fault.effect == "complete" and fault.when == "after"


def _crashes(shop: Shop, interleaving: Interleaving, fault: Fault) -> None:
    getattr(interleaving, fault.when)(fault.module, fault.effect, crash)
    with pytest.raises(OutcomeUnknown):
        getattr(shop, fault.operation)()


@pytest.mark.parametrize("fault", _faults(EFFECTS))
def test_a_crash_beside_any_effect_is_mended_by_the_retry(
    shop: Shop, interleaving: Interleaving, fault: Fault
) -> None:
    # Given a step that dies there
    shop.open()
    for current in ["reserve", "charge", "deliver"]:
        if current == fault.operation:
            _crashes(shop, interleaving, fault)
        # When it is asked again, and the order goes on
        getattr(shop, current)()
    # Then everything happened once
    assert shop.state() == "COMPLETED"
    assert (shop.available("apple"), shop.available("pear"), shop.balance()) == (8, 9, 9_200)
    assert shop.delivered() == ["arranged", "arranged"]
    assert shop.states() == ["NEW", "RESERVED", "PAID", "COMPLETED"]


@pytest.mark.parametrize("fault", [fault for fault in _faults(EFFECTS) if not _completed(fault.values[0])])
def test_a_crash_beside_any_effect_is_mended_by_the_undo(
    shop: Shop, interleaving: Interleaving, fault: Fault
) -> None:
    # Given a step that dies there
    shop.open()
    for current in ["reserve", "charge", "deliver"]:
        if current == fault.operation:
            _crashes(shop, interleaving, fault)
            break
        getattr(shop, current)()
    # When the order is undone
    _undo(shop)
    # Then nothing happened
    assert shop.nothing_moved()
    assert shop.delivered() == []
    assert shop.state() == "FAILED"


@pytest.mark.parametrize("fault", _faults(UNDO_EFFECTS))
def test_a_crash_in_an_undo_is_mended_by_its_retry(
    shop: Shop, interleaving: Interleaving, fault: Fault
) -> None:
    # Given an order that was paid, and an undo that dies there
    shop.open()
    shop.reserve()
    shop.charge()
    _crashes(shop, interleaving, fault)
    # When it is asked again
    _undo(shop)
    # Then
    assert shop.nothing_moved()
    assert shop.state() == "FAILED"


def test_a_crash_between_a_decision_and_its_voids_is_finished_by_whoever_asks_next(
    shop: Shop, interleaving: Interleaving
) -> None:
    # Given an order of which one line is short, and a reservation that dies with the other one held
    shop.open()
    shop.order("o2", lines=[line(), line("pear", 11, price=300)])
    order = orders.get(shop.db, "o2")
    products.hold(shop.db, order, order.lines[:1], order.created_at.replace(year=9999))
    interleaving.before(products, "void", crash)
    with pytest.raises(OutcomeUnknown):
        shop.reserve("o2")
    assert shop.available() == 9
    # When it is asked again
    with pytest.raises(OutOfStock):
        shop.reserve("o2")
    # Then
    assert shop.nothing_moved()


def test_stock_that_comes_back_in_time_is_held(shop: Shop, interleaving: Interleaving) -> None:
    # Given the last apples, held by another order until just before this one looks
    shop.open()
    shop.order("o2", lines=[line(quantity=10)])
    interleaving.before(products, "hold", lambda: shop.db.products.update_one({"_id": "apple"}, take(2)))
    interleaving.after(products, "hold", lambda: shop.db.products.update_one({"_id": "apple"}, take(-2)))
    # When
    shop.reserve("o2")
    # Then
    assert shop.available() == 0


def take(count: int) -> dict[str, Any]:
    return {"$inc": {"available": -count}}


def test_a_balance_that_drops_between_charge_and_look_is_declined_once(
    shop: Shop, interleaving: Interleaving
) -> None:
    # Given a user who is poor when charged, and rich again before the decline is written
    shop.open()
    shop.user("poor", balance=249)
    shop.order("o2", user_id="poor")
    shop.reserve("o2")
    rich = {"$inc": {"balance": 1}}
    interleaving.before(users, "decline", lambda: shop.db.users.update_one({"_id": "poor"}, rich))
    # When
    shop.charge("o2")
    # Then the charge was tried again, because the decline would have been wrong
    assert shop.balance("poor") == 0


def test_two_handlers_of_one_charge_decline_it_once(shop: Shop, interleaving: Interleaving) -> None:
    # Given a handler that freezes before it writes its decline, and its retry that declines meanwhile
    shop.open()
    shop.user("poor", balance=249)
    shop.order("o2", user_id="poor")
    shop.reserve("o2")

    def other() -> None:
        with pytest.raises(PaymentDeclined):
            shop.charge("o2")

    interleaving.before(users, "decline", other)
    # When
    with pytest.raises(PaymentDeclined, match="insufficient_funds"):
        shop.charge("o2")
    # Then
    assert shop.payment("o2") == "declined"


def test_a_decline_that_freezes_while_another_handler_reserves_leaves_the_reservation_alone(
    shop: Shop, interleaving: Interleaving
) -> None:
    # Given a handler that found too little stock and freezes; stock comes, and its retry reserves
    shop.open()
    shop.order("o2", lines=[line(), line("pear", 11, price=300)])

    def other() -> None:
        shop.db.products.update_one({"_id": "pear"}, take(-5))
        shop.reserve("o2")

    interleaving.before(orders, "refuse", other)
    # When it goes on
    shop.reserve("o2")
    # Then
    assert shop.state("o2") == "RESERVED"
    assert shop.holds("o2") == {"held"}
    assert (shop.available("apple"), shop.available("pear")) == (9, 4)


def test_a_new_order_whose_holds_are_barred_is_closed(shop: Shop) -> None:
    # Given tombstones of an earlier order of this id
    shop.open()
    products.void(shop.db, orders.get(shop.db, "o1"), last_write())
    # When
    with pytest.raises(OrderClosed):
        shop.reserve()
    # Then
    assert shop.nothing_moved()
    assert shop.state() == "CANCELLING"


def test_another_attempt_is_a_mismatch_even_if_the_first_ones_handler_died(
    shop: Shop, interleaving: Interleaving
) -> None:
    # Given a charge that was taken, and not yet noted on the order
    shop.open()
    shop.reserve()
    interleaving.after(users, "charge", crash)
    with pytest.raises(OutcomeUnknown):
        shop.charge()
    # When another attempt is asked for
    with pytest.raises(IdempotencyMismatch):
        shop.charge(attempt=2)
    # Then
    assert (shop.state(), shop.balance()) == ("RESERVED", 9_200)


def test_a_reservation_that_lands_after_its_deadline_holds_nothing(
    shop: Shop, interleaving: Interleaving
) -> None:
    # Given a handler that found enough stock in time, and is frozen until its deadline has passed
    shop.open()
    until = datetime.now(UTC) + timedelta(seconds=0.3)

    def passed() -> None:
        while shop.db.command("hello")["localTime"].replace(tzinfo=UTC) <= until:
            pass

    interleaving.before(products, "hold", passed)
    # When it goes on
    with pytest.raises(DeadlineExceeded):
        shop.api.reserve("o1", execution="e", deadline=until.isoformat(), method="credit")
    # Then
    assert shop.nothing_moved()


def test_stock_that_keeps_changing_is_asked_for_again_later(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given stock that is there whenever it is looked at, and gone whenever it is taken
    shop.open()
    monkeypatch.setattr(products, "hold", lambda *_, **__: 0)
    # When
    with pytest.raises(Throttled):
        shop.reserve()
    # Then
    assert shop.nothing_moved()
    assert shop.state() == "NEW"


def test_a_balance_that_keeps_changing_is_asked_for_again_later(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a balance that is there whenever it is looked at, and gone whenever it is taken
    shop.open()
    shop.reserve()
    monkeypatch.setattr(users, "charge", lambda *_: False)
    # When
    with pytest.raises(Throttled):
        shop.charge()
    # Then
    assert (shop.payment(), shop.balance()) == ("none", 10_000)


def test_a_user_who_is_gone_when_charged_is_an_invalid_order(shop: Shop) -> None:
    # Given a synthetic order that was reserved for a user who was deleted since
    shop.stock(synthetic=True)
    shop.user(synthetic=True)
    shop.order(synthetic=True)
    shop.reserve()
    shop.api.delete_user("ann")
    # When
    with pytest.raises(InvalidOrder, match="user_id"):
        shop.charge()
    # Then the rest is undone as ever
    assert shop.refund()["state"] == "none"
    shop.release()
    assert shop.fail() == "FAILED"
    assert shop.available() == 10


def test_a_reservation_past_its_deadline_holds_nothing(shop: Shop) -> None:
    # Given
    shop.open()
    # When
    with pytest.raises(DeadlineExceeded):
        shop.reserve(seconds=-1)
    # Then
    assert shop.nothing_moved()
    assert shop.state() == "CANCELLING"


@pytest.mark.parametrize(("step", "rest"), [("charge", "RESERVED"), ("deliver", "PAID")])
def test_a_step_that_lands_after_the_orders_deadline_does_nothing(shop: Shop, step: str, rest: str) -> None:
    # Given an order whose deadline has passed, whatever later deadline its step brings
    shop.open()
    for before in ["reserve", "charge", "deliver"]:
        if before == step:
            break
        getattr(shop, before)()
    past = {"$set": {"deadline": orders.get(shop.db, "o1").created_at}}
    shop.db.orders.update_one({"_id": "o1"}, past)
    before_it = shop.everything()
    # When
    with pytest.raises(DeadlineExceeded):
        getattr(shop, step)()
    # Then
    assert shop.everything() == before_it
    assert shop.state() == rest
