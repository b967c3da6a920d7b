"""What people do with the pipelines: start, inspect, approve, reject, retry and roll back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pipelines.aws import stacks
from pipelines.aws.accounts import PIPELINES_STACK
from pipelines.core.refusals import Refused
from pipelines.promotion.pipeline_outputs import OUTPUTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.aws.accounts import Aws

LONGEST_SUMMARY: Final = 512
"""Characters of an answer's summary (API reference, ApprovalResult)."""


@dataclass(frozen=True, slots=True)
class PendingApproval:
    """An approval that waits for an answer.

    Attributes:
        stage: The stage it is in.
        action: The action that asks.
        token: What an answer must hold.
        execution: The execution that waits.
        summary: What is decided, in a few lines.
        link: The address of the evidence.
    """

    stage: str
    action: str
    token: str
    execution: str
    summary: str
    link: str


def name_of(tools: Aws, which: str, stack: str = PIPELINES_STACK) -> str:
    """Return the physical name of a pipeline.

    Raises:
        Refused: The pipelines are not deployed.
    """
    if stacks.status(tools, stack) is None:
        raise Refused(
            f"There is no stack {stack} in {tools.environment.account}.", "payments pipeline deploy"
        )
    return stacks.outputs(tools, stack)[OUTPUTS[which]]


def start(tools: Aws, pipeline: str) -> str:
    """Start an execution with the head of its branch and return its id."""
    return str(tools.client("codepipeline").start_pipeline_execution(name=pipeline)["pipelineExecutionId"])


def state(tools: Aws, pipeline: str) -> list[dict[str, Any]]:
    """Return the states of a pipeline's stages, as GetPipelineState answers them."""
    stage_states: list[dict[str, Any]] = tools.client("codepipeline").get_pipeline_state(name=pipeline)[
        "stageStates"
    ]
    return stage_states


def stages(tools: Aws, pipeline: str) -> list[str]:
    """Return the names of a pipeline's stages, in order."""
    return [stage["stageName"] for stage in state(tools, pipeline)]


def executions(tools: Aws, pipeline: str, most: int = 10) -> list[dict[str, Any]]:
    """Return a pipeline's last executions, newest first, as ListPipelineExecutions answers them."""
    summaries: list[dict[str, Any]] = tools.client("codepipeline").list_pipeline_executions(
        pipelineName=pipeline, maxResults=most
    )["pipelineExecutionSummaries"]
    return summaries


def pending_approvals(tools: Aws, pipeline: str, execution: str = "") -> list[PendingApproval]:
    """Return the approvals that can be answered: of one execution, or of all."""
    return list(_pending_approvals(tools, pipeline, {"pipelineExecutionId": execution} if execution else {}))


def answer(tools: Aws, pipeline: str, question: PendingApproval, *, yes: bool, summary: str) -> None:
    """Approve or reject what waits.

    Args:
        tools: The tools account.
        pipeline: The pipeline that waits.
        question: The approval.
        yes: Whether to go on.
        summary: Why; at most 512 characters (API reference, ApprovalResult).

    Raises:
        Refused: The summary is empty or too long; what was cut off might have been the reason.
    """
    if not 0 < len(summary) <= LONGEST_SUMMARY:
        raise Refused(f"A summary has 1 to {LONGEST_SUMMARY} characters, and this one has {len(summary)}.")
    tools.client("codepipeline").put_approval_result(
        pipelineName=pipeline,
        stageName=question.stage,
        actionName=question.action,
        token=question.token,
        result={"status": "Approved" if yes else "Rejected", "summary": summary},
    )


def retry(tools: Aws, pipeline: str, stage: str | None = None, *, whole: bool = False) -> tuple[str, str]:
    """Run a failed stage again, in the execution that failed there.

    Args:
        tools: The tools account.
        pipeline: The pipeline.
        stage: The stage; by default the one that failed.
        whole: Whether to repeat the whole stage instead of the actions that failed.

    Returns:
        The stage and the execution.

    Raises:
        Refused: No stage failed, several did and none is named, or the named one did not.
    """
    failed = {
        stage_state["stageName"]: stage_state["latestExecution"]["pipelineExecutionId"]
        for stage_state in state(tools, pipeline)
        if stage_state.get("latestExecution", {}).get("status") == "Failed"
    }
    wanted = [name for name in failed if stage in {None, name}]
    if not wanted:
        reason = (
            f"The stage {stage} of {pipeline} has not failed" if stage else f"Nothing in {pipeline} failed"
        )
        raise Refused(f"{reason}, so there is nothing to retry.")
    if len(wanted) > 1:
        raise Refused(f"Several stages have failed: {', '.join(wanted)}.", "Say which with --stage.")
    tools.client("codepipeline").retry_stage_execution(
        pipelineName=pipeline,
        stageName=wanted[0],
        pipelineExecutionId=failed[wanted[0]],
        retryMode="ALL_ACTIONS" if whole else "FAILED_ACTIONS",
    )
    return wanted[0], failed[wanted[0]]


def override_window(tools: Aws, pipeline: str, stage: str = "Verify") -> str:
    """Let the release that waits for its deployment window go on, and return its execution.

    Raises:
        Refused: None waits for it.
    """
    now = next((candidate for candidate in state(tools, pipeline) if candidate["stageName"] == stage), {})
    condition = now.get("beforeEntryConditionState", {}).get("latestExecution", {})
    if condition.get("status") != "InProgress":
        raise Refused(
            f"No release of {pipeline} waits for its deployment window.", "payments pipeline status"
        )
    execution = str(now["latestExecution"]["pipelineExecutionId"])
    tools.client("codepipeline").override_stage_condition(
        pipelineName=pipeline,
        stageName=stage,
        pipelineExecutionId=execution,
        conditionType="BEFORE_ENTRY",
    )
    return execution


def rollback(tools: Aws, pipeline: str, stage: str, to: str | None = None) -> str:
    """Take a stage back to an earlier execution that succeeded there, and return the new execution.

    Args:
        tools: The tools account.
        pipeline: The pipeline.
        stage: The stage.
        to: The execution to go back to; by default the last that succeeded before the present one.

    Raises:
        Refused: There is none to go back to.
    """
    target = to or _before_the_present(tools, pipeline, stage)
    done = tools.client("codepipeline").rollback_stage(
        pipelineName=pipeline, stageName=stage, targetPipelineExecutionId=target
    )
    return str(done["pipelineExecutionId"])


def _before_the_present(tools: Aws, pipeline: str, stage: str) -> str:
    succeeded = tools.client("codepipeline").list_pipeline_executions(
        pipelineName=pipeline, filter={"succeededInStage": {"stageName": stage}}
    )["pipelineExecutionSummaries"]
    now = next((candidate for candidate in state(tools, pipeline) if candidate["stageName"] == stage), None)
    if now is None:
        raise Refused(f"{pipeline} has no stage {stage}.")
    present = now.get("latestExecution", {}).get("pipelineExecutionId")
    earlier = [candidate for candidate in succeeded if candidate["pipelineExecutionId"] != present]
    if not earlier:
        raise Refused(f"No earlier execution succeeded in {stage}; there is nothing to go back to.")
    return str(earlier[0]["pipelineExecutionId"])


def _pending_approvals(tools: Aws, pipeline: str, which: dict[str, str]) -> Iterator[PendingApproval]:
    pages = tools.client("codepipeline").get_paginator("list_action_executions")
    for page in pages.paginate(pipelineName=pipeline, filter=which):
        for action in page["actionExecutionDetails"]:
            kind = action["input"]["actionTypeId"]["category"]
            if kind != "Approval" or action["status"] != "InProgress":
                continue
            # An action is in progress a moment before it has its token, and cannot be answered yet.
            if token := _token(tools, pipeline, action):
                yield _pending_approval(action, token)


def _pending_approval(action: dict[str, Any], token: str) -> PendingApproval:
    configuration = action["input"].get("resolvedConfiguration") or action["input"].get("configuration", {})
    return PendingApproval(
        action["stageName"],
        action["actionName"],
        token,
        action["pipelineExecutionId"],
        configuration.get("CustomData", ""),
        configuration.get("ExternalEntityLink", ""),
    )


def _token(tools: Aws, pipeline: str, asked: dict[str, Any]) -> str:
    """The token is in the pipeline's state; in PARALLEL mode it is the action's external execution id.

    Source: API reference, PutApprovalResult.
    """
    for stage in state(tools, pipeline):
        for action in stage["actionStates"]:
            named = (stage["stageName"], action["actionName"]) == (asked["stageName"], asked["actionName"])
            token = action.get("latestExecution", {}).get("token")
            if named and token:
                return str(token)
    return str(asked["output"]["executionResult"].get("externalExecutionId", ""))
