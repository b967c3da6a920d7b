"""MongoDB stopped in mid-run: the workflow waits for it, and the order is finished when it is back."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from environments.embedded import mongod
from pipelines import executions, orders
from tests.rehearsal.shop import Shop

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipelines.aws import Aws
    from pipelines.payment_stack import PaymentStack


def test_an_order_finishes_when_mongodb_is_back(
    here: Aws, deploy: Callable[[str, Aws], PaymentStack], tmp_path: Path
) -> None:
    # Given a stack with a MongoDB of its own, and an order in it
    server = mongod.start(tmp_path)
    try:
        shop = Shop(deploy("payments-outage", replace(here, mongodb_uri=server.uri)))
        tea, ada = shop.product(price=5095, available=5), shop.user(balance=20000)
        order = shop.order(ada, (tea, 5095, 2))
        # When MongoDB is killed, the order is placed, and MongoDB comes back after an attempt has failed
        server.kill()
        placed = orders.place(shop.stack, order)
        _wait_for_a_failed_attempt(here, placed.arn)
        server = mongod.start(tmp_path, port=server.port)
        end = shop.place(order)
        # Then the order was retried until it was done, once
        assert end.status == "SUCCEEDED"
        assert (shop.available(tea), shop.balance(ada)) == (3, 20000 - 2 * 5095)
        assert len(shop.stack.api.deliveries(order)["deliveries"]) == 1
    finally:
        server.stop()


def _wait_for_a_failed_attempt(aws: Aws, execution: str) -> None:
    deadline = time.monotonic() + 20
    while not any(moment.what == "attempt failed" for moment in executions.moments(aws, execution)):
        assert time.monotonic() < deadline, "nothing has failed yet"
        time.sleep(0.05)
