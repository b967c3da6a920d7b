"""The sample orders that a rehearsal places: one succeeds, one is out of stock, one lacks credit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipelines.aws import executions
from pipelines.core.repository import SAMPLES
from pipelines.orders import order_effects, orders, samples

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.aws.executions import Moment
    from pipelines.core.reporting import Reporter
    from pipelines.orders.order_effects import Effect
    from pipelines.orders.payment_stack import PaymentStack

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


def place(stack: PaymentStack, reporter: Reporter, watch: Callable[[Moment], None]) -> list[OrderResult]:
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
    before = order_effects.holdings(stack.api, order_id)
    placed = orders.place(stack, order_id)
    end = None
    for end in executions.follow(stack.aws, placed.arn):
        watch(end)
    changes = order_effects.effects(before, order_effects.holdings(stack.api, order_id))
    ended = (end.error or end.state) if end else "nothing"
    # An order that was placed in an earlier rehearsal moves nothing when it is placed again.
    moves = expected == SUCCEEDED and placed.new
    right = ended == expected and moves == any(effect.moved for effect in changes)
    return OrderResult(order_id, story, expected, ended, changes, right)
