"""Place an order, redrive its execution, and read everything that is on record of it."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from payment_data import fields, money
from payment_data.errors import ApiUnavailable, NotFound, OrderNotFound, OutcomeUnknown, Throttled
from pipelines.aws import executions
from pipelines.core.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from payment_data.client import DataApi
    from pipelines.aws.executions import Moment
    from pipelines.orders.payment_stack import PaymentStack

_PAGE: Final = 100
UNKNOWN: Final = "UNKNOWN"
"""What stands for the state of an order that does not exist."""


@dataclass(frozen=True, slots=True)
class Placed:
    """An order's execution.

    Attributes:
        arn: Its ARN.
        started: When it was started.
        new: Whether it was started just now; placing an order twice is one execution.
    """

    arn: str
    started: datetime
    new: bool


def place(stack: PaymentStack, order_id: str) -> Placed:
    """Start the order's execution through the live alias, or find the one it has already.

    Raises:
        Refused: The id is none, or no such order is on record.
    """
    stepfunctions, arn = stack.aws.stepfunctions, execution_arn(stack, order_id)
    new = executions.status(stack.aws, arn) is None
    if new and _is_unknown(stack.api, order_id):
        # An execution's name is used up for 90 days, so one for nothing would bar the order itself.
        raise Refused(f"There is no order {order_id} in {stack.name}.", "payments load FILE")
    # The same name and input is the same execution while it runs, and refused once it has ended
    # (API Reference, StartExecution), so two people placing one order at once place it once.
    with contextlib.suppress(stepfunctions.exceptions.ExecutionAlreadyExists):
        stepfunctions.start_execution(
            stateMachineArn=stack.live, name=order_id, input=json.dumps({"order_id": order_id})
        )
    return Placed(arn, stepfunctions.describe_execution(executionArn=arn)["startDate"], new)


def redrive(stack: PaymentStack, order_id: str) -> Iterator[Moment]:
    """Redrive an order's failed execution from where it stopped, and yield its moments until it ends.

    It runs the workflow version that it began with.
    https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html

    Raises:
        Refused: There is no such execution, or it did not fail, or that was more than 14 days ago.
    """
    stepfunctions, arn = stack.aws.stepfunctions, execution_arn(stack, order_id)
    try:
        after = executions.last_event(stack.aws, arn)
        stepfunctions.redrive_execution(executionArn=arn)
    except stepfunctions.exceptions.ExecutionDoesNotExist as error:
        raise Refused(f"Order {order_id} has no execution in {stack.name}.") from error
    except stepfunctions.exceptions.ExecutionNotRedrivable as error:
        status = executions.status(stack.aws, arn)
        raise Refused(
            f"Order {order_id} cannot be redriven: its execution is {status}, and only one that failed in the"
            " last 14 days can be.",
            f"payments order show {order_id}",
        ) from error
    return executions.follow(stack.aws, arn, after=after)


def listed(api: DataApi, state: str | None, limit: int) -> Iterator[dict[str, Any]]:
    """Yield at most `limit` orders {order_id, state, …} in a state, or any, the longest unchanged first."""
    after, count = "", 0
    while True:
        page = api.orders(state=state, after=after, limit=min(_PAGE, limit - count))
        yield from page["orders"]
        count, after = count + len(page["orders"]), page.get("next", "")
        if not after or count >= limit:
            return


def execution_arn(stack: PaymentStack, order_id: str) -> str:
    """Return the ARN of the one execution that an order can have.

    Raises:
        Refused: The id is none.
    """
    if not fields.is_id(order_id):
        raise Refused(f"{order_id!r} is no order id: it {fields.ID_RULE}.")
    return executions.arn_of(stack.workflow, order_id)


@dataclass(frozen=True, slots=True)
class OrderRecord:
    """What the data API has on record of an order; the documents are the API's own.

    Attributes:
        order: The order, or none when it is not known.
        history: Every change of its state.
        reservation: What was held of each product.
        payment: What became of the payment.
        deliveries: What is delivered where.
        failures: Why it failed, where it did; there may be some for an unknown order.
    """

    order: dict[str, Any] | None
    history: list[dict[str, Any]]
    reservation: list[dict[str, Any]]
    payment: dict[str, Any]
    deliveries: list[dict[str, Any]]
    failures: list[dict[str, Any]]


def _is_unknown(api: DataApi, order_id: str) -> bool:
    """Return whether no such order is on record; an API that cannot say so now bars no order."""
    try:
        return state(api, order_id) == UNKNOWN
    except (ApiUnavailable, OutcomeUnknown, Throttled):
        return False  # the workflow asks again for longer than a person waits


def state(api: DataApi, order_id: str) -> str:
    """Return the state of an order; UNKNOWN where there is none."""
    try:
        return str(api.order(order_id)["state"])
    except OrderNotFound:
        return UNKNOWN


def record(api: DataApi, order_id: str) -> OrderRecord:
    """Return everything on record of an order; `order` is none where only failures are known."""
    failures = api.failures(order_id)["failures"]
    try:
        order = api.order(order_id)
    except OrderNotFound:
        return OrderRecord(None, [], [], {}, [], failures)
    return OrderRecord(
        order,
        api.history(order_id)["history"],
        api.reservation(order_id)["lines"],
        api.payment(order_id),
        api.deliveries(order_id)["deliveries"],
        failures,
    )


@dataclass(frozen=True, slots=True)
class Holdings:
    """What an order may change, as it is at one moment.

    Attributes:
        currency: Of the balances.
        stock: How many are available, by product; without the products that nobody knows.
        balances: In minor units, by user; empty for a user whom nobody knows.
    """

    currency: str
    stock: dict[str, int]
    balances: dict[str, int]


@dataclass(frozen=True, slots=True)
class Effect:
    """A product's stock or a user's credit before and after, in words, and whether it changed."""

    what: str
    before: str
    after: str
    change: str
    moved: bool


def holdings(api: DataApi, order_id: str) -> Holdings:
    """Return the stock of an order's products and the balance of its user; nothing for an unknown order."""
    try:
        order = api.order(order_id)
    except OrderNotFound:
        return Holdings("", {}, {})
    stock, balances = {}, {}
    for product_id in (line["product_id"] for line in order["lines"]):
        with contextlib.suppress(NotFound):
            stock[product_id] = api.product(product_id)["available"]
    with contextlib.suppress(NotFound):
        balances[order["user_id"]] = api.user(order["user_id"])["balance"]
    return Holdings(order["currency"], stock, balances)


def effects(before: Holdings, after: Holdings) -> list[Effect]:
    """Return what changed and what did not, one effect for each product and user."""
    changes = []
    for product_id, count in after.stock.items():
        was = before.stock.get(product_id, count)
        changes.append(
            Effect(f"stock of {product_id}", str(was), str(count), f"{count - was:+d}", count != was)
        )
    for user_id, balance in after.balances.items():
        was = before.balances.get(user_id, balance)
        credit = f"credit of {user_id} ({after.currency})"
        had, has, difference = (
            money.format_major(value, after.currency) for value in (was, balance, balance - was)
        )
        changes.append(Effect(credit, had, has, difference, balance != was))
    return changes
