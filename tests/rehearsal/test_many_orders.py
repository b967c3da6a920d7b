"""Many orders at once: each ends right, and nothing is sold or charged twice."""

from concurrent.futures import ThreadPoolExecutor

from pipelines.orders import orders
from tests.rehearsal.shop import Shop, ended


def test_different_orders_at_once_all_end_right(shop: Shop) -> None:
    # Given orders of five customers for five products, each of which lacks one
    products = [shop.product(price=100 + number, available=4) for number in range(5)]
    users = [shop.user(balance=1_000_000) for _ in range(5)]
    with ThreadPoolExecutor(max_workers=25) as pool:
        placed = {
            shop.order(user, (product, 100 + number, 1)): (number, user)
            for number, product in enumerate(products)
            for user in users
        }
        # When all are started at once
        executions = list(pool.map(lambda order: orders.place(shop.stack, order).arn, placed))
    finished = [ended(shop.stack, execution) for execution in executions]
    ends = dict(zip(placed, finished, strict=True))
    # Then four of each product are sold, and the fifth is out of stock
    sold = [order for order, end in ends.items() if end.status == "SUCCEEDED"]
    refused = [end.error for end in ends.values() if end.status != "SUCCEEDED"]
    assert (len(sold), refused) == (20, ["OutOfStock"] * 5)
    assert [shop.available(product) for product in products] == [0] * 5
    # And every customer paid for exactly what was sold to them
    for user in users:
        bill = sum(100 + placed[order][0] for order in sold if placed[order][1] == user)
        assert shop.balance(user) == 1_000_000 - bill
