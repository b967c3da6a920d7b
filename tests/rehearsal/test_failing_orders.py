"""Orders that cannot be: `Payment failed`, nothing moved, and the reason on record."""

from datetime import datetime

from tests.rehearsal.shop import Ended, Shop


def _failed(shop: Shop, end: Ended, order: str, error: str) -> None:
    """Check the end and the failure record."""
    assert end.status == "FAILED"
    assert end.states[-1] == "Payment failed"
    assert end.error == error
    found = shop.stack.api.failures(order)
    assert found["order_id"] == order
    records = found["failures"]
    assert [record["error"] for record in records] == [error]
    (record,) = records
    assert record["execution"] == end.execution
    assert record["cause"]
    datetime.fromisoformat(record["at"])


def test_out_of_stock(shop: Shop) -> None:
    # Given an order whose second line asks for more than there is
    tea, cup = shop.product(price=100, available=5), shop.product(price=200, available=1)
    ada = shop.user(balance=10000)
    order = shop.order(ada, (tea, 100, 1), (cup, 200, 2))
    # When it is placed, then it fails, and nothing of the other line is held either
    _failed(shop, shop.place(order), order, "OutOfStock")
    assert (shop.available(tea), shop.available(cup), shop.balance(ada)) == (5, 1, 10000)
    assert shop.stack.api.order(order)["state"] == "FAILED"
    assert shop.stack.api.deliveries(order)["deliveries"] == []


def test_too_little_credit(shop: Shop) -> None:
    # Given an order that costs one cent more than there is
    tea, ada = shop.product(price=5095, available=5), shop.user(balance=2 * 5095 - 1)
    order = shop.order(ada, (tea, 5095, 2))
    end = shop.place(order)
    # When it is placed, then it fails, and the stock that was held is back
    _failed(shop, end, order, "PaymentDeclined")
    assert end.states[-3:] == ["Handle failure", "Is everything undone?", "Payment failed"]
    assert "Release products" in end.states
    assert (shop.available(tea), shop.balance(ada)) == (5, 2 * 5095 - 1)
    assert shop.stack.api.payment(order)["state"] == "declined"


def test_an_order_that_nobody_knows(shop: Shop) -> None:
    order = shop.id("order")
    _failed(shop, shop.start(order), order, "OrderNotFound")


def test_a_user_whom_nobody_knows(shop: Shop) -> None:
    tea = shop.product(price=100, available=5)
    order = shop.order(shop.id("user"), (tea, 100, 1))
    _failed(shop, shop.place(order), order, "InvalidOrder")
    assert shop.available(tea) == 5


def test_a_product_that_nobody_knows(shop: Shop) -> None:
    tea, ada = shop.product(price=100, available=5), shop.user(balance=10000)
    order = shop.order(ada, (tea, 100, 1), (shop.id("product"), 100, 1))
    _failed(shop, shop.place(order), order, "InvalidOrder")
    assert (shop.available(tea), shop.balance(ada)) == (5, 10000)


def test_a_price_that_is_not_the_products(shop: Shop) -> None:
    tea, ada = shop.product(price=100, available=5), shop.user(balance=10000)
    order = shop.order(ada, (tea, 99, 1))
    _failed(shop, shop.place(order), order, "InvalidOrder")
    assert (shop.available(tea), shop.balance(ada)) == (5, 10000)
