"""P921 to P922: a pipeline that rewrites or deletes itself.

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
    from pipelines.lint.pipeline_linter.model import Action, Pipeline
    from pipelines.lint.pipeline_linter.values import Json

_FIX: Final = "Deploy the pipeline in a step of its own, outside of its releases"
_OWN_STACK: Final = {"${AWS::StackName}", "${AWS::StackId}"}
_COMMAND: Final = re.compile(
    r"codepipeline\s+update-pipeline|pipeline deploy\b|\bcdk\s+deploy\b.*[Pp]ipeline"
)

RULES: Final = {
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
    """Yield actions by which the pipeline changes or deletes itself."""
    for action in pipeline.actions:
        if action.value("StackName") in _OWN_STACK and action.kind[2] == "CloudFormation":
            yield from _own_stack(pipeline, action)
        elif _COMMAND.search(_commands(pipeline, action)):
            yield pipeline.finding("P921", action.place, "rewrites a pipeline by command", _FIX)
        elif _may_update(pipeline, action):
            problem = "runs as a role that may rewrite pipelines (codepipeline:UpdatePipeline)"
            yield pipeline.finding("P921", action.place, problem, _FIX)


def _own_stack(pipeline: Pipeline, action: Action) -> Iterator[Finding]:
    mode = literal(action.configuration.get("ActionMode"))
    if mode in {"DELETE_ONLY", "REPLACE_ON_FAILURE"}:
        problem = f"{mode} deletes the stack that this pipeline is in"
        fix = "Delete the pipeline's stack from outside of the pipeline"
        yield pipeline.finding("P922", action.place, problem, fix)
    else:
        yield pipeline.finding("P921", action.place, "deploys the stack that this pipeline is in", _FIX)


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
