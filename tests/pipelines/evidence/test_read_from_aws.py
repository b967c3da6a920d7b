"""What evidence reads from CloudFormation and Step Functions, and the files that it leaves."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from pipelines.core import waiting
from pipelines.core.refusals import Refused
from pipelines.evidence import exposure, gather, page, reports, risks, stack_changes
from pipelines.evidence.exposure import Grant
from pipelines.evidence.risks import NETWORK, Severity
from pipelines.evidence.stack_changes import Drift, StackChanges, change_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipelines.aws.accounts import Aws
    from pipelines.evidence.evidence import Evidence

Json = dict[str, Any]
STACK, SET = "payments-prod", "release-1"
AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def stack(status: str = "UPDATE_COMPLETE") -> tuple[str, Json, Json]:
    described = {"StackName": STACK, "StackStatus": status, "CreationTime": AT}
    return "describe_stacks", {"StackName": STACK}, {"Stacks": [described]}


def change_set(status: str, reason: str = "", **more: Any) -> tuple[str, Json, Json]:
    answered = {"Status": status, "StatusReason": reason, **more}
    return "describe_change_set", {"StackName": STACK, "ChangeSetName": SET}, answered


def body(template: Json, **which: str) -> tuple[str, Json, Json]:
    return "get_template", {"StackName": STACK, **which}, {"TemplateBody": json.dumps(template)}


def resource(name: str, kind: str, action: str) -> Json:
    return {
        "Type": "Resource",
        "ResourceChange": {"LogicalResourceId": name, "ResourceType": kind, "Action": action},
    }


def test_a_change_set_is_read_with_both_templates(aws: Aws, answers: Callable[..., None]) -> None:
    # Given a change set of two resources, with parameters and tags
    changes = [
        resource("Topic", "AWS::SNS::Topic", "Remove"),
        resource("Alarm", "AWS::CloudWatch::Alarm", "Add"),
    ]
    parameters = [{"ParameterKey": "Attempt", "ParameterValue": "2"}, {"ParameterKey": "Image"}]
    ready = change_set("CREATE_COMPLETE", Parameters=parameters, Tags=[{"Key": "owner", "Value": "ada"}])
    before: Json = {"Resources": {"Topic": {}}}
    after: Json = {"Resources": {"Alarm": {}}}
    answers(
        "cloudformation",
        ready,
        change_set("CREATE_COMPLETE", Changes=changes),
        stack(),
        body(before),
        stack(),
        body(after, ChangeSetName=SET),
        client=aws.cloudformation,
    )
    # When it is read, Then all of it is there, in order
    read = stack_changes.read(aws, STACK, SET)
    assert [(change.resource, change.action) for change in read.changes] == [
        ("Alarm", "Add"),
        ("Topic", "Remove"),
    ]
    assert (read.stack, read.before, read.after) == (STACK, before, after)
    assert read.parameters == {"Attempt": "2", "Image": ""}
    assert read.tags == {"owner": "ada"}


def test_a_stack_that_is_only_under_review_has_no_template_yet_and_one_in_a_change_set(
    aws: Aws, answers: Callable[..., None]
) -> None:
    answers(
        "cloudformation",
        stack("REVIEW_IN_PROGRESS"),
        stack("REVIEW_IN_PROGRESS"),
        body({"a": 1}, ChangeSetName=SET),
        client=aws.cloudformation,
    )
    assert stack_changes.template(aws, STACK) == {}
    assert stack_changes.template(aws, STACK, SET) == {"a": 1}


@pytest.mark.parametrize(
    "reason", ["The submitted information didn't contain changes.", "No updates are to be performed."]
)
def test_a_change_set_that_found_nothing_is_no_failure(
    aws: Aws, answers: Callable[..., None], reason: str
) -> None:
    same: Json = {"Resources": {}}
    answers(
        "cloudformation",
        change_set("FAILED", reason),
        change_set("FAILED", reason),
        stack(),
        body(same),
        stack(),
        body(same, ChangeSetName=SET),
        client=aws.cloudformation,
    )
    assert stack_changes.read(aws, STACK, SET).changes == []


@pytest.mark.parametrize(
    ("status", "reason"), [("FAILED", "Template format error"), ("CREATE_IN_PROGRESS", "")]
)
def test_a_change_set_that_failed_or_is_not_ready_is_refused(
    aws: Aws, answers: Callable[..., None], status: str, reason: str
) -> None:
    answers("cloudformation", change_set(status, reason), client=aws.cloudformation)
    with pytest.raises(Refused, match=f"The change set {SET} of {STACK} is {status}: {reason}"):
        stack_changes.read(aws, STACK, SET)


def test_fixed_cost_counts_what_comes_and_what_goes() -> None:
    # Given a NAT gateway that comes and an endpoint that goes, and one that changes
    nat, endpoint = "AWS::EC2::NatGateway", "AWS::EC2::VPCEndpoint"
    prices = stack_changes.MONTHLY_PRICES
    said = [
        ("A", nat, "Add"),
        ("B", endpoint, "Remove"),
        ("C", nat, "Modify"),
        ("D", "AWS::SNS::Topic", "Add"),
    ]
    changes = [change_of(STACK, resource(*each)["ResourceChange"]) for each in said]
    assert stack_changes.fixed_cost([StackChanges(STACK, changes, {}, {})]) == prices[nat] - prices[endpoint]
    assert prices[nat] > 0


def detection(status: str, **more: str) -> tuple[str, Json, Json]:
    answered = {
        "StackId": "id",
        "StackDriftDetectionId": "drift",
        "DetectionStatus": status,
        "Timestamp": AT,
        **more,
    }
    return "describe_stack_drift_detection_status", {"StackDriftDetectionId": "drift"}, answered


DETECT = ("detect_stack_drift", {"StackName": STACK}, {"StackDriftDetectionId": "drift"})


def drifts(*names: str) -> tuple[str, Json, Json]:
    listed = [
        {
            "StackId": "id",
            "LogicalResourceId": name,
            "ResourceType": "AWS::SNS::Topic",
            "StackResourceDriftStatus": "MODIFIED",
            "Timestamp": AT,
        }
        for name in names
    ]
    asked = {"StackName": STACK, "StackResourceDriftStatusFilters": ["MODIFIED", "DELETED"]}
    return "describe_stack_resource_drifts", asked, {"StackResourceDrifts": listed}


@pytest.mark.parametrize(
    ("ended", "names", "drift"),
    [
        (detection("DETECTION_COMPLETE"), (), Drift(STACK)),
        (detection("DETECTION_COMPLETE"), ("Topic", "Alarm"), Drift(STACK, ("Alarm", "Topic"))),
        (
            detection("DETECTION_FAILED", DetectionStatusReason="too many"),
            (),
            Drift(STACK, unknown="too many"),
        ),
        (detection("DETECTION_FAILED"), (), Drift(STACK, unknown="it did not end")),
    ],
)
def test_drift_is_what_detection_found(
    aws: Aws,
    answers: Callable[..., None],
    ended: Any,
    names: tuple[str, ...],
    drift: Drift,
) -> None:
    answers("cloudformation", stack(), DETECT, ended, drifts(*names), client=aws.cloudformation)
    assert stack_changes.detect_drift(aws, STACK) == drift


def test_drift_is_waited_for_and_unknown_when_it_does_not_come(
    aws: Aws, answers: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a clock that a pause moves by minutes
    now = [0.0]
    monkeypatch.setattr(
        waiting,
        "time",
        type(
            "Clock",
            (),
            {
                "monotonic": staticmethod(lambda: now[0]),
                "sleep": staticmethod(lambda _seconds: now.__setitem__(0, now[0] + 200)),
            },
        ),
    )
    under_way = detection("DETECTION_IN_PROGRESS")
    answers("cloudformation", stack(), DETECT, under_way, under_way, under_way, client=aws.cloudformation)
    assert stack_changes.detect_drift(aws, STACK) == Drift(STACK, unknown="it did not end")


def test_drift_of_what_is_not_there_or_may_not_be_asked(aws: Aws, answers: Callable[..., None]) -> None:
    answers(
        "cloudformation",
        stack("REVIEW_IN_PROGRESS"),
        stack(),
        refused="detect_stack_drift",
        client=aws.cloudformation,
    )
    assert stack_changes.detect_drift(aws, STACK) == Drift(STACK, exists=False)
    assert stack_changes.detect_drift(aws, STACK) == Drift(STACK, unknown="no detect_stack_drift")


def test_the_report_of_a_smoke_execution_is_read(aws: Aws, answers: Callable[..., None]) -> None:
    checks = [{"name": "stock", "ok": True, "detail": "as expected"}]
    answered = {
        "executionArn": "arn:smoke",
        "stateMachineArn": "arn:machine",
        "status": "SUCCEEDED",
        "startDate": AT,
        "output": json.dumps({"checks": checks}),
    }
    answers(
        "stepfunctions",
        ("describe_execution", {"executionArn": "arn:smoke"}, answered),
        client=aws.stepfunctions,
    )
    report = reports.smoke_of(aws, "arn:smoke")
    assert (report.execution, report.passed, len(report.checks)) == ("arn:smoke", True, 1)


def test_evidence_leaves_its_page_its_figures_a_summary_and_smoke_as_junit(
    evidence: Callable[..., Evidence], tmp_path: Path
) -> None:
    # When evidence is written twice, into a folder that was not there
    release, folder = evidence(), tmp_path / "reports" / "evidence"
    gather.write(release, folder)
    gather.write(release, folder)
    # Then four files are there
    assert json.loads((folder / "figures.json").read_text()) == {"tests": 412, "coverage": 0.914}
    assert (folder / "index.html").read_text() == page.html(release)
    assert (folder / "summary.txt").read_text().endswith("\n")
    (case,) = ET.parse(folder / "smoke.xml").getroot().iter("testcase")  # noqa: S314 - our own report
    assert case.get("name") == "happy order"


def test_a_new_role_s_permissions_and_the_digests_are_shown_in_code(
    evidence: Callable[..., Evidence],
) -> None:
    # Given a release that makes a role
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/key"}
    role = {
        "Type": "AWS::IAM::Role",
        "Properties": {"Policies": [{"PolicyDocument": {"Statement": [statement]}}]},
    }
    made = StackChanges(
        STACK,
        [change_of(STACK, resource("Role", "AWS::IAM::Role", "Add")["ResourceChange"])],
        {},
        {"Resources": {"Role": role}},
    )
    html = page.html(evidence(stacks=[made]))
    # Then what it may do, and on what, is a row; and digests are code, their files are not
    assert '<td data-is="new resource">' in html
    assert (
        '<td data-is="may">s3:GetObject</td><td data-is="on"><code>arn:aws:s3:::bucket/key</code></td>'
        in html
    )
    digest = f'<td data-is="SHA-256"><code>{"a" * 64}</code></td>'
    assert f'<td data-is="file">packages/reserve_products.zip</td>{digest}' in html


@pytest.mark.parametrize(
    ("grant", "wide"),
    [
        (Grant("Role", "Allow", "s3:GetObject", "arn:x"), False),
        (Grant("Role", "Allow", "s3:GetObject", "*"), True),
        (Grant("Role", "Allow", "s3:GetObject", "*", condition="c"), False),
        (Grant("Key", "Allow", "kms:Decrypt", "*", who="AWS: arn"), False),
        (Grant("Key", "Allow", "kms:Decrypt", "*", who="*"), True),
        (Grant("Key", "Allow", "kms:Decrypt", "*", who="AWS: *", condition="c"), False),
        (Grant("Role", "Allow", "xray:PutTraceSegments", "*"), False),
        (Grant("Role", "Allow", "s3:*", "arn:x"), True),
    ],
)
def test_a_grant_is_wide_when_it_names_everything_everyone_or_every_action(grant: Grant, wide: bool) -> None:
    assert grant.wide is wide


@pytest.mark.parametrize(
    ("before", "words"),
    [({}, "is new and"), ({"Group": {"Type": "AWS::EC2::SecurityGroup"}}, "newly")],
)
def test_an_opening_is_of_what_was_there_or_of_what_is_new(before: Json, words: str) -> None:
    rule = {"CidrIp": "10.0.0.0/16", "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
    group = {"Type": "AWS::EC2::SecurityGroup", "Properties": {"SecurityGroupEgress": [rule]}}
    (risk,) = [
        risk
        for risk in risks.assess(
            [StackChanges(STACK, [], {"Resources": before}, {"Resources": {"Group": group}})]
        )
        if risk.kind == NETWORK
    ]
    assert risk.what.startswith(words)
    assert (risk.severity, risk.place) == (Severity.MEDIUM, f"{STACK}/Group")


def test_a_denial_that_goes_with_its_resource_is_no_risk() -> None:
    deny = {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:x"}
    role = {"Type": "AWS::IAM::Role", "Properties": {"Policies": [{"PolicyDocument": {"Statement": [deny]}}]}}
    before = {"Resources": {"Role": role}}
    assert exposure.grants_of(before)
    assert risks.assess([StackChanges(STACK, [], before, {})]) == []
