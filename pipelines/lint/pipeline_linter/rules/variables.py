"""P201 to P206: variables that nobody sets, or that are set too late.

Source: CodePipeline user guide, "Variables reference".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pipelines.lint.findings import Rule
from pipelines.lint.pipeline_linter import providers
from pipelines.lint.pipeline_linter.model import LAST
from pipelines.lint.pipeline_linter.values import listed, mappings, text, variables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.lint.findings import Finding
    from pipelines.lint.pipeline_linter.model import Action, Pipeline
    from pipelines.lint.pipeline_linter.values import Json

_OWN: Final = "codepipeline"
_NAMESPACE: Final = re.compile(r"[A-Za-z0-9@_-]{1,100}")
_RESERVED: Final = {_OWN, "variables"}

RULES: Final = {
    "P201": Rule("`#{variables.…}` that the pipeline does not declare", "Add it to the pipeline's Variables"),
    "P202": Rule(
        "a variable of a namespace that no action has", "Give the action that sets it the namespace"
    ),
    "P203": Rule(
        "a variable that is used before the action that sets it has run",
        "Use it in a later stage or with a later RunOrder",
    ),
    "P204": Rule(
        "a variable that the action of its namespace, or CodePipeline, never sets",
        "Choose one that it sets; the finding lists them",
    ),
    "P205": Rule("a namespace that two actions have", "Give each action a namespace of its own"),
    "P206": Rule(
        "a namespace of illegal signs or length, a reserved one, or what is no `#{namespace.variable}`",
        "Use 1 to 100 of A-Z, a-z, 0-9, @, _ and -, and neither `codepipeline` nor `variables`",
    ),
}


def check(pipeline: Pipeline) -> Iterator[Finding]:
    """Yield every variable that cannot be filled in, and every namespace that cannot be had."""
    yield from _namespaces(pipeline)
    for place, position, raw in _uses(pipeline):
        for variable in dict.fromkeys(variables(raw)):
            yield from _judge(pipeline, place, position, variable)


def _uses(pipeline: Pipeline) -> Iterator[tuple[str, tuple[int, int], Json]]:
    for action in pipeline.actions:
        yield action.place, action.position, action.raw
    for condition in pipeline.conditions:
        yield condition.place, condition.position, condition.raw


def _judge(pipeline: Pipeline, place: str, position: tuple[int, int], variable: str) -> Iterator[Finding]:
    namespace, dot, name = variable.partition(".")
    written = f"#{{{variable}}}"
    if not dot or not name:
        yield pipeline.finding("P206", place, f"{written} is no variable", "Write #{namespace.variable}")
    elif namespace == "variables":
        declared = {text(entry.get("Name")) for entry in mappings(pipeline.raw.get("Variables"))}
        if name not in declared:
            fix = f"Add {name} to the pipeline's Variables"
            yield pipeline.finding("P201", place, f"{written} is not declared", fix)
    elif namespace == _OWN:
        if name != "PipelineExecutionId":
            fix = "Of its own, CodePipeline sets PipelineExecutionId alone"
            yield pipeline.finding("P204", place, f"{written} is never set", fix)
    else:
        yield from _output(pipeline, place, position, variable)


def _output(pipeline: Pipeline, place: str, position: tuple[int, int], variable: str) -> Iterator[Finding]:
    namespace, _, name = variable.partition(".")
    setters = [action for action in pipeline.actions if action.namespace == namespace]
    if not setters and not pipeline.complete:
        return  # whoever sets it may be in a part that nobody can read here
    if not setters:
        fix = f"Give the action that sets it Namespace: {namespace}"
        yield pipeline.finding("P202", place, f"no action has the namespace of #{{{variable}}}", fix)
    elif all(setter.position >= position for setter in setters):
        problem = f"#{{{variable}}} is set only by {setters[0].place}, which has not run by then"
        yield pipeline.finding("P203", place, problem, "Use it in a later stage or with a later RunOrder")
    elif all(_never_sets(setter, name) for setter in setters):
        problem = f"{setters[0].place} sets no variable {name}"
        yield pipeline.finding("P204", place, problem, f"It sets {', '.join(sorted(_known(setters[0])))}")


def _never_sets(action: Action, name: str) -> bool:
    kind = providers.ACTIONS.get(action.kind)
    return kind is not None and kind.variables is not None and name not in _known(action)


def _known(action: Action) -> set[str]:
    kind = providers.ACTIONS[action.kind]
    declared = {text(name) or "" for name in listed(action.raw.get("OutputVariables"))}
    return set(kind.variables or ()) | declared or {"nothing"}


def _namespaces(pipeline: Pipeline) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for action in sorted(pipeline.actions, key=lambda action: (action.position, LAST)):
        name = action.namespace
        if name is None or "${" in name:
            continue
        if not _NAMESPACE.fullmatch(name) or name in _RESERVED:
            fix = "Use 1 to 100 of A-Z, a-z, 0-9, @, _ and -, and neither codepipeline nor variables"
            yield pipeline.finding("P206", action.place, f"{name} is no namespace of one's own", fix)
        if name in seen:
            fix = "Give each action a namespace of its own"
            yield pipeline.finding("P205", action.place, f"{seen[name]} has the namespace {name} too", fix)
        seen.setdefault(name, action.place)
