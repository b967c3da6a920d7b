"""E9003 and E9005: how long logs and data are kept, under which key, and that no deletion is an accident."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipelines.lint.house_rules.rule import Fault, HouseRule, properties, resources

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.lint.house_rules.rule import Json

_DATA: Final = (
    "AWS::CodeArtifact::Domain",
    "AWS::CodeArtifact::Repository",
    "AWS::DynamoDB::Table",
    "AWS::EFS::FileSystem",
    "AWS::KMS::Key",
    "AWS::Logs::LogGroup",
    "AWS::RDS::DBCluster",
    "AWS::RDS::DBInstance",
    "AWS::S3::Bucket",
    "AWS::SQS::Queue",
    "AWS::SecretsManager::Secret",
)
_POLICIES: Final = ("DeletionPolicy", "UpdateReplacePolicy")


def _log_groups(template: Json) -> Iterator[Fault]:
    for name, group in properties(template, "AWS::Logs::LogGroup"):
        for key, lacking in (("RetentionInDays", "is kept forever"), ("KmsKeyId", "has no key of ours")):
            if not group.get(key):
                yield Fault(("Resources", name, "Properties"), f"the log group {lacking}; say {key}")


def _policies(template: Json) -> Iterator[Fault]:
    for name, resource in resources(template, *_DATA):
        for policy in _POLICIES:
            if policy not in resource:
                message = f"holds data and does not say its {policy}; the default deletes it"
                yield Fault(("Resources", name), message)


LOG_GROUPS: Final = HouseRule(
    "E9003",
    "Every log group has a retention and a key",
    "Without a retention logs are kept, and paid for, forever; without a key nobody can be shut out of them.",
    _log_groups,
)
DELETION_POLICIES: Final = HouseRule(
    "E9005",
    "What holds data says what becomes of it",
    "CloudFormation deletes by default, also when an update replaces a resource.",
    _policies,
)
