"""Step Functions as on AWS: our interpreter of workflows, and the calls that MiniStack answers otherwise."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Any

from ministack.services import stepfunctions

from embedded_aws.core import api_model
from embedded_aws.core import ministack_names as private
from embedded_aws.core.api import Json, NotEmulated
from embedded_aws.stepfunctions import api_checks, definition_checks, versions
from embedded_aws.stepfunctions.api_checks import Response, Stock, answered, refused

_OURS: dict[str, Callable[[Json], Response]] = {
    "DescribeStateMachineForExecution": versions.describe_machine_for_execution,
    "RedriveExecution": lambda data: api_checks.redrive(data, versions.begin),
    "StartExecution": versions.start_execution,
    "StopExecution": api_checks.stop,
    "ValidateStateMachineDefinition": api_checks.validated,
}
_MODEL = api_model.service_model("stepfunctions")
_AROUND: dict[str, Callable[[Json, Stock], Awaitable[Response]]] = {
    "CreateStateMachine": api_checks.create_machine,
    "CreateStateMachineAlias": api_checks.create_alias,
    "DeleteStateMachine": versions.delete_machine,
    "DescribeExecution": versions.describe_execution,
    "DescribeStateMachine": api_checks.describe_machine,
    "ListExecutions": versions.list_executions,
    "ListStateMachineAliases": partial(api_checks.listed, "stateMachineAliases"),
    "ListStateMachineVersions": partial(api_checks.listed, "stateMachineVersions"),
    "PublishStateMachineVersion": versions.publish,
    "UpdateStateMachine": api_checks.update_machine,
}
_REFUSED = ("CreateActivity", "GetActivityTask", "TestState")
_MOMENTS = ("creationDate", "redriveDate", "startDate", "stopDate", "timestamp", "updateDate")


def install() -> None:
    """Answer before MiniStack does; whoever starts executions inside of it starts ours."""
    stock = stepfunctions.handle_request
    definition_checks.install()
    private.stepfunctions.start_execution = versions.start_execution

    async def handle_request(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Any:
        action = headers.get("x-amz-target", "").rpartition(".")[2]

        async def asked(data: Json) -> Response:
            answer: Response = await stock(method, path, headers, json.dumps(data).encode(), query)
            return answer

        try:
            data = json.loads(body or b"{}")
        except ValueError:
            return await stock(method, path, headers, body, query)
        return await _answer(action, data, asked)

    stepfunctions.handle_request = handle_request


async def _answer(action: str, data: Json, stock: Stock) -> Response:
    if action in _REFUSED:
        unknown = NotEmulated(f"states:{action}")
        return refused(unknown.code, str(unknown))
    if action in _MODEL.operation_names and (refusal := api_checks.malformed(_MODEL, action, data)):
        return refusal
    if action in _OURS:
        return _with_moments(_OURS[action](data))
    if action == "StartSyncExecution":  # it runs the execution, which calls this endpoint
        return _with_moments(await asyncio.to_thread(versions.start_sync_execution, data))
    if action in _AROUND:
        return _with_moments(await _AROUND[action](data, stock))
    return await stock(data)


def _with_moments(response: Response) -> Response:
    """Write moments as Step Functions does: as seconds."""
    status, _, body = response
    return answered(_seconds(json.loads(body)), status)


def _seconds(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _seconds(member, key) for key, member in value.items()}
    if isinstance(value, list):
        return [_seconds(member) for member in value]
    return datetime.fromisoformat(value).timestamp() if name in _MOMENTS and isinstance(value, str) else value
