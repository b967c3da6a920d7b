"""`payments lint` reads any file, weighs what it finds, and fails on errors alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner, Result

from pipelines.cli.lint import lint
from pipelines.core.refusals import Refused
from pipelines.lint.findings import Level
from pipelines.lint.pipeline_linter import documents
from pipelines.lint.templates import lint_files

CORPUS: Final = Path(__file__).with_name("corpus")
ADVISED: Final = str(CORPUS / "broken" / "P402-never-read.yml")
BROKEN: Final = str(CORPUS / "broken" / "P502-misspelt-key.yml")
WRONG: Final = {
    "QueryLanguage": "JSONata",
    "StartAt": "Choose",
    "States": {
        "Choose": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% 1 + 1 %}", "Next": "End"}],
            "Default": "End",
        },
        "End": {"Type": "Succeed"},
    },
}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(lint, list(arguments))


def test_advice_is_shown_and_does_not_fail() -> None:
    result = run(ADVISED)
    assert result.exit_code == 0
    assert "P402 (advice)" in result.output


@pytest.mark.parametrize("arguments", [(ADVISED, "--strict"), (BROKEN,), (ADVISED, BROKEN)])
def test_errors_fail_and_strictly_everything_does(arguments: tuple[str, ...]) -> None:
    assert isinstance(run(*arguments).exception, Refused)


def test_a_rule_is_passed_over_when_asked() -> None:
    result = run(ADVISED, BROKEN, "--strict", "--ignore", "P402", "--ignore", "P502")
    assert result.exit_code == 0
    assert "no findings" in result.output


def test_machines_get_the_level_of_each_finding() -> None:
    [finding] = json.loads(run(ADVISED, "--json").stdout)
    assert (finding["rule"], finding["level"]) == ("P402", "advice")


@pytest.mark.parametrize("where", ["file", "Definition", "DefinitionString", "Fn::Sub"])
def test_a_state_machine_is_judged_wherever_it_stands(tmp_path: Path, where: str) -> None:
    # Given a definition with one mistake, in a file of its own or in a template
    properties = {
        "Definition": {"Definition": WRONG},
        "DefinitionString": {"DefinitionString": json.dumps(WRONG)},
        "Fn::Sub": {"DefinitionString": {"Fn::Sub": json.dumps(WRONG)}},
    }
    machine = {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties.get(where)}
    document = WRONG if where == "file" else {"Resources": {"Machine": machine}}
    file = tmp_path / "machine.json"
    file.write_text(json.dumps(document))
    # Then it is found
    assert [finding.rule for finding in lint_files([file])] == ["S101"]


def test_a_definition_that_is_not_in_the_template_is_passed_over(tmp_path: Path) -> None:
    machine = {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {"DefinitionString": "${Definition}"},
    }
    file = tmp_path / "machine.json"
    file.write_text(json.dumps({"Resources": {"Machine": machine}}))
    assert lint_files([file]) == []


@pytest.mark.parametrize(
    "resource", ["${Function.Arn}", "${Function}", "arn:${AWS::Partition}:states:::lambda:invoke"]
)
def test_a_resource_that_cloudformation_fills_in_is_no_mistake(tmp_path: Path, resource: str) -> None:
    # Given a machine whose task names its function as a template does
    machine = {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": resource, "End": True}}}
    (tmp_path / "machine.json").write_text(json.dumps(machine))
    # When it is read; Then nothing is found in it
    assert [
        finding for finding in lint_files([tmp_path / "machine.json"]) if finding.rule == "statelint"
    ] == []


def test_what_some_conditions_together_would_make_wrong_is_a_warning(tmp_path: Path) -> None:
    # Given a pipeline whose stages each stand under a condition of their own
    document = documents.read(CORPUS / "broken" / "P402-never-read.yml")
    [pipeline] = [r for r in document["Resources"].values() if r["Type"] == "AWS::CodePipeline::Pipeline"]
    stages = pipeline["Properties"]["Stages"]
    pipeline["Properties"]["Stages"] = [
        {"Fn::If": [f"Has{number}", stage, {"Ref": "AWS::NoValue"}]} for number, stage in enumerate(stages)
    ]
    document["Parameters"] = {f"P{number}": {"Type": "String"} for number in range(len(stages))}
    document["Conditions"] = {
        f"Has{number}": {"Fn::Equals": [{"Ref": f"P{number}"}, "yes"]} for number in range(len(stages))
    }
    (tmp_path / "template.json").write_text(json.dumps(document))
    # When it is read; Then that too few may be left fails nothing
    found = [finding for finding in lint_files([tmp_path / "template.json"]) if finding.rule == "P006"]
    assert {finding.level for finding in found} == {Level.WARNING}
