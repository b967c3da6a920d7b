"""An environment on one screen: what its stack says, and by each part that cannot be asked, why."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError, NoCredentialsError
from hypothesis import given
from hypothesis import strategies as st

from pipelines.core.refusals import Refused
from pipelines.evidence import stack_changes
from pipelines.evidence.gather import EMERGENCY
from pipelines.promotion import control
from pipelines.status import delivery, gather
from pipelines.status.deployed import Alarms, Deployed, Ringing, alarms, read_deployed
from pipelines.status.deployments import Emergency

BEGAN = datetime(2026, 11, 30, 12, tzinfo=UTC)
ALARMS = 230


class CloudFormation:
    """The stacks of an account; any other name is refused."""

    def __init__(self, *names: str, status: str = "UPDATE_COMPLETE", **parameters: str) -> None:
        self._names = names
        outputs = {
            "PaymentWorkflowAliasArn": "arn:alias",
            "PaymentWorkflowArn": "arn:workflow",
            "SmokeWorkflowArn": "arn:smoke",
            "DataApiFunctionName": "data-api",
        }
        self._stack = {
            "StackStatus": status,
            "CreationTime": BEGAN,
            "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()],
            "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()],
            "Tags": [{"Key": "commit", "Value": "abc"}],
        }

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        if StackName not in self._names:
            message = {"Code": "ValidationError", "Message": f"Stack with id {StackName} does not exist"}
            raise ClientError({"Error": cast("Any", message)}, "DescribeStacks")
        return {"Stacks": [self._stack | {"StackName": StackName}]}

    def get_paginator(self, operation: str) -> Any:
        assert operation in ("list_stack_resources", "describe_stack_resources")
        resources = [
            {
                "PhysicalResourceId": f"payments-{number:03}",
                "LogicalResourceId": f"Alarm{number}",
                "ResourceType": f"AWS::CloudWatch::{'Alarm' if number else 'CompositeAlarm'}",
            }
            for number in range(ALARMS)
        ]
        other = {"PhysicalResourceId": "q", "LogicalResourceId": "Lost", "ResourceType": "AWS::SQS::Queue"}
        page = {"StackResourceSummaries": [*resources, other]}
        return SimpleNamespace(paginate=lambda **_: [page])


class CloudWatch:
    """Alarms by their physical names: the composite one and the last ring, one more is unsure."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def describe_alarms(self, **asked: Any) -> dict[str, Any]:
        names = asked["AlarmNames"]
        assert asked["AlarmTypes"] == ["MetricAlarm", "CompositeAlarm"]
        assert len(names) <= asked["MaxRecords"] <= 100, "DescribeAlarms refuses more"
        self.asked.append(len(names))
        states = {
            "payments-000": "ALARM",
            f"payments-{ALARMS - 1}": "ALARM",
            "payments-117": "INSUFFICIENT_DATA",
        }
        found = [
            {
                "AlarmName": name,
                "StateValue": states.get(name, "OK"),
                "StateUpdatedTimestamp": BEGAN,
                "AlarmDescription": f"runbook of {name}",
            }
            for name in names
        ]
        composite = [alarm for alarm in found if alarm["AlarmName"] == "payments-000"]
        metric = [alarm for alarm in found if alarm not in composite]
        answer = {"CompositeAlarms": composite, "MetricAlarms": metric}
        return {kind: listed for kind, listed in answer.items() if listed}


class StepFunctions:
    """An alias that shifts a tenth, and a smoke state machine that ran twice."""

    def describe_state_machine_alias(self, stateMachineAliasArn: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        assert stateMachineAliasArn == "arn:alias"
        shares = {
            "arn:aws:states:eu-west-1:1:stateMachine:w:7": 90,
            "arn:aws:states:eu-west-1:1:stateMachine:w:8": 10,
        }
        return {
            "routingConfiguration": [
                {"stateMachineVersionArn": arn, "weight": weight} for arn, weight in shares.items()
            ]
        }

    def list_executions(self, stateMachineArn: str, maxResults: int) -> dict[str, Any]:  # noqa: N803 - boto3's names
        assert stateMachineArn == "arn:smoke"
        runs = [{"status": "FAILED", "startDate": BEGAN}, {"status": "SUCCEEDED", "startDate": BEGAN}]
        return {"executions": runs[:maxResults]}


class Functions:
    """A data API with one parked order."""

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - boto3's names
        assert FunctionName == "data-api"
        assert json.loads(Payload)["queryStringParameters"]["state"] == "NEEDS_ATTENTION"
        answer = {"statusCode": 200, "body": json.dumps({"orders": [{"order_id": "o1"}]})}
        return {"Payload": SimpleNamespace(read=lambda: json.dumps(answer))}


def _aws(cloudformation: CloudFormation, cloudwatch: Any = None, stepfunctions: Any = None) -> Any:
    environment = SimpleNamespace(name="staging", account="1", region="eu-west-1", network_stack="network")
    return SimpleNamespace(
        environment=environment,
        cloudformation=cloudformation,
        stepfunctions=stepfunctions or StepFunctions(),
        functions=Functions(),
        client=lambda _: cloudwatch or CloudWatch(),
    )


def test_a_stack_says_what_it_runs_by_share_and_digest() -> None:
    zips = {"DataApiCodeKey": "functions/DataApi/0a.zip", "PayCodeKey": "functions/Pay/0b.zip", "Vpc": "v"}
    expected = Deployed("UPDATE_COMPLETE", BEGAN, "abc", {"7": 90, "8": 10}, {"DataApi": "0a", "Pay": "0b"})
    assert read_deployed(_aws(CloudFormation("payments", **zips)), "payments") == expected
    # Of an image, there is one digest for all functions
    image = read_deployed(_aws(CloudFormation("payments", ImageDigest="sha256:0c")), "payments")
    assert image is not None
    assert image.digests == {"image": "0c"}


def test_a_stack_that_is_not_there_or_was_never_made_runs_nothing() -> None:
    assert read_deployed(_aws(CloudFormation()), "payments") is None
    assert read_deployed(_aws(CloudFormation("payments", status="REVIEW_IN_PROGRESS")), "payments") is None


def test_every_alarm_of_a_stack_is_counted_though_aws_describes_a_hundred_at_a_time() -> None:
    cloudwatch = CloudWatch()
    counted = alarms(_aws(CloudFormation("payments"), cloudwatch), "payments")
    assert counted == Alarms(
        ALARMS - 3,
        ["Alarm117"],
        [
            Ringing("Alarm0", BEGAN, "runbook of payments-000"),
            Ringing(f"Alarm{ALARMS - 1}", BEGAN, f"runbook of payments-{ALARMS - 1}"),
        ],
    )
    assert cloudwatch.asked == [100, 100, 30]


@pytest.fixture
def drifted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drift of the payments stack, and none that is known of the network."""

    def detect_drift(_: Any, stack: str) -> Any:
        unknown = "" if stack == "payments" else "It is being updated."
        return SimpleNamespace(unknown=unknown, drifted=("DataApi",))

    monkeypatch.setattr(stack_changes, "detect_drift", detect_drift)


@pytest.mark.usefixtures("drifted")
def test_what_can_be_asked_is_shown_and_what_cannot_is_unknown_with_the_reason() -> None:
    # Given an environment whose network's drift cannot be had
    status = gather.gather(_aws(CloudFormation("payments")), "payments", None)
    # Then
    assert status.deployed is not None
    assert status.smoke == {"status": "FAILED", "started": BEGAN}
    assert status.alarms is not None
    assert status.alarms.quiet == ALARMS - 3
    assert status.parked == ["o1"]
    assert status.drift == {"payments": ["DataApi"]}
    assert status.unknown == {"drift of network": "It is being updated."}
    # No pipeline deploys it, so none was asked
    assert (status.release, status.gates, status.delivery) == (None, [], None)


@pytest.mark.usefixtures("drifted")
def test_a_smoke_state_machine_that_never_ran_shows_nothing() -> None:
    stepfunctions = StepFunctions()
    stepfunctions.list_executions = lambda **_: {"executions": []}  # type: ignore[method-assign]
    aws = _aws(CloudFormation("payments"), stepfunctions=stepfunctions)
    assert gather.gather(aws, "payments", None).smoke is None


def test_without_credentials_there_is_nothing_to_show() -> None:
    def denied(**_: Any) -> Any:
        raise NoCredentialsError

    cloudformation = CloudFormation("payments")
    cloudformation.describe_stacks = denied  # type: ignore[method-assign, assignment]
    with pytest.raises(NoCredentialsError):
        gather.gather(_aws(cloudformation), "payments", None)


_UNITS = {"d": 86400, "h": 3600, "min": 60, "s": 1}


@given(st.one_of(st.integers(0, 200_000), st.integers(0, 200).map(lambda hours: 3600 * hours)))
def test_a_length_of_time_is_said_in_its_two_largest_units(seconds: int) -> None:
    # Given a length of time in words
    words = delivery.duration(seconds).split()
    parts = list(zip(map(int, words[::2]), words[1::2], strict=True))
    # Then they add up to it but for what is smaller than the last one, and each is less than the next larger
    said = sum(count * _UNITS[unit] for count, unit in parts)
    assert said <= seconds < said + _UNITS[parts[-1][1]]
    largest = next((unit for unit in _UNITS if seconds >= _UNITS[unit]), "s")
    assert parts[0][1] == largest
    assert len(parts) == (1 if largest == "s" else 2)


def test_no_length_of_time_is_said_as_nothing() -> None:
    assert delivery.duration(None) == ""
    assert [delivery.duration(each) for each in (59, 60, 3599, 3600, 86399, 86400)] == [
        "59 s",
        "1 min 0 s",
        "59 min 59 s",
        "1 h 0 min",
        "23 h 59 min",
        "1 d 0 h",
    ]


class CodePipeline:
    """A release pipeline with emergency approvals, and how far back its history was read."""

    def __init__(self, *approved: datetime) -> None:
        self.read: list[datetime] = []
        self._pages = {
            "list_pipeline_executions": ("pipelineExecutionSummaries", []),
            "list_rule_executions": ("ruleExecutionDetails", []),
            "list_action_executions": ("actionExecutionDetails", [self._approval(at) for at in approved]),
        }

    def _approval(self, at: datetime) -> dict[str, Any]:
        return {
            "pipelineExecutionId": "e",
            "stageName": "Approve",
            "actionName": "ApproveAgain",
            "status": "Succeeded",
            "startTime": at,
            "lastUpdateTime": at,
            "updatedBy": "ada",
            "input": {
                "actionTypeId": {"category": "Approval"},
                "resolvedConfiguration": {"CustomData": f"{EMERGENCY} Say why."},
            },
            "output": {"executionResult": {"externalExecutionSummary": "why"}},
        }

    def get_paginator(self, operation: str) -> Any:
        key, entries = self._pages[operation]

        def pages() -> Any:
            for entry in entries:
                self.read.append(entry["startTime"])
                yield {key: [entry]}

        return SimpleNamespace(paginate=lambda **_: pages())


@pytest.mark.parametrize("environment", ["staging", "prod"])
def test_emergencies_of_the_window_alone_are_told_and_of_production_alone(environment: str) -> None:
    # Given approvals at both ends of the window, and outside of it
    window, second = delivery.WINDOW, timedelta(seconds=1)
    week = timedelta(days=7)
    inside = (BEGAN, BEGAN - second, BEGAN - window)
    moments = (*inside, BEGAN - window - second, BEGAN - window - week + second)
    codepipeline = CodePipeline(*moments, BEGAN - window - week - second, BEGAN - 2 * window)
    tools = cast("Any", SimpleNamespace(client=lambda _: codepipeline))
    # When
    measures = delivery.measured(tools, "release", environment, BEGAN)
    # Then its begin is part of it, and its end is not
    within = [Emergency("e", at, "ada", "why") for at in (BEGAN - window, BEGAN - second)]
    assert list(measures.emergencies) == (within if environment == "prod" else [])
    # A deployment of the window may have begun a week before it; what is older is not read on
    assert codepipeline.read == [*moments, BEGAN - window - week - second]


def test_an_environment_without_a_release_pipeline_has_no_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any) -> str:
        raise Refused("The pipelines are not deployed.")

    monkeypatch.setattr(gather, "name_of", refused)
    monkeypatch.setattr(control, "name_of", refused)
    aws = _aws(CloudFormation())
    status = gather.gather(aws, "payments", cast("Any", SimpleNamespace()))
    assert status.unknown == dict.fromkeys(
        ("release", "gates", "delivery"), "The pipelines are not deployed."
    )
    aws.environment.name = "branch"
    monkeypatch.setattr(control, "name_of", lambda *_: "remove-branch")
    monkeypatch.setattr(control, "pending_approvals", lambda *_: [])
    status = gather.gather(aws, "payments", cast("Any", SimpleNamespace()))
    assert (status.release, status.gates, status.delivery, status.unknown) == (None, [], None, {})
