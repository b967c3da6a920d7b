"""The orders of a rehearsal: samples that end in three ways, and a flow of orders beside a release."""

from __future__ import annotations

import itertools
import threading
import uuid
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pipelines.aws import executions
from pipelines.core.repository import SAMPLES
from pipelines.core.waiting import Answer, TimedOut, patiently, wait_until
from pipelines.orders import orders, samples

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipelines.aws.executions import Moment
    from pipelines.core.reporting import Reporter
    from pipelines.orders.orders import Effect
    from pipelines.orders.payment_stack import PaymentStack


_PRICE: Final = 250
_PLENTY: Final = 1_000_000
_PAUSE_SECONDS: Final = 1.0
_LONGEST_SECONDS: Final = 120
_AT_ITS_END: Final = {"COMPLETED", "FAILED"}


@dataclass(slots=True)
class Traffic:
    """Orders of one customer for one product, one a second.

    Attributes:
        stack: Where they are placed.
        name: What their ids begin with; nothing else has it.
        placed: The orders that were placed.
    """

    stack: PaymentStack
    name: str = field(default_factory=lambda: f"traffic-{uuid.uuid4().hex[:8]}")
    placed: list[str] = field(default_factory=list)

    def open(self) -> None:
        """Put the product on sale, and open the account."""
        currency = self.stack.aws.environment.currency
        goods = {"name": "Tea", "type": "food", "price": _PRICE, "currency": currency, "available": _PLENTY}
        _ask_again(lambda: self.stack.api.put_product(self.name, goods))
        user = {"username": self.name, "balance": _PLENTY * _PRICE, "currency": currency, "wallet": {}}
        _ask_again(lambda: self.stack.api.put_user(self.name, user))

    def place(self) -> None:
        """Place one more order."""
        order_id = f"{self.name}-{len(self.placed) + 1}"
        line = {"product_id": self.name, "name": "Tea", "type": "food", "price": _PRICE, "quantity": 1}
        order = {
            "user_id": self.name,
            "currency": self.stack.aws.environment.currency,
            "lines": [line | {"delivery_address": "1 Sample Street"}],
        }
        _ask_again(lambda: self.stack.api.put_order(order_id, order))
        orders.place(self.stack, order_id)
        self.placed.append(order_id)

    def await_ends(self) -> dict[str, str]:
        """Wait until every order has ended, and return the state of each that is not at an end as it must be.

        An order must be completed or undone, and stock and credit must be what that says to the cent.
        """
        states = {order_id: self._end(order_id) for order_id in self.placed}
        wrong = {name: state for name, state in states.items() if state not in _AT_ITS_END}
        sold = sum(state == "COMPLETED" for state in states.values())
        if (
            available := _ask_again(lambda: self.stack.api.product(self.name))["available"]
        ) != _PLENTY - sold:
            wrong["stock"] = f"{available} are left of {_PLENTY}, with {sold} orders completed"
        if (balance := _ask_again(lambda: self.stack.api.user(self.name))["balance"]) != (
            _PLENTY - sold
        ) * _PRICE:
            wrong["credit"] = f"{balance} is left, with {sold} orders completed at {_PRICE}"
        return wrong

    def completed(self) -> int:
        """Return how many orders were completed."""
        return sum(self._state(order_id) == "COMPLETED" for order_id in self.placed)

    def _end(self, order_id: str) -> str:
        """Return the order's state when its execution has ended, or as it is when that takes too long."""
        arn = orders.execution_arn(self.stack, order_id)
        with suppress(TimedOut):
            wait_until(
                lambda: executions.status(self.stack.aws, arn) != "RUNNING",
                seconds=_LONGEST_SECONDS,
                every=self.stack.aws.poll_seconds,
                what=f"order {order_id} to end",
            )
        return self._state(order_id)

    def _state(self, order_id: str) -> str:
        return str(_ask_again(lambda: self.stack.api.order(order_id))["state"])


def _ask_again(ask: Callable[[], Answer]) -> Answer:
    """Ask again where an answer is lost, as every caller of the data API should: the same request is one."""
    return patiently(lambda _: ask(), 1)


@contextmanager
def flowing(stack: PaymentStack) -> Iterator[Traffic]:
    """Place an order a second while the block runs, the first at once.

    Raises:
        Exception: The first error of the thread that placed the orders.
    """
    traffic, over, failures = Traffic(stack), threading.Event(), list[Exception]()

    def flow() -> None:
        for _ in itertools.count():
            try:
                traffic.place()
            except Exception as error:  # noqa: BLE001 - told to whoever waits for this thread
                failures.append(error)
                return
            if over.wait(_PAUSE_SECONDS):
                return

    traffic.open()
    thread = threading.Thread(target=flow, name=traffic.name)
    thread.start()
    try:
        yield traffic
    finally:
        over.set()
        thread.join()
    if failures:
        raise failures[0]


SUCCEEDED: Final = "SUCCEEDED"
EXPECTED: Final = {
    "order-1": (SUCCEEDED, "pays and is delivered"),
    "order-2": ("OutOfStock", "asks for more than there is"),
    "order-3": ("PaymentDeclined", "has too little credit"),
}
"""The sample orders that are placed, how each must end, and why."""


@dataclass(frozen=True, slots=True)
class OrderResult:
    """How one order ended.

    Attributes:
        order_id: The order.
        story: What is special about it.
        expected: `SUCCEEDED`, or the error it must fail with.
        ended: How it did end.
        effects: What it changed.
        right: Whether all of that is as it must be.
    """

    order_id: str
    story: str
    expected: str
    ended: str
    effects: list[Effect]
    right: bool


def place_samples(
    stack: PaymentStack, reporter: Reporter, watch: Callable[[Moment], None]
) -> list[OrderResult]:
    """Load the samples into a stack and place its orders.

    Args:
        stack: Where; samples that are there already stay as they are.
        reporter: Told what is going on.
        watch: Shown every moment of every order.
    """
    documents = samples.read(sorted(SAMPLES.glob("*.json")), stack.aws.environment.currency)
    samples.load(stack.api, documents, reporter)
    reporter.say(f"{len(documents)} sample products, users and orders loaded into {stack.name}")
    results = []
    for order_id, (expected, story) in EXPECTED.items():
        reporter.say(f"{order_id}, which {story}:")
        results.append(_place(stack, order_id, expected, story, watch))
    return results


def _place(
    stack: PaymentStack, order_id: str, expected: str, story: str, watch: Callable[[Moment], None]
) -> OrderResult:
    before = orders.holdings(stack.api, order_id)
    placed = orders.place(stack, order_id)
    end = None
    for end in executions.follow(stack.aws, placed.arn):
        watch(end)
    changes = orders.effects(before, orders.holdings(stack.api, order_id))
    ended = (end.error or end.state) if end else "nothing"
    # An order that was placed in an earlier rehearsal moves nothing when it is placed again.
    moves = expected == SUCCEEDED and placed.new
    right = ended == expected and moves == any(effect.moved for effect in changes)
    return OrderResult(order_id, story, expected, ended, changes, right)
