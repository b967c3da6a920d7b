"""Stock, credit, prices and means that change while the shop is open."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from payment_data.errors import (
    IdempotencyMismatch,
    IllegalTransition,
    InvalidOrder,
    InvalidRequest,
    NotFound,
    Problem,
)
from pipelines.orders.reconciliation.reconcile import reconcile
from tests.integration.data_api.shop import Shop, line


def _clean(shop: Shop) -> bool:
    """Settle, and say whether everything equals the ledger."""
    shop.api.settle()
    return not reconcile(shop.api).differences


def test_a_restock_adds_once_and_is_in_the_ledger(shop: Shop) -> None:
    # Given an open shop, nothing of it in the ledger yet
    shop.open()
    # When the same restock is asked for twice, and another one
    for restock in ("r1", "r1", "r2"):
        shop.api.restock("apple", restock, quantity=5)
    # Then
    assert shop.available() == 20
    amounts = {
        leg["_id"]: leg["amount"] for leg in shop.db.ledger.find({"account": "product:apple:available"})
    }
    assert amounts == {
        "product:apple:opening:available": 10,
        "product:apple:restock.r1:available": 5,
        "product:apple:restock.r2:available": 5,
    }
    assert _clean(shop)


def test_a_top_up_adds_once_and_is_in_the_ledger(shop: Shop) -> None:
    # Given a shop whose ledger has been opened
    shop.open()
    shop.api.settle()
    # When
    for _ in range(2):
        assert shop.api.top_up("ann", "t1", amount=500, currency="EUR")["balance"] == 10_500
    # Then
    assert _clean(shop)


def test_many_at_once_add_each_once_while_orders_are_placed(shop: Shop) -> None:
    # Given twenty orders, and ten restocks that are each asked for twice
    shop.stock(available=100)
    shop.user(balance=100_000)
    for number in range(20):
        shop.order(f"o{number}")
    restocks = [f"r{number // 2}" for number in range(20)]
    # When
    with ThreadPoolExecutor(4) as pool:
        placed = [pool.submit(shop.reserve, f"o{number}") for number in range(20)]
        added = [pool.submit(_again, partial(shop.api.restock, "apple", r, quantity=3)) for r in restocks]
        for future in (*placed, *added):
            future.result()
    # Then
    assert shop.available() == 100 - 20 + 30
    assert _clean(shop)


def _again(ask: Callable[[], Any]) -> Any:
    """Ask until it is not too busy, as the command does."""
    for _ in range(20):
        try:
            return ask()
        except Problem as problem:
            if problem.status < 429:
                raise
    raise AssertionError("always too busy")


@pytest.mark.parametrize(
    ("ask", "error"),
    [
        (lambda api: api.restock("plum", "r1", quantity=1), NotFound),
        (lambda api: api.restock("apple", "r1", quantity=2), IdempotencyMismatch),
        (lambda api: api.restock("apple", "r2", quantity=10**9), InvalidRequest),
        (lambda api: api.restock("robot", "r2", quantity=1), IllegalTransition),
        (lambda api: api.restock("apple", "r2", quantity=0), InvalidRequest),
        (lambda api: api.top_up("bob", "t1", amount=1, currency="EUR"), NotFound),
        (lambda api: api.top_up("ann", "t1", amount=1, currency="USD"), InvalidRequest),
        (lambda api: api.reprice("plum", price=1), NotFound),
        (lambda api: api.change_wallet("bob", {}), NotFound),
        (lambda api: api.change_wallet("ann", {"card": "4242424242424242"}), InvalidRequest),
    ],
)
def test_what_cannot_be_changed_changes_nothing(
    shop: Shop, ask: Callable[[Any], Any], error: type[Exception]
) -> None:
    # Given
    shop.open()
    shop.stock("robot", synthetic=True)
    shop.api.restock("apple", "r1", quantity=1)
    before = shop.everything()
    # When
    with pytest.raises(error):
        ask(shop.api)
    # Then
    assert shop.everything() == before


def test_an_order_keeps_the_price_it_was_created_with(shop: Shop) -> None:
    # Given an order at the old price, and one that is created after the change with the old price
    shop.open()
    shop.api.reprice("apple", price=260)
    shop.api.reprice("apple", price=260)
    shop.order("late")
    shop.order("new", lines=[line(price=260)])
    # When, then
    shop.reserve()
    shop.reserve("new")
    with pytest.raises(InvalidOrder, match="260"):
        shop.reserve("late")
    assert shop.api.product("apple")["price"] == 260


def test_an_order_keeps_its_price_however_often_it_changes(shop: Shop) -> None:
    # Given an order at the first price, which then is changed to and fro, and to many others
    shop.open()
    for price in (*[251, 250] * 15, *range(300, 340)):
        shop.api.reprice("apple", price=price)
    # Then each different one is kept once, and the order still costs what it said
    product = shop.db.products.find_one("apple")
    assert product
    assert [was["price"] for was in product["repriced"]] == [251, 250, *range(300, 339)]
    shop.reserve()


def test_a_payment_keeps_the_means_it_was_opened_with(shop: Shop) -> None:
    # Given a payment that was opened with one card
    shop.open()
    shop.api.change_wallet("ann", {"customer": "cus_1", "card": "pm_old"})
    shop.reserve(method="card")
    pay: dict[str, Any] = {"execution": "e", "deadline": "2000-01-01T00:00:00Z", "method": "card"}
    opened = shop.api.open_payment("o1", 1, **pay)
    # When the user changes to another
    shop.api.change_wallet("ann", {"customer": "cus_1", "card": "pm_new"})
    # Then
    assert opened["payment_method"] == "pm_old"
    assert shop.api.open_payment("o1", 1, **pay) == opened
    shop.order("o2")
    shop.reserve("o2", method="card")
    assert shop.api.open_payment("o2", 1, **pay)["payment_method"] == "pm_new"
