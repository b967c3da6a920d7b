"""Risks of a change, worst first."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from pipelines.evidence import exposure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipelines.evidence.exposure import Grant
    from pipelines.evidence.stack_changes import Change, StackChanges

HOLDS_DATA: Final = {
    "AWS::Backup::BackupVault",
    "AWS::CodeArtifact::Domain",
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
        kind: What it is, as deletion of data, IAM broadening or first release.
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
FIRST: Final = "first release"
NEW_PERMISSIONS: Final = "new permissions"
UNKNOWN: Final = "unknown"
_ORDER: Final = (DATA, IAM, NEW_PERMISSIONS, NETWORK, REPLACEMENT, FIRST, UNKNOWN)
_NAMED: Final = 3
"""Targets of a new holder that its risk names, and actions on each; the page has all."""


def assess(stacks: Iterable[StackChanges]) -> list[Risk]:
    """Return every risk of the changes, the worst first."""
    risks = [risk for stack in stacks for risk in _of_stack(stack)]
    return sorted(risks, key=lambda risk: (-risk.severity, _ORDER.index(risk.kind), risk.place, risk.what))


def _of_stack(stack: StackChanges) -> Iterator[Risk]:
    for change in stack.changes:
        yield from _of_resource(change)
    if stack.is_new and stack.changes:
        yield Risk(
            Severity.MEDIUM, FIRST, stack.stack, f"does not exist yet, and would be created: {stack.counted}"
        )
    yield from _broadened(stack)
    yield from _newly_permitted(stack)
    yield from _opened(stack)


def _of_resource(change: Change) -> Iterator[Risk]:
    place = f"{change.stack}/{change.resource}"
    if change.action == "Dynamic":
        yield Risk(
            Severity.MEDIUM, UNKNOWN, place, f"{change.type}: CloudFormation tells only when it happens"
        )
        return
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
        if grant.effect == "Allow" and grant.holder in stack.before.get("Resources", {}):
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


def new_grants(stack: StackChanges) -> dict[str, list[Grant]]:
    """Return what each new role, policy or permission of a stack would allow, by its logical id."""
    known = stack.before.get("Resources", {})
    grants: dict[str, list[Grant]] = {}
    for grant in sorted(exposure.grants_of(stack.after)):
        if grant.holder not in known and grant.effect == "Allow":
            grants.setdefault(grant.holder, []).append(grant)
    return grants


def _newly_permitted(stack: StackChanges) -> Iterator[Risk]:
    """Yield one risk for each new holder of permissions, which says what it may do."""
    bounded = {holder for holder, _ in exposure.boundaries(stack.after)}
    for holder, grants in new_grants(stack).items():
        kind = stack.after["Resources"][holder]["Type"]
        role = kind == "AWS::IAM::Role"
        # Who may assume a role is said apart: it is no permission of the role's.
        may = [grant for grant in grants if not (role and grant.who)]
        wide = any(grant.wide for grant in grants) or (role and holder not in bounded)
        listed = _in_words(may) or "nothing by itself"
        by = ", ".join(sorted({grant.who for grant in grants if role and grant.who}))
        assumed = f"; assumed by {by}" if by else ""
        unbounded = "; it has no permissions boundary" if role and holder not in bounded else ""
        yield Risk(
            Severity.HIGH if wide else Severity.MEDIUM,
            NEW_PERMISSIONS,
            f"{stack.stack}/{holder}",
            f"new {kind} would allow {listed}{assumed}{unbounded}",
        )


def _in_words(grants: list[Grant]) -> str:
    """Return what grants allow, those of one target together, the widest first; the page lists them all."""
    together: dict[tuple[str, str, str], list[Grant]] = {}
    for grant in sorted(grants, key=lambda grant: not grant.wide):
        together.setdefault((grant.who, grant.target, grant.condition), []).append(grant)
    parts = []
    for (who, target, condition), same in list(together.items())[:_NAMED]:
        actions = ", ".join(grant.action for grant in same[:_NAMED])
        more = f" and {len(same) - _NAMED} more" if len(same) > _NAMED else ""
        on = f" on {target}" if target else ""
        parts.append(f"{who}{' ' * bool(who)}{actions}{more}{on}{' under a condition' * bool(condition)}")
    rest = len(together) - len(parts)
    return "; ".join(parts) + (f"; and {rest} more" if rest > 0 else "")


def _opened(stack: StackChanges) -> Iterator[Risk]:
    """Yield a risk for each opening of what exists, and one for each new resource that opens something."""
    known = stack.before.get("Resources", {})
    new: dict[str, list[exposure.Opening]] = {}
    for opening in sorted(exposure.openings_of(stack.after) - exposure.openings_of(stack.before)):
        if opening.resource in known:
            severity = Severity.HIGH if opening.anywhere else Severity.MEDIUM
            yield Risk(severity, NETWORK, f"{stack.stack}/{opening.resource}", f"newly {opening.what}")
        else:
            new.setdefault(opening.resource, []).append(opening)
    for resource, openings in new.items():
        severity = Severity.HIGH if any(opening.anywhere for opening in openings) else Severity.MEDIUM
        what = f"is new and {'; '.join(opening.what for opening in openings)}"
        yield Risk(severity, NETWORK, f"{stack.stack}/{resource}", what)
