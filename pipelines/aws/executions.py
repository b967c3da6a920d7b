"""An execution of a state machine, followed while it runs: each state as it is entered and left."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal

from pipelines.core.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from types_boto3_stepfunctions.type_defs import HistoryEventTypeDef

    from pipelines.aws.accounts import Aws

_FAILURES: Final = (
    "taskFailed",
    "taskTimedOut",
    "taskSubmitFailed",
    "taskStartFailed",
    "lambdaFunctionFailed",
)
_LONGEST_SECONDS: Final = 366 * 24 * 60 * 60
"""An execution may last a year (Step Functions quotas)."""
_ENDS: Final = ("executionFailed", "executionTimedOut", "executionAborted")


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened in an execution.

    Attributes:
        at: When, with its time zone.
        what: A state entered or left, an attempt of its task that failed, or the end of the execution.
        state: The state's name; at the end, the execution's status.
        error: The error's name, where something failed.
        cause: The error's message.
    """

    at: datetime
    what: Literal["entered", "left", "attempt failed", "ended"]
    state: str
    error: str = ""
    cause: str = ""


def follow(aws: Aws, execution_arn: str, *, after: int = 0) -> Iterator[Moment]:
    """Yield what happens in an execution until it ends, from its beginning or `after` one of its events."""
    last, state = after, ""
    while True:
        events = wait_until(
            partial(_events_after, aws, execution_arn, last),
            seconds=_LONGEST_SECONDS,
            every=aws.poll_seconds,
            what=f"execution {execution_arn} to go on",
        )
        last = events[-1]["id"]
        for event in events:
            moment = _moment(event, state)
            if moment is None:
                continue
            state = moment.state
            yield moment
            if moment.what == "ended":
                return


def moments(aws: Aws, execution_arn: str) -> list[Moment]:
    """Return what has happened in an execution so far."""
    past, state = [], ""
    for event in _history(aws, execution_arn):
        moment = _moment(event, state)
        if moment is not None:
            state = moment.state
            past.append(moment)
    return past


def last_event(aws: Aws, execution_arn: str) -> int:
    """Return the number of the latest event of an execution."""
    latest = aws.stepfunctions.get_execution_history(
        executionArn=execution_arn, reverseOrder=True, maxResults=1
    )
    return latest["events"][0]["id"]


def arn_of(state_machine_arn: str, name: str) -> str:
    """Return the ARN of the execution with this name (API Reference, DescribeExecution)."""
    return f"{state_machine_arn.replace(':stateMachine:', ':execution:')}:{name}"


def status(aws: Aws, execution_arn: str) -> str | None:
    """Return the status of an execution, or none when there is no such execution."""
    try:
        return aws.stepfunctions.describe_execution(executionArn=execution_arn)["status"]
    except aws.stepfunctions.exceptions.ExecutionDoesNotExist:
        return None


def started(aws: Aws, execution_arn: str) -> datetime:
    """Return when an execution that exists was started."""
    return aws.stepfunctions.describe_execution(executionArn=execution_arn)["startDate"]


def _events_after(aws: Aws, execution_arn: str, last: int) -> list[HistoryEventTypeDef]:
    return [event for event in _history(aws, execution_arn) if event["id"] > last]


def _history(aws: Aws, execution_arn: str) -> Iterator[HistoryEventTypeDef]:
    pages = aws.stepfunctions.get_paginator("get_execution_history")
    for page in pages.paginate(executionArn=execution_arn):
        yield from page["events"]


def _moment(event: HistoryEventTypeDef, state: str) -> Moment | None:
    kind, at = event["type"], event["timestamp"]
    details: Mapping[str, Any] = event
    if kind.endswith("StateEntered"):
        return Moment(at, "entered", details["stateEnteredEventDetails"]["name"])
    if kind.endswith("StateExited"):
        return Moment(at, "left", details["stateExitedEventDetails"]["name"])
    if kind == "ExecutionSucceeded":
        return Moment(at, "ended", "SUCCEEDED")
    key = kind[:1].lower() + kind[1:]
    failed = details.get(f"{key}EventDetails", {})
    error, cause = failed.get("error", ""), error_message(failed.get("cause", ""))
    if key in _ENDS:
        status = key.removeprefix("execution").upper().replace("TIMEDOUT", "TIMED_OUT")
        return Moment(at, "ended", status, error, cause)
    if key in _FAILURES:
        return Moment(at, "attempt failed", state, error, cause)
    return None


def error_message(cause: str) -> str:
    """Return the message of a Lambda function's error, whose cause is a JSON document with a stack trace."""
    try:
        document = json.loads(cause)
    except ValueError:
        return cause
    return str(document.get("errorMessage", cause) if isinstance(document, dict) else cause)
