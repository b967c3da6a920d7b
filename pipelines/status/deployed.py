"""What an environment runs: its stack and alarms, the release that is there, and the approvals that wait."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pipelines.aws import stacks
from pipelines.promotion import control
from pipelines.status.delivery import STAGES
from templates.capabilities.stack_interface import IMAGE_DIGEST

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pipelines.aws.accounts import Aws
    from pipelines.promotion.control import PendingApproval

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
    titles = {
        resource.get("PhysicalResourceId", ""): resource["LogicalResourceId"]
        for resource in stacks.resources(aws, stack)
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


_ASKING: Final = {"branch": ["remove-branch"], "staging": ["release"], "prod": ["release"]}
"""The pipelines that ask about each environment."""


@dataclass(frozen=True, slots=True)
class Release:
    """What the release pipeline last did to an environment.

    Attributes:
        execution: The execution.
        commit: The commit that it took.
        status: How the stage went.
        rollback: Whether it took the environment back to an earlier release.
    """

    execution: str
    commit: str
    status: str
    rollback: bool


@dataclass(frozen=True, slots=True)
class Gate:
    """An approval that waits.

    Attributes:
        pipeline: The pipeline, by the word that people use.
        stage: The stage that asks.
        execution: The execution that waits.
        link: The address of the evidence.
    """

    pipeline: str
    stage: str
    execution: str
    link: str


def release(tools: Aws, environment: str) -> Release | None:
    """Return the last release to an environment, if the release pipeline has reached it.

    Raises:
        Refused: The pipelines are not deployed.
    """
    if environment not in STAGES:
        return None
    pipeline = control.name_of(tools, "release")
    stage = next(s for s in control.state(tools, pipeline) if s["stageName"] == STAGES[environment])
    last = stage.get("latestExecution")
    if not last:
        return None
    execution = tools.client("codepipeline").get_pipeline_execution(
        pipelineName=pipeline, pipelineExecutionId=last["pipelineExecutionId"]
    )["pipelineExecution"]
    commit = next((revision["revisionId"] for revision in execution.get("artifactRevisions", [])), "")
    return Release(last["pipelineExecutionId"], commit, last["status"], last.get("type") == "ROLLBACK")


def gates(tools: Aws, environment: str) -> list[Gate]:
    """Return the approvals about an environment that wait.

    Raises:
        Refused: The pipelines are not deployed.
    """
    asking = {which: control.name_of(tools, which) for which in _ASKING.get(environment, [])}
    return [
        _gate(which, question)
        for which, name in asking.items()
        for question in control.pending_approvals(tools, name)
    ]


def _gate(which: str, question: PendingApproval) -> Gate:
    return Gate(which, question.stage, question.execution, question.link)
