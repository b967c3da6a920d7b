"""What the API of Step Functions refuses or answers otherwise than MiniStack's.

Recorded of Step Functions, or documented in its API reference.

What StartExecution refuses, what it answers to a repeated start, and RedriveExecution.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
https://docs.aws.amazon.com/step-functions/latest/apireference/API_RedriveExecution.html
"""

import json
import re
from collections.abc import Callable
from typing import Any

from ministack.services import stepfunctions

from embedded_aws.stepfunctions import definition_checks

_Handler = Callable[[dict[str, Any]], Any]


def install() -> None:
    """Stand before MiniStack's handlers."""
    stepfunctions._validate_state_machine_definition = validated
    stepfunctions._start_sync_execution = _of_express(stepfunctions._start_sync_execution)
    stepfunctions._create_state_machine_alias = _same_again(stepfunctions._create_state_machine_alias)
    stepfunctions._update_state_machine = _publishing_changes(stepfunctions._update_state_machine)


def validated(data: dict[str, Any]) -> Any:
    """Answer ValidateStateMachineDefinition with what CreateStateMachine would refuse."""
    text = data.get("definition")
    problem = definition_checks.problem(text) or stepfunctions._validate_definition_jsonata(text)
    diagnostics = [_diagnostic(problem)] if problem else []
    return stepfunctions.json_response(
        {"result": "FAIL" if problem else "OK", "diagnostics": diagnostics, "truncated": False}
    )


def _diagnostic(problem: str) -> dict[str, str]:
    text = problem.removeprefix("Invalid State Machine Definition: '").removesuffix("'")
    code, colon, message = text.partition(": ")
    message, _, location = (message if colon else text).rpartition(" at ")
    shown = {
        "severity": "ERROR",
        "code": code if colon else "SCHEMA_VALIDATION_FAILED",
        "message": message or text,
    }
    return shown | ({"location": location} if location.startswith("/") else {})


def _of_express(stock: _Handler) -> _Handler:
    def start(data: dict[str, Any]) -> Any:
        machine = stepfunctions._state_machines.get(data.get("stateMachineArn", ""))
        if machine is not None and machine.get("type", "STANDARD") == "STANDARD":
            message = "This operation is not supported by this type of state machine"
            return stepfunctions.error_response_json("StateMachineTypeNotSupported", message, 400)
        return stock(data)

    return start


def _same_again(stock: _Handler) -> _Handler:
    """Creating an alias as it is answers with it (API reference, CreateStateMachineAlias: idempotent)."""

    def create(data: dict[str, Any]) -> Any:
        routing = data.get("routingConfiguration") or [{}]
        machine = str(routing[0].get("stateMachineVersionArn", "")).rpartition(":")[0]
        alias = stepfunctions._state_machine_aliases.get(f"{machine}:{data.get('name')}")
        if alias and (alias["routingConfiguration"], alias.get("description", "")) == (
            routing,
            data.get("description", ""),
        ):
            shown = {key: alias[key] for key in ("stateMachineAliasArn", "creationDate")}
            return stepfunctions.json_response(shown)
        return stock(data)

    return create


def _publishing_changes(stock: _Handler) -> _Handler:
    """An update that changes nothing publishes no new version, and keeps the revision."""

    def update(data: dict[str, Any]) -> Any:
        machine = stepfunctions._state_machines.get(data.get("stateMachineArn", ""))
        if machine is None or not data.get("publish"):
            return stock(data)
        same = all(
            data[key] == machine.get(key)
            for key in ("definition", "roleArn", "loggingConfiguration", "tracingConfiguration")
            if key in data
        )
        newest = [
            (arn, version)
            for arn, version in stepfunctions._state_machine_versions.items()
            if version["stateMachineRevisionId"] == machine["revisionId"]
        ]
        if not same or not newest:
            return stock(data)
        arn, version = newest[-1]
        answer = {"updateDate": version["creationDate"], "revisionId": machine["revisionId"]}
        return stepfunctions.json_response(answer | {"stateMachineVersionArn": arn})

    return update


def note_versions(page: dict[str, Any]) -> None:
    """Let each execution of a list say which version and alias it was started with."""
    for shown in page.get("executions", []):
        execution = stepfunctions._executions[shown["executionArn"]]
        for key in ("stateMachineVersionArn", "stateMachineAliasArn"):
            if key in execution:
                shown[key] = execution[key]
        if "redriveCount" in execution:
            shown["redriveCount"] = execution["redriveCount"]


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
