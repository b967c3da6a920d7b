"""Customers: orders prepared while all is well, and placed while it is not."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.rehearsal.shop import Shop

PRICE: Final = 250
_AT_ONCE: Final = 4


@dataclass(slots=True)
class Traffic:
    """Orders of one shop.

    Attributes:
        shop: Where they are bought.
        wallet: What a customer pays with, beside a balance.
        waiting: Orders that can be placed.
        placed: Orders that were.
    """

    shop: Shop
    wallet: dict[str, str] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)
    placed: list[str] = field(default_factory=list)

    def prepare(self, count: int, *, address: str = "1 Row", available: int = 1_000) -> list[str]:
        """Write orders of one product, of which so many are there, by as many customers as orders."""
        tea = self.shop.product(price=PRICE, available=available)

        def write(_: int) -> str:
            customer = self.shop.user(balance=10_000, **self.wallet)
            return self.shop.order(customer, (tea, PRICE, 1), address=address)

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            written = list(pool.map(write, range(count)))
        self.waiting += written
        return written

    def place(self, order_id: str) -> str:
        """Place one, and return its execution's ARN."""
        if order_id in self.waiting:
            self.waiting.remove(order_id)
        stack = self.shop.stack
        started = stack.aws.stepfunctions.start_execution(
            stateMachineArn=stack.live, name=order_id, input=json.dumps({"order_id": order_id})
        )
        self.placed.append(order_id)
        return started["executionArn"]

    @contextmanager
    def flowing(self, per_second: float) -> Iterator[None]:
        """Place waiting orders, one after another, until the block ends or none is left."""
        over = threading.Event()

        def flow() -> None:
            while self.waiting and not over.wait(1 / per_second):
                self.place(self.waiting[0])

        thread = threading.Thread(target=flow)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
