"""Whatever a file holds, it is judged or refused in a sentence: the linter itself never breaks."""

from __future__ import annotations

import contextlib
import copy
import json
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.lint.findings import Level, Unreadable
from pipelines.lint.pipeline_linter import documents
from pipelines.lint.pipeline_linter.linter import lint_document, lint_pipelines

CORPUS: Final = Path(__file__).with_name("corpus")
GOOD: Final = {file.stem: documents.read(file) for file in sorted((CORPUS / "good").iterdir())}

LEAVES: Final = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
KEYS: Final = st.sampled_from(
    [
        "Ref",
        "Fn::If",
        "Fn::Sub",
        "Fn::GetAtt",
        "Fn::Join",
        "Fn::ForEach::X",
        "Fn::Equals",
        "Condition",
        "Type",
    ]
) | st.text(max_size=5)
ANYTHING: Final = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=6
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return every place in a value, as what holds it and under which key."""
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    inside = [place for key in keys if isinstance(value[key], (dict, list)) for place in places(value[key])]
    return [(value, key) for key in keys] + inside


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), name=st.sampled_from(sorted(GOOD)))
def test_anything_may_stand_anywhere(data: st.DataObject, name: str) -> None:
    # Given a good file in which something else stands in one place
    document = copy.deepcopy(GOOD[name])
    holder, key = data.draw(st.sampled_from(places(document)))
    holder[key] = data.draw(ANYTHING)

    # Then it is judged, or refused as no template
    try:
        findings = lint_document(document, "malformed")
    except Unreadable:
        return
    assert all(finding.place and finding.problem for finding in findings)


@settings(max_examples=100, deadline=None)
@given(ANYTHING)
def test_any_document_is_judged_or_refused(document: Any) -> None:
    if isinstance(document, dict):
        with contextlib.suppress(Unreadable):
            assert lint_document(document, "anything") == []


def test_what_holds_itself_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "circle.yml"
    file.write_text("Resources: &all {Pipeline: {Type: AWS::CodePipeline::Pipeline, Properties: *all}}")
    with pytest.raises(Unreadable, match="or itself"):
        lint_pipelines([file])


def test_what_aliases_make_too_large_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "aliases.yml"
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    file.write_text("\n".join([*lines, "Resources: {Pipeline: {Type: AWS::CodePipeline::Pipeline}}"]))
    with pytest.raises(Unreadable, match="more than any template may"):
        lint_pipelines([file])


@pytest.mark.parametrize(
    "text", ["{" * 5000, "[" * 5000, "a: " * 500, "? [x, y]\n: z\nResources: {}", "!!binary aGk="]
)
def test_deep_and_strange_files_are_judged_or_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "strange.yml"
    file.write_text(text)
    with contextlib.suppress(Unreadable):
        assert lint_pipelines([file]) == []


def test_what_is_nested_too_deep_is_refused_before_the_rest_of_it_is_read(tmp_path: Path) -> None:
    # Given a file of brackets, for which a YAML parser takes time with the square of their number
    file = tmp_path / "deep.yml"
    file.write_text("{" * 5000)
    with pytest.raises(Unreadable, match="nested more than 100 deep"):
        lint_pipelines([file])


def test_what_cannot_be_read_here_is_a_warning_and_hides_no_error() -> None:
    # Given a pipeline whose first stage CloudFormation fills in, and whose second one is wrong
    template = copy.deepcopy(GOOD["conditions"])
    stages = template["Resources"]["Pipeline"]["Properties"]["Stages"]
    stages[0] = {"Ref": "SourceStage"}
    template.setdefault("Parameters", {})["SourceStage"] = {"Type": "String"}
    stages[1]["Actions"][0]["ActionTypeId"]["Provider"] = "CodeBild"

    findings = lint_document(template, "filled in")

    assert {(finding.rule, finding.level) for finding in findings} == {
        ("P002", Level.WARNING),
        ("P501", Level.ERROR),
    }


def test_a_finding_says_under_which_condition_it_is_one() -> None:
    file = CORPUS / "broken" / "P401-written-under-another-condition.yml"
    (finding,) = lint_pipelines([file])
    assert finding.problem.endswith("which nobody writes, where IsProd holds")


def test_an_exception_with_its_reason_is_heeded_and_without_one_is_not() -> None:
    template = copy.deepcopy(GOOD["exception"])
    metadata = template["Resources"]["Pipeline"]["Metadata"]["pipeline-linter"]
    assert lint_document(template, "excepted") == []

    metadata["ignore"]["P402"] = " "
    assert {finding.rule for finding in lint_document(template, "excepted")} == {"P012", "P402"}


def test_json_and_yaml_say_the_same(tmp_path: Path) -> None:
    for name, document in GOOD.items():
        as_json, as_yaml = tmp_path / f"{name}.json", tmp_path / f"{name}.yaml"
        as_json.write_text(json.dumps(document))
        as_yaml.write_text(yaml.safe_dump(document))
        assert lint_pipelines([as_json]) == lint_pipelines([as_yaml]) == []
