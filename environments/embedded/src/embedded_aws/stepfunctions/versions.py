"""Executions run what they were started with: a version's definition and role, through an alias or not.

MiniStack has the calls for versions and aliases, but runs the newest definition whatever was named.
https://docs.aws.amazon.com/step-functions/latest/dg/concepts-cd-aliasing-versioning.html
"""

import contextvars
import json
import random
import threading

from ministack.core.responses import new_uuid

from embedded_aws.core import ministack_names as private
from embedded_aws.core.api import Json
from embedded_aws.stepfunctions import api_checks, executions, records
from embedded_aws.stepfunctions.api_checks import Response, Stock, answered, refused

_PINNED = ("stateMachineVersionArn", "stateMachineAliasArn", "redriveCount", "redriveDate")
_LISTED = ("stateMachineVersionArn", "stateMachineAliasArn", "redriveCount")
_LISTED_AT_ONCE, _MOST_LISTED = 100, 1000
"""https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html."""
_OK = 200
_naming = threading.Lock()  # two starts by one name make one execution


def start_execution(data: Json) -> Response:
    """Start an execution of a state machine, a version or an alias; an error is one that is documented."""
    machine, pinned = _pin(data.get("stateMachineArn", ""))
    if machine is None:
        message = f"State Machine Does Not Exist: '{data.get('stateMachineArn')}'"
        return refused("StateMachineDoesNotExist", message)
    name, text = data.get("name") or new_uuid(), data.get("input", "{}")
    if refusal := api_checks.refusal(name, text):
        return refusal
    execution = _made(machine, pinned, name, text)
    arn = execution["executionArn"]
    with _naming:
        if existing := private.stepfunctions.executions.get(arn):
            return api_checks.repeated(existing, text)
        private.stepfunctions.executions[arn] = execution
    records.announce(execution)
    begin(arn)
    return answered({"executionArn": arn, "startDate": execution["startDate"]})


def start_sync_execution(data: Json) -> Response:
    """Run an execution of an express machine, and answer with what became of it."""
    machine, pinned = _pin(data.get("stateMachineArn", ""))
    if machine is None:
        message = f"State Machine Does Not Exist: '{data.get('stateMachineArn')}'"
        return refused("StateMachineDoesNotExist", message)
    if machine.get("type", "STANDARD") == "STANDARD":
        message = "This operation is not supported by this type of state machine"
        return refused("StateMachineTypeNotSupported", message)
    name, text = data.get("name") or new_uuid(), data.get("input", "{}")
    if refusal := api_checks.refusal(name, text):
        return refusal
    execution = _made(machine, pinned, name, text) | {"sync": True}
    private.stepfunctions.executions[execution["executionArn"]] = execution
    executions.run(execution["executionArn"])
    shown = ("executionArn", "stateMachineArn", "name", "startDate", "stopDate", "status", "input", "output")
    answer = {key: execution[key] for key in (*shown, "error", "cause") if execution.get(key) is not None}
    return answered(answer | {f"{key}Details": {"included": True} for key in ("input", "output")})


def _made(machine: Json, pinned: Json, name: str, text: str) -> Json:
    """Make the record of an execution, with the first event of its history."""
    arn = f"{machine['stateMachineArn'].replace(':stateMachine:', ':execution:')}:{name}"
    started = {"input": text, "roleArn": pinned["roleArn"]}
    started |= {
        key: pinned[key] for key in ("stateMachineAliasArn", "stateMachineVersionArn") if key in pinned
    }
    execution = records.record(arn, machine["stateMachineArn"], name, text) | pinned
    records.add_event(execution, "ExecutionStarted", {"executionStartedEventDetails": started})
    return execution


async def list_executions(data: Json, stock: Stock) -> Response:
    """List the executions that were started through an alias, or that run a version, when it is named."""
    arn = data.get("stateMachineArn", "")
    key, source = "", ""
    if alias := private.stepfunctions.state_machine_aliases.get(arn):
        key, source = "stateMachineAliasArn", alias["routingConfiguration"][0]["stateMachineVersionArn"]
    elif arn in private.stepfunctions.state_machine_versions:
        key, source = "stateMachineVersionArn", arn
    elif arn and arn not in private.stepfunctions.state_machines:
        return refused("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")
    if source:
        machine = private.stepfunctions.state_machine_versions[source]["stateMachineArn"]
        data = {**data, "stateMachineArn": machine}
    if not key:
        status, headers, body = await stock(data)
        if status != _OK:
            return status, headers, body
        page = json.loads(body)
        return answered(page | {"executions": [_listed(each) for each in page["executions"]]})
    return await _list_those_of(key, arn, data, stock)


async def _list_those_of(key: str, arn: str, data: Json, stock: Stock) -> Response:
    """List those of an alias or a version: of all executions of the machine, so that no page is short."""
    token = str(data.get("nextToken") or 0)
    if not token.isdecimal():
        return refused("InvalidToken", f"Invalid Token: '{token}'")
    listed: list[Json] = []
    asked = {**data, "maxResults": _MOST_LISTED, "nextToken": None}
    while True:
        status, headers, body = await stock({name: value for name, value in asked.items() if value})
        if status != _OK:
            return status, headers, body
        page = json.loads(body)
        listed += [
            _listed(each)
            for each in page["executions"]
            if private.stepfunctions.executions[each["executionArn"]].get(key) == arn
        ]
        asked["nextToken"] = page.get("nextToken")
        if not asked["nextToken"]:
            break
    end = int(token) + (data.get("maxResults") or _LISTED_AT_ONCE)
    rest = {"nextToken": str(end)} if end < len(listed) else {}
    return answered({"executions": listed[int(token) : end], **rest})


def _listed(each: Json) -> Json:
    record = private.stepfunctions.executions[each["executionArn"]]
    return each | {name: record[name] for name in _LISTED if name in record}


def begin(arn: str) -> None:
    """Run an execution in a thread of its own, in this request's account and region."""
    run = contextvars.copy_context().run
    threading.Thread(target=run, args=(executions.run, arn), daemon=True).start()


def _pin(arn: str) -> tuple[Json | None, Json]:
    """Resolve what an execution runs; an alias picks one of its versions by weight."""
    pinned = {}
    if alias := private.stepfunctions.state_machine_aliases.get(arn):
        routes = alias["routingConfiguration"]
        [route] = random.choices(routes, weights=[route["weight"] for route in routes])  # noqa: S311 - no secret
        pinned["stateMachineAliasArn"], arn = arn, route["stateMachineVersionArn"]
    source = private.stepfunctions.state_machines.get(arn)
    if version := private.stepfunctions.state_machine_versions.get(arn):
        source = version
        pinned["stateMachineVersionArn"] = arn
    if source is None:
        return None, {}
    pinned |= {"definition": source["definition"], "roleArn": source["roleArn"]}
    return private.stepfunctions.state_machines.get(source["stateMachineArn"]), pinned


async def describe_execution(data: Json, stock: Stock) -> Response:
    """Describe an execution with its version and its redrives; a failed one has no output."""
    status, headers, body = await stock(data)
    if status != _OK:
        return status, headers, body
    execution = private.stepfunctions.executions[data["executionArn"]]
    shown = json.loads(body) | {key: execution[key] for key in _PINNED if execution.get(key) is not None}
    if execution["status"] != "SUCCEEDED":
        shown.pop("output", None)
    redrivable = execution["status"] in records.REDRIVABLE
    shown["redriveStatus"] = "REDRIVABLE" if redrivable else "NOT_REDRIVABLE"
    return answered(shown)


def describe_machine_for_execution(data: Json) -> Response:
    """Describe the machine as an execution runs it."""
    execution = private.stepfunctions.executions.get(data.get("executionArn"))
    if execution is None:
        return api_checks.no_execution(data)
    arn = execution["stateMachineArn"]
    return answered(
        {
            "stateMachineArn": execution.get("stateMachineVersionArn", arn),
            "name": arn.rsplit(":", 1)[-1],
            "definition": execution["definition"],
            "roleArn": execution["roleArn"],
            "updateDate": execution["startDate"],
        }
    )


async def publish(data: Json, stock: Stock) -> Response:
    """Publishing the same revision again gives the version there is, says PublishStateMachineVersion."""
    machine = private.stepfunctions.state_machines.get(data.get("stateMachineArn"))
    revision = machine and machine["revisionId"]
    if machine and data.get("revisionId") in (None, revision):
        for arn, version in private.stepfunctions.state_machine_versions.items():
            ours = version["stateMachineArn"] == machine["stateMachineArn"]
            if ours and version["stateMachineRevisionId"] == revision:
                created = {"stateMachineVersionArn": arn, "creationDate": version["creationDate"]}
                return answered(created)
    return await stock(data)


async def delete_machine(data: Json, stock: Stock) -> Response:
    """Deleting a state machine deletes its versions and aliases (API reference, DeleteStateMachine)."""
    forget(arn := data["stateMachineArn"])
    # There may be none: deleting it is idempotent.
    return await stock(data) if arn in private.stepfunctions.state_machines else answered({})


def forget(machine: str) -> None:
    """Remove the versions, aliases and executions of a state machine that is deleted.

    A stack's machine gets its old name back when the stack is made again, unlike on AWS; executions of the
    first one would then hold the names of the second one's.
    """
    for store in (private.stepfunctions.state_machine_versions, private.stepfunctions.state_machine_aliases):
        for arn in [arn for arn in store if arn.rsplit(":", 1)[0] == machine]:
            store.pop(arn, None)
    for arn in [
        arn for arn, run in private.stepfunctions.executions.items() if run["stateMachineArn"] == machine
    ]:
        private.stepfunctions.executions.pop(arn, None)
