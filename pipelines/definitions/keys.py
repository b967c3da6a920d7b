"""The keys of the tools account: artifacts, the builds' logs and the approvals topic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awacs import kms
from awacs.aws import Allow, PolicyDocument, Principal, Statement
from troposphere import Sub
from troposphere.kms import Key

from templates.capabilities.encryption_key import REASONS, account_delegates, cloudwatch_logs
from templates.capabilities.permissions import POLICY_VERSION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from troposphere import AWSHelperFn, Template


def add_artifacts_key(template: Template, readers: Sequence[AWSHelperFn]) -> Key:
    """Add the key, which `readers`, roles of other accounts, may decrypt with; it outlives the stack."""
    read = Statement(
        Sid="TargetAccountsRead",
        Effect=Allow,
        Principal=Principal("AWS", list(readers)),
        Action=[kms.Decrypt, kms.DescribeKey],
        Resource=["*"],
    )
    notify = Statement(
        Sid="Notifications",
        Effect=Allow,
        Principal=Principal("Service", "codestar-notifications.amazonaws.com"),
        Action=[kms.Decrypt, kms.GenerateDataKey],
        Resource=["*"],
    )
    reasons = {
        **REASONS,
        "TargetAccountsRead": "The roles that deploy in target accounts read artifacts. * is this key.",
        "Notifications": "Publishes to the encrypted topic (Developer Tools user guide, notifications and "
        "encrypted topics). * is this key.",
    }
    key = Key(
        "ArtifactsKey",
        Description=Sub("Artifacts, logs and approvals of ${AWS::StackName}"),
        EnableKeyRotation=True,
        KeyPolicy=PolicyDocument(
            Version=POLICY_VERSION, Statement=[account_delegates(), cloudwatch_logs(), read, notify]
        ),
        DeletionPolicy="Retain",
        UpdateReplacePolicy="Retain",
        Metadata={"Permissions": reasons},
    )
    template.add_resource(key)
    return key
