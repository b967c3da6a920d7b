"""P101 to P107: what a V1 pipeline lacks, and what PARALLEL forbids.

Source: CodePipeline user guide, "Pipeline types" and "Stage rollback".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipelines.lint.findings import Rule
from pipelines.lint.pipeline_linter import providers
from pipelines.lint.pipeline_linter.model import CONDITIONS
from pipelines.lint.pipeline_linter.values import literal, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.lint.findings import Finding
    from pipelines.lint.pipeline_linter.model import Pipeline

_MODES: Final = {"SUPERSEDED", "QUEUED", "PARALLEL"}
_V2: Final = "Say PipelineType: V2"

RULES: Final = {
    "P101": Rule("triggers in a V1 pipeline", "Say `PipelineType: V2`"),
    "P102": Rule("pipeline variables in a V1 pipeline", "Say `PipelineType: V2`"),
    "P103": Rule("an execution mode other than SUPERSEDED in a V1 pipeline", "Say `PipelineType: V2`"),
    "P104": Rule("stage conditions, or a result on failure, in a V1 pipeline", "Say `PipelineType: V2`"),
    "P105": Rule(
        "an action that only V2 pipelines have, as Commands, in a V1 pipeline", "Say `PipelineType: V2`"
    ),
    "P106": Rule(
        "a stage that rolls back in a PARALLEL pipeline", "Choose QUEUED or SUPERSEDED, or let the stage fail"
    ),
    "P107": Rule("a pipeline type or an execution mode that does not exist", "Choose one that does"),
}


def check(pipeline: Pipeline) -> Iterator[Finding]:
    """Yield what the pipeline's type or mode does not allow."""
    if pipeline.version == "V1":
        yield from _only_v2(pipeline)
    if pipeline.mode == "PARALLEL":
        yield from _only_in_turn(pipeline)
    for key, known in (("PipelineType", {"V1", "V2"}), ("ExecutionMode", _MODES)):
        value = literal(pipeline.raw.get(key))
        if value is not None and value not in known:
            fix = f"Choose from {', '.join(sorted(known))}"
            yield pipeline.finding("P107", pipeline.name, f"{key} {value} does not exist", fix)


def _only_v2(pipeline: Pipeline) -> Iterator[Finding]:
    for rule, key, what in (("P101", "Triggers", "triggers"), ("P102", "Variables", "pipeline variables")):
        if pipeline.raw.get(key):
            yield pipeline.finding(rule, pipeline.name, f"a V1 pipeline has no {what}", _V2)
    if pipeline.mode in _MODES - {"SUPERSEDED"}:
        yield pipeline.finding("P103", pipeline.name, f"a V1 pipeline knows no mode {pipeline.mode}", _V2)
    for stage in pipeline.stages:
        for when in CONDITIONS:
            if stage.raw.get(when):
                yield pipeline.finding("P104", stage.place, f"a V1 pipeline knows no {when}", _V2)
        for action in stage.actions:
            kind = providers.ACTIONS.get(action.kind)
            if kind is not None and kind.v2:
                problem = f"a V1 pipeline has no action {action.kind[2]}"
                yield pipeline.finding("P105", action.place, problem, _V2)


def _only_in_turn(pipeline: Pipeline) -> Iterator[Finding]:
    for stage in pipeline.stages:
        results = [text(stage.on_failure.get("Result"))]
        results += [text(condition.raw.get("Result")) for condition in stage.conditions()]
        if "ROLLBACK" in results:
            fix = "Choose QUEUED or SUPERSEDED, or let the stage fail"
            yield pipeline.finding("P106", stage.place, "a PARALLEL pipeline cannot roll a stage back", fix)
