"""What the API of Step Functions refuses or answers otherwise than MiniStack's.

Recorded of Step Functions, or documented in its API reference.

What StartExecution refuses, what it answers to a repeated start, and RedriveExecution.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
https://docs.aws.amazon.com/step-functions/latest/apireference/API_RedriveExecution.html
"""

import json
import re
from collections.abc import Awaitable, Callable

from botocore.model import ServiceModel
from ministack.core import responses
from ministack.core.responses import now_iso

from embedded_aws.core import api_model
from embedded_aws.core import ministack_names as private
from embedded_aws.core.api import ApiError, Json, page
from embedded_aws.stepfunctions import definition_checks, records

_ARNS = ("stateMachineArn", "executionArn", "stateMachineAliasArn", "stateMachineVersionArn", "mapRunArn")
_PAGING = ("maxResults", "nextToken")
_OK, _WHOLE = 200, 100
Response = tuple[int, dict[str, str], bytes]
Stock = Callable[[Json], Awaitable[Response]]
"""MiniStack's answer to the same call."""


def answered(document: Json, status: int = 200) -> Response:
    """Answer with a document."""
    response: Response = responses.json_response(document, status)
    return response


def refused(code: str, message: str, status: int = 400) -> Response:
    """Answer with an error."""
    response: Response = responses.error_response_json(code, message, status)
    return response


def validated(data: Json) -> Response:
    """Answer ValidateStateMachineDefinition with what CreateStateMachine would refuse."""
    text = data.get("definition")
    problem = definition_checks.problem(text)
    diagnostics = [_diagnostic(problem)] if problem else []
    return answered({"result": "FAIL" if problem else "OK", "diagnostics": diagnostics, "truncated": False})


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


def malformed(model: ServiceModel, action: str, data: Json) -> Response | None:
    """Return the error response for a request that breaks the API's own model, or None."""
    # What is wrong with the name and the input of an execution has errors of its own.
    own = ("name", "input") if action in {"StartExecution", "StartSyncExecution"} else ()
    checked = {key: value for key, value in data.items() if key not in own}
    if problems := api_model.problems(model.operation_model(action), checked):
        return refused("ValidationException", api_model.message(problems))
    for name in _ARNS:
        if not str(data.get(name, "arn:")).startswith("arn:"):
            return refused("InvalidArn", f"Invalid Arn: 'Invalid ARN prefix: {data[name]}'")
    return None


async def create_machine(data: Json, stock: Stock) -> Response:
    """A description of a version comes with the version."""
    if "versionDescription" in data and not data.get("publish"):
        return refused("ValidationException", "Version description can only be set when publish is true")
    return await stock(data)


async def listed(name: str, data: Json, stock: Stock) -> Response:
    """List in pages, which MiniStack does not."""
    status, headers, body = await stock({key: data[key] for key in data if key not in _PAGING})
    if status != _OK:
        return status, headers, body
    try:
        listing = page(name, json.loads(body)[name], data, refusal="InvalidToken")
    except ApiError as error:
        return refused(error.code, "Invalid Token: 'Invalid token'")
    return answered({key: value for key, value in listing.items() if value is not None})


def _misrouted(routing: list[Json]) -> str | None:
    versions = [route["stateMachineVersionArn"] for route in routing]
    weights = [route["weight"] for route in routing]
    shown = f"Received: [{', '.join(versions)}]"
    if not all(version.rpartition(":")[2].isdigit() for version in versions):
        return f"Routing configuration must contain state machine version ARNs. {shown}"
    if len(set(versions)) < len(versions):
        return f"Routing configuration must contain distinct state machine version ARNs. {shown}"
    if sum(weights) != _WHOLE:
        return f"Sum of routing configuration weights must equal 100. Received: {weights}"
    return None


async def create_alias(data: Json, stock: Stock) -> Response:
    """Creating an alias as it is answers with it (API reference, CreateStateMachineAlias: idempotent)."""
    routing = data["routingConfiguration"]
    if problem := _misrouted(routing):
        return refused("ValidationException", problem)
    machine = str(routing[0]["stateMachineVersionArn"]).rpartition(":")[0]
    alias = private.stepfunctions.state_machine_aliases.get(f"{machine}:{data.get('name')}")
    if alias and (alias["routingConfiguration"], alias.get("description", "")) == (
        routing,
        data.get("description", ""),
    ):
        return answered({key: alias[key] for key in ("stateMachineAliasArn", "creationDate")})
    return await stock(data)


_CHANGEABLE = ("definition", "roleArn", "loggingConfiguration", "tracingConfiguration")


async def update_machine(data: Json, stock: Stock) -> Response:
    """An update that changes nothing publishes no new version, and keeps the revision."""
    machine = private.stepfunctions.state_machines.get(data.get("stateMachineArn", ""))
    if machine is None:
        return await stock(data)
    if not any(data.get(key) for key in _CHANGEABLE):
        missing = "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration"
        return refused("MissingRequiredParameter", f"{missing} must be specified")
    if "versionDescription" in data and not data.get("publish"):
        return refused("ValidationException", "Version description can only be set when publish is true")
    if not data.get("publish"):
        status, headers, body = await stock(data)
        shown = {"revisionId": machine["revisionId"]} if status == _OK else {}
        return answered(json.loads(body) | shown, status) if shown else (status, headers, body)
    same = all(data[key] == machine.get(key) for key in _CHANGEABLE if key in data)
    newest = [
        (arn, version)
        for arn, version in private.stepfunctions.state_machine_versions.items()
        if version["stateMachineRevisionId"] == machine["revisionId"]
    ]
    if not same or not newest:
        return await stock(data)
    arn, version = newest[-1]
    answer = {"updateDate": version["creationDate"], "revisionId": machine["revisionId"]}
    return answered(answer | {"stateMachineVersionArn": arn})


async def describe_machine(data: Json, stock: Stock) -> Response:
    """Describe a machine without what only MiniStack keeps of it."""
    status, headers, body = await stock(data)
    if "tracing" not in (shown := json.loads(body)):
        return status, headers, body
    return answered({key: value for key, value in shown.items() if key != "tracing"})


_NAME = re.compile(r"[^\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]{1,80}")
_INPUT_LIMIT_BYTES = 262_144


def refusal(name: str, text: str) -> Response | None:
    """Return the error response for a name or an input that Step Functions does not take, or None."""
    if not _NAME.fullmatch(name):
        return refused("InvalidName", f"Invalid Name: '{name}'")
    if len(text.encode()) > _INPUT_LIMIT_BYTES:
        message = (
            "1 validation error detected: Value at 'input' failed to satisfy constraint:"
            f" Member must have length less than or equal to {_INPUT_LIMIT_BYTES}"
        )
        return refused("ValidationException", message)
    try:
        json.loads(text)
    except ValueError as error:
        message = f"Invalid State Machine Execution Input: '{error}'"
        return refused("InvalidExecutionInput", message)
    return None


def repeated(execution: Json, text: str) -> Response:
    """Answer a start by a name that is taken: the same while it runs on the same input, else refused."""
    if execution["status"] == "RUNNING" and execution["input"] == text:
        started = {"executionArn": execution["executionArn"], "startDate": execution["startDate"]}
        return answered(started)
    message = f"Execution Already Exists: '{execution['executionArn']}'"
    return refused("ExecutionAlreadyExists", message)


def no_execution(data: Json) -> Response:
    """Answer that there is no such execution."""
    message = f"Execution Does Not Exist: '{data.get('executionArn')}'"
    return refused("ExecutionDoesNotExist", message)


def stop(data: Json) -> Response:
    """Abort an execution; one that was aborted already is answered as the first time."""
    execution = private.stepfunctions.executions.get(data.get("executionArn"))
    if execution is None:
        return no_execution(data)
    if execution["status"] == "RUNNING":
        outcome = {"error": data.get("error"), "cause": data.get("cause")}
        records.finish(execution, "ABORTED", "ExecutionAborted", **outcome)
    elif execution["status"] != "ABORTED":
        return refused("ValidationException", "Execution is not running")
    return answered({"stopDate": execution["stopDate"]})


def redrive(data: Json, begin: Callable[[str], None]) -> Response:
    """Take an unsuccessful execution up again in the state it ended in, with its input and definition."""
    execution = private.stepfunctions.executions.get(data.get("executionArn"))
    if execution is None:
        return no_execution(data)
    if execution["status"] not in records.REDRIVABLE:
        message = f"Execution is {execution['status']} and cannot be redriven"
        return refused("ExecutionNotRedrivable", message)
    count, date = execution.get("redriveCount", 0) + 1, now_iso()
    execution.update(redriveCount=count, redriveDate=date, status="RUNNING", stopDate=None, output=None)
    execution.update(error=None, cause=None)
    details = {"executionRedrivenEventDetails": {"redriveCount": count}}
    records.add_event(execution, "ExecutionRedriven", details)
    records.announce(execution)
    begin(execution["executionArn"])
    return answered({"redriveDate": date})
