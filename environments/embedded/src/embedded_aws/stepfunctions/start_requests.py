"""What StartExecution refuses, what it answers to a repeated start, and RedriveExecution.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
https://docs.aws.amazon.com/step-functions/latest/apireference/API_RedriveExecution.html
"""

import json
import re
from typing import Any

from ministack.services import stepfunctions

REDRIVABLE = ("FAILED", "TIMED_OUT", "ABORTED")
_NAME = re.compile(r"[^\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]{1,80}")
_INPUT_LIMIT_BYTES = 262_144


def refusal(name: str, text: str) -> Any:
    """Return the error response for a name or an input that Step Functions does not take, or None."""
    if not _NAME.fullmatch(name):
        return stepfunctions.error_response_json("InvalidName", f"Invalid Name: '{name}'", 400)
    if len(text.encode()) > _INPUT_LIMIT_BYTES:
        message = (
            "1 validation error detected: Value at 'input' failed to satisfy constraint:"
            f" Member must have length less than or equal to {_INPUT_LIMIT_BYTES}"
        )
        return stepfunctions.error_response_json("ValidationException", message, 400)
    try:
        json.loads(text)
    except ValueError as error:
        message = f"Invalid State Machine Execution Input: '{error}'"
        return stepfunctions.error_response_json("InvalidExecutionInput", message, 400)
    return None


def repeated(execution: dict[str, Any], text: str) -> Any:
    """Answer a start by a name that is taken: the same while it runs on the same input, else refused."""
    if execution["status"] == "RUNNING" and execution["input"] == text:
        started = {"executionArn": execution["executionArn"], "startDate": execution["startDate"]}
        return stepfunctions.json_response(started)
    message = f"Execution Already Exists: '{execution['executionArn']}'"
    return stepfunctions.error_response_json("ExecutionAlreadyExists", message, 400)


def record(arn: str, machine: str, name: str, text: str) -> dict[str, Any]:
    """Build MiniStack's record of an execution that begins now."""
    return {
        "executionArn": arn,
        "stateMachineArn": machine,
        "name": name,
        "status": "RUNNING",
        "startDate": stepfunctions.now_iso(),
        "stopDate": None,
        "input": text,
        "output": None,
        "redriveCount": 0,
        "events": [],
    }


def redrive(data: dict[str, Any], begin: Any) -> Any:
    """Take an unsuccessful execution up again in the state it ended in, with its input and definition."""
    execution = stepfunctions._executions.get(data.get("executionArn"))
    if execution is None:
        message = f"Execution Does Not Exist: '{data.get('executionArn')}'"
        return stepfunctions.error_response_json("ExecutionDoesNotExist", message, 400)
    if execution["status"] not in REDRIVABLE:
        message = f"Execution is {execution['status']} and cannot be redriven"
        return stepfunctions.error_response_json("ExecutionNotRedrivable", message, 400)
    count, date = execution.get("redriveCount", 0) + 1, stepfunctions.now_iso()
    execution.update(redriveCount=count, redriveDate=date, status="RUNNING", stopDate=None, output=None)
    execution.update(error=None, cause=None)
    details = {"executionRedrivenEventDetails": {"redriveCount": count}}
    stepfunctions._add_event(execution, "ExecutionRedriven", details)
    stepfunctions._emit_execution_status_event(execution)
    begin(execution["executionArn"])
    return stepfunctions.json_response({"redriveDate": date})
