"""P901 to P912: what AWS takes, and a release regrets: blind or late approvals, no proof, no way back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipelines.lint.findings import Level, Rule
from pipelines.lint.pipeline_linter.values import literal, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.lint.findings import Finding
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
    "Lambda",
}
_PROVING: Final = {"Build", "Compute", "Invoke", "Test"}

RULES: Final = {
    "P901": Rule(
        "an approval that shows neither CustomData nor a link",
        "Say in CustomData what will change, and link to the rest with ExternalEntityLink",
        Level.ADVICE,
    ),
    "P902": Rule(
        "an approval that comes after the deployment that it should guard, or together with it",
        "Put it before the deployment: in an earlier stage, or with a lower RunOrder",
        Level.WARNING,
    ),
    "P911": Rule(
        "a stage that deploys, and never asks whether it works",
        "Run smoke tests after the deployment, in the same stage, so that they can roll it back",
        Level.ADVICE,
    ),
    "P912": Rule(
        "a stage that deploys, and has no way back",
        "Say `OnFailure: {Result: ROLLBACK}` in a V2 pipeline that is not PARALLEL",
        Level.ADVICE,
    ),
}


def check(pipeline: Pipeline) -> Iterator[Finding]:
    """Yield approvals without evidence or too late, and deployments without a proof or a way back."""
    for action in pipeline.actions:
        if action.kind[:2] == ("Approval", "AWS"):
            yield from _approval(pipeline, action)
    for stage in pipeline.stages:
        yield from _deployment(pipeline, stage)


def _approval(pipeline: Pipeline, approval: Action) -> Iterator[Finding]:
    shown = approval.configuration.get("CustomData") or approval.configuration.get("ExternalEntityLink")
    if not shown and not approval.unknown:
        fix = "Say in CustomData what will change, and link to the rest with ExternalEntityLink"
        yield pipeline.finding("P901", approval.place, "the approver is shown nothing", fix)
    deployments = [action for action in pipeline.actions if deploys(action)]
    of_stage = [action for action in deployments if action.position[0] == approval.position[0]]
    later = any(action.position > approval.position for action in deployments)
    fix = "Put it before the deployment: in an earlier stage, or with a lower RunOrder"
    if any(action.position == approval.position for action in of_stage):
        yield pipeline.finding("P902", approval.place, "it is asked while the stage deploys already", fix)
    elif of_stage and not later:
        yield pipeline.finding("P902", approval.place, "it is asked when everything is deployed already", fix)


def _deployment(pipeline: Pipeline, stage: Stage) -> Iterator[Finding]:
    """Yield a stage that deploys without smoke tests, or without a way back.

    Executions of a PARALLEL pipeline cannot roll back, so there nothing is asked about it, and the proof may
    be a stage of its own.
    """
    parallel = pipeline.mode == "PARALLEL"
    last = max((action.position for action in stage.actions if deploys(action)), default=None)
    if last is None:
        return
    after = [action for action in stage.actions if action.position > last]
    if parallel:
        after += [action for later in pipeline.stages[stage.index + 1 :][:1] for action in later.actions]
    if not any(action.kind[0] in _PROVING for action in after):
        fix = "Run smoke tests after the deployment, in the same stage, so that they can roll it back"
        yield pipeline.finding("P911", stage.place, "deploys, and never asks whether it works", fix)
    if not parallel and text(stage.on_failure.get("Result")) != "ROLLBACK":
        fix = "Say OnFailure: Result: ROLLBACK (a V2 pipeline that is not PARALLEL)"
        yield pipeline.finding("P912", stage.place, "deploys, and has no way back", fix)


def deploys(action: Action) -> bool:
    """Return whether an action changes what runs."""
    if action.kind[0] != "Deploy":
        return False
    if action.kind[2] == "CloudFormation":
        return literal(action.configuration.get("ActionMode")) in _CHANGING
    return action.kind[2] in _DEPLOYING
