"""What the pipelines know of an environment: the release that is there, and what waits for an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipelines.promotion import control
from pipelines.status.dora.deployments import STAGES

if TYPE_CHECKING:
    from pipelines.aws.accounts import Aws
    from pipelines.promotion.control import PendingApproval

_ASKING: Final = {"branch": ["remove-branch"], "staging": ["release"], "prod": ["release"]}
"""The pipelines that ask about each environment."""


@dataclass(frozen=True, slots=True)
class Release:
    """What the release pipeline last did to an environment.

    Attributes:
        execution: The execution.
        commit: The commit that it took.
        status: How the stage went.
        rollback: Whether it took the environment back to an earlier release.
    """

    execution: str
    commit: str
    status: str
    rollback: bool


@dataclass(frozen=True, slots=True)
class Gate:
    """An approval that waits.

    Attributes:
        pipeline: The pipeline, by the word that people use.
        stage: The stage that asks.
        execution: The execution that waits.
        link: The address of the evidence.
    """

    pipeline: str
    stage: str
    execution: str
    link: str


def release(tools: Aws, environment: str) -> Release | None:
    """Return the last release to an environment, if the release pipeline has reached it.

    Raises:
        Refused: The pipelines are not deployed.
    """
    if environment not in STAGES:
        return None
    pipeline = control.name_of(tools, "release")
    stage = next(s for s in control.state(tools, pipeline) if s["stageName"] == STAGES[environment])
    last = stage.get("latestExecution")
    if not last:
        return None
    execution = tools.client("codepipeline").get_pipeline_execution(
        pipelineName=pipeline, pipelineExecutionId=last["pipelineExecutionId"]
    )["pipelineExecution"]
    commit = next((revision["revisionId"] for revision in execution.get("artifactRevisions", [])), "")
    return Release(last["pipelineExecutionId"], commit, last["status"], last.get("type") == "ROLLBACK")


def gates(tools: Aws, environment: str) -> list[Gate]:
    """Return the approvals about an environment that wait.

    Raises:
        Refused: The pipelines are not deployed.
    """
    asking = {which: control.name_of(tools, which) for which in _ASKING.get(environment, [])}
    return [
        _gate(which, question)
        for which, name in asking.items()
        for question in control.pending_approvals(tools, name)
    ]


def _gate(which: str, question: PendingApproval) -> Gate:
    return Gate(which, question.stage, question.execution, question.link)
