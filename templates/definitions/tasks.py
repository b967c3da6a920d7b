"""What the tasks of the state machines share: time-outs, retries, and how they call Lambda functions.

Texts between `{%` and `%}` are JSONata; `${…}` are substitutions that CloudFormation fills in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from payment_data.error_names import PENDING_ERRORS, RETRIED_ERRORS

if TYPE_CHECKING:
    from collections.abc import Mapping

State = dict[str, Any]

TASK_SECONDS = 10
"""Outermost of the nested time-outs: database 2 < API 3 < HTTP 4 < Lambda 8 < task 10."""
DEADLINE_SECONDS = 900
"""From an execution's start until forward steps are refused; longer than all their retries together."""

FORWARD_RETRY = {
    "ErrorEquals": list(RETRIED_ERRORS),
    "IntervalSeconds": 1,
    "BackoffRate": 2.0,
    "MaxDelaySeconds": 20,
    "MaxAttempts": 8,
    "JitterStrategy": "FULL",
}
PENDING_RETRY = {
    "ErrorEquals": list(PENDING_ERRORS),
    "IntervalSeconds": 60,
    "BackoffRate": 2.0,
    "MaxDelaySeconds": 6 * 3600,
    "MaxAttempts": 100,
}
"""For a bank's answer: 23 days. It may take 14 business days (https://docs.stripe.com/payments/sepa-debit)."""
COMPENSATION_RETRY = FORWARD_RETRY | {"MaxDelaySeconds": 300, "MaxAttempts": 50}
"""So many that an outage of an hour outlasts them in no execution (`time_budget.sure_seconds`).

Full jitter waits from nothing to the back-off, so retries take half their longest time; it stays, because it
keeps waiting orders apart. https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
"""

CAUSE_LENGTH = 4_000
"""Characters of an undo's cause: Step Functions may give 32,768, and a payload holds 256 KiB."""
EXECUTION = "$states.context.Execution"
# Whatever the input was: an object without order_id, an array or a string must reach the function as null,
# because a JSONata expression without a value fails the state before any Catch of ours could name it.
ORDER_ID = (
    f"$type({EXECUTION}.Input) = 'object' and $exists($lookup({EXECUTION}.Input, 'order_id'))"
    f" ? $lookup({EXECUTION}.Input, 'order_id') : null"
)
DEADLINE = f"$fromMillis($toMillis({EXECUTION}.StartTime) + {DEADLINE_SECONDS * 1000})"


def jsonata(expression: str) -> str:
    """Return the expression as a state machine writes it."""
    return f"{{% {expression} %}}"


def short_cause() -> str:
    """Return JSONata for the cause of a caught error: empty if it has none, cut to CAUSE_LENGTH."""
    cause = "$states.errorOutput.Cause"
    return f"($exists({cause}) ? $substring({cause}, 0, {CAUSE_LENGTH}) : '')"


def invoke(version: str, payload: State | str, *, seconds: int = TASK_SECONDS, **fields: Any) -> State:
    """Return a task that calls one version of a Lambda function and passes on what it returns.

    Args:
        version: the substitution that holds the version's ARN.
        payload: the event, or JSONata for all of it; strings in it may be JSONata.
        seconds: the task's time-out, longer than the function's own.
        fields: the state's other fields, as Next, Retry and Catch.
    """
    return {
        "Type": "Task",
        "Resource": "arn:${Partition}:states:::lambda:invoke",
        "Arguments": {"FunctionName": f"${{{version}}}", "Payload": payload},
        "Output": jsonata("$states.result.Payload"),
        "TimeoutSeconds": seconds,
        **fields,
    }


def call_sdk(action: str, arguments: State, **fields: Any) -> State:
    """Return a task that calls a service, as `sfn:describeExecution`; a lost call is made again."""
    retry = {"ErrorEquals": ["States.ALL"], "MaxAttempts": 3, "JitterStrategy": "FULL"}
    return {
        "Type": "Task",
        "Resource": f"arn:${{Partition}}:states:::aws-sdk:{action}",
        "Arguments": arguments,
        "TimeoutSeconds": TASK_SECONDS,
        "Retry": [retry],
        **fields,
    }


def catch(errors: list[str], goto: str, assign: State | None = None) -> State:
    """Return a Catch entry that goes on at another state with variables set."""
    return {"ErrorEquals": errors, "Next": goto} | ({"Assign": assign} if assign else {})


def choice(rules: Mapping[str, str], otherwise: str) -> State:
    """Return a Choice: `rules` say, in order, to which state a JSONata condition leads; none: `otherwise`."""
    choices = [{"Condition": jsonata(condition), "Next": then} for condition, then in rules.items()]
    return {"Type": "Choice", "Choices": choices, "Default": otherwise}


def put_point(name: str, value: str, *, namespace: str, service: str, **fields: Any) -> State:
    """Return a task that writes a metric's point.

    Args:
        name: the metric's.
        value: the point's, as JSONata.
        namespace: the substitution that holds the metric's namespace.
        service: the substitution that holds its dimension `service`.
        fields: the state's other fields, as Output and End.
    """
    dimension = {"Name": "service", "Value": f"${{{service}}}"}
    point = {"MetricName": name, "Value": jsonata(value), "Dimensions": [dimension]}
    arguments = {"Namespace": f"${{{namespace}}}", "MetricData": [point]}
    return call_sdk("cloudwatch:putMetricData", arguments, **fields)
