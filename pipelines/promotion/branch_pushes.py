"""The push that an execution of the branch pipeline was started by.

Source: CodePipeline API reference, ListActionExecutions.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from pipelines.definitions.artifacts import SOURCE
from pipelines.definitions.configuration_file import Push

if TYPE_CHECKING:
    from pipelines.aws.accounts import Aws

_CHECKOUT: Final = "Checkout"


def push_of(tools: Aws, pipeline: str, execution: str, branch: str) -> Push:
    """Return who pushed which commit, from the source action of an execution."""
    variables = _source_variables(tools, pipeline, execution)
    owner = variables.get("AuthorDisplayName") or variables.get("AuthorId") or "unknown"
    return Push(branch, owner, variables.get("CommitId", "unknown"), datetime.now(UTC))


def _source_variables(tools: Aws, pipeline: str, execution: str) -> dict[str, str]:
    pages = (
        tools.client("codepipeline")
        .get_paginator("list_action_executions")
        .paginate(pipelineName=pipeline, filter={"pipelineExecutionId": execution})
    )
    for detail in (detail for page in pages for detail in page["actionExecutionDetails"]):
        if (detail["stageName"], detail["actionName"]) == (SOURCE, _CHECKOUT):
            variables: dict[str, str] = detail.get("output", {}).get("outputVariables", {})
            return variables
    return {}
