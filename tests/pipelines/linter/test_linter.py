"""How the linter reads files, what a finding says, and what it makes of our own pipelines when they break."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from environments import tools
from pipelines.definitions import pipelines_stack
from pipelines.lint.findings import Unreadable
from pipelines.lint.pipeline_linter.linter import lint_document, lint_pipelines

Json = dict[str, Any]
CORPUS = Path(__file__).with_name("corpus")


@pytest.fixture(scope="module")
def ours() -> Json:
    built: Json = pipelines_stack.build(tools.load()).to_dict()
    return built


def actions(template: Json, pipeline: str) -> list[Json]:
    found = template["Resources"][pipeline]["Properties"]["Stages"]
    return [action for stage in found for action in stage["Actions"]]


def test_a_finding_says_file_place_rule_problem_and_mend() -> None:
    file = CORPUS / "broken" / "P502-misspelt-key.yml"

    (finding,) = lint_pipelines([file])

    expected = "Pipeline > Build > Test: P502 PrimarySauce is no key of it. Did you mean PrimarySource."
    assert str(finding) == f"{file}: {expected}"


def test_findings_of_several_files_come_sorted() -> None:
    files = sorted((CORPUS / "broken").glob("P2*"), reverse=True)

    findings = lint_pipelines(files)

    assert findings == sorted(findings)
    assert {finding.file for finding in findings} == {str(file) for file in files}


def test_a_template_without_a_pipeline_gives_nothing(tmp_path: Path) -> None:
    file = tmp_path / "bucket.yml"
    file.write_text("Resources: {Bucket: {Type: AWS::S3::Bucket}}")

    assert lint_pipelines([file]) == []


@pytest.mark.parametrize("text", ["- a list", "just: data", "{", "Resources: [", "\x00"])
def test_what_is_no_template_is_told_with_the_file_s_name(tmp_path: Path, text: str) -> None:
    file = tmp_path / "other.yml"
    file.write_text(text)

    with pytest.raises(Unreadable, match=r"other\.yml"):
        lint_pipelines([file])


def test_conditions_of_cloudformation_are_read_as_if_they_held(ours: Json) -> None:
    # Given a pipeline where a condition chooses between two configurations, and one key may be absent
    template = copy.deepcopy(ours)
    question = next(one for one in actions(template, "ReleasePipeline") if one["Name"] == "Approve")
    question["Configuration"]["CustomData"] = {"Ref": "AWS::NoValue"}
    template["Conditions"] = {"Shown": {"Fn::Equals": ["yes", "yes"]}}
    question["Configuration"] = {"Fn::If": ["Shown", question["Configuration"], {"Ref": "AWS::NoValue"}]}

    assert lint_document(template, "ours") == []


@pytest.mark.parametrize(
    ("role", "sid"),
    [
        ("ReleasePipelineRole", "RunVerify"),
        ("ReleasePipelineRole", "Ask"),
        ("BranchPipelineRole", "Source"),
        ("RemoveBranchPipelineRole", "Artifacts"),
    ],
)
def test_a_permission_taken_from_our_own_roles_is_missed(ours: Json, role: str, sid: str) -> None:
    template = copy.deepcopy(ours)
    document = template["Resources"][role]["Properties"]["Policies"][0]["PolicyDocument"]
    document["Statement"] = [one for one in document["Statement"] if one["Sid"] != sid]

    assert {finding.rule for finding in lint_document(template, "ours")} == {"P801"}


def test_a_release_that_would_deploy_its_own_pipelines_is_found(ours: Json) -> None:
    template = copy.deepcopy(ours)
    for action in actions(template, "ReleasePipeline"):
        if action["Name"] == "Deploy-payments":
            action["Configuration"]["StackName"] = {"Ref": "AWS::StackName"}

    assert "P921" in {finding.rule for finding in lint_document(template, "ours")}


FUNCTIONS = [{"Ref": "X"}, {"Fn::GetAtt": ["X", "Y"]}, {"Fn::Sub": "${X}"}, {"Fn::Join": ["", {"Ref": "X"}]}]
GOOD = json.loads((CORPUS / "good" / "create-pipeline.json").read_text())


@settings(deadline=None)
@given(data=st.data())
def test_a_function_of_cloudformation_may_stand_anywhere(data: st.DataObject) -> None:
    # Given a good pipeline where CloudFormation fills in any one part
    template = copy.deepcopy(GOOD)
    holder, key = data.draw(st.sampled_from(_places(template["pipeline"])))
    holder[key] = data.draw(
        st.sampled_from(
            [{"Ref": "X"}, {"Fn::GetAtt": ["X", "Y"]}, {"Fn::Sub": "${X}"}, {"Fn::Join": ["", {}]}]
        )
    )

    # Then the linter judges what is left and never breaks
    assert isinstance(lint_document(template, "changed"), list)


def _places(value: Any) -> list[tuple[Any, Any]]:
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    found = [(value, key) for key in keys]
    for key in keys:
        if isinstance(value[key], (dict, list)):
            found += _places(value[key])
    return found
