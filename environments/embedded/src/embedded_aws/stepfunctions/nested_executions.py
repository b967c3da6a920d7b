"""`states:startExecution.sync` and `.sync:2`: start another execution, by alias too, and wait for it.

https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html
"""

import json
from datetime import datetime
from typing import Any

from ministack.services import stepfunctions

from embedded_aws.stepfunctions import executions, versions

_Error = stepfunctions._ExecutionError


def install() -> None:
    """Take the place of MiniStack's nested executions."""
    stepfunctions._invoke_nested_start_execution = start
    stepfunctions._invoke_nested_start_execution_sync = start_and_wait


def start(_resource: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Start the execution and return its ARN; a refusal carries the name that AWS gives it in Catch.

    Raises:
        ExecutionError: It was refused, under the name that AWS gives it.
    """
    request = stepfunctions._nested_start_execution_request(arguments)
    status, _, body = versions.start_execution(request)
    payload = json.loads(body)
    if status >= 400:  # noqa: PLR2004 - HTTP's errors
        raise _Error(
            f"StepFunctions.{payload['__type'].removesuffix('Exception')}Exception", payload["message"]
        )
    return {"ExecutionArn": payload["executionArn"], "StartDate": payload["startDate"]}


def start_and_wait(resource: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Wait for the child; if it fails the task fails with States.TaskFailed and the child's description.

    Raises:
        ExecutionError: The execution did not succeed.
    """
    arn = start(resource, arguments)["ExecutionArn"]
    execution = stepfunctions._executions[arn]
    with executions.ended:
        executions.ended.wait_for(lambda: execution["status"] != "RUNNING")
    described = _described(execution)
    if execution["status"] != "SUCCEEDED":
        raise _Error("States.TaskFailed", json.dumps(described))
    if resource.endswith(":2"):
        described["Output"] = json.loads(described["Output"])
    return described


def _described(execution: dict[str, Any]) -> dict[str, Any]:
    shown = {
        "ExecutionArn": execution["executionArn"],
        "Input": execution["input"],
        "InputDetails": {"Included": True},
        "Name": execution["name"],
        "Output": execution.get("output"),
        "OutputDetails": {"Included": True},
        "RedriveCount": execution.get("redriveCount", 0),
        "StartDate": _milliseconds(execution["startDate"]),
        "StateMachineArn": execution["stateMachineArn"],
        "StateMachineVersionArn": execution.get("stateMachineVersionArn"),
        "StateMachineAliasArn": execution.get("stateMachineAliasArn"),
        "Status": execution["status"],
        "StopDate": _milliseconds(execution["stopDate"]),
        "Error": execution.get("error"),
        "Cause": execution.get("cause"),
    }
    return {key: value for key, value in shown.items() if value is not None}


def _milliseconds(stamp: str) -> int:
    return int(datetime.fromisoformat(stamp).timestamp() * 1000)
