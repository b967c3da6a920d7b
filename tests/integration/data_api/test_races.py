"""Many orders at once on one product, one balance, one order."""

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from payment_data.errors import Problem
from tests.integration.data_api.shop import Shop, line

pytestmark = pytest.mark.usefixtures("patient")
CALLERS = 16


def _at_once(tasks: Iterable[Callable[[], Any]]) -> Counter[str]:
    """Run them on 16 threads; count how they ended."""

    def ended(task: Callable[[], Any]) -> str:
        try:
            task()
        except Problem as problem:
            return type(problem).__name__
        return "done"

    with ThreadPoolExecutor(CALLERS) as pool:
        return Counter(pool.map(ended, tasks))


def test_one_product_is_never_oversold(shop: Shop) -> None:
    # Given 60 orders of one or two apples, more than there are
    shop.stock(available=50)
    shop.user()
    names = [f"o{n}" for n in range(60)]
    for n, name in enumerate(names):
        shop.order(name, lines=[line(quantity=1 + n % 2)])
    # When all are reserved at once, every one of them twice
    ends = _at_once(partial(shop.reserve, name) for name in names * 2)
    # Then each ended one way, and what is held and what is left add up
    assert set(ends) == {"done", "OutOfStock"}
    held = sum(
        order["lines"][0]["quantity"] for order in map(shop.api.order, names) if order["state"] == "RESERVED"
    )
    assert held + shop.available() == 50
    assert shop.available() < 2


def test_one_balance_is_never_overdrawn(shop: Shop) -> None:
    # Given 40 reserved orders of 2.50 and a balance for 25 of them
    shop.stock(available=100)
    shop.user(balance=25 * 250)
    names = [f"o{n}" for n in range(40)]
    for name in names:
        shop.order(name)
        shop.reserve(name)
    # When all are charged at once
    ends = _at_once(partial(shop.charge, name) for name in names)
    # Then
    assert ends == {"done": 25, "PaymentDeclined": 15}
    assert shop.balance() == 0


@pytest.mark.parametrize("round_", range(3))
def test_two_executions_and_an_undo_of_one_order_leave_all_or_nothing(shop: Shop, round_: int) -> None:
    # Given an order
    shop.open()

    def forward() -> None:
        shop.reserve()
        shop.charge()
        shop.deliver()

    # When it is executed several times and cancelled at once, and then every execution compensates
    ends = _at_once([forward, forward, shop.refund, forward])
    if shop.state() != "COMPLETED":
        shop.refund()
        shop.release()
        shop.fail()
    # Then it is either all there or all gone
    assert set(ends) <= {"done", "OrderClosed", "OrderCompleted", "IllegalTransition"}
    if shop.state() == "COMPLETED":
        assert (shop.available("apple"), shop.available("pear"), shop.balance()) == (8, 9, 9_200)
        assert shop.delivered() == ["arranged", "arranged"]
    else:
        assert shop.nothing_moved()
        assert "arranged" not in shop.delivered()


def test_an_order_over_many_products_is_all_or_none_under_contention(shop: Shop) -> None:
    # Given orders over the same three products in different order, with stock for half of them
    ids = ["a", "b", "c"]
    for product_id in ids:
        shop.stock(product_id, 10)
    shop.user(balance=10**6)
    names = [f"o{n}" for n in range(20)]
    for n, name in enumerate(names):
        shop.order(name, lines=[line(ids[(n + k) % 3]) for k in range(3)])
    # When all are reserved at once
    ends = _at_once(partial(shop.reserve, name) for name in names)
    # Then
    assert set(ends) <= {"done", "OutOfStock"}
    assert {shop.available(product_id) for product_id in ids} == {10 - ends["done"]}
