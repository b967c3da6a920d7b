"""P901 to P922: what AWS takes, and a release regrets: blind approvals, no proof, no way back, own changes.

A rollback reaches only executions of the pipeline's present structure (CodePipeline user guide,
"Considerations for rollbacks"), so a release that changes its own pipeline cuts off its way back.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from pipelines.lint.findings import Level, Rule
from pipelines.lint.pipeline_linter.roles import Permissions
from pipelines.lint.pipeline_linter.values import literal, logical_id, mapping, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.lint.findings import Finding
    from pipelines.lint.pipeline_linter.model import Action, Pipeline, Stage
    from pipelines.lint.pipeline_linter.values import Json

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

_APART: Final = "Deploy the pipeline in a step of its own, outside of its releases"
_OWN_STACK: Final = {"${AWS::StackName}", "${AWS::StackId}"}
_COMMAND: Final = re.compile(
    r"codepipeline\s+update-pipeline|pipeline deploy\b|\bcdk\s+deploy\b.*[Pp]ipeline"
)

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
    "P921": Rule(
        "a pipeline that rewrites itself: by its own stack, by command, or by a role that may",
        "Deploy the pipeline in a step of its own, outside of its releases",
        Level.WARNING,
    ),
    "P922": Rule(
        "a pipeline that deletes the stack it is in, or replaces it when it failed",
        "Delete the pipeline's stack from outside of the pipeline",
    ),
}


def check(pipeline: Pipeline) -> Iterator[Finding]:
    """Yield blind or late approvals, deployments without a proof or a way back, and changes of itself."""
    for action in pipeline.actions:
        if action.kind[:2] == ("Approval", "AWS"):
            yield from _approval(pipeline, action)
    for stage in pipeline.stages:
        yield from _deployment(pipeline, stage)
    yield from _changing_itself(pipeline)


def _approval(pipeline: Pipeline, approval: Action) -> Iterator[Finding]:
    shown = approval.configuration.get("CustomData") or approval.configuration.get("ExternalEntityLink")
    if not shown and not pipeline.unreadable(approval):
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


def _changing_itself(pipeline: Pipeline) -> Iterator[Finding]:
    for action in pipeline.actions:
        if action.value("StackName") in _OWN_STACK and action.kind[2] == "CloudFormation":
            yield from _own_stack(pipeline, action)
        elif _COMMAND.search(_commands(pipeline, action)):
            yield pipeline.finding("P921", action.place, "rewrites a pipeline by command", _APART)
        elif _may_update(pipeline, action):
            problem = "runs as a role that may rewrite pipelines (codepipeline:UpdatePipeline)"
            yield pipeline.finding("P921", action.place, problem, _APART)


def _own_stack(pipeline: Pipeline, action: Action) -> Iterator[Finding]:
    mode = literal(action.configuration.get("ActionMode"))
    if mode in {"DELETE_ONLY", "REPLACE_ON_FAILURE"}:
        problem = f"{mode} deletes the stack that this pipeline is in"
        fix = "Delete the pipeline's stack from outside of the pipeline"
        yield pipeline.finding("P922", action.place, problem, fix)
    else:
        yield pipeline.finding("P921", action.place, "deploys the stack that this pipeline is in", _APART)


def _project(pipeline: Pipeline, action: Action) -> Json:
    resource = pipeline.resources.get(logical_id(action.configuration.get("ProjectName")) or "", {})
    return mapping(resource.get("Properties"))


def _commands(pipeline: Pipeline, action: Action) -> str:
    buildspec = mapping(_project(pipeline, action).get("Source")).get("BuildSpec")
    return json.dumps([action.raw.get("Commands"), text(buildspec), text(action.configuration.get("Input"))])


def _may_update(pipeline: Pipeline, action: Action) -> bool:
    permissions = Permissions(pipeline.resources)
    role = permissions.role(_project(pipeline, action).get("ServiceRole"))
    return role is not None and permissions.allows(role, "codepipeline:UpdatePipeline", None) is True
