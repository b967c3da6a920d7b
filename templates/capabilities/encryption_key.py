"""The environment's KMS key: logs and the functions' environment variables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awacs import kms
from awacs.aws import Allow, ArnLike, Condition, PolicyDocument, Principal, Statement
from troposphere import GetAtt, Sub
from troposphere.kms import Key

from templates.capabilities.permissions import POLICY_VERSION

if TYPE_CHECKING:
    from troposphere import Template

    from environments.schema import Environment

_USE = [
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
_ADMINISTER = [
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


def add_encryption_key(template: Template, environment: Environment) -> GetAtt:
    """Add the key and return its ARN; in production it outlives its stack, as what it encrypts does."""
    policy = "Retain" if environment.production else "Delete"
    key = Key(
        "Key",
        Description=Sub("Logs and environment variables of ${AWS::StackName} and the stacks in its network"),
        EnableKeyRotation=True,
        KeyPolicy=PolicyDocument(Version=POLICY_VERSION, Statement=[_account(), _cloudwatch_logs()]),
        DeletionPolicy=policy,
        UpdateReplacePolicy=policy,
        Metadata={
            "Permissions": {
                "AccountDelegates": "Lets this account's IAM policies allow the key's use. "
                "In a key policy * is this key: a policy cannot name the key it belongs to.",
                "CloudWatchLogs": "CloudWatch Logs encrypts this account's log groups with it. "
                "In a key policy * is this key.",
            }
        },
    )
    template.add_resource(key)
    return GetAtt(key, "Arn")


def _account() -> Statement:
    return Statement(
        Sid="AccountDelegates",
        Effect=Allow,
        Principal=Principal("AWS", Sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root")),
        Action=[*_USE, *_ADMINISTER],
        Resource=["*"],
    )


def _cloudwatch_logs() -> Statement:
    # Amazon CloudWatch Logs user guide, "Encrypt log data in CloudWatch Logs using AWS KMS".
    groups = Sub("arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:*")
    return Statement(
        Sid="CloudWatchLogs",
        Effect=Allow,
        Principal=Principal("Service", Sub("logs.${AWS::Region}.${AWS::URLSuffix}")),
        Action=_USE,
        Resource=["*"],
        Condition=Condition(ArnLike({"kms:EncryptionContext:aws:logs:arn": groups})),
    )
