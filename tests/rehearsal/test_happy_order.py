"""An order that can be paid and delivered, from start to end."""

from datetime import datetime

from tests.rehearsal.shop import Shop


def test_stock_and_credit_go_down_to_the_cent_and_each_line_is_delivered(shop: Shop) -> None:
    # Given two products and a customer who can pay
    tea, cup = shop.product(price=5095, available=10), shop.product(price=1895, available=3)
    ada = shop.user(balance=20000)
    order = shop.order(ada, (tea, 5095, 2), (cup, 1895, 3))
    # When the order is placed
    end = shop.place(order)
    # Then it goes through the states that were promised
    assert end.status == "SUCCEEDED"
    assert end.states == [
        "Check order products are available",
        "Process order payment",
        "Arrange delivery",
        "Order placed",
    ]
    # And exactly what was ordered is gone, and exactly its price
    assert (shop.available(tea), shop.available(cup)) == (8, 0)
    assert shop.balance(ada) == 20000 - 2 * 5095 - 3 * 1895
    # And there is one delivery for each line
    deliveries = shop.stack.api.deliveries(order)["deliveries"]
    assert sorted((delivery["product_id"], delivery["quantity"]) for delivery in deliveries) == sorted(
        [(tea, 2), (cup, 3)]
    )


def test_the_history_is_complete_and_in_order(shop: Shop) -> None:
    tea, ada = shop.product(price=100, available=1), shop.user(balance=100)
    order = shop.order(ada, (tea, 100, 1))
    end = shop.place(order)
    history = shop.stack.api.history(order)["history"]
    steps = [change["to"] for change in history if change["to"] != "NEW"]
    assert steps == ["RESERVED", "PAID", "COMPLETED"]
    assert {change["execution"] for change in history if change["to"] != "NEW"} == {end.execution}
    times = [datetime.fromisoformat(change["at"]) for change in history]
    assert times == sorted(times)


def test_placing_an_order_twice_is_one_execution(shop: Shop) -> None:
    # Given an order that was placed
    tea, ada = shop.product(price=100, available=5), shop.user(balance=500)
    order = shop.order(ada, (tea, 100, 1))
    first = shop.place(order)
    # When it is placed again
    second = shop.place(order)
    # Then that is the same execution, and nothing moved again
    assert second.execution == first.execution
    assert (shop.available(tea), shop.balance(ada)) == (4, 400)
