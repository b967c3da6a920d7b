"""Step Functions as on AWS: our modules for it, and the calls that MiniStack does not know."""

from typing import Any

from ministack.services import stepfunctions

from embedded_aws.plugins import (
    states_definition,
    states_engine,
    states_nested,
    states_retry,
    states_start,
    states_task,
    states_versions,
)


def install() -> None:
    """Install every part, and route RedriveExecution."""
    for part in (states_definition, states_retry, states_task, states_engine, states_versions, states_nested):
        part.install()
    # Tasks on AWS SDK integrations see the names of the Java SDK's classes.
    names = stepfunctions._AWS_SDK_ERROR_CODE_OVERRIDES.setdefault("sfn", {})
    names["ExecutionDoesNotExist"] = "ExecutionDoesNotExistException"
    stock = stepfunctions.handle_request

    async def handle_request(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Any:
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        if action == "RedriveExecution":
            data = stepfunctions.json.loads(body or b"{}")
            return stepfunctions._finalize_response(states_start.redrive(data, states_versions.begin))
        return await stock(method, path, headers, body, query)

    stepfunctions.handle_request = handle_request
