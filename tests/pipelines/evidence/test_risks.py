"""Risky change sets: each risk is found, ranked and named; what is not risky is not."""

from __future__ import annotations

from typing import Any

import pytest

from environments import schema
from pipelines.deploy import synth
from pipelines.evidence import risks
from pipelines.evidence.risks import DATA, IAM, NETWORK, REPLACEMENT, Severity
from pipelines.evidence.stack_changes import StackChanges, change_of

Json = dict[str, Any]


def _changes(*said: Json, before: Json | None = None, after: Json | None = None) -> StackChanges:
    changes = [change_of("payments-prod", one) for one in said]
    template = {"Resources": {"Anything": {"Type": "AWS::SNS::Topic"}}}
    return StackChanges("payments-prod", changes, before or template, after or template)


def _said(action: str, kind: str, **more: Any) -> Json:
    return {"Action": action, "LogicalResourceId": "Thing", "ResourceType": kind, **more}


def _template(kind: str, **properties: Any) -> Json:
    return {"Resources": {"Thing": {"Type": kind, "Properties": properties}}}


def _policy(**statement: Any) -> Json:
    given = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::mine/*"} | statement
    policies = [{"PolicyName": "p", "PolicyDocument": {"Statement": [given]}}]
    return _template("AWS::IAM::Role", Policies=policies, PermissionsBoundary="boundary")


@pytest.mark.parametrize(
    ("said", "severity", "kind"),
    [
        (_said("Remove", "AWS::S3::Bucket"), Severity.HIGH, DATA),
        (_said("Modify", "AWS::DynamoDB::Table", Replacement="True"), Severity.HIGH, DATA),
        (_said("Modify", "AWS::KMS::Key", Replacement="Conditional"), Severity.HIGH, DATA),
        (_said("Remove", "AWS::S3::Bucket", PolicyAction="Retain"), Severity.LOW, DATA),
        (_said("Modify", "AWS::ApiGateway::RestApi", Replacement="True"), Severity.MEDIUM, REPLACEMENT),
        (
            _said("Modify", "AWS::S3::Bucket", Replacement="True", PolicyAction="ReplaceAndRetain"),
            Severity.MEDIUM,
            REPLACEMENT,
        ),
    ],
)
def test_what_is_lost_or_made_anew_is_a_risk(said: Json, severity: Severity, kind: str) -> None:
    (risk,) = risks.assess([_changes(said)])
    assert (risk.severity, risk.kind, risk.place) == (severity, kind, "payments-prod/Thing")


@pytest.mark.parametrize(
    "said",
    [
        _said("Add", "AWS::S3::Bucket"),
        _said("Modify", "AWS::Lambda::Function", Replacement="False"),
        _said("Modify", "AWS::Lambda::Version", Replacement="True"),
        _said("Remove", "AWS::SNS::Topic"),
    ],
)
def test_an_ordinary_change_is_none(said: Json) -> None:
    assert risks.assess([_changes(said)]) == []


@pytest.mark.parametrize(
    ("after", "severity"),
    [
        (_policy(Action=["s3:GetObject", "s3:PutObject"]), Severity.MEDIUM),
        (_policy(Action="s3:*"), Severity.HIGH),
        (_policy(Resource="*"), Severity.HIGH),
        (_policy(Resource="arn:aws:s3:::theirs/*"), Severity.MEDIUM),
        (_policy(NotAction="iam:CreateUser", Action=None), Severity.HIGH),
        (_policy(Principal="*"), Severity.HIGH),
        (_policy(Principal={"AWS": "*"}), Severity.HIGH),
        (_policy(Principal={"AWS": "arn:aws:iam::999999999999:root"}), Severity.MEDIUM),
    ],
)
def test_whoever_may_more_is_a_risk(after: Json, severity: Severity) -> None:
    found = risks.assess([_changes(before=_policy(), after=after)])
    assert {risk.kind for risk in found} == {IAM}
    assert max(risk.severity for risk in found) == severity


def test_a_condition_that_goes_is_a_broadening() -> None:
    before = _policy(Condition={"StringEquals": {"aws:SourceVpce": "vpce-1"}})
    (risk,) = risks.assess([_changes(before=before, after=_policy())])
    assert risk.kind == IAM


def test_a_denial_that_goes_is_a_high_risk() -> None:
    before = _policy(Effect="Deny")
    (risk,) = risks.assess(
        [_changes(before=before, after=_template("AWS::IAM::Role", PermissionsBoundary="boundary"))]
    )
    assert (risk.severity, risk.kind) == (Severity.HIGH, IAM)
    assert "no longer deny s3:GetObject" in risk.what


def test_a_boundary_that_goes_is_a_high_risk() -> None:
    before = _template("AWS::IAM::Role", PermissionsBoundary="boundary")
    (risk,) = risks.assess([_changes(before=before, after=_template("AWS::IAM::Role"))])
    assert (risk.severity, risk.kind) == (Severity.HIGH, IAM)


def test_less_permission_is_no_risk() -> None:
    before = _policy(Action=["s3:GetObject", "s3:PutObject"])
    assert risks.assess([_changes(before=before, after=_policy())]) == []


_GROUP = "AWS::EC2::SecurityGroup"
_INSIDE = {"CidrIp": "10.0.0.0/16", "FromPort": 27017, "ToPort": 27017, "IpProtocol": "tcp"}


@pytest.mark.parametrize(
    ("before", "after", "severity"),
    [
        (
            _template(_GROUP, SecurityGroupEgress=[_INSIDE]),
            _template(_GROUP, SecurityGroupEgress=[_INSIDE | {"CidrIp": "0.0.0.0/0"}]),
            Severity.HIGH,
        ),
        (
            _template(_GROUP, SecurityGroupIngress=[]),
            _template(_GROUP, SecurityGroupIngress=[_INSIDE]),
            Severity.MEDIUM,
        ),
        (
            _template("AWS::EC2::SecurityGroupIngress", **_INSIDE),
            _template("AWS::EC2::SecurityGroupIngress", **(_INSIDE | {"ToPort": 65535})),
            Severity.MEDIUM,
        ),
        (
            _template("AWS::EC2::Route"),
            _template("AWS::EC2::Route", DestinationCidrBlock="0.0.0.0/0", NatGatewayId="nat-1"),
            Severity.HIGH,
        ),
        (
            _template("AWS::EC2::Subnet"),
            _template("AWS::EC2::Subnet", MapPublicIpOnLaunch=True),
            Severity.HIGH,
        ),
        (
            _template("AWS::ApiGateway::RestApi", EndpointConfiguration={"Types": ["PRIVATE"]}),
            _template("AWS::ApiGateway::RestApi", EndpointConfiguration={"Types": ["REGIONAL"]}),
            Severity.HIGH,
        ),
        (
            _template(
                "AWS::S3::Bucket",
                PublicAccessBlockConfiguration=dict.fromkeys(
                    ("BlockPublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
                ),
            ),
            _template("AWS::S3::Bucket"),
            Severity.HIGH,
        ),
    ],
)
def test_whatever_lets_more_through_is_a_risk(before: Json, after: Json, severity: Severity) -> None:
    (risk,) = risks.assess([_changes(before=before, after=after)])
    assert (risk.severity, risk.kind) == (severity, NETWORK)


def test_a_closed_way_is_no_risk() -> None:
    before = _template(_GROUP, SecurityGroupIngress=[_INSIDE])
    assert risks.assess([_changes(before=before, after=_template(_GROUP, SecurityGroupIngress=[]))]) == []


def test_the_worst_comes_first() -> None:
    # Given a replacement, a broadening and a loss of data
    found = risks.assess(
        [
            _changes(
                _said("Modify", "AWS::ApiGateway::RestApi", Replacement="True"),
                _said("Remove", "AWS::S3::Bucket"),
                before=_policy(),
                after=_policy(Action="s3:PutObject"),
            )
        ]
    )
    # Then data comes first, then what is allowed, then what is replaced
    assert [risk.kind for risk in found] == [DATA, IAM, REPLACEMENT]


@pytest.mark.parametrize("name", ["staging", "prod"])
def test_our_own_templates_are_no_risk_to_themselves(name: str) -> None:
    for template in synth.build(schema.load(name)).values():
        plain = template.to_dict()
        assert risks.assess([StackChanges("ours", [], plain, plain)]) == []
