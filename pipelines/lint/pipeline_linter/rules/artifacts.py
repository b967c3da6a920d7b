"""P401 to P407: artifacts read before they are written, never read, or written twice.

Source: CodePipeline user guide, "Input and output artifacts" and the action structure reference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipelines.lint.findings import Level, Rule
from pipelines.lint.pipeline_linter import providers
from pipelines.lint.pipeline_linter.values import literal, mappings, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.lint.findings import Finding
    from pipelines.lint.pipeline_linter.model import Action, Pipeline

_PATHS: Final = ("TemplatePath", "TemplateConfiguration")

RULES: Final = {
    "P401": Rule(
        "an artifact that is read, by an action or a rule, before anybody has written it",
        "Name an output artifact of an earlier action",
    ),
    "P402": Rule(
        "an artifact that nobody reads",
        "Read it, or do not write it: every execution pays for it",
        Level.ADVICE,
    ),
    "P403": Rule("an artifact that two actions write", "Give each output artifact a name of its own"),
    "P404": Rule(
        "a change set that is executed before an action of the pipeline makes it",
        "Move the action that makes it to an earlier stage or RunOrder",
    ),
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
                fix = "Give each output artifact a name of its own"
                yield pipeline.finding("P403", action.place, problem, fix)
            written.setdefault(name, action)
    yield from _reads(pipeline, written)
    read = {name for _, _, name in _readers(pipeline)}
    for name, action in written.items():
        if name not in read and pipeline.complete:
            fix = "Read it, or do not write it: every execution pays for it"
            yield pipeline.finding("P402", action.place, f"nobody reads {name}", fix)
    for action in pipeline.actions:
        yield from _shape(pipeline, action)
    yield from _change_sets(pipeline)


def _reads(pipeline: Pipeline, written: dict[str, Action]) -> Iterator[Finding]:
    for place, position, name in _readers(pipeline):
        if name not in written:
            if not pipeline.complete:
                continue  # whoever writes it may be in a part that nobody can read here
            fix = "Name an output artifact of an earlier action"
            yield pipeline.finding("P401", place, f"reads {name}, which nobody writes", fix)
        elif written[name].position >= position:
            problem = f"reads {name} before {written[name].place} has written it"
            fix = "Move it to a later stage or give it a later RunOrder"
            yield pipeline.finding("P401", place, problem, fix)


def _readers(pipeline: Pipeline) -> Iterator[tuple[str, tuple[int, int], str]]:
    """Yield each action and rule that reads an artifact: its place, its position, and the artifact's name."""
    for action in pipeline.actions:
        for name in action.inputs:
            yield action.place, action.position, name
    for condition in pipeline.conditions:
        for place, _, rule in condition.rules():
            for artifact in mappings(rule.get("InputArtifacts")):
                if artifact_name := literal(artifact.get("Name")):
                    yield place, condition.position, artifact_name


def _shape(pipeline: Pipeline, action: Action) -> Iterator[Finding]:
    for key in _PATHS:
        path = action.value(key)
        artifact = (path or "").partition("::")[0]
        if path and "${" not in path and "#{" not in path and artifact not in action.inputs:
            fix = f"Write InputArtifact::path, and add {artifact} to the action's InputArtifacts"
            yield pipeline.finding("P405", action.place, f"{key} {path} is in no input artifact of it", fix)
    kind = providers.ACTIONS.get(action.kind)
    if kind is not None and pipeline.complete:
        for what, key, (least, most) in (
            ("input", "InputArtifacts", kind.inputs),
            ("output", "OutputArtifacts", kind.outputs),
        ):
            count = len(mappings(action.raw.get(key)))
            if not least <= count <= most:
                problem = f"{count} {what} artifacts"
                fix = f"{action.kind[2]} takes {least if least == most else f'{least} to {most}'}"
                yield pipeline.finding("P406", action.place, problem, fix)
    if action.value("InputType") == "FilePath" and not action.inputs and pipeline.complete:
        fix = "Add the artifact that holds the file to the action's InputArtifacts"
        yield pipeline.finding("P406", action.place, "InputType FilePath and no input artifact", fix)
    yield from _primary(pipeline, action)


def _change_sets(pipeline: Pipeline) -> Iterator[Finding]:
    """Yield executions of change sets that this pipeline makes too late; nothing of what others make."""
    made: dict[tuple[str | None, ...], list[Action]] = {}
    deploying = [action for action in pipeline.actions if action.kind[2] == "CloudFormation"]
    for action in deploying:
        if action.value("ActionMode") == "CHANGE_SET_REPLACE":
            made.setdefault(_change_set(action), []).append(action)
    for action in deploying:
        makers = made.get(_change_set(action), [])
        late = [maker for maker in makers if maker.position >= action.position]
        if action.value("ActionMode") == "CHANGE_SET_EXECUTE" and makers and late == makers:
            problem = f"executes {action.value('ChangeSetName')}, which {makers[0].place} makes later"
            fix = "Move the action that makes it to an earlier stage or RunOrder"
            yield pipeline.finding("P404", action.place, problem, fix)


def _change_set(action: Action) -> tuple[str | None, ...]:
    return (action.value("StackName"), action.value("ChangeSetName"), text(action.raw.get("Region")))


def _primary(pipeline: Pipeline, action: Action) -> Iterator[Finding]:
    if action.kind[2] != "CodeBuild":
        return
    primary = action.value("PrimarySource")
    if primary is None and len(action.inputs) > 1:
        fix = "Say in PrimarySource which input holds the buildspec"
        yield pipeline.finding("P407", action.place, "several inputs and no PrimarySource", fix)
    if primary is not None and "${" not in primary and primary not in action.inputs:
        fix = "Name one of its InputArtifacts"
        yield pipeline.finding("P407", action.place, f"PrimarySource {primary} is no input of it", fix)
