"""What an operator finds of an order that really ran: its lines in every function's log, and its metrics."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from templates.capabilities.stack_interface import pascal
from templates.definitions.payment_workflow import SUBSTITUTIONS
from tests.rehearsal.shop import Shop, physical

if TYPE_CHECKING:
    from pipelines.orders.payment_stack import PaymentStack
    from tests.rehearsal.shop import Ended

Json = dict[str, Any]
ADDRESS = "221b Canary Street"
FORWARD = ("reserve_products", "process_payment", "arrange_delivery")
UNDOING = ("refund_payment", "release_products", "record_failure")
DIMENSIONS = {"service", "step", "reason", "currency", "release"}


def lines(stack: PaymentStack, function: str) -> list[Json]:
    """Every structured line of a function's log."""
    pages = stack.aws.client("logs").get_paginator("filter_log_events")
    found = pages.paginate(logGroupName=physical(stack, f"{pascal(function)}Logs"))
    said = [event["message"] for page in found for event in page["events"]]
    return [json.loads(line) for line in said if line.startswith("{")]


def total(stack: PaymentStack, metric: str, **dimensions: str) -> float:
    """The sum of a metric of the stack's own, over the last and the next minutes."""
    now = datetime.now(UTC)
    named = [{"Name": name, "Value": value} for name, value in {"service": stack.name, **dimensions}.items()]
    found = stack.aws.client("cloudwatch").get_metric_statistics(
        Namespace=f"Payments/{stack.name}",
        MetricName=metric,
        Dimensions=named,
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=5),
        Period=3600,
        Statistics=["Sum"],
    )
    return float(sum(point["Sum"] for point in found["Datapoints"]))


@pytest.fixture(scope="module")
def shop(deployed: PaymentStack) -> Shop:
    return Shop(deployed)


@pytest.fixture(scope="module")
def rejected(shop: Shop) -> tuple[str, Ended]:
    """An order that was reserved and paid, could not be delivered, and was undone."""
    tea, ada = shop.product(price=100, available=5), shop.user(balance=10_000)
    order = shop.order(ada, (tea, 100, 1), address=" ")
    return order, shop.place(order)


@pytest.mark.parametrize("function", [*FORWARD, *UNDOING])
def test_each_step_says_for_which_order_and_execution_and_in_which_version(
    deployed: PaymentStack, rejected: tuple[str, Ended], function: str
) -> None:
    # Given the version of the function that the workflow runs
    order, ended = rejected
    versions = deployed.aws.functions.list_versions_by_function(
        FunctionName=physical(deployed, f"{pascal(function)}Function")
    )["Versions"]
    # Then its log has a line of this order, which names all three
    own = [line for line in lines(deployed, function) if line.get("order_id") == order]
    assert own
    for line in own:
        assert line["execution"] == ended.execution
        assert line["function_version"] in {one["Version"] for one in versions} - {"$LATEST"}
        assert line["request_id"]


def test_the_data_api_tells_each_steps_request_by_the_same_order_and_execution(
    deployed: PaymentStack, rejected: tuple[str, Ended]
) -> None:
    # Given the lines of the data API that name the order
    order, ended = rejected
    own = [line for line in lines(deployed, "data_api") if line.get("order_id") == order]
    by_execution = [line for line in own if line.get("execution") == ended.execution]
    # Then the forward steps' and the undoing steps' writes are among them, each with version and request
    routes = {line["route"].rpartition("/")[2] for line in by_execution if "route" in line}
    assert routes >= {"reservation", "payment", "refund", "release", "failure"}
    assert all(line["function_version"].isdigit() and line["api_request_id"] for line in by_execution)


def test_an_orders_end_is_measured_by_name_and_never_by_person(
    deployed: PaymentStack, shop: Shop, rejected: tuple[str, Ended]
) -> None:
    # Given an order that is placed, beside the one that was undone
    before = {name: total(deployed, name) for name in ("OrdersPlaced", "OrdersEnded", "OrdersEndedInTime")}
    amount = total(deployed, "AmountPlaced", currency="EUR")
    tea, ada = shop.product(price=100, available=5), shop.user(balance=10_000)
    order = shop.order(ada, (tea, 100, 2), address=ADDRESS)
    assert shop.place(order).status == "SUCCEEDED"
    # Then its number and amount are in CloudWatch, and so is why the other failed and what was undone
    for name, count in before.items():
        assert total(deployed, name) == count + 1, name
    assert total(deployed, "AmountPlaced", currency="EUR") == amount + 200
    assert total(deployed, "OrdersFailed", reason="DeliveryRejected") >= 1
    for step in UNDOING[:2]:
        assert total(deployed, "Compensations", step=step) >= 1
    for step in SUBSTITUTIONS:
        assert total(deployed, "StepDuration", step=step) > 0
    # And no metric of any function holds more than its own number and these few dimensions
    for function in ("data_api", *FORWARD, *UNDOING):
        for line in lines(deployed, function):
            assert ADDRESS not in json.dumps(line)
            for about in line.get("_aws", {}).get("CloudWatchMetrics", []):
                named = {name for names in about["Dimensions"] for name in names}
                assert named <= DIMENSIONS
                assert set(line) == {"_aws", *named, *(metric["Name"] for metric in about["Metrics"])}
                assert not {order, ada, tea} & {str(line[name]) for name in named}
