"""What is kept of an execution: its record, its history, and who waits for its end."""

import threading
from typing import Any

from ministack.core.responses import now_iso

from embedded_aws.cloudwatch import service_metrics
from embedded_aws.core import ministack_names as private

ended = threading.Condition()
"""Notified at every change of an execution's status."""
REDRIVABLE = ("FAILED", "TIMED_OUT", "ABORTED")
_EVENTS = 25_000
"""https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html, the history's size."""


class Error(Exception):
    """What ends a state.

    Attributes:
        error: its name; None where a Fail state gives none.
        cause: its text, if any.
    """

    def __init__(self, error: str | None, cause: str | None) -> None:
        super().__init__(error, cause)
        self.error, self.cause = error, cause
        self.before_items = False  # a Map's own field was wrong: its history has no event of the failed state


class Halted(Exception):  # noqa: N818 - it says what happened
    """A state is left where it is: its execution was stopped, or what is done beside it failed."""


def record(arn: str, machine: str, name: str, text: str) -> dict[str, Any]:
    """Build the record {executionArn, status, input, output, events, …} of an execution that begins now."""
    return {
        "executionArn": arn,
        "stateMachineArn": machine,
        "name": name,
        "status": "RUNNING",
        "startDate": now_iso(),
        "stopDate": None,
        "input": text,
        "output": None,
        "redriveCount": 0,
        "events": [],
    }


def add_event(execution: dict[str, Any], kind: str, details: dict[str, Any] | None = None) -> dict[str, Any]:
    """Append {id, previousEventId, type, timestamp, …} to the history.

    Raises:
        ExecutionError: The history is as long as it may be.
    """
    number = len(execution["events"]) + 1
    if number > _EVENTS and not kind.startswith("Execution"):
        raise Error(
            "States.Runtime", f"The execution reached the maximum number of history events ({_EVENTS})."
        )
    event = {"id": number, "previousEventId": number - 1, "type": kind, "timestamp": now_iso()}
    event |= details or {}
    execution["events"].append(event)
    return event


def announce(execution: dict[str, Any]) -> None:
    """Tell everybody that an execution's status changed: metrics, who waits for it, and EventBridge."""
    service_metrics.count_execution(execution)
    with ended:
        ended.notify_all()
    private.stepfunctions.emit_execution_status_event(execution)


def finish(execution: dict[str, Any], status: str, kind: str, **outcome: Any) -> None:
    """End an execution with an event of a kind, which says what is known of the outcome."""
    details = {key: value for key, value in outcome.items() if value is not None}
    execution.update(outcome, status=status, stopDate=now_iso())
    add_event(execution, kind, {f"{kind[0].lower()}{kind[1:]}EventDetails": details})
    announce(execution)
