"""The executions of the branch pipeline: which push started one, and whose turn it is.

The pipeline runs its executions side by side, so that two branches never wait for each other. Two pushes to
one branch do: the earlier finishes its deployment, and only the latest of those that wait goes on.

Source: CodePipeline API reference, ListPipelineExecutions and ListActionExecutions.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from pipelines.core.refusals import Refused
from pipelines.core.reporting import NOBODY, Reporter
from pipelines.core.waiting import wait_until
from pipelines.definitions.artifacts import SOURCE
from pipelines.definitions.configuration_file import Push

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipelines.aws.accounts import Aws

_CHECKOUT: Final = "Checkout"
_LONGEST_SECONDS: Final = 1500
"""Less than the build's own time-out, so that waiting in vain ends with a reason."""


class Overtaken(Refused):
    """A later push to the same branch makes this one pointless."""


@dataclass(frozen=True, slots=True, order=True)
class QueuedExecution:
    """One execution that is under way; they are ordered by when they began."""

    started: datetime
    identifier: str


def await_turn(tools: Aws, pipeline: str, execution: str, branch: str, reporter: Reporter = NOBODY) -> None:
    """Wait until no earlier push to the branch deploys any more.

    Args:
        tools: The tools account.
        pipeline: The branch pipeline.
        execution: The execution whose turn it should be.
        branch: The branch, as git calls it.
        reporter: Shown what it waits for.

    Raises:
        Overtaken: A later push came.
        Refused: An earlier one does not end.
    """
    branches: dict[str, str] = {execution: branch}

    def first_in_queue() -> bool:
        rivals = [
            rival
            for rival in _under_way(tools, pipeline)
            if _branch(tools, pipeline, rival, branches) == branch
        ]
        own = next((rival for rival in rivals if rival.identifier == execution), None)
        if own is None:
            raise Refused(f"Execution {execution} of {pipeline} is not under way any more.")
        if rivals[-1] != own:
            raise Overtaken(
                f"A later push to this branch overtook this one: execution {rivals[-1].identifier}."
            )
        if rivals[0] == own:
            return True
        reporter.passing(f"waiting for execution {rivals[0].identifier} of the same branch")
        return False

    wait_until(
        first_in_queue,
        seconds=_LONGEST_SECONDS,
        every=tools.poll_seconds,
        what="an earlier execution of the same branch to end",
        hint="Stop it.",
    )


def push_of(tools: Aws, pipeline: str, execution: str, branch: str) -> Push:
    """Return who pushed which commit, from the source action of an execution."""
    variables = _source_variables(tools, pipeline, execution)
    owner = variables.get("AuthorDisplayName") or variables.get("AuthorId") or "unknown"
    return Push(branch, owner, variables.get("CommitId", "unknown"), datetime.now(UTC))


def _under_way(tools: Aws, pipeline: str) -> list[QueuedExecution]:
    summaries = _pages(tools, "list_pipeline_executions", "pipelineExecutionSummaries", pipelineName=pipeline)
    return sorted(
        QueuedExecution(summary["startTime"], summary["pipelineExecutionId"])
        for summary in summaries
        if summary["status"] == "InProgress"
    )


def _branch(tools: Aws, pipeline: str, execution: QueuedExecution, branches: dict[str, str]) -> str | None:
    """Return the branch of an execution; None before its source action has ended."""
    if execution.identifier not in branches:
        name = _source_variables(tools, pipeline, execution.identifier).get("BranchName")
        if name is None:
            return None
        branches[execution.identifier] = name
    return branches[execution.identifier]


def _source_variables(tools: Aws, pipeline: str, execution: str) -> dict[str, str]:
    which = {"pipelineExecutionId": execution}
    details = _pages(
        tools, "list_action_executions", "actionExecutionDetails", pipelineName=pipeline, filter=which
    )
    for detail in details:
        if (detail["stageName"], detail["actionName"]) == (SOURCE, _CHECKOUT):
            variables: dict[str, str] = detail.get("output", {}).get("outputVariables", {})
            return variables
    return {}


def _pages(tools: Aws, operation: str, key: str, **arguments: Any) -> Iterable[dict[str, Any]]:
    pages = tools.client("codepipeline").get_paginator(operation).paginate(**arguments)
    return [item for page in pages for item in page[key]]
