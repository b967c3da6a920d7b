"""One order's whole story from logs and execution history alone: for when the data API does not answer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from pipelines.aws import executions, stacks
from pipelines.orders.orders import execution_arn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.orders.payment_stack import PaymentStack

WORKFLOW: Final = "workflow"
_LOG_GROUP: Final = "AWS::Logs::LogGroup"
_BEFORE: Final = timedelta(minutes=5)
"""A shop writes its order through the data API before it places it."""
_TOLD: Final = ("error", "kind", "detail", "route", "status", "outcome")


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that a log or the execution's history tells of an order.

    Attributes:
        at: When, with its time zone.
        where: `workflow`, or the logical name of the log, as `DataApi`.
        what: In words.
        request: The Lambda invocation that wrote it; X-Ray and the function's log have it too.
    """

    at: datetime
    where: str
    what: str
    request: str = ""


def trace(stack: PaymentStack, order_id: str, *, since: datetime) -> list[Happening]:
    """Return what is known of an order without the data API, in order of time.

    Args:
        stack: The payments stack.
        order_id: The order's id.
        since: From when to read logs where the order has no execution.

    Raises:
        Refused: The id is none.
    """
    arn = execution_arn(stack, order_id)
    moments = executions.moments(stack.aws, arn) if executions.status(stack.aws, arn) else []
    happenings = [
        Happening(
            moment.at,
            WORKFLOW,
            " ".join(filter(None, (moment.what, moment.state, moment.error, moment.cause))),
        )
        for moment in moments
    ]
    begins = min((moment.at - _BEFORE for moment in moments), default=since)
    for name, group in _log_groups(stack):
        happenings += _lines(stack, name, group, order_id, begins)
    return sorted(happenings, key=lambda happening: happening.at)


def _log_groups(stack: PaymentStack) -> Iterator[tuple[str, str]]:
    """Yield the stack's log groups; those of workflows hold no order's id, since they hold no data."""
    for resource in stacks.resources(stack.aws, stack.name):
        name = resource.get("PhysicalResourceId", "")
        if resource["ResourceType"] == _LOG_GROUP and not name.startswith("/aws/vendedlogs/"):
            yield resource["LogicalResourceId"].removesuffix("Logs"), name


def _lines(
    stack: PaymentStack, name: str, group: str, order_id: str, begins: datetime
) -> Iterator[Happening]:
    logs = stack.aws.client("logs")
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=group,
        filterPattern=f"{{ $.order_id = {json.dumps(order_id)} }}",
        startTime=int(begins.timestamp() * 1000),
    )
    for page in pages:
        for event in page["events"]:
            line = json.loads(event["message"])
            at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
            yield Happening(at, name, _words(line), str(line.get("request_id") or ""))


def _words(line: dict[str, Any]) -> str:
    """Return a line's message and what it says beside; an outcome as its state alone."""
    told = {key: line[key] for key in _TOLD if line.get(key) not in (None, "")}
    if isinstance(told.get("outcome"), dict):
        told["outcome"] = told["outcome"].get("state", "done")
    return " ".join([str(line.get("message", "")), *(f"{key}={value}" for key, value in told.items())])
