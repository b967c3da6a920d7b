"""A change set as a reviewer reads it: each resource's change, and the cost; and whether a stack drifted.

The cost is the fixed monthly one: what is paid whether or not anybody uses the system. Only resources with a
fixed price count; calls, seconds and bytes are paid by use, and a change set does not say how much of it
there will be. The prices are public list prices, dated, in docs/data/prices.json, which the docs read too.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from botocore.exceptions import ClientError

from pipelines.core.refusals import Refused
from pipelines.core.repository import ROOT
from pipelines.core.waiting import TimedOut, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from types_boto3_cloudformation.type_defs import DescribeStackDriftDetectionStatusOutputTypeDef

    from pipelines.aws.accounts import Aws

Json = dict[str, Any]
_UNCHANGED = ("didn't contain changes", "No updates are to be performed")
PRICES: Final[dict[str, Any]] = json.loads(
    (ROOT / "docs" / "data" / "prices.json").read_text(encoding="utf-8")
)
"""Prices with their date, region and currency."""
MONTHLY_PRICES: Final[dict[str, float]] = PRICES["standing"]
"""By type; an interface endpoint is in two zones, an alarm watches one metric."""


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """What happens to one resource.

    Attributes:
        stack: The stack it is in.
        resource: Its logical id.
        type: As `AWS::S3::Bucket`.
        action: What CloudFormation would do.
        replacement: Whether it is made anew: no, perhaps (it depends on a value known only then), yes.
        keeps_old: Whether what is replaced or removed stays in the account (DeletionPolicy).
        properties: Which of its properties change, and whatever else does, as `tags` or `metadata`.
    """

    stack: str
    resource: str
    type: str
    action: Literal["Add", "Modify", "Remove", "Import", "Dynamic"]
    replacement: Literal["no", "perhaps", "yes"] = "no"
    keeps_old: bool = False
    properties: tuple[str, ...] = ()

    @property
    def only_tags(self) -> bool:
        """Return whether nothing but its tags changes."""
        return self.action == "Modify" and self.replacement == "no" and self.properties == ("tags",)


@dataclass(frozen=True, slots=True)
class StackChanges:
    """What would happen to one stack.

    Attributes:
        stack: Its name.
        changes: What happens to its resources; nothing when it stays as it is.
        before: Its template now; empty when it would be created.
        after: Its template then.
        parameters: Its parameters then.
        tags: Its tags then.
    """

    stack: str
    changes: list[Change]
    before: Json = field(default_factory=dict)
    after: Json = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def is_new(self) -> bool:
        """Return whether the stack does not exist yet."""
        return not self.before

    @property
    def counted(self) -> str:
        """Return how many resources are added, changed, replaced and removed, in words."""
        return counted(self.changes)


def counted(changes: Sequence[Change]) -> str:
    """Return how many resources changes add, change, replace and remove, in words."""
    counts = {
        "added": sum(change.action == "Add" for change in changes),
        "changed": sum(change.action == "Modify" for change in changes),
        "of them only in their tags": sum(change.only_tags for change in changes),
        "of them replaced": sum(change.replacement == "yes" for change in changes),
        "removed": sum(change.action == "Remove" for change in changes),
        "not known before it happens": sum(change.action == "Dynamic" for change in changes),
    }
    return ", ".join(f"{count} {kind}" for kind, count in counts.items() if count) or "nothing changes"


def read(aws: Aws, stack: str, change_set: str) -> StackChanges:
    """Read a change set that is ready, or that found nothing to change.

    Raises:
        Refused: It failed for another reason, or is not ready.
    """
    described: Json = dict(aws.cloudformation.describe_change_set(StackName=stack, ChangeSetName=change_set))
    reason = described.get("StatusReason", "")
    unchanged = described["Status"] == "FAILED" and any(words in reason for words in _UNCHANGED)
    if described["Status"] != "CREATE_COMPLETE" and not unchanged:
        raise Refused(f"The change set {change_set} of {stack} is {described['Status']}: {reason}")
    return StackChanges(
        stack,
        sorted(_changes(aws, stack, change_set)),
        template(aws, stack),
        template(aws, stack, change_set),
        {
            parameter["ParameterKey"]: parameter.get("ParameterValue", "")
            for parameter in described.get("Parameters", [])
        },
        {tag["Key"]: tag["Value"] for tag in described.get("Tags", [])},
    )


def _changes(aws: Aws, stack: str, change_set: str) -> Iterator[Change]:
    pages = aws.cloudformation.get_paginator("describe_change_set")
    for page in pages.paginate(StackName=stack, ChangeSetName=change_set):
        for change in page.get("Changes", []):
            if "ResourceChange" in change:
                yield change_of(stack, dict(change["ResourceChange"]))


def change_of(stack: str, change: Json) -> Change:
    """Return one resource's change, from CloudFormation's ResourceChange.

    Source: CloudFormation API reference, ResourceChange and ResourceTargetDefinition: only a change of
    properties has a `Name`; others say by `Attribute` that tags, metadata or a policy change.
    """
    targets = [detail.get("Target", {}) for detail in change.get("Details", [])]
    names = {target.get("Name") or target.get("Attribute", "").lower() for target in targets}
    names = names - {"", "properties"} or {
        scope.lower() for scope in change.get("Scope", []) if scope != "Properties"
    }
    replacement = {"True": "yes", "Conditional": "perhaps"}.get(change.get("Replacement", ""), "no")
    return Change(
        stack,
        change["LogicalResourceId"],
        change["ResourceType"],
        change["Action"],
        replacement,  # type: ignore[arg-type]  # one of the three words
        "Retain" in change.get("PolicyAction", ""),
        tuple(sorted(names)),
    )


def template(aws: Aws, stack: str, change_set: str | None = None) -> Json:
    """Return a template as CloudFormation keeps it; empty for a stack under review, which has none yet."""
    which = {"ChangeSetName": change_set} if change_set else {}
    states = aws.cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
    if not change_set and states == "REVIEW_IN_PROGRESS":
        return {}
    response = aws.cloudformation.get_template(StackName=stack, **which)  # type: ignore[arg-type]  # str to str
    body: Any = response["TemplateBody"]
    return parsed(body if isinstance(body, str) else json.dumps(body))


def parsed(template: str) -> Json:
    """Return a template, {Resources, Parameters, …}, as its JSON, without what only Python's types add."""
    body: Json = json.loads(template)
    return body


def fixed_cost(stacks: Iterable[StackChanges]) -> float:
    """Return the change of the fixed monthly cost in US dollars."""
    sign = {"Add": 1, "Remove": -1}
    changes = [change for stack in stacks for change in stack.changes]
    return sum(sign.get(change.action, 0) * MONTHLY_PRICES.get(change.type, 0.0) for change in changes)


_LONGEST_SECONDS: Final = 300


@dataclass(frozen=True, slots=True)
class Drift:
    """What drift detection found in one stack.

    Attributes:
        stack: Its name.
        drifted: What is not as it was deployed, by logical id; or nothing.
        unknown: Why it is not known, or nothing when it is.
        exists: Whether there is such a stack yet; what does not exist is not "as deployed".
    """

    stack: str
    drifted: tuple[str, ...] = ()
    unknown: str = ""
    exists: bool = True


def detect_drift(aws: Aws, stack: str) -> Drift:
    """Ask CloudFormation to compare a stack with its template; a stack that is not there yet has no drift."""
    cloudformation = aws.cloudformation
    try:
        if (
            cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
            == "REVIEW_IN_PROGRESS"
        ):
            return Drift(stack, exists=False)
        detection = cloudformation.detect_stack_drift(StackName=stack)["StackDriftDetectionId"]
        state = _ended_detection(aws, stack, detection)
        differences = cloudformation.describe_stack_resource_drifts(
            StackName=stack, StackResourceDriftStatusFilters=["MODIFIED", "DELETED"]
        )["StackResourceDrifts"]
    except TimedOut:
        return Drift(stack, unknown="it did not end")
    except ClientError as error:
        # Evidence without drift is better than none; the page says that it is missing, and why.
        return Drift(stack, unknown=error.response["Error"]["Message"])
    drifted = tuple(sorted(difference["LogicalResourceId"] for difference in differences))
    unknown = (
        ""
        if state["DetectionStatus"] == "DETECTION_COMPLETE"
        else state.get("DetectionStatusReason", "it did not end")
    )
    return Drift(stack, drifted, unknown)


def _ended_detection(aws: Aws, stack: str, detection: str) -> DescribeStackDriftDetectionStatusOutputTypeDef:
    def ended() -> DescribeStackDriftDetectionStatusOutputTypeDef | None:
        answer = aws.cloudformation.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
        return None if answer["DetectionStatus"] == "DETECTION_IN_PROGRESS" else answer

    return wait_until(
        ended, seconds=_LONGEST_SECONDS, every=aws.poll_seconds, what=f"the drift detection of {stack}"
    )
