"""Pages about an environment: its health, its orders with their executions and effects, its branch stacks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup

from environments.groupings import PROMOTED
from payment_data import money
from pipelines.aws import executions
from pipelines.console import workflow_picture
from pipelines.console.context import FAILURES, render
from pipelines.core.refusals import Refused
from pipelines.orders import orders, payment_stack
from pipelines.orders.states import STATES
from pipelines.promotion import branches as branch_stacks
from pipelines.promotion import control
from pipelines.status.delivery import described
from pipelines.status.gather import gather

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import HTMLResponse

    from pipelines.aws.accounts import Aws
    from pipelines.console.context import Console
    from pipelines.orders.orders import OrderRecord


_MOST_ORDERS: Final = 200


def environment(console: Console, request: Request) -> HTMLResponse:
    """Show an environment's health; what could not be asked is shown with its reason."""
    aws, stack = _stack(console, request)
    name = aws.environment.name
    status = gather(aws, stack, console.tools if name in PROMOTED else None)
    return render(
        console,
        "environment",
        environment=name,
        stack=stack,
        status=status,
        delivery=described(status.delivery) if status.delivery else {},
        stacks=_stacks(aws) if name == "branch" else [],
    )


def order_list(console: Console, request: Request) -> HTMLResponse:
    """Show the orders of a stack, of one state or of all, the longest unchanged first.

    Raises:
        Refused: There is no such state.
    """
    aws, stack = _stack(console, request)
    state = request.query_params.get("state", "")
    if state and state not in STATES:
        raise Refused(f"There is no state {state}.", f"Choose one of {', '.join(STATES)}.")
    api = payment_stack.connect(aws, stack).api
    return render(
        console,
        "order_list",
        environment=aws.environment.name,
        stack=stack,
        state=state,
        states=STATES,
        orders=list(orders.listed(api, state or None, _MOST_ORDERS)),
        most=_MOST_ORDERS,
    )


def order(console: Console, request: Request) -> HTMLResponse:
    """Show an order: its record, its effects, and its execution as the workflow's picture.

    Raises:
        Refused: There is no such order.
    """
    aws, stack = _stack(console, request)
    order_id = request.path_params["order"]
    payments = payment_stack.connect(aws, stack)
    arn = orders.execution_arn(payments, order_id)
    record, status = orders.record(payments.api, order_id), executions.status(aws, arn)
    if record.order is None and status is None:
        raise Refused(f"There is no order {order_id} in {stack}.")
    moments = executions.moments(aws, arn) if status else []
    seen = workflow_picture.visits(moments)
    return render(
        console,
        "order",
        environment=aws.environment.name,
        stack=stack,
        order_id=order_id,
        record=record,
        status=status or "",
        moments=moments,
        seen=seen,
        picture=Markup(workflow_picture.svg(_definition(aws, payments.workflow, arn, status), seen)),  # noqa: S704 - the picture escapes what it shows
        effects=effects_of(record),
    )


def effects_of(record: OrderRecord) -> list[dict[str, str]]:
    """Return what an order did to stock, money and deliveries: `what`, `change` and `state` of each."""
    if record.order is None:
        return []
    lines = [
        {
            "what": f"stock of {hold['product_id']}",
            "change": "0" if hold["state"] == "void" else f"-{hold['quantity']}",
            "state": hold["state"],
        }
        for hold in record.reservation
    ]
    total = money.format_major(record.order["total"], record.order["currency"])
    paid = record.payment.get("state", "")
    taken = paid in {"charged", "captured"}
    charge = {"what": f"money of {record.order['user_id']}", "state": paid or "not charged"}
    lines.append(charge | {"change": f"-{total} {record.order['currency']}" if taken else "0"})
    sent = [
        {"what": f"delivery of {d['product_id']}", "change": f"{d['quantity']}", "state": d["state"]}
        for d in record.deliveries
    ]
    return [*lines, *sent]


def _stack(console: Console, request: Request) -> tuple[Aws, str]:
    aws = console.account(request.path_params["environment"])
    return aws, request.query_params.get("stack") or aws.environment.default_stack


def _stacks(aws: Aws) -> list[branch_stacks.BranchStack]:
    try:
        return branch_stacks.listed(aws)
    except FAILURES:
        return []


def _definition(aws: Aws, workflow: str, execution: str, status: str | None) -> dict[str, Any]:
    """Return the definition that the execution runs; of an order that was not placed, the present one."""
    if status:
        answer = aws.stepfunctions.describe_state_machine_for_execution(executionArn=execution)
        return dict(json.loads(answer["definition"]))
    return dict(json.loads(aws.stepfunctions.describe_state_machine(stateMachineArn=workflow)["definition"]))


def branches(console: Console, _request: Request) -> HTMLResponse:
    """Show every branch's stack: whose it is, how old, how its smoke ended; with a button that removes it."""
    return render(console, "branches", stacks=branch_stacks.listed(console.account("branch")))


def remove_branch(console: Console, branch: str) -> str:
    """Propose the removal of a branch's stack, and return the address of its execution.

    Raises:
        Refused: A removal of this stack is under way.
    """
    pipeline = control.name_of(console.tools, "remove-branch")
    execution = branch_stacks.propose_removal(console.tools, pipeline, branch)
    return f"/pipelines/remove-branch/executions/{execution}"
