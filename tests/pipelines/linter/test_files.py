"""`payments lint` reads any file, weighs what it finds, and fails on errors alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner, Result

from pipelines.cli.lint import lint
from pipelines.core.refusals import Refused
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
