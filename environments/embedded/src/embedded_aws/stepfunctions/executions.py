"""An execution from start to end: by the definition it was started with, stoppable, timed, redrivable."""

import json
import logging
import threading
from collections.abc import Callable
from typing import Any

from embedded_aws.core import ministack_names as private
from embedded_aws.stepfunctions import records, transitions

_log = logging.getLogger(__name__)


def run(arn: str) -> None:
    """Walk an execution's definition to its end, from the start or from where a redrive takes it up."""
    execution = private.stepfunctions.executions.get(arn)
    if execution is None:
        return
    redrives = execution.get("redriveCount", 0)

    def current() -> bool:  # not stopped, not timed out, not taken over by a redrive
        return bool(execution["status"] == "RUNNING" and execution.get("redriveCount", 0) == redrives)

    definition = json.loads(execution["definition"])
    timer = _timer(execution, definition, current)
    try:
        output = transitions.walk(execution, definition, _context(execution, definition), current)
        if current():
            _end(execution, "SUCCEEDED", output=output)
    except records.Error as error:
        if current():
            _end(execution, "FAILED", error=error.error, cause=error.cause)
    except Exception as error:  # noqa: BLE001 - whatever a definition makes the emulator do must end the execution
        _log.exception("execution %s broke the emulator", arn)
        if current():
            _end(execution, "FAILED", error="States.Runtime", cause=str(error))
    finally:
        if timer:
            timer.cancel()


def _context(execution: dict[str, Any], definition: dict[str, Any]) -> dict[str, Any]:
    """Build the context object.

    https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html
    """
    about = {
        "Id": execution["executionArn"],
        "Input": json.loads(execution["input"]),
        "Name": execution["name"],
        "RoleArn": execution["roleArn"],
        "StartTime": execution["startDate"],
        "RedriveCount": execution.get("redriveCount", 0),
    }
    if execution.get("redriveDate"):
        about["RedriveTime"] = execution["redriveDate"]
    machine = execution["stateMachineArn"]
    return {
        "QueryLanguage": definition.get("QueryLanguage", "JSONPath"),
        "Execution": about,
        "StateMachine": {"Id": machine, "Name": machine.rsplit(":", 1)[-1]},
        "variables": {},
    }


def _timer(
    execution: dict[str, Any], definition: dict[str, Any], current: Callable[[], bool]
) -> threading.Timer | None:
    seconds = definition.get("TimeoutSeconds")
    if seconds is None:
        return None

    def time_out() -> None:
        if current():
            _end(execution, "TIMED_OUT", error="States.Timeout", cause=None)

    timer = threading.Timer(seconds, time_out)
    timer.daemon = True
    timer.start()
    return timer


def _end(execution: dict[str, Any], status: str, **outcome: Any) -> None:
    event = {"SUCCEEDED": "ExecutionSucceeded", "FAILED": "ExecutionFailed", "TIMED_OUT": "ExecutionTimedOut"}
    records.finish(execution, status, event[status], **outcome)
