"""Risks of a change, worst first."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from pipelines.evidence import exposure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipelines.evidence.stack_changes import Change, StackChanges

HOLDS_DATA: Final = {
    "AWS::Backup::BackupVault",
    "AWS::CodeArtifact::Repository",
    "AWS::Cognito::UserPool",
    "AWS::DocDB::DBCluster",
    "AWS::DynamoDB::GlobalTable",
    "AWS::DynamoDB::Table",
    "AWS::EC2::Volume",
    "AWS::EFS::FileSystem",
    "AWS::KMS::Key",
    "AWS::Kinesis::Stream",
    "AWS::Logs::LogGroup",
    "AWS::RDS::DBCluster",
    "AWS::RDS::DBInstance",
    "AWS::S3::Bucket",
    "AWS::SQS::Queue",
    "AWS::SecretsManager::Secret",
    "AWS::SSM::Parameter",
}
"""Types that hold data; a key counts, because what it encrypted is lost with it."""
MADE_ANEW_EACH_TIME: Final = {
    "AWS::ApiGateway::Deployment",
    "AWS::Lambda::Version",
    "AWS::StepFunctions::StateMachineVersion",
}
"""Types that every release replaces, because each names one state of another resource."""


class Severity(IntEnum):
    """How much to look; the higher the closer."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3


@dataclass(frozen=True, slots=True)
class Risk:
    """One thing that a reviewer should look at.

    Attributes:
        severity: How closely.
        kind: deletion of data, IAM broadening, network opening or replacement.
        place: The stack and the resource.
        what: What would happen, in a sentence without a full stop.
    """

    severity: Severity
    kind: str
    place: str
    what: str


DATA: Final = "deletion of data"
IAM: Final = "IAM broadening"
NETWORK: Final = "network opening"
REPLACEMENT: Final = "replacement"
_ORDER: Final = (DATA, IAM, NETWORK, REPLACEMENT)


def assess(stacks: Iterable[StackChanges]) -> list[Risk]:
    """Return every risk of the changes, the worst first."""
    risks = [risk for stack in stacks for risk in _of_stack(stack)]
    return sorted(risks, key=lambda risk: (-risk.severity, _ORDER.index(risk.kind), risk.place, risk.what))


def _of_stack(stack: StackChanges) -> Iterator[Risk]:
    for change in stack.changes:
        yield from _of_resource(change)
    if stack.before:  # a new stack has nothing that could be broadened or opened
        yield from _broadened(stack)
        yield from _opened(stack)


def _of_resource(change: Change) -> Iterator[Risk]:
    place = f"{change.stack}/{change.resource}"
    goes = change.action == "Remove" or change.replacement != "no"
    if not goes:
        return
    perhaps = "would perhaps be" if change.replacement == "perhaps" else "would be"
    how = (
        "deleted"
        if change.action == "Remove"
        else f"replaced ({', '.join(change.properties) or 'no property is named'})"
    )
    sentence = f"{change.type} {perhaps} {how}"
    if change.type in HOLDS_DATA and not change.keeps_old:
        yield Risk(Severity.HIGH, DATA, place, f"{sentence}, and what it holds would be lost")
    elif change.type in MADE_ANEW_EACH_TIME:
        return
    elif change.action != "Remove":
        yield Risk(Severity.MEDIUM, REPLACEMENT, place, sentence)
    elif change.type in HOLDS_DATA:
        yield Risk(Severity.LOW, DATA, place, f"{sentence}, but what it holds would be kept")


def _broadened(stack: StackChanges) -> Iterator[Risk]:
    before, after = exposure.grants_of(stack.before), exposure.grants_of(stack.after)
    for grant in after - before:
        if grant.effect == "Allow":
            severity = Severity.HIGH if grant.wide else Severity.MEDIUM
            yield Risk(severity, IAM, f"{stack.stack}/{grant.holder}", f"would newly allow {grant}")
    for grant in before - after:
        if grant.effect == "Deny" and grant.holder in stack.after.get("Resources", {}):
            yield Risk(Severity.HIGH, IAM, f"{stack.stack}/{grant.holder}", f"would no longer deny {grant}")
    kept = stack.after.get("Resources", {})
    for holder, boundary in exposure.boundaries(stack.before) - exposure.boundaries(stack.after):
        if holder in kept:
            sentence = f"would lose or change its permissions boundary {boundary}"
            yield Risk(Severity.HIGH, IAM, f"{stack.stack}/{holder}", sentence)


def _opened(stack: StackChanges) -> Iterator[Risk]:
    for opening in exposure.openings_of(stack.after) - exposure.openings_of(stack.before):
        severity = Severity.HIGH if opening.anywhere else Severity.MEDIUM
        yield Risk(severity, NETWORK, f"{stack.stack}/{opening.resource}", f"newly {opening.what}")
