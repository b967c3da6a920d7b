"""Reconciliation: finds nothing where all is well, and each thing that somebody broke, by its order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from bson.int64 import Int64

from payment_data.errors import InvalidOrder, OutcomeUnknown, PaymentDeclined
from pipelines.orders.reconciliation.order_legs import Difference
from pipelines.orders.reconciliation.reconcile import Reconciliation, reconcile
from tests.integration.data_api.aging import age
from tests.integration.data_api.interleaving import Interleaving, crash
from tests.integration.data_api.shop import Shop, line

if TYPE_CHECKING:
    from collections.abc import Callable

FAR = datetime.now(UTC) + timedelta(days=100)


@pytest.fixture
def books(shop: Shop) -> Shop:
    """A shop with an order of each kind: completed, undone, declined, paid, new; nothing in the ledger."""
    shop.open()
    shop.user("poor", balance=1)
    for order, user in (("undone", "ann"), ("declined", "poor"), ("paid", "ann"), ("new", "ann")):
        shop.order(order, user_id=user, lines=[line(quantity=2)])
    for order in ("o1", "undone", "declined", "paid"):
        shop.reserve(order)
    for order in ("o1", "undone", "paid"):
        shop.charge(order)
    with pytest.raises(PaymentDeclined):
        shop.charge("declined")
    shop.deliver("o1")
    shop.refund("undone")
    for order in ("undone", "declined"):
        shop.release(order)
        shop.fail(order)
    return shop


def _settle(shop: Shop, *, old: bool = False) -> Shop:
    if old:
        _settle(shop)
        age(shop.db)
    while "next" in shop.api.settle():
        pass
    return shop


def _found(shop: Shop) -> set[tuple[str, str | None]]:
    return {(difference.about, difference.order_id) for difference in reconcile(shop.api).differences}


@pytest.mark.parametrize("stage", ["not entered", "entered", "settled"])
def test_there_are_no_differences_where_all_is_well(books: Shop, stage: str) -> None:
    # Given
    if stage != "not entered":
        _settle(books, old=stage == "settled")
    before = books.everything()
    # When
    found = reconcile(books.api)
    # Then
    assert found.differences == []
    assert found.looked_at == found.expected == {"orders": 5, "products": 2, "users": 2}
    assert found.pending == (5 if stage == "not entered" else 2)
    assert books.everything() == before


def test_what_was_refused_because_it_names_what_does_not_exist_is_no_difference(books: Shop) -> None:
    # Given an order that waits, one of a product and one for a user that do not exist, both refused
    books.order("waits", user_id="nobody", lines=[line("carpet")])
    books.order("no-product", lines=[line("carpet")])
    books.order("no-user", user_id="nobody")
    with pytest.raises(InvalidOrder):
        books.reserve("no-product")
    books.reserve("no-user")
    with pytest.raises(InvalidOrder):
        books.charge("no-user")
    for order in ("no-product", "no-user"):
        books.release(order)
        books.fail(order)
    # When
    found = reconcile(books.api)
    # Then
    assert found.differences == []


@pytest.mark.parametrize("effect", ["append", "mark_opened", "mark_entered", "begin", "prune", "finish"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_settlement_that_is_under_way_is_no_difference(
    books: Shop, interleaving: Interleaving, effect: str, when: str
) -> None:
    # Given a settlement that stopped at some place
    from data_api.storage import ledger, settlement  # noqa: PLC0415 - patched for this test alone

    _settle(books)
    books.order("late", lines=[line()])
    books.stock("fig")
    age(books.db)
    for step in (books.reserve, books.charge, books.deliver):
        step("late")
    getattr(interleaving, when)(ledger if effect == "append" else settlement, effect, crash)
    with pytest.raises(OutcomeUnknown):
        _settle(books)
    # When, then
    assert reconcile(books.api).differences == []


def test_it_agrees_at_any_moment_of_living_traffic(books: Shop, interleaving: Interleaving) -> None:
    # Given orders that go on while it reads: each page is of one moment
    from data_api.storage import records  # noqa: PLC0415 - patched for this test alone

    _settle(books)

    def traffic() -> None:
        books.deliver("paid")
        books.order("more", lines=[line()])
        books.reserve("more")
        _settle(books)

    interleaving.after(records, "by_order", traffic)
    # When, then
    assert reconcile(books.api).differences == []
    assert reconcile(books.api).differences == []


def _edit_balance(shop: Shop) -> None:
    shop.db.users.update_one({"_id": "ann"}, {"$inc": {"balance": Int64(5)}})


def _edit_stock(shop: Shop) -> None:
    shop.db.products.update_one({"_id": "pear"}, {"$inc": {"available": Int64(-1)}})


def _edit_sold(shop: Shop) -> None:
    shop.db.products.update_one({"_id": "apple"}, {"$inc": {"sold": Int64(1), "available": Int64(-1)}})


def _edit_opening(shop: Shop) -> None:
    shop.db.users.update_one({"_id": "ann"}, {"$inc": {"opening": Int64(5), "balance": Int64(5)}})


def _remove_hold(shop: Shop) -> None:
    shop.db.products.update_one({"_id": "apple"}, {"$unset": {"holds.paid": ""}})


def _remove_charge(shop: Shop) -> None:
    shop.db.users.update_one({"_id": "ann"}, {"$unset": {"operations.paid": ""}})


def _remove_leg(shop: Shop) -> None:
    shop.db.ledger.delete_one({"_id": "o1:charge:balance"})


def _edit_leg(shop: Shop) -> None:
    shop.db.ledger.update_one({"_id": "o1:charge:balance"}, {"$inc": {"amount": Int64(-1)}})


def _repeat_leg(shop: Shop) -> None:
    leg = shop.db.ledger.find_one({"_id": "o1:charge:balance"})
    assert leg is not None
    shop.db.ledger.insert_one(leg | {"_id": "o1:charge:balance-again"})


def _invent_leg(shop: Shop) -> None:
    leg = shop.db.ledger.find_one({"_id": "o1:charge:balance"})
    assert leg is not None
    shop.db.ledger.insert_one(leg | {"_id": "o0:charge:balance", "order_id": "o0"})


def _remove_opening_leg(shop: Shop) -> None:
    shop.db.ledger.delete_one({"_id": "user:ann:opening:balance"})


def _deliver_uncaptured(shop: Shop) -> None:
    delivery = {"product_id": "apple", "quantity": Int64(2), "delivery_address": "1 Row"}
    arranged = {"$set": {"deliveries": [delivery | {"state": "arranged"}]}}
    shop.db.orders.update_one({"_id": "new"}, arranged)


def _remove_delivery(shop: Shop) -> None:
    shop.db.orders.update_one({"_id": "o1"}, {"$pop": {"deliveries": 1}})


def _charge_failed(shop: Shop) -> None:
    shop.db.users.update_one({"_id": "ann"}, {"$set": {"operations.undone.state": "charged"}})


def _invent_hold(shop: Shop) -> None:
    shop.db.products.update_one(
        {"_id": "pear"},
        {
            "$inc": {"available": Int64(-3)},
            "$set": {"holds.nobody": {"state": "held", "quantity": Int64(3), "at": FAR}},
        },
    )


def _park(shop: Shop) -> None:
    shop.fail("paid", compensated=False)


BROKEN: list[tuple[Callable[[Shop], None], set[tuple[str, str | None]]]] = [
    (_edit_balance, {("user:ann", None)}),
    (_edit_stock, {("product:pear", None)}),
    (_edit_sold, {("product:apple", None)}),
    (_edit_opening, {("user:ann", None)}),
    (_remove_hold, {("order paid", "paid"), ("product:apple", "paid")}),
    (_remove_charge, {("order paid", "paid"), ("user:ann", "paid")}),
    (_remove_leg, {("o1:charge:balance", "o1"), ("user:ann", "o1")}),
    (_edit_leg, {("order o1", "o1"), ("user:ann", "o1")}),
    (_repeat_leg, {("o1:charge:balance-again", "o1"), ("user:ann", "o1")}),
    (_invent_leg, {("o0:charge:balance", "o0"), ("user:ann", "o0")}),
    (_remove_opening_leg, {("user:ann", None)}),
    (_deliver_uncaptured, {("order new", "new")}),
    (_remove_delivery, {("order o1", "o1")}),
    (_charge_failed, {("order undone", "undone"), ("user:ann", "undone")}),
    (_invent_hold, {("product:pear", "nobody"), ("product:pear", None)}),
    (_park, {("order paid", "paid")}),
]


@pytest.mark.parametrize(("break_it", "named"), BROKEN, ids=[broken.__name__ for broken, _ in BROKEN])
def test_what_somebody_broke_is_found_and_named(
    books: Shop, break_it: Callable[[Shop], None], named: set[tuple[str, str | None]]
) -> None:
    # Given
    _settle(books)
    # When
    break_it(books)
    # Then, and nothing is repaired, by settling either
    assert _found(books) == named
    _settle(books)
    assert _found(books) == named


@pytest.mark.parametrize("break_it", [_edit_balance, _edit_sold, _remove_leg, _repeat_leg, _remove_delivery])
def test_what_is_broken_long_after_an_order_is_found_too(
    books: Shop, break_it: Callable[[Shop], None]
) -> None:
    # Given orders that are settled and pruned
    _settle(books, old=True)
    # When
    break_it(books)
    # Then
    assert _found(books) == next(named for broken, named in BROKEN if broken is break_it)


def test_an_order_that_did_not_end_is_named_once_its_deadline_has_passed(books: Shop) -> None:
    # Given
    _settle(books)
    # When
    stuck = reconcile(books.api, now=datetime.now(UTC) + timedelta(hours=1)).differences
    # Then
    assert [(d.about, d.order_id, d.found) for d in stuck] == [("order paid", "paid", "PAID")]


def test_it_watches_page_by_page(books: Shop) -> None:
    seen: list[int] = []

    def watch(so_far: Reconciliation) -> None:
        seen.append(sum(so_far.looked_at.values()))

    reconcile(books.api, watch)
    assert seen == [5, 7, 9]


def test_a_difference_says_what_must_be_and_what_is(books: Shop) -> None:
    # Given
    _settle(books)
    _remove_hold(books)
    # When
    order, product = reconcile(books.api).differences[:2]
    # Then
    assert order == Difference(
        "order paid", "paid", "PAID, but of apple it holds", 2, 0, "product:apple:held", -2
    )
    assert (product.expected, product.found) == (10, 8)


def test_large_orders_are_audited_a_few_at_a_time(shop: Shop) -> None:
    # Given orders of a hundred lines, each with as long an address as there may be, of four bytes a letter
    shop.user()
    keys = [f"p{number}" for number in range(100)]
    for key in keys:
        shop.stock(key)
    lines = [line(key, delivery_address="🏠" * 500) for key in keys]
    for number in range(6):
        shop.order(f"o{number}", lines=lines)
    # Then a page of them stays small, and all of them are looked at
    assert 1 < len(shop.api.audit_page("orders")["orders"]) < 6
    assert (reconcile(shop.api).looked_at["orders"], reconcile(shop.api).differences) == (6, [])
