"""A shop in a payments stack: makes what an order needs, places it, and counts what is left."""

from __future__ import annotations

import itertools
import json
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pymongo

from pipelines.aws import executions, stacks
from pipelines.orders import orders

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pymongo.database import Database

    from pipelines.aws.executions import Moment
    from pipelines.orders.payment_stack import PaymentStack

CURRENCY = "EUR"


@dataclass(frozen=True, slots=True)
class Ended:
    """How an order's execution ended."""

    execution: str
    status: str
    error: str
    cause: str
    moments: list[Moment]

    @property
    def states(self) -> list[str]:
        """The states in the order they were entered."""
        return [moment.state for moment in self.moments if moment.what == "entered"]


@dataclass(frozen=True, slots=True)
class Shop:
    """Makes products, users and orders in a stack, and places orders."""

    stack: PaymentStack
    name: str = field(default_factory=lambda: uuid.uuid4().hex[:8])
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def id(self, kind: str) -> str:
        """An id that nothing has yet."""
        return f"{kind}-{self.name}-{next(self.numbers)}"

    def product(self, *, price: int, available: int) -> str:
        """Put a product on sale; the price is in cents."""
        product_id = self.id("product")
        goods = {"name": "Tea", "type": "food", "price": price, "currency": CURRENCY, "available": available}
        self.stack.api.put_product(product_id, goods)
        return product_id

    def user(self, *, balance: int, username: str = "Ada", **wallet: str) -> str:
        """Open an account; the balance is in cents, the wallet holds ids at the gateway."""
        user_id = self.id("user")
        user = {"username": username, "balance": balance, "currency": CURRENCY, "wallet": wallet}
        self.stack.api.put_user(user_id, user)
        return user_id

    def order(self, user_id: str, *lines: tuple[str, int, int], address: str = "1 Row") -> str:
        """Write an order of lines (product, price in cents, quantity); to a blank address nothing can go."""
        order_id = self.id("order")
        goods: dict[str, Any] = {"name": "Tea", "type": "food", "delivery_address": address}
        written = [
            {**goods, "product_id": product_id, "price": price, "quantity": quantity}
            for product_id, price, quantity in lines
        ]
        self.stack.api.put_order(order_id, {"user_id": user_id, "currency": CURRENCY, "lines": written})
        return order_id

    def available(self, product_id: str) -> int:
        """How many are left."""
        return int(self.stack.api.product(product_id)["available"])

    def balance(self, user_id: str) -> int:
        """What is left, in cents."""
        return int(self.stack.api.user(user_id)["balance"])

    def place(self, order_id: str) -> Ended:
        """Place an order and wait for its end."""
        return ended(self.stack, orders.place(self.stack, order_id).arn)

    def start(self, order_id: str) -> Ended:
        """Start an execution as whoever may do so, of an order that need not exist, and wait for its end."""
        started = self.stack.aws.stepfunctions.start_execution(
            stateMachineArn=self.stack.live, name=order_id, input=json.dumps({"order_id": order_id})
        )
        return ended(self.stack, started["executionArn"])


def ended(stack: PaymentStack, execution: str) -> Ended:
    """Wait for the end of an execution."""
    moments = list(executions.follow(stack.aws, execution))
    end = moments[-1]
    return Ended(execution, end.state, end.error, end.cause, moments)


def physical(stack: PaymentStack, logical: str) -> str:
    """The physical id of one of the stack's resources."""
    found = stack.aws.cloudformation.describe_stack_resource(StackName=stack.name, LogicalResourceId=logical)
    return found["StackResourceDetail"]["PhysicalResourceId"]


def datapoints(stack: PaymentStack, metric: str) -> list[dict[str, Any]]:
    """Return SampleCount and Maximum of a metric of the stack, for each minute of the last day."""
    found = stack.aws.client("cloudwatch").get_metric_statistics(
        Namespace=f"Payments/{stack.name}",
        MetricName=metric,
        Dimensions=[{"Name": "service", "Value": stack.name}],
        StartTime=time.time() - 86_400,
        EndTime=time.time() + 60,
        Period=60,
        Statistics=["Maximum", "SampleCount"],
    )
    return list(found["Datapoints"])


@contextmanager
def database_of(stack: PaymentStack) -> Iterator[Database[dict[str, Any]]]:
    """Open the stack's database, as somebody does who may write to it by hand."""
    configuration = stack.aws.functions.get_function_configuration(
        FunctionName=stacks.outputs(stack.aws, stack.name)["DataApiFunctionName"]
    )
    name = configuration["Environment"]["Variables"]["MONGODB_DATABASE"]
    with pymongo.MongoClient[dict[str, Any]](stack.aws.mongodb_uri) as client:
        yield client[name]
