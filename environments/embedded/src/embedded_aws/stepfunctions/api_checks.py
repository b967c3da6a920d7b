"""What the API of Step Functions refuses or answers otherwise than MiniStack's.

Recorded of Step Functions, or documented in its API reference.
"""

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
