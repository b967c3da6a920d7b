"""P911 to P912: a stage that deploys, and neither proves that it works nor goes back when it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipelines.lint.pipeline_linter.findings import Rule
from pipelines.lint.pipeline_linter.values import literal, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.lint.pipeline_linter.findings import Finding
    from pipelines.lint.pipeline_linter.model import Action, Pipeline, Stage

_CHANGING: Final = {"CREATE_UPDATE", "REPLACE_ON_FAILURE", "CHANGE_SET_EXECUTE"}
_DEPLOYING: Final = {
    "AppConfig",
    "CloudFormationStackInstances",
    "CloudFormationStackSet",
    "CodeDeploy",
    "CodeDeployToECS",
    "EC2",
    "ECS",
    "EKS",
    "ElasticBeanstalk",
}
_PROVING: Final = {"Build", "Compute", "Invoke", "Test"}

RULES: Final = {
    "P911": Rule(
        "a stage that deploys, and never asks whether it works",
        "Run smoke tests after the deployment, in the same stage, so that they can roll it back",
    ),
    "P912": Rule(
        "a stage that deploys, and has no way back",
        "Say `OnFailure: {Result: ROLLBACK}` in a V2 pipeline that is not PARALLEL",
    ),
}


def check(pipeline: Pipeline) -> Iterator[Finding]:
    """Yield stages that deploy without smoke, and those that deploy without a way back.

    Executions of a PARALLEL pipeline cannot roll back, so there nothing is asked about it, and the proof may
    be a stage of its own.
    """
    parallel = pipeline.mode == "PARALLEL"
    for stage in pipeline.stages:
        last = max((action.position for action in stage.actions if _deploys(action)), default=None)
        if last is None:
            continue
        after = [action for action in stage.actions if action.position > last]
        if parallel:
            after += [action for later in pipeline.stages[stage.index + 1 :][:1] for action in later.actions]
        if not any(action.kind[0] in _PROVING for action in after):
            mend = "Run smoke tests after the deployment, in the same stage, so that they can roll it back"
            yield pipeline.finding("P911", stage.place, "deploys, and never asks whether it works", mend)
        if not parallel and not _rolls_back(stage):
            mend = "Say OnFailure: Result: ROLLBACK (a V2 pipeline that is not PARALLEL)"
            yield pipeline.finding("P912", stage.place, "deploys, and has no way back", mend)


def _deploys(action: Action) -> bool:
    if action.kind[0] != "Deploy":
        return False
    if action.kind[2] == "CloudFormation":
        return literal(action.configuration.get("ActionMode")) in _CHANGING
    return action.kind[2] in _DEPLOYING


def _rolls_back(stage: Stage) -> bool:
    return text((stage.raw.get("OnFailure") or {}).get("Result")) == "ROLLBACK"
