"""The environment's KMS key, for logs and functions' variables; log groups, always with it and retention."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from awacs import kms
from awacs.aws import Allow, ArnLike, Condition, PolicyDocument, Principal, Statement
from troposphere import GetAtt, Ref, Sub
from troposphere.kms import Key
from troposphere.logs import LogGroup

from templates.capabilities.permissions import POLICY_VERSION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from awacs.aws import Action
    from troposphere import AWSHelperFn, Template

    from environments.schema import Environment

USE: Final = [
    kms.DescribeKey,
    kms.Encrypt,
    kms.Decrypt,
    kms.ReEncryptFrom,
    kms.ReEncryptTo,
    kms.GenerateDataKey,
    kms.GenerateDataKeyWithoutPlaintext,
]
# Lambda reads a function's environment variables through a grant that it creates for the function's role
# when the function is created, so whoever deploys needs CreateGrant, and the functions' roles need nothing.
ADMINISTER: Final = [
    kms.CreateGrant,
    kms.ListGrants,
    kms.RevokeGrant,
    kms.GetKeyPolicy,
    kms.PutKeyPolicy,
    kms.GetKeyRotationStatus,
    kms.EnableKeyRotation,
    kms.EnableKey,
    kms.DisableKey,
    kms.UpdateKeyDescription,
    kms.ListResourceTags,
    kms.TagResource,
    kms.UntagResource,
    kms.ScheduleKeyDeletion,
    kms.CancelKeyDeletion,
]
REASONS: Final = {
    "AccountDelegates": "Lets this account's IAM policies allow the key's use. "
    "In a key policy * is this key: a policy cannot name the key it belongs to.",
    "CloudWatchLogs": "CloudWatch Logs encrypts this account's log groups with it. "
    "In a key policy * is this key.",
}


def add_encryption_key(template: Template, environment: Environment) -> GetAtt:
    """Add the key and return its ARN; in production it outlives its stack, as what it encrypts does."""
    policy = "Retain" if environment.production else "Delete"
    key = Key(
        "Key",
        Description=Sub("Logs and environment variables of ${AWS::StackName} and the stacks in its network"),
        EnableKeyRotation=True,
        KeyPolicy=PolicyDocument(Version=POLICY_VERSION, Statement=[account_delegates(), cloudwatch_logs()]),
        DeletionPolicy=policy,
        UpdateReplacePolicy=policy,
        Metadata={
            "Permissions": {name: REASONS[name] for name in ("AccountDelegates", "CloudWatchLogs")},
        },
    )
    template.add_resource(key)
    return GetAtt(key, "Arn")


def account_delegates(use: Sequence[Action] = USE) -> Statement:
    """Return the statement that lets the account's IAM policies allow the use and care of its key."""
    return Statement(
        Sid="AccountDelegates",
        Effect=Allow,
        Principal=Principal("AWS", Sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root")),
        Action=[*use, *ADMINISTER],
        Resource=["*"],
    )


def cloudwatch_logs() -> Statement:
    """Return the statement that lets CloudWatch Logs encrypt the account's log groups with its key."""
    # Amazon CloudWatch Logs user guide, "Encrypt log data in CloudWatch Logs using AWS KMS".
    groups = Sub("arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:*")
    return Statement(
        Sid="CloudWatchLogs",
        Effect=Allow,
        Principal=Principal("Service", Sub("logs.${AWS::Region}.${AWS::URLSuffix}")),
        Action=USE,
        Resource=["*"],
        Condition=Condition(ArnLike({"kms:EncryptionContext:aws:logs:arn": groups})),
    )


@dataclass(frozen=True, slots=True)
class Logs:
    """What others may use of a log group."""

    name: Ref
    streams_arn: GetAtt
    """ARN with `:*`: what IAM statements on its streams and Step Functions want."""
    arn: Sub
    """ARN without `:*`: what API Gateway and VPC flow logs want."""


def add_log_group(
    template: Template,
    environment: Environment,
    name: str,
    key_arn: AWSHelperFn,
    *,
    physical_name: Sub | None = None,
) -> Logs:
    """Add `<name>Logs`.

    In production it outlives its stack: logs of a deleted stack are what an inquiry asks for.

    Args:
        template: where it goes.
        environment: says the retention in days.
        name: whose logs they are; the logical id begins with it.
        key_arn: the KMS key that encrypts them; its policy must name CloudWatch Logs.
        physical_name: only where an AWS service asks for a prefix; it derives from the stack's id.
    """
    policy = "Retain" if environment.production else "Delete"
    naming: dict[str, Any] = {} if physical_name is None else {"LogGroupName": physical_name}
    group = LogGroup(
        f"{name}Logs",
        KmsKeyId=key_arn,
        RetentionInDays=environment.logs.retention_days,
        DeletionPolicy=policy,
        UpdateReplacePolicy=policy,
        **naming,
    )
    template.add_resource(group)
    arn = f"arn:${{AWS::Partition}}:logs:${{AWS::Region}}:${{AWS::AccountId}}:log-group:${{{group.title}}}"
    return Logs(name=Ref(group), streams_arn=GetAtt(group, "Arn"), arn=Sub(arn))
