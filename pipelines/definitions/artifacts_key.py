"""The key of the tools account: artifacts, the builds' logs and the questions to people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awacs import kms
from awacs.aws import Allow, ArnLike, Condition, PolicyDocument, Principal, Statement
from troposphere import Sub
from troposphere.kms import Key

from templates.capabilities.permissions import POLICY_VERSION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from awacs.aws import Action
    from troposphere import AWSHelperFn, Template

_USE = [
    kms.DescribeKey,
    kms.Encrypt,
    kms.Decrypt,
    kms.ReEncryptFrom,
    kms.ReEncryptTo,
    kms.GenerateDataKey,
    kms.GenerateDataKeyWithoutPlaintext,
]
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


def add_artifacts_key(template: Template, readers: Sequence[AWSHelperFn]) -> Key:
    """Add the key, which `readers`, roles of other accounts, may decrypt with; it outlives the stack."""
    groups = Sub("arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:*")
    logs = Condition(ArnLike({"kms:EncryptionContext:aws:logs:arn": groups}))
    statements = [
        _key_statement(
            "AccountDelegates",
            Principal("AWS", Sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root")),
            [*_USE, *_ADMINISTER],
        ),
        _key_statement("TargetAccountsRead", Principal("AWS", list(readers)), [kms.Decrypt, kms.DescribeKey]),
        _key_statement(
            "CloudWatchLogs", Principal("Service", Sub("logs.${AWS::Region}.${AWS::URLSuffix}")), _USE, logs
        ),
        _key_statement(
            "Notifications",
            Principal("Service", "codestar-notifications.amazonaws.com"),
            [kms.Decrypt, kms.GenerateDataKey],
        ),
    ]
    why = {
        "AccountDelegates": "Lets this account's IAM policies allow the key's use. "
        "In a key policy * is this key: a policy cannot name the key it belongs to.",
        "TargetAccountsRead": "The roles that deploy in target accounts read artifacts. * is this key.",
        "CloudWatchLogs": "Encrypts the builds' logs. * is this key.",
        "Notifications": "Publishes to the encrypted topic (Developer Tools user guide, notifications and "
        "encrypted topics). * is this key.",
    }
    key = Key(
        "ArtifactsKey",
        Description=Sub("Artifacts, logs and questions of ${AWS::StackName}"),
        EnableKeyRotation=True,
        KeyPolicy=PolicyDocument(Version=POLICY_VERSION, Statement=statements),
        DeletionPolicy="Retain",
        UpdateReplacePolicy="Retain",
        Metadata={"Permissions": why},
    )
    template.add_resource(key)
    return key


def _key_statement(
    sid: str, principal: Principal, actions: Sequence[Action], condition: Condition | None = None
) -> Statement:
    extra = {} if condition is None else {"Condition": condition}
    return Statement(
        Sid=sid, Effect=Allow, Principal=principal, Action=list(actions), Resource=["*"], **extra
    )
