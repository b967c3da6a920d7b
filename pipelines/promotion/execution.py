"""A promotion: one execution of a pipeline, followed from the commit that started it to its end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pipelines.core.waiting import wait_until
from pipelines.orders import smoke
from pipelines.promotion import control

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from pipelines.aws.accounts import Aws
    from pipelines.promotion.control import PendingApproval

ENDED: Final = {"Succeeded", "Failed", "Stopped", "Superseded", "Cancelled"}
WAITING: Final = "Waiting"
"""The status of a promotion that was left at an approval."""
_NOT_STARTED_SECONDS: Final = 60
_LONGEST_SECONDS: Final = 3600


@dataclass(frozen=True, slots=True)
class Step:
    """Something that an action of an execution did.

    Attributes:
        identifier: The action execution.
        stage: The stage.
        action: The action.
        status: InProgress, Succeeded, Failed or Abandoned.
        began: When it began.
        ended: When it last changed.
        message: Why it failed, or its summary.
        build: The CodeBuild build that it ran, if it did.
    """

    identifier: str
    stage: str
    action: str
    status: str
    began: datetime
    ended: datetime
    message: str
    build: str

    @property
    def seconds(self) -> float:
        """Return how long it has taken so far, in seconds."""
        return (self.ended - self.began).total_seconds()


@dataclass(slots=True)
class Promotion:
    """An execution that is followed.

    Attributes:
        which: The pipeline by the word that people use.
        pipeline: The pipeline's name.
        execution: The execution.
        commit: What it promotes; empty in a rollback.
        status: How it ended; nothing before it did.
        summary: Why it failed.
        steps: What its actions did, in order; filled in as it goes.
        conditions: What a stage waits for beside its actions, as its health alarm.
        evidence: The address of the evidence that an approver saw.
    """

    which: str
    pipeline: str
    execution: str
    commit: str = ""
    status: str = ""
    summary: str = ""
    steps: list[Step] = field(default_factory=list)
    conditions: dict[str, str] = field(default_factory=dict)
    evidence: str = ""

    def seconds(self) -> dict[str, float]:
        """Return how long each stage took in seconds, from its first action's start to its last one's end."""
        stages: dict[str, list[Step]] = {}
        for step in self.steps:
            stages.setdefault(step.stage, []).append(step)
        return {
            stage: (max(step.ended for step in steps) - min(step.began for step in steps)).total_seconds()
            for stage, steps in stages.items()
        }


def started_by(tools: Aws, pipeline: str, commit: str) -> str:
    """Return the execution that a push of a commit started.

    Raises:
        TimedOut: It started none in a minute.
    """

    def started() -> str | None:
        for run in control.executions(tools, pipeline):
            revisions = [revision["revisionId"] for revision in run.get("sourceRevisions", [])]
            if commit in revisions or commit in run.get("trigger", {}).get("triggerDetail", ""):
                return str(run["pipelineExecutionId"])
        return None

    return wait_until(
        started,
        seconds=_NOT_STARTED_SECONDS,
        every=tools.poll_seconds,
        what=f"the push of {commit[:12]} to start {pipeline}",
        hint="Is the connection registered?",
    )


def follow(
    tools: Aws,
    promotion: Promotion,
    watch: Callable[[Promotion], None],
    decide: Callable[[PendingApproval], tuple[bool, str] | None],
    *,
    seconds: float = _LONGEST_SECONDS,
) -> None:
    """Follow an execution until it ends, or until an approval is left to somebody else.

    Args:
        tools: The tools account.
        promotion: What is followed; filled in as it goes.
        watch: Called with it after every refresh, whether or not anything changed.
        decide: Called at each approval: yes or no with the reason, or None to leave it to somebody else.
        seconds: How long to follow it at most.

    Raises:
        TimedOut: It does not end in that time.
    """

    def ended_or_left() -> bool:
        ended = _refresh(tools, promotion)
        watch(promotion)
        if ended:
            return True
        for question in control.pending_approvals(tools, promotion.pipeline, promotion.execution):
            promotion.evidence = question.link
            answer = decide(question)
            if answer is None:
                promotion.status = WAITING
                return True
            control.answer(tools, promotion.pipeline, question, yes=answer[0], summary=answer[1])
        return False

    wait_until(
        ended_or_left,
        seconds=seconds,
        every=tools.poll_seconds * 2,
        what=f"{promotion.execution} of {promotion.pipeline} to end",
    )


def stop_what_began(tools: Aws, pipeline: str) -> None:
    """Stop the execution that every new pipeline begins by itself, before there is anything to promote."""
    for execution in control.executions(tools, pipeline):
        if execution["status"] not in ENDED:
            tools.client("codepipeline").stop_pipeline_execution(
                pipelineName=pipeline, pipelineExecutionId=execution["pipelineExecutionId"], abandon=True
            )


def _refresh(tools: Aws, promotion: Promotion) -> bool:
    """Read what happened and return whether it ended; the status comes first, so that no step is missed."""
    client = tools.client("codepipeline")
    which = {"pipelineName": promotion.pipeline, "pipelineExecutionId": promotion.execution}
    described = client.get_pipeline_execution(**which)["pipelineExecution"]
    promotion.status, promotion.summary = described["status"], described.get("statusSummary", "")
    promotion.steps = pipeline_steps(tools, promotion.pipeline, promotion.execution)
    promotion.conditions = _conditions(tools, promotion)
    return promotion.status in ENDED


def pipeline_steps(tools: Aws, pipeline: str, execution: str) -> list[Step]:
    """Return what the actions of an execution did, in the order that they began."""
    details = tools.client("codepipeline").list_action_executions(
        pipelineName=pipeline, filter={"pipelineExecutionId": execution}
    )["actionExecutionDetails"]
    return [_step(detail) for detail in reversed(details)]


def _step(detail: dict[str, Any]) -> Step:
    result = detail.get("output", {}).get("executionResult", {})
    message = result.get("errorDetails", {}).get("message") or result.get("externalExecutionSummary") or ""
    is_build = detail["input"]["actionTypeId"]["provider"] == "CodeBuild"
    return Step(
        detail["actionExecutionId"],
        detail["stageName"],
        detail["actionName"],
        detail["status"],
        detail["startTime"],
        detail["lastUpdateTime"],
        smoke.readable(message),
        result.get("externalExecutionId", "") if is_build else "",
    )


def _conditions(tools: Aws, promotion: Promotion) -> dict[str, str]:
    """Return the rules that stages of this execution wait for, by stage."""
    waiting = {}
    for stage in control.state(tools, promotion.pipeline):
        if stage.get("latestExecution", {}).get("pipelineExecutionId") != promotion.execution:
            continue
        for kind in ("beforeEntry", "onSuccess"):
            state = stage.get(f"{kind}ConditionState", {})
            if state.get("latestExecution", {}).get("status") == "InProgress":
                rules = [
                    rule["ruleName"]
                    for condition in state["conditionStates"]
                    for rule in condition["ruleStates"]
                ]
                waiting[stage["stageName"]] = ", ".join(rules)
    return waiting
