"""Each house rule finds what was seeded for it, where it was seeded, and nothing in what is right."""

from __future__ import annotations

import copy
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.core.repository import ROOT
from pipelines.definitions import configuration_file
from pipelines.lint.house_rules import conventions
from pipelines.lint.templates import HOUSE_RULE_IDS, lint
from templates.capabilities.lint_exceptions import Except, excepted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Json = dict[str, Any]

KEY = {"Fn::ImportValue": "key"}
KEPT = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
ARTIFACTS = {"Fn::GetAtt": ["Artifacts", "Arn"]}


def statement(action: str, resource: Any, **more: Any) -> Json:
    return {"Sid": "Work", "Effect": "Allow", "Action": [action], "Resource": [resource], **more}


def policy(*statements: Json) -> Json:
    return {"Version": "2012-10-17", "Statement": list(statements)}


TRUST = policy(
    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": ["sts:AssumeRole"]}
)
ONLY_TLS = statement(
    "s3:*",
    ARTIFACTS,
    Effect="Deny",
    Principal={"AWS": "*"},
    Resource=[ARTIFACTS, {"Fn::Sub": "${Artifacts.Arn}/*"}],
    Condition={"Bool": {"aws:SecureTransport": "false"}},
)
RIGHT: Json = {
    "Description": "As the house wants it",
    "Parameters": {"Code": {"Type": "String", "Description": "The function's package"}},
    "Outputs": {"Function": {"Description": "The function", "Value": {"Ref": "Worker"}}},
    "Resources": {
        "Artifacts": {"Type": "AWS::S3::Bucket", **KEPT},
        "ArtifactsPolicy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {"Bucket": {"Ref": "Artifacts"}, "PolicyDocument": policy(ONLY_TLS)},
        },
        "Logs": {
            "Type": "AWS::Logs::LogGroup",
            "Properties": {"RetentionInDays": 7, "KmsKeyId": KEY},
            **KEPT,
        },
        "WorkerRole": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": TRUST,
                "Policies": [
                    {"PolicyName": "permissions", "PolicyDocument": policy(statement("s3:GetObject", "*"))}
                ],
            },
            "Metadata": {"Permissions": {"Work": "The resource is * for a test's sake."}},
        },
        "Worker": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Code": {"S3Bucket": {"Ref": "Artifacts"}, "S3Key": {"Ref": "Code"}},
                "Handler": "worker.handler",
                "Runtime": "python3.13",
                "Role": {"Fn::GetAtt": ["WorkerRole", "Arn"]},
                "VpcConfig": {"SubnetIds": ["subnet-00000000"], "SecurityGroupIds": ["sg-00000000"]},
            },
        },
        "Alarm": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "AlarmDescription": "Runbook: docs/operations/runbooks/health.md",
                "ComparisonOperator": "GreaterThanThreshold",
                "EvaluationPeriods": 1,
                "MetricName": "Errors",
                "Namespace": "AWS/Lambda",
                "Period": 60,
                "Statistic": "Sum",
                "Threshold": 0,
            },
        },
    },
}


def properties(template: Json, name: str) -> Json:
    of_resource: Json = template["Resources"][name]["Properties"]
    return of_resource


def role_statement(template: Json) -> Json:
    work: Json = properties(template, "WorkerRole")["Policies"][0]["PolicyDocument"]["Statement"][0]
    return work


def literal_name(template: Json) -> None:
    properties(template, "Worker")["FunctionName"] = "worker"


def name_of_nothing_that_differs(template: Json) -> None:
    properties(template, "Worker")["FunctionName"] = {"Fn::Sub": "worker"}


def outside_the_vpc(template: Json) -> None:
    del properties(template, "Worker")["VpcConfig"]


def in_no_security_group(template: Json) -> None:
    del properties(template, "Worker")["VpcConfig"]["SecurityGroupIds"]


def kept_for_ever(template: Json) -> None:
    del properties(template, "Logs")["RetentionInDays"]


def no_key(template: Json) -> None:
    del properties(template, "Logs")["KmsKeyId"]


def plain_http(template: Json) -> None:
    del template["Resources"]["ArtifactsPolicy"]


def objects_over_plain_http(template: Json) -> None:
    properties(template, "ArtifactsPolicy")["PolicyDocument"]["Statement"][0]["Resource"] = [ARTIFACTS]


def some_actions_over_plain_http(template: Json) -> None:
    properties(template, "ArtifactsPolicy")["PolicyDocument"]["Statement"][0]["Action"] = ["s3:GetObject"]


def deleted_by_default(template: Json) -> None:
    del template["Resources"]["Artifacts"]["DeletionPolicy"]


def replaced_by_default(template: Json) -> None:
    del template["Resources"]["Logs"]["UpdateReplacePolicy"]


def no_runbook(template: Json) -> None:
    properties(template, "Alarm")["AlarmDescription"] = "Something is wrong"


def runbook_that_nobody_wrote(template: Json) -> None:
    properties(template, "Alarm")["AlarmDescription"] = "See docs/operations/runbooks/nobody-wrote-it.md"


def undescribed_template(template: Json) -> None:
    del template["Description"]


def undescribed_parameter(template: Json) -> None:
    del template["Parameters"]["Code"]["Description"]


def undescribed_output(template: Json) -> None:
    del template["Outputs"]["Function"]["Description"]


def account(template: Json) -> None:
    role_statement(template)["Resource"] = [{"Fn::Sub": "arn:${AWS::Partition}:iam::111111111111:role/x"}]


def region(template: Json) -> None:
    role_statement(template)["Resource"] = [
        {"Fn::Sub": "arn:${AWS::Partition}:sqs:eu-central-1:${AWS::AccountId}:queue"}
    ]


def partition(template: Json) -> None:
    role_statement(template)["Resource"] = [{"Fn::Sub": "arn:aws:s3:::${Artifacts}/*"}]


def wildcard_action(template: Json) -> None:
    role_statement(template)["Action"] = ["s3:Get*"]


def everything_but(template: Json) -> None:
    role_statement(template)["NotAction"] = role_statement(template).pop("Action")


def wildcard_in_a_bucket_policy(template: Json) -> None:
    root = {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}}
    statements = properties(template, "ArtifactsPolicy")["PolicyDocument"]["Statement"]
    statements.append(statement("s3:*", ARTIFACTS, Principal=root))


def no_reason(template: Json) -> None:
    del template["Resources"]["WorkerRole"]["Metadata"]


def no_reason_for_everything(template: Json) -> None:
    template["Resources"]["WorkerRole"]["Metadata"]["Permissions"]["Work"] = "Reads."


STATEMENT = "Resources/WorkerRole/Properties/Policies/0/PolicyDocument/Statement/0"
SEEDS: list[tuple[str, Callable[[Json], None], str]] = [
    ("E9001", literal_name, "Resources/Worker/Properties/FunctionName"),
    ("E9001", name_of_nothing_that_differs, "Resources/Worker/Properties/FunctionName"),
    ("E9002", outside_the_vpc, "Resources/Worker/Properties"),
    ("E9002", in_no_security_group, "Resources/Worker/Properties/VpcConfig"),
    ("E9003", kept_for_ever, "Resources/Logs/Properties"),
    ("E9003", no_key, "Resources/Logs/Properties"),
    ("E9004", plain_http, "Resources/Artifacts"),
    ("E9004", objects_over_plain_http, "Resources/Artifacts"),
    ("E9004", some_actions_over_plain_http, "Resources/Artifacts"),
    ("E9005", deleted_by_default, "Resources/Artifacts"),
    ("E9005", replaced_by_default, "Resources/Logs"),
    ("E9006", no_runbook, "Resources/Alarm/Properties"),
    ("E9006", runbook_that_nobody_wrote, "Resources/Alarm/Properties/AlarmDescription"),
    ("E9008", undescribed_template, ""),
    ("E9008", undescribed_parameter, "Parameters/Code"),
    ("E9008", undescribed_output, "Outputs/Function"),
    ("E9009", account, f"{STATEMENT}/Resource/0/Fn::Sub"),
    ("E9009", region, f"{STATEMENT}/Resource/0/Fn::Sub"),
    ("E9009", partition, f"{STATEMENT}/Resource/0/Fn::Sub"),
    ("E9010", wildcard_action, f"{STATEMENT}/Action"),
    ("E9010", everything_but, f"{STATEMENT}/NotAction"),
    (
        "E9010",
        wildcard_in_a_bucket_policy,
        "Resources/ArtifactsPolicy/Properties/PolicyDocument/Statement/1/Action",
    ),
    ("E9011", no_reason, STATEMENT),
    ("E9011", no_reason_for_everything, STATEMENT),
]


def of_the_house(template: Json) -> list[tuple[str, str]]:
    return [
        (finding.rule, finding.place)
        for finding in lint({"seeded": template})
        if finding.rule in HOUSE_RULE_IDS
    ]


def test_what_is_right_is_left_alone() -> None:
    assert [str(finding) for finding in lint({"right": RIGHT})] == []


@pytest.mark.parametrize(("rule", "seed", "place"), SEEDS, ids=[seed.__name__ for _, seed, _ in SEEDS])
def test_a_seeded_fault_is_found_by_its_rule_and_no_other(
    rule: str, seed: Callable[[Json], None], place: str
) -> None:
    # Given a template that is right but for one thing
    template = copy.deepcopy(RIGHT)
    seed(template)
    # When it is linted, then that thing is found where it is
    assert of_the_house(template) == [(rule, place)]


def test_every_rule_has_a_seeded_fault() -> None:
    assert {rule for rule, _, _ in SEEDS} | {configuration_file.TAGS_RULE} == set(HOUSE_RULE_IDS)


def test_an_exception_with_its_reason_is_heeded() -> None:
    template = copy.deepcopy(RIGHT)
    outside_the_vpc(template)
    template["Resources"]["Worker"]["Metadata"] = excepted(Except("E9002", "it calls nobody"))
    assert of_the_house(template) == []


def test_an_exception_without_a_reason_is_a_finding_itself() -> None:
    template = copy.deepcopy(RIGHT)
    outside_the_vpc(template)
    template["Resources"]["Worker"]["Metadata"] = excepted(Except("E9002", ""))
    assert of_the_house(template) == [("E9002", "Worker")]


TAGS = {"system": "payments", "environment": "prod", "owner": "payments"}
PUSHED = {"branch": "b", "commit": "0" * 40, "pushed-at": "2026-11-23", "expires-at": "2026-11-30"}


@pytest.mark.parametrize("missing", TAGS)
def test_every_stack_says_whose_it_is(missing: str) -> None:
    settings = {"Tags": {key: value for key, value in TAGS.items() if key != missing}, "Parameters": {}}
    assert list(configuration_file.tag_faults(settings)) == [f"the stack has no tag '{missing}'"]


@pytest.mark.parametrize("missing", PUSHED)
def test_a_branchs_stack_says_where_it_comes_from_and_when_it_may_go(missing: str, tmp_path: Path) -> None:
    # Given the settings of a branch's payments stack that lack one tag
    stack = {**TAGS, **PUSHED, "environment": "branch"}
    del stack[missing]
    file = tmp_path / "payments.json"
    file.write_text(json.dumps({"Tags": stack, "Parameters": {"DatabaseName": "x"}}))
    # Then the rule finds it in the file that CloudFormation would get
    assert conventions.is_template_configuration(file)
    assert [(finding.rule, finding.problem) for finding in conventions.tag_findings(file)] == [
        ("E9007", f"the stack has no tag '{missing}'")
    ]


def test_every_rule_is_explained_under_its_own_heading() -> None:
    page = (ROOT / "docs/reference/house-rules.md").read_text()
    assert re.findall(r"^### (E9\d{3})$", page, flags=re.MULTILINE) == HOUSE_RULE_IDS
