"""P001 to P014: what CodePipeline refuses when a pipeline is made, by its shape alone; exceptions.

A pipeline's resource says in its Metadata which rules it is excepted from, and why:
`{"pipeline-linter": {"ignore": {"P402": "the artifact is read by hand"}}}`.

Source: CodePipeline's API model (botocore's), and the user guide, "CodePipeline pipeline structure reference"
and "Quotas".
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from pipelines.lint.findings import Level, Rule
from pipelines.lint.pipeline_linter.model import stores
from pipelines.lint.pipeline_linter.values import is_function, literal, mapping, mappings, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipelines.lint.findings import Finding
    from pipelines.lint.pipeline_linter.model import Pipeline

_STAGES: Final = range(2, 51)
_ACTIONS: Final = range(1, 51)
_REASONLESS: Final = "P012"
_TEMPLATES_OWN: Final = {"DisableInboundStageTransitions": ("StageName", "Reason"), "Tags": ("Key", "Value")}

RULES: Final = {
    "P001": Rule("a value of the wrong kind, as text where a list belongs", "Write what the finding names"),
    "P002": Rule(
        "a part that CloudFormation fills in, so that nobody can judge it here",
        "Write it out, or check the pipeline once it is there: `aws codepipeline get-pipeline`",
        Level.WARNING,
    ),
    "P003": Rule("a key that is required and missing", "Add it"),
    "P004": Rule("a key that does not exist", "Correct it; the finding lists those that do"),
    "P005": Rule("a name, number or word that AWS's model refuses", "Keep to what the finding says"),
    "P006": Rule(
        "fewer than 2 or more than 50 stages, or a stage without actions or with more than 50",
        "Split the pipeline, or leave the stage out",
    ),
    "P007": Rule(
        "a source action outside of the first stage, or another action in it",
        "Put source actions, and nothing else, in the first stage",
    ),
    "P008": Rule(
        "two stages, two actions of a stage, or two pipeline variables of one name",
        "Give each a name of its own",
    ),
    "P009": Rule(
        "no artifact store or two kinds of it, or an action in a region that has none",
        "Say ArtifactStore for one region, or ArtifactStores with each region that actions run in",
    ),
    "P011": Rule(
        "a configuration value that is a list or a mapping, where CodePipeline takes text",
        "Write it as text, as JSON in one line",
        Level.WARNING,
    ),
    _REASONLESS: Rule("an exception from a rule without a reason", "Say why beside the rule's id"),
    "P013": Rule("a disabled transition into a stage that does not exist", "Name a stage of the pipeline"),
    "P014": Rule(
        "a resource, a parameter or a condition that the pipeline names and the template does not declare",
        "Declare it, or correct the name",
    ),
}


def check(pipeline: Pipeline) -> Iterator[Finding]:
    """Yield what is wrong with the pipeline's shape."""
    for fault in pipeline.shaped.faults:
        yield pipeline.finding(fault.rule, fault.place, fault.problem, fault.fix)
    for place in dict.fromkeys(pipeline.shaped.unknown):
        fix = "Write it out, or check the pipeline once it is there"
        yield pipeline.finding("P002", place, "CloudFormation fills this in, so it was not judged", fix)
    if pipeline.complete:
        yield from _counts(pipeline)
        yield from _transitions(pipeline)
    yield from _sources(pipeline)
    yield from _names(pipeline)
    yield from _stores(pipeline)
    for name in pipeline.undeclared:
        problem = f"{name} is declared nowhere in the template"
        yield pipeline.finding("P014", pipeline.name, problem, "Declare it, or correct the name")
    for rule, reason in _exceptions(pipeline).items():
        if not reason.strip():
            problem = f"{rule} is ignored without a reason in Metadata"
            yield pipeline.finding(_REASONLESS, pipeline.name, problem, "Say why beside the rule's id")


def excepted(pipeline: Pipeline) -> set[str]:
    """Return the ids of the rules that a pipeline is excepted from, with a reason."""
    return {rule for rule, reason in _exceptions(pipeline).items() if reason.strip()} - {_REASONLESS}


def _exceptions(pipeline: Pipeline) -> dict[str, str]:
    ignored = mapping(mapping(pipeline.metadata.get("pipeline-linter")).get("ignore"))
    return {rule: text(reason) or "" for rule, reason in ignored.items()}


def _counts(pipeline: Pipeline) -> Iterator[Finding]:
    count = len(pipeline.stages)
    if count not in _STAGES:
        problem = f"{count} stages, and a pipeline has {_STAGES.start} to {_STAGES.stop - 1}"
        yield pipeline.finding("P006", pipeline.name, problem, "Split the pipeline, or add a stage")
    for stage in pipeline.stages:
        count = len(stage.actions)
        if count not in _ACTIONS:
            problem = f"{count} actions, and a stage has {_ACTIONS.start} to {_ACTIONS.stop - 1}"
            yield pipeline.finding("P006", stage.place, problem, "Split the stage, or leave it out")


def _transitions(pipeline: Pipeline) -> Iterator[Finding]:
    """Hold what the template alone has to its schema: transitions that are off from the start, and tags."""
    stages = {text(stage.raw.get("Name")) for stage in pipeline.stages}
    for key, required in _TEMPLATES_OWN.items():
        for entry in mappings(mapping(pipeline.declared).get(key)):
            for name in [name for name in required if name not in entry and not is_function(entry)]:
                yield pipeline.finding("P003", pipeline.name, f"{name} of {key} is missing", f"Add {name}")
            stage = literal(entry.get("StageName"))
            if stage is not None and stage not in stages:
                problem = f"{key} of {stage}, which is no stage"
                yield pipeline.finding("P013", pipeline.name, problem, "Name a stage of the pipeline")


def _sources(pipeline: Pipeline) -> Iterator[Finding]:
    fix = "Put source actions, and nothing else, in the first stage"
    for action in pipeline.actions:
        category, first = action.kind[0], action.position[0] == 0
        if category and first != (category == "Source"):
            problem = (
                "the first stage takes source actions alone" if first else "a source action in a later stage"
            )
            yield pipeline.finding("P007", action.place, problem, fix)


def _names(pipeline: Pipeline) -> Iterator[Finding]:
    fix = "Give each a name of its own"
    for name in _twice(literal(stage.raw.get("Name")) for stage in pipeline.stages):
        yield pipeline.finding("P008", pipeline.name, f"two stages are called {name}", fix)
    for stage in pipeline.stages:
        for name in _twice(literal(action.raw.get("Name")) for action in stage.actions):
            yield pipeline.finding("P008", stage.place, f"two actions are called {name}", fix)
    variables = mappings(pipeline.raw.get("Variables"))
    for name in _twice(literal(variable.get("Name")) for variable in variables):
        yield pipeline.finding("P008", pipeline.name, f"two variables are called {name}", fix)


def _twice(names: Iterable[str | None]) -> list[str]:
    return [name for name, count in Counter(names).items() if name is not None and count > 1]


def _stores(pipeline: Pipeline) -> Iterator[Finding]:
    if pipeline.shaped.unknown:
        return
    both = ("ArtifactStore" in pipeline.raw, "ArtifactStores" in pipeline.raw)
    if both[0] == both[1]:
        problem = "both ArtifactStore and ArtifactStores" if both[0] else "no artifact store"
        yield pipeline.finding("P009", pipeline.name, problem, "Say one of ArtifactStore and ArtifactStores")
    regions = set(stores(pipeline))
    for action in pipeline.actions:
        region = text(action.raw.get("Region"))
        if region and both[1] and isinstance(pipeline.raw["ArtifactStores"], list):
            unsure = any("${" in known for known in regions) or "${" in region
            if region not in regions and not unsure:
                fix = f"Add a store of {region} to ArtifactStores"
                yield pipeline.finding("P009", action.place, f"it runs in {region}, which has no store", fix)
