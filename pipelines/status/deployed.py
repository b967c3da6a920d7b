"""What a payments stack runs, and which of its alarms fire."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.aws import stacks
from templates.capabilities.parameters import IMAGE_DIGEST

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pipelines.aws.accounts import Aws

_CODE_KEY = "CodeKey"
_AT_ONCE = 100
"""Names that DescribeAlarms takes (API reference)."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """A payments stack.

    Attributes:
        state: As CloudFormation says it.
        changed: When it was created or last updated.
        commit: The commit it was made from, where a tag says it: a branch's does.
        versions: The versions of the payment workflow that new orders run on, by their share in percent.
        digests: The SHA-256 of each function's package, or of the image of all.
    """

    state: str
    changed: datetime
    commit: str
    versions: dict[str, int]
    digests: dict[str, str]


@dataclass(frozen=True, slots=True)
class Ringing:
    """An alarm that fires.

    Attributes:
        name: The alarm's logical id.
        since: When it began.
        says: What it means, and the path of its runbook.
    """

    name: str
    since: datetime
    says: str


@dataclass(frozen=True, slots=True)
class Alarms:
    """The alarms of a stack.

    Attributes:
        quiet: How many are well.
        unsure: Those that have no data to judge by.
        ringing: Those that ring.
    """

    quiet: int
    unsure: list[str]
    ringing: list[Ringing]


def read_deployed(aws: Aws, stack: str) -> Deployed | None:
    """Return what a stack runs; nothing where there is no such stack, or its creation never finished."""
    if stacks.status(aws, stack) in {None, "REVIEW_IN_PROGRESS"}:
        return None
    described: Mapping[str, Any] = stacks.described(aws, stack)
    outputs = {entry["OutputKey"]: entry["OutputValue"] for entry in described.get("Outputs", [])}
    parameters = {entry["ParameterKey"]: entry["ParameterValue"] for entry in described.get("Parameters", [])}
    tags = {entry["Key"]: entry["Value"] for entry in described.get("Tags", [])}
    alias = outputs.get("PaymentWorkflowAliasArn")
    return Deployed(
        state=described["StackStatus"],
        changed=described.get("LastUpdatedTime", described["CreationTime"]),
        commit=tags.get("commit", ""),
        versions=_versions(aws, alias) if alias else {},
        digests=_digests(parameters),
    )


def alarms(aws: Aws, stack: str) -> Alarms:
    """Return the state of a stack's alarms, its composite alarm included."""
    pages = aws.cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    titles = {
        resource.get("PhysicalResourceId", ""): resource["LogicalResourceId"]
        for page in pages
        for resource in page["StackResourceSummaries"]
        if resource["ResourceType"] in {"AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"}
    }
    names, described = sorted(titles), list[dict[str, Any]]()
    for first in range(0, len(names), _AT_ONCE):
        some = names[first : first + _AT_ONCE]
        answer = aws.client("cloudwatch").describe_alarms(
            AlarmNames=some, AlarmTypes=["MetricAlarm", "CompositeAlarm"], MaxRecords=_AT_ONCE
        )
        described += [*answer.get("MetricAlarms", []), *answer.get("CompositeAlarms", [])]
    ringing = [alarm for alarm in described if alarm["StateValue"] == "ALARM"]
    return Alarms(
        quiet=sum(alarm["StateValue"] == "OK" for alarm in described),
        unsure=sorted(
            titles[alarm["AlarmName"]] for alarm in described if alarm["StateValue"] == "INSUFFICIENT_DATA"
        ),
        ringing=[
            Ringing(
                titles[alarm["AlarmName"]], alarm["StateUpdatedTimestamp"], alarm.get("AlarmDescription", "")
            )
            for alarm in ringing
        ],
    )


def _versions(aws: Aws, alias: str) -> dict[str, int]:
    routes = aws.stepfunctions.describe_state_machine_alias(stateMachineAliasArn=alias)
    shares = routes.get("routingConfiguration", [])
    return {route["stateMachineVersionArn"].rpartition(":")[2]: route["weight"] for route in shares}


def _digests(parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the digest of each package, which its key holds, or of the image."""
    zips = {
        key.removesuffix(_CODE_KEY): value.rpartition("/")[2].removesuffix(".zip")
        for key, value in parameters.items()
        if key.endswith(_CODE_KEY)
    }
    image = parameters.get(IMAGE_DIGEST)
    return zips if image is None else {"image": image.removeprefix("sha256:")}
