"""The linter and the embedded CodePipeline agree on what a pipeline may look like."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any, Final

import pytest

from pipelines.lint.findings import Level
from pipelines.lint.pipeline_linter import documents, providers
from pipelines.lint.pipeline_linter.linter import lint_document
from pipelines.lint.pipeline_linter.model import Pipeline
from tests import embedded_functions

Json = dict[str, Any]
CORPUS: Final = Path(__file__).with_name("corpus")
FILES: Final = sorted([*(CORPUS / "broken").iterdir(), *(CORPUS / "good").iterdir()])
ONLY_THE_LINTER: Final = {
    "P004": "CloudFormation refuses the key; the API's clients never send it",
    "P009": "the emulator knows one region, and refuses others when the action runs",
    "P012": "an exception is the linter's own",
    "P013": "CloudFormation disables the transitions once the pipeline is there",
    "P105": "the emulator has one provider that V2 alone has, Commands",
    "P203": "a condition's variables are filled in when the stage is entered",
    "P204": "what a build exports is known when it has run",
    "P206": "text that is no variable is left as it is",
    "P404": "change sets are looked for when the action runs",
    "P014": "CloudFormation refuses the template, before CodePipeline is asked",
    "P405": "the template is looked for when the action runs",
    "P407": "found when the build starts",
    "P503": "what a mode needs is read when the action runs",
    "P504": "a value of a configuration is read when the action runs",
    "P509": "a value of a configuration is read when the action runs",
    "P606": "a command of several lines is run",
    "P610": "CloudFormation refuses the name when the action runs",
    "P703": "a result that no failure can have is ignored",
    "P704": "a RetryConfiguration beside another result is ignored",
    "P706": "the window is read when the stage is entered",
    "P801": "permissions are asked when the action runs",
    "P802": "permissions are asked when the action runs",
    "P803": "permissions are asked when the rule runs",
    "P804": "roles are taken on when an action runs",
    "P922": "AWS takes it, and fails when it runs",
}
"""Errors of the linter that the embedded CodePipeline does not refuse when a pipeline is made, and why."""
NOT_CERTAIN: Final = {
    "P002": "CloudFormation fills it in",
    "P011": "the API takes text alone; what CloudFormation makes of it is not documented",
}
"""Warnings of the linter on what the embedded CodePipeline refuses, each with the reason."""


def refusal(pipeline: Pipeline) -> str | None:
    """Return why the embedded CodePipeline refuses a pipeline, or none."""
    return embedded_functions.pipeline_refusal(declaration(pipeline))


def declaration(pipeline: Pipeline) -> Json:
    """Return a pipeline as AWS would get it: with every parameter filled in."""
    assert isinstance(pipeline.declared, dict)
    filled: Json = filled_in(pipeline.declared)
    stores = filled.pop("ArtifactStores", None)
    if stores is not None:
        filled["ArtifactStores"] = {entry["Region"]: entry["ArtifactStore"] for entry in stores}
    return {"Name": pipeline.name, **filled}


def filled_in(value: Any, key: str = "") -> Any:
    if isinstance(value, list):
        return [filled_in(inside) for inside in value]
    if isinstance(value, dict) and len(value) == 1 and next(iter(value)).startswith(("Ref", "Fn::")):
        return "arn:aws:iam::111122223333:role/filled-in" if key == "RoleArn" else "filled-in"
    if isinstance(value, dict):
        return {name: filled_in(inside, name) for name, inside in value.items()}
    return value


def of_file(file: Path) -> list[Pipeline]:
    return [world for worlds in documents.pipelines_in(documents.read(file), file.stem) for world in worlds]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_what_the_embedded_codepipeline_refuses_is_an_error_of_the_linter(file: Path) -> None:
    errors = {
        finding.rule
        for finding in lint_document(documents.read(file), file.stem)
        if finding.level is Level.ERROR
    }
    refusals = [message for pipeline in of_file(file) if (message := refusal(pipeline))]
    refusals = [message for message in refusals if "emulated here" not in message or errors]
    if refusals and file.stem[:4] not in NOT_CERTAIN:
        assert errors, refusals
    if errors - set(ONLY_THE_LINTER):
        assert refusals, f"{errors} are none to the embedded CodePipeline"


def test_good_pipelines_are_taken_by_both() -> None:
    good = [file for file in FILES if file.parent.name == "good"]
    assert good
    for file in good:
        assert lint_document(documents.read(file), file.stem) == []


def test_the_comparison_can_fail() -> None:
    [[pipeline]] = documents.pipelines_in(documents.read(CORPUS / "good" / "exception.yml"), "good")
    assert refusal(pipeline) is None
    broken = copy.deepcopy(pipeline.declared)
    assert isinstance(broken, dict)
    broken["Stages"].pop()
    assert refusal(Pipeline("broken", "Pipeline", broken)) is not None


def test_both_tables_of_providers_say_the_same() -> None:
    # Given the providers that both know, each written down from AWS's reference by itself
    both = [
        (known, emulated)
        for (category, _, name), known in providers.ACTIONS.items()
        if (emulated := embedded_functions.action_provider(category, name)) is not None
    ]
    assert len(both) == 12
    # Then they agree on keys and artifacts; Commands takes no configuration, which only the emulator says
    for linted, emulated in both:
        assert [*linted.inputs, *linted.outputs] == [*emulated["inputs"], *emulated["outputs"]]
        assert sorted(linted.required) == emulated["required"]
        assert sorted(linted.optional or ()) == emulated["optional"] or emulated["name"] == "Commands"
