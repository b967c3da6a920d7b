"""Orders whose execution is stopped half-way, and the sweeper that finds them."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pipelines.aws import executions, stacks
from pipelines.orders import orders
from tests.rehearsal.shop import ended, physical
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.orders.payment_stack import PaymentStack

SWEPT_WITHIN_SECONDS = 60
SETTLED_WITHIN_SECONDS = 100


def abandon(stack: PaymentStack, order: str, state: str) -> None:
    """Leave an order in a state, its execution stopped.

    What the execution did is asked of the data API in its name; it itself is refused its first step, so that
    it cannot be further on than that when it is stopped.
    """
    lose(stack, order, state)
    arn = executions.arn_of(stack.workflow, order)
    first = physical(stack, "ReserveProductsFunction")
    stack.aws.functions.put_function_concurrency(FunctionName=first, ReservedConcurrentExecutions=0)
    try:
        orders.place(stack, order)
        stack.aws.stepfunctions.stop_execution(executionArn=arn)
    finally:
        stack.aws.functions.delete_function_concurrency(FunctionName=first)


def lose(stack: PaymentStack, order: str, state: str) -> None:
    """Leave an order in a state, in the name of an execution that there is not."""
    arn = executions.arn_of(stack.workflow, order)
    deadline = (datetime.now(UTC) + timedelta(minutes=15)).isoformat()
    if state in {"RESERVED", "PAID"}:
        stack.api.reserve(order, execution=arn, deadline=deadline, method="credit")
    if state == "PAID":
        stack.api.charge(order, execution=arn, deadline=deadline, method="credit", attempt=1)


def await_state(stack: PaymentStack, order: str, state: str) -> None:
    wait_until(
        lambda: stack.api.order(order)["state"] == state,
        f"the order is {state}",
        seconds=SWEPT_WITHIN_SECONDS,
        every=0.1,
    )


def await_settlement(stack: PaymentStack) -> None:
    """Wait until the stack's own schedule has settled something or found nothing to settle."""
    arn = stacks.outputs(stack.aws, stack.name)["SettlementArn"]
    wait_until(
        lambda: stack.aws.stepfunctions.list_executions(stateMachineArn=arn, statusFilter="SUCCEEDED")[
            "executions"
        ],
        "a scheduled settlement has ended",
        seconds=SETTLED_WITHIN_SECONDS,
        every=0.5,
    )


def reconcile_twice(stack: PaymentStack) -> list[dict[str, Any]]:
    """Have a person start the reconciliation, and then its schedule; return both runs' outputs."""
    machine = physical(stack, "Reconciliation")
    first = stack.aws.stepfunctions.start_execution(stateMachineArn=machine)["executionArn"]
    _output(stack, first)
    with _each_minute(stack, "ReconciliationSchedule"):
        second = wait_until(
            lambda: next((arn for arn in _runs(stack, machine) if arn != first), None),
            "a scheduled reconciliation has ended",
            seconds=SETTLED_WITHIN_SECONDS,
            every=0.5,
        )
    return [_output(stack, arn) for arn in (first, second)]


def _runs(stack: PaymentStack, machine: str) -> list[str]:
    listing = stack.aws.stepfunctions.list_executions(stateMachineArn=machine, statusFilter="SUCCEEDED")
    return [execution["executionArn"] for execution in listing["executions"]]


def _output(stack: PaymentStack, execution: str) -> dict[str, Any]:
    assert ended(stack, execution).status == "SUCCEEDED"
    return dict(json.loads(stack.aws.stepfunctions.describe_execution(executionArn=execution)["output"]))


@contextmanager
def _each_minute(stack: PaymentStack, rule: str) -> Iterator[None]:
    """Let a schedule begin each minute."""
    events, name = stack.aws.client("events"), physical(stack, rule)
    every = events.describe_rule(Name=name)["ScheduleExpression"]
    events.put_rule(Name=name, ScheduleExpression="rate(1 minute)")
    try:
        yield
    finally:
        events.put_rule(Name=name, ScheduleExpression=every)


def await_smoke_and_check(stack: PaymentStack) -> None:
    """Have the schedules start the smoke test and the check of schedules, and wait until both have ended."""
    before = _ended(stack)
    with _each_minute(stack, "SmokeSchedule"):
        wait_until(
            lambda: _ended(stack) > before,
            "a scheduled smoke test has ended",
            seconds=SETTLED_WITHIN_SECONDS,
            every=0.5,
        )
    metrics = stack.aws.client("cloudwatch")
    wait_until(
        lambda: metrics.list_metrics(Namespace=f"Payments/{stack.name}", MetricName="SchedulesSilent")[
            "Metrics"
        ],
        "a scheduled check has told",
        seconds=SETTLED_WITHIN_SECONDS,
        every=0.5,
    )


def _ended(stack: PaymentStack) -> int:
    found = stack.aws.stepfunctions.list_executions(stateMachineArn=stack.smoke, statusFilter="SUCCEEDED")
    return len(found["executions"])


def sweep(stack: PaymentStack, **given: Any) -> dict[str, Any]:
    """Run the sweeper as its schedule does, and return how it ended."""
    arn = stack.aws.stepfunctions.start_execution(
        stateMachineArn=stacks.outputs(stack.aws, stack.name)["SweeperArn"], input=json.dumps(given)
    )["executionArn"]
    ended(stack, arn)
    return dict(stack.aws.stepfunctions.describe_execution(executionArn=arn))
