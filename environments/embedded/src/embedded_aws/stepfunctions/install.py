"""Step Functions as on AWS: our modules for it, and the calls that MiniStack does not know."""

from typing import Any

from ministack.services import stepfunctions

from embedded_aws.stepfunctions import (
    api_checks,
    definition_checks,
    executions,
    nested_executions,
    retries,
    tasks,
    versions,
)


def install() -> None:
    """Install every part, and route RedriveExecution."""
    for part in (api_checks, definition_checks, retries, tasks, executions, versions, nested_executions):
        part.install()
    stepfunctions._AWS_SDK_SERVICE_MAP["codepipeline"] = {
        "target_prefix": "CodePipeline_20150709",
        "protocol": "json",
        "param_case": "lower-camel",
    }
    stepfunctions._AWS_SDK_ERROR_PREFIX["codepipeline"] = "CodePipeline"
    # Tasks on AWS SDK integrations see the names of the Java SDK's classes.
    names = stepfunctions._AWS_SDK_ERROR_CODE_OVERRIDES.setdefault("sfn", {})
    names["ExecutionDoesNotExist"] = "ExecutionDoesNotExistException"
    stock = stepfunctions.handle_request

    async def handle_request(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Any:
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        if action == "RedriveExecution":
            data = stepfunctions.json.loads(body or b"{}")
            return stepfunctions._finalize_response(api_checks.redrive(data, versions.begin))
        return await stock(method, path, headers, body, query)

    stepfunctions.handle_request = handle_request
