"""P401 to P407: artifacts read before they are written, never read, or written twice.

Source: CodePipeline user guide, "Input and output artifacts" and the action structure reference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipelines.lint.pipeline_linter import providers
from pipelines.lint.pipeline_linter.findings import Rule
from pipelines.lint.pipeline_linter.values import listed, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.lint.pipeline_linter.findings import Finding
    from pipelines.lint.pipeline_linter.model import Action, Pipeline

_PATHS: Final = ("TemplatePath", "TemplateConfiguration")

RULES: Final = {
    "P401": Rule(
        "an artifact that is read, by an action or a rule, before anybody has written it",
        "Name an output artifact of an earlier action",
    ),
    "P402": Rule("an artifact that nobody reads", "Read it, or do not write it: every execution pays for it"),
    "P403": Rule("an artifact that two actions write", "Give each output artifact a name of its own"),
    "P405": Rule(
        "a TemplatePath or TemplateConfiguration in an artifact that is no input of the action",
        "Write `InputArtifact::path`, and add the artifact to the action's inputs",
    ),
    "P406": Rule(
        "more or fewer artifacts than the action takes",
        "Keep to what the action structure reference says; the finding names it",
    ),
    "P407": Rule(
        "a build of several inputs that does not say which holds the buildspec, or names none of them",
        "Name one of them in PrimarySource",
    ),
}


def check(pipeline: Pipeline) -> Iterator[Finding]:
    """Yield what is wrong with the pipeline's artifacts."""
    written: dict[str, Action] = {}
    for action in pipeline.actions:
        for name in action.outputs:
            if name in written:
                problem = f"{written[name].place} writes {name} too"
                mend = "Give each output artifact a name of its own"
                yield pipeline.finding("P403", action.place, problem, mend)
            written.setdefault(name, action)
    yield from _reads(pipeline, written)
    read = {name for _, _, name in _readers(pipeline)}
    for name, action in written.items():
        if name not in read:
            mend = "Read it, or do not write it: every execution pays for it"
            yield pipeline.finding("P402", action.place, f"nobody reads {name}", mend)
    for action in pipeline.actions:
        yield from _shape(pipeline, action)


def _reads(pipeline: Pipeline, written: dict[str, Action]) -> Iterator[Finding]:
    for place, position, name in _readers(pipeline):
        if name not in written:
            mend = "Name an output artifact of an earlier action"
            yield pipeline.finding("P401", place, f"reads {name}, which nobody writes", mend)
        elif written[name].position >= position:
            problem = f"reads {name} before {written[name].place} has written it"
            mend = "Move it to a later stage or give it a later RunOrder"
            yield pipeline.finding("P401", place, problem, mend)


def _readers(pipeline: Pipeline) -> Iterator[tuple[str, tuple[int, int], str]]:
    """Whatever reads an artifact, actions and rules alike: its place, its position, the artifact's name."""
    for action in pipeline.actions:
        for name in action.inputs:
            yield action.place, action.position, name
    for stage in pipeline.stages:
        for condition in stage.conditions():
            for rule in listed(condition.raw.get("Rules")):
                place = f"{condition.place} > {text(rule.get('Name'))}"
                for artifact in listed(rule.get("InputArtifacts")):
                    yield place, condition.position, text(artifact.get("Name")) or ""


def _shape(pipeline: Pipeline, action: Action) -> Iterator[Finding]:
    for key in _PATHS:
        path = action.says(key)
        artifact = (path or "").partition("::")[0]
        if path is not None and "${" not in artifact and artifact not in action.inputs:
            mend = f"Write InputArtifact::path, and add {artifact} to the action's InputArtifacts"
            yield pipeline.finding("P405", action.place, f"{key} {path} is in no input artifact of it", mend)
    kind = providers.ACTIONS.get(action.kind)
    if kind is not None:
        for what, names, (least, most) in (
            ("input", action.inputs, kind.inputs),
            ("output", action.outputs, kind.outputs),
        ):
            if not least <= len(names) <= most:
                problem = f"{len(names)} {what} artifacts"
                mend = f"{action.kind[2]} takes {least if least == most else f'{least} to {most}'}"
                yield pipeline.finding("P406", action.place, problem, mend)
    yield from _primary(pipeline, action)


def _primary(pipeline: Pipeline, action: Action) -> Iterator[Finding]:
    if action.kind[2] != "CodeBuild":
        return
    primary = action.says("PrimarySource")
    if primary is None and len(action.inputs) > 1:
        mend = "Say in PrimarySource which input holds the buildspec"
        yield pipeline.finding("P407", action.place, "several inputs and no PrimarySource", mend)
    if primary is not None and "${" not in primary and primary not in action.inputs:
        mend = "Name one of its InputArtifacts"
        yield pipeline.finding("P407", action.place, f"PrimarySource {primary} is no input of it", mend)
