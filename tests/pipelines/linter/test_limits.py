"""What is exactly as much as AWS takes is taken, and one more is found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pipelines.lint.pipeline_linter.linter import lint_document

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]


def rules(change: Callable[[Json], object]) -> set[str]:
    """Return the limits that a pipeline breaks, of a source and a build, after a change of its properties."""
    build: Json = {
        "Name": "Build",
        "ActionTypeId": {"Category": "Build", "Owner": "AWS", "Provider": "CodeBuild", "Version": "1"},
        "InputArtifacts": [{"Name": "Source"}],
        "Configuration": {"ProjectName": "tests"},
    }
    source: Json = {
        "Name": "Source",
        "ActionTypeId": {"Category": "Source", "Owner": "AWS", "Provider": "S3", "Version": "1"},
        "OutputArtifacts": [{"Name": "Source"}],
        "Configuration": {"S3Bucket": "sources", "S3ObjectKey": "source.zip"},
    }
    properties: Json = {
        "PipelineType": "V2",
        "RoleArn": "arn:aws:iam::111122223333:role/pipeline",
        "ArtifactStore": {"Type": "S3", "Location": "artifacts"},
        "Variables": [],
        "Stages": [{"Name": "Source", "Actions": [source]}, {"Name": "Build", "Actions": [build]}],
    }
    change(properties)
    template = {"Resources": {"Pipeline": {"Type": "AWS::CodePipeline::Pipeline", "Properties": properties}}}
    return {finding.rule for finding in lint_document(template, "template") if finding.rule.startswith("P6")}


def action(**changes: Any) -> Callable[[Json], object]:
    return lambda properties: properties["Stages"][1]["Actions"][0].update(changes)


def configured(key: str, value: str) -> Callable[[Json], object]:
    return lambda properties: properties["Stages"][1]["Actions"][0]["Configuration"].update({key: value})


def variables(count: int, default: int = 1) -> Callable[[Json], object]:
    named = [{"Name": f"v{number}", "DefaultValue": "x" * default} for number in range(count)]
    return lambda properties: properties.update(Variables=named)


def conditions(*counts: int, when: str = "BeforeEntry") -> Callable[[Json], object]:
    rule = {"Name": "r", "RuleTypeId": {"Provider": "CloudWatchAlarm"}, "Configuration": {"AlarmName": "a"}}
    declared = [{"Result": "FAIL", "Rules": [rule] * count} for count in counts]
    return lambda properties: properties["Stages"][1].update({when: {"Conditions": declared}})


@pytest.mark.parametrize(
    ("rule", "most", "more"),
    [
        ("P601", configured("CustomData", "x" * 1000), configured("CustomData", "x" * 1001)),
        ("P602", configured("ProjectName", "x" * 1000), configured("ProjectName", "x" * 1001)),
        ("P604", variables(50), variables(51)),
        ("P604", variables(1, 1000), variables(1, 1001)),
        ("P605", action(OutputVariables=["v"] * 15), action(OutputVariables=["v"] * 16)),
        ("P606", action(Commands=["make"] * 50), action(Commands=["make"] * 51)),
        ("P606", action(Commands=["x" * 1000]), action(Commands=["x" * 1001])),
        ("P606", action(Commands=["make"]), action(Commands=["make\ntest"])),
        ("P607", action(EnvironmentVariables=[{}] * 10), action(EnvironmentVariables=[{}] * 11)),
        ("P608", conditions(1), conditions(1, 1)),
        ("P608", conditions(1, when="OnSuccess"), conditions(1, 1, when="OnSuccess")),
        ("P608", conditions(1, when="OnFailure"), conditions(1, 1, when="OnFailure")),
        ("P608", conditions(5), conditions(6)),
        ("P608", conditions(1), conditions(0)),
        ("P609", action(TimeoutInMinutes=5), action(TimeoutInMinutes=4)),
        ("P609", action(TimeoutInMinutes=86_400), action(TimeoutInMinutes=86_401)),
        ("P609", action(TimeoutInMinutes="20"), action(TimeoutInMinutes="soon")),
        ("P610", configured("StackName", "a" * 128), configured("StackName", "a" * 129)),
        ("P610", configured("ChangeSetName", "a-1"), configured("ChangeSetName", "1-a")),
    ],
)
def test_one_more_than_aws_takes_is_found(
    rule: str, most: Callable[[Json], object], more: Callable[[Json], object]
) -> None:
    assert rule not in rules(most)
    assert rule in rules(more)
