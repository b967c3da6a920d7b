"""Branch stacks: owners, ages, last smoke results and pushes, and which have expired.

Source: CodePipeline API reference, ListActionExecutions, for the push behind an execution.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from pipelines.core import branch_names
from pipelines.core.refusals import Refused
from pipelines.definitions.artifacts import SOURCE
from pipelines.definitions.branch_pipelines import VARIABLE
from pipelines.definitions.configuration_file import Push

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipelines.aws.accounts import Aws

_SMOKE = "SmokeWorkflowArn"
_LONGEST_LINE = 160
_ENDED = {"Succeeded", "Failed", "Stopped", "Superseded", "Cancelled"}
_CHECKOUT: Final = "Checkout"


@dataclass(frozen=True, slots=True)
class BranchStack:
    """A branch's stack, read from its tags.

    Attributes:
        stack: Its name.
        branch: The branch; what a tag cannot hold is `_` in it.
        owner: Who pushed last.
        commit: What was pushed last.
        pushed: When, or when the stack was made where no tag says it.
        status: The stack's state.
        last_smoke: How the last smoke execution ended; nothing when there was none.
    """

    stack: str
    branch: str
    owner: str
    commit: str
    pushed: datetime
    status: str
    last_smoke: str

    @property
    def nameable(self) -> bool:
        """Return whether the tag holds the branch's exact name, so that the stack can be found by it."""
        return bool(self.branch) and branch_names.stack_name(self.branch) == self.stack


def listed(aws: Aws) -> list[BranchStack]:
    """Return the branch stacks of an account, the longest without a push first."""
    pages = aws.cloudformation.get_paginator("describe_stacks").paginate()
    stacks: list[dict[str, Any]] = [dict(stack) for page in pages for stack in page["Stacks"]]
    found_stacks = [
        _branch_stack(aws, stack) for stack in stacks if stack["StackName"].startswith(branch_names.PREFIX)
    ]
    return sorted((stack for stack in found_stacks if stack is not None), key=lambda stack: stack.pushed)


def expired(stacks: Iterable[BranchStack], days: int, now: datetime | None = None) -> list[BranchStack]:
    """Return the stacks whose last push is more than so many days old."""
    before = (now or datetime.now(UTC)) - timedelta(days=days)
    return [stack for stack in stacks if stack.pushed < before]


def propose_removal(tools: Aws, pipeline: str, branch: str) -> str:
    """Start the removal of a branch's stack; its pipeline waits for approval before it deletes anything.

    Returns:
        The execution.

    Raises:
        Refused: A removal of this very stack is under way.
    """
    codepipeline = tools.client("codepipeline")
    for execution in _under_way(codepipeline, pipeline):
        described = codepipeline.get_pipeline_execution(pipelineName=pipeline, pipelineExecutionId=execution)
        variables = described["pipelineExecution"].get("variables", [])
        if {"name": VARIABLE, "resolvedValue": branch} in variables:
            raise Refused(f"The removal of {branch_names.stack_name(branch)} is under way: {execution}.")
    started = codepipeline.start_pipeline_execution(
        name=pipeline, variables=[{"name": VARIABLE, "value": branch}]
    )
    return str(started["pipelineExecutionId"])


def removal_summary(stack: BranchStack, now: datetime | None = None) -> str:
    """Return what an approver of the stack's removal should know, in a few lines."""
    age = (now or datetime.now(UTC)) - stack.pushed
    # A tag holds up to 256 characters, and an approval 1000 in all (CodePipeline quotas, CustomData).
    return "\n".join(
        line[:_LONGEST_LINE]
        for line in [
            f"Stack {stack.stack} ({stack.status})",
            f"Branch: {stack.branch or 'not known'}",
            f"Last push: {stack.pushed:%Y-%m-%d %H:%M}, {age.days} days ago, by {stack.owner or 'unknown'}",
            f"Commit: {stack.commit or 'not known'}",
            f"Last smoke: {stack.last_smoke or 'never ran'}",
            "Its database stays, and so does the network that it shares.",
        ]
    )


def _under_way(codepipeline: Any, pipeline: str) -> Iterator[str]:
    pages = codepipeline.get_paginator("list_pipeline_executions").paginate(pipelineName=pipeline)
    for page in pages:
        for summary in page["pipelineExecutionSummaries"]:
            if summary["status"] not in _ENDED:
                yield summary["pipelineExecutionId"]


def _branch_stack(aws: Aws, stack: dict[str, Any]) -> BranchStack | None:
    tags = {tag["Key"]: tag["Value"] for tag in stack.get("Tags", [])}
    if tags.get("environment") != "branch" or stack["StackStatus"] == "DELETE_COMPLETE":
        return None
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    pushed = tags.get("pushed-at")
    return BranchStack(
        stack["StackName"],
        tags.get("branch", ""),
        tags.get("owner", ""),
        tags.get("commit", ""),
        datetime.fromisoformat(pushed) if pushed else stack["CreationTime"],
        stack["StackStatus"],
        _last_smoke(aws, outputs.get(_SMOKE)),
    )


def _last_smoke(aws: Aws, machine: str | None) -> str:
    if machine is None:
        return ""
    runs = aws.stepfunctions.list_executions(stateMachineArn=machine, maxResults=1)["executions"]
    return f"{runs[0]['status']} {runs[0]['startDate']:%Y-%m-%d %H:%M}" if runs else ""


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
