"""Executions run what they were started with: a version's definition and role, through an alias or not.

MiniStack has the calls for versions and aliases, but runs the newest definition whatever was named.
https://docs.aws.amazon.com/step-functions/latest/dg/concepts-cd-aliasing-versioning.html
"""

import contextvars
import json
import random
import threading
from collections.abc import Callable
from typing import Any

from ministack.services import stepfunctions

from embedded_aws.stepfunctions import api_checks

_PINNED = ("stateMachineVersionArn", "stateMachineAliasArn", "redriveCount", "redriveDate")
_OK = 200
_naming = threading.Lock()  # two starts by one name make one execution


def install() -> None:
    """Take the place of StartExecution and of what shows or removes versions."""
    stepfunctions._start_execution = start_execution
    stepfunctions._list_executions = _of_version(stepfunctions._list_executions)
    stepfunctions._describe_execution = _with_version(stepfunctions._describe_execution)
    stepfunctions._describe_state_machine_for_execution = _described_for_execution
    stepfunctions._publish_state_machine_version = _once(stepfunctions._publish_state_machine_version)
    stepfunctions._delete_state_machine = _with_versions(stepfunctions._delete_state_machine)
    stepfunctions._SM_INTERNAL_KEYS = stepfunctions._SM_INTERNAL_KEYS | {"tracing"}


def start_execution(data: dict[str, Any]) -> Any:
    """Start an execution of a state machine, a version or an alias.

    Raises nothing: returns MiniStack's response, an error one as StartExecution documents it.
    """
    machine, pinned = _pin(data.get("stateMachineArn", ""))
    if machine is None:
        message = f"State Machine Does Not Exist: '{data.get('stateMachineArn')}'"
        return stepfunctions.error_response_json("StateMachineDoesNotExist", message, 400)
    name, text = data.get("name") or stepfunctions.new_uuid(), data.get("input", "{}")
    if refused := api_checks.refusal(name, text):
        return refused
    arn = f"{machine['stateMachineArn'].replace(':stateMachine:', ':execution:')}:{name}"
    started = {"input": text, "roleArn": pinned["roleArn"]}
    started |= {
        key: pinned[key] for key in ("stateMachineAliasArn", "stateMachineVersionArn") if key in pinned
    }
    execution = api_checks.record(arn, machine["stateMachineArn"], name, text) | pinned
    stepfunctions._add_event(execution, "ExecutionStarted", {"executionStartedEventDetails": started})
    with _naming:
        if existing := stepfunctions._executions.get(arn):
            return api_checks.repeated(existing, text)
        stepfunctions._executions[arn] = execution
    stepfunctions._emit_execution_status_event(execution)
    begin(arn)
    return stepfunctions.json_response({"executionArn": arn, "startDate": execution["startDate"]})


def _of_version(stock: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    """List the executions that were started through an alias, or that run a version, when it is named."""

    def listed(data: dict[str, Any]) -> Any:
        arn = data.get("stateMachineArn", "")
        if alias := stepfunctions._state_machine_aliases.get(arn):
            key, source = "stateMachineAliasArn", alias["routingConfiguration"][0]["stateMachineVersionArn"]
        elif arn in stepfunctions._state_machine_versions:
            key, source = "stateMachineVersionArn", arn
        elif arn and arn not in stepfunctions._state_machines:
            message = f"State Machine Does Not Exist: '{arn}'"
            return stepfunctions.error_response_json("StateMachineDoesNotExist", message, 400)
        else:
            status, headers, body = stock(data)
            if status != _OK:
                return status, headers, body
            page = json.loads(body)
            api_checks.note_versions(page)
            return status, headers, json.dumps(page).encode()
        machine = stepfunctions._state_machine_versions[source]["stateMachineArn"]
        status, headers, body = stock({**data, "stateMachineArn": machine})
        page = json.loads(body)
        page["executions"] = [
            execution
            for execution in page.get("executions", [])
            if stepfunctions._executions[execution["executionArn"]].get(key) == arn
        ]
        api_checks.note_versions(page)
        return status, headers, json.dumps(page).encode()

    return listed


def begin(arn: str) -> None:
    """Run an execution in a thread of its own, in this request's account and region."""
    run = contextvars.copy_context().run
    threading.Thread(target=run, args=(stepfunctions._run_execution, arn), daemon=True).start()


def _pin(arn: str) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """Resolve what an execution runs; an alias picks one of its versions by weight."""
    pinned = {}
    if alias := stepfunctions._state_machine_aliases.get(arn):
        routes = alias["routingConfiguration"]
        [route] = random.choices(routes, weights=[route["weight"] for route in routes])  # noqa: S311 - no secret
        pinned["stateMachineAliasArn"], arn = arn, route["stateMachineVersionArn"]
    source = stepfunctions._state_machines.get(arn)
    if version := stepfunctions._state_machine_versions.get(arn):
        source = version
        pinned["stateMachineVersionArn"] = arn
    if source is None:
        return None, {}
    pinned |= {"definition": source["definition"], "roleArn": source["roleArn"]}
    return stepfunctions._state_machines.get(source["stateMachineArn"]), pinned


def _with_version(stock: Callable[..., Any]) -> Callable[..., Any]:
    def describe(data: dict[str, Any]) -> Any:
        status, headers, body = stock(data)
        if status != _OK:
            return status, headers, body
        execution = stepfunctions._executions[data["executionArn"]]
        shown = json.loads(body) | {key: execution[key] for key in _PINNED if execution.get(key) is not None}
        if execution["status"] != "SUCCEEDED":
            shown.pop("output", None)
        redrivable = execution["status"] in api_checks.REDRIVABLE
        shown["redriveStatus"] = "REDRIVABLE" if redrivable else "NOT_REDRIVABLE"
        return stepfunctions.json_response(shown)

    return describe


def _described_for_execution(data: dict[str, Any]) -> Any:
    execution = stepfunctions._executions.get(data.get("executionArn"))
    if execution is None:
        message = f"Execution Does Not Exist: '{data.get('executionArn')}'"
        return stepfunctions.error_response_json("ExecutionDoesNotExist", message, 400)
    arn = execution["stateMachineArn"]
    return stepfunctions.json_response(
        {
            "stateMachineArn": execution.get("stateMachineVersionArn", arn),
            "name": arn.rsplit(":", 1)[-1],
            "definition": execution["definition"],
            "roleArn": execution["roleArn"],
            "updateDate": execution["startDate"],
        }
    )


def _once(stock: Callable[..., Any]) -> Callable[..., Any]:
    """Publishing the same revision again gives the version there is, says PublishStateMachineVersion."""

    def publish(data: dict[str, Any]) -> Any:
        machine = stepfunctions._state_machines.get(data.get("stateMachineArn"))
        revision = machine and machine["revisionId"]
        if machine and data.get("revisionId") in (None, revision):
            for arn, version in stepfunctions._state_machine_versions.items():
                ours = version["stateMachineArn"] == machine["stateMachineArn"]
                if ours and version["stateMachineRevisionId"] == revision:
                    created = {"stateMachineVersionArn": arn, "creationDate": version["creationDate"]}
                    return stepfunctions.json_response(created)
        return stock(data)

    return publish


def _with_versions(stock: Callable[..., Any]) -> Callable[..., Any]:
    """Deleting a state machine deletes its versions and aliases (API reference, DeleteStateMachine)."""

    def delete(data: dict[str, Any]) -> Any:
        forget(data.get("stateMachineArn", ""))
        return stock(data)

    return delete


def forget(machine: str) -> None:
    """Remove the versions, aliases and executions of a state machine that is deleted.

    A stack's machine gets its old name back when the stack is made again, unlike on AWS; executions of the
    first one would then hold the names of the second one's.
    """
    for store in (stepfunctions._state_machine_versions, stepfunctions._state_machine_aliases):
        for arn in [arn for arn in store if arn.rsplit(":", 1)[0] == machine]:
            store.pop(arn, None)
    for arn in [arn for arn, run in stepfunctions._executions.items() if run["stateMachineArn"] == machine]:
        stepfunctions._executions.pop(arn, None)
