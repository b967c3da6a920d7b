"""P921: a pipeline that rewrites itself.

A rollback reaches only executions of the pipeline's present structure (CodePipeline user guide,
"Considerations for rollbacks"), so a release that changes its own pipeline cuts off its way back.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from pipelines.lint.pipeline_linter.findings import Rule
from pipelines.lint.pipeline_linter.roles import allows, role_of
from pipelines.lint.pipeline_linter.values import logical_id, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.lint.pipeline_linter.findings import Finding
    from pipelines.lint.pipeline_linter.model import Action, Pipeline

_MEND: Final = "Deploy the pipeline in a step of its own, outside of its releases"
_OWN_STACK: Final = {"${AWS::StackName}", "${AWS::StackId}"}
_COMMAND: Final = re.compile(
    r"codepipeline\s+update-pipeline|pipeline deploy\b|\bcdk\s+deploy\b.*[Pp]ipeline"
)

RULES: Final = {
    "P921": Rule(
        "a pipeline that rewrites itself: by its own stack, by command, or by a role that may",
        "Deploy the pipeline in a step of its own, outside of its releases",
    ),
}


def check(pipeline: Pipeline) -> Iterator[Finding]:
    """Yield actions by which the pipeline changes itself."""
    for action in pipeline.actions:
        if action.says("StackName") in _OWN_STACK and action.says("ActionMode") != "DELETE_ONLY":
            problem = "deploys the stack that this pipeline is in"
            yield pipeline.finding("P921", action.place, problem, _MEND)
        elif _COMMAND.search(_commands(pipeline, action)):
            yield pipeline.finding("P921", action.place, "rewrites a pipeline by command", _MEND)
        elif _may_update(pipeline, action):
            problem = "runs as a role that may rewrite pipelines (codepipeline:UpdatePipeline)"
            yield pipeline.finding("P921", action.place, problem, _MEND)


def _commands(pipeline: Pipeline, action: Action) -> str:
    said = action.raw.get("Commands") or []
    project = pipeline.resources.get(logical_id(action.configuration.get("ProjectName")) or "", {})
    source = (project.get("Properties") or {}).get("Source") or {}
    return json.dumps(
        [said, text(source.get("BuildSpec")) or "", text(action.configuration.get("Input")) or ""]
    )


def _may_update(pipeline: Pipeline, action: Action) -> bool:
    project = pipeline.resources.get(logical_id(action.configuration.get("ProjectName")) or "", {})
    role = role_of(pipeline.resources, (project.get("Properties") or {}).get("ServiceRole"))
    return role is not None and allows(role, "codepipeline:UpdatePipeline", None) is True
