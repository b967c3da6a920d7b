"""The keys of the tools account: one for what each zone keeps, and the one that signs provenance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from awacs import kms
from awacs.aws import Allow, ArnEquals, ArnNotEquals, Condition, Deny, PolicyDocument, Principal, Statement
from troposphere import GetAtt, Sub
from troposphere.kms import Key

from pipelines.definitions import roles
from templates.capabilities.encryption_key import REASONS, account_delegates, cloudwatch_logs
from templates.capabilities.permissions import POLICY_VERSION, Permission

if TYPE_CHECKING:
    from collections.abc import Sequence

    from troposphere import AWSHelperFn, Template
    from troposphere.iam import Role

PROVENANCE_KEY: Final = "PROVENANCE_KEY"
"""The variable that names the signing key to the builds that sign and verify."""
SIGNING_ALGORITHM: Final = "ECDSA_SHA_256"
"""What an ECC_NIST_P256 key signs with (KMS developer guide, "Key specs")."""

_SIGNING_KEY: Final = "SigningKey"
_SIGN: Final = [kms.DescribeKey, kms.GetPublicKey, kms.Sign, kms.Verify]


@dataclass(frozen=True, slots=True)
class SigningKey:
    """What others may use of the key that signs provenance statements."""

    arn: GetAtt

    def sign(self) -> Permission:
        """Return what signing needs; the key's own policy denies it to everybody but one role."""
        return Permission(
            "SignProvenance", "Signs the provenance statement of a release.", [kms.Sign], [self.arn]
        )

    def verify(self) -> Permission:
        """Return what checking a signature needs."""
        return Permission(
            "VerifyProvenance", "Checks the signature of a provenance statement.", [kms.Verify], [self.arn]
        )


def add_zone_key(
    template: Template, name: str, readers: Sequence[AWSHelperFn], strangers: Sequence[AWSHelperFn]
) -> GetAtt:
    """Add a zone's key and return its ARN; it outlives the stack.

    Args:
        template: Where it goes.
        name: Its logical id.
        readers: Roles of other accounts that may decrypt with it.
        strangers: Roles that must not, whatever their own policies say.
    """
    keep_out = Statement(
        Sid="OtherZoneStaysOut",
        Effect=Deny,
        Principal=Principal("AWS", "*"),
        Action=[kms.Decrypt],
        Resource=["*"],
        Condition=Condition(ArnEquals({"aws:PrincipalArn": list(strangers)})),
    )
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
        "OtherZoneStaysOut": "Roles of the other zone read nothing here, also where one account is "
        "both. * is this key.",
        "Notifications": "Publishes to the encrypted topic (Developer Tools user guide, notifications and "
        "encrypted topics). * is this key.",
    }
    key = Key(
        name,
        Description=Sub(f"{name} of ${{AWS::StackName}}: artifacts, packages and logs"),
        EnableKeyRotation=True,
        KeyPolicy=PolicyDocument(
            Version=POLICY_VERSION, Statement=[account_delegates(), cloudwatch_logs(), read, notify, keep_out]
        ),
        DeletionPolicy="RetainExceptOnCreate",
        UpdateReplacePolicy="Retain",
        Metadata={"Permissions": reasons},
    )
    template.add_resource(key)
    return GetAtt(key, "Arn")


def signing_key() -> SigningKey:
    """Return the handle of the signing key, which is added once its signer is known."""
    return SigningKey(GetAtt(_SIGNING_KEY, "Arn"))


def add_signing_key(template: Template, signer: Role) -> None:
    """Add the key that signs provenance statements, which one role alone may sign with.

    Its policy denies signing to everybody else, the account's administrators included: whoever changes the
    policy first leaves a trace in CloudTrail. It outlives the stack, since old releases are verified with it.
    """
    others = Statement(
        Sid="NobodyElseSigns",
        Effect=Deny,
        Principal=Principal("AWS", "*"),
        Action=[kms.Sign],
        Resource=["*"],
        Condition=Condition(ArnNotEquals({"aws:PrincipalArn": roles.arn(signer)})),
    )
    key = Key(
        _SIGNING_KEY,
        Description=Sub("Provenance of the releases of ${AWS::StackName}"),
        KeySpec="ECC_NIST_P256",
        KeyUsage="SIGN_VERIFY",
        KeyPolicy=PolicyDocument(Version=POLICY_VERSION, Statement=[account_delegates(_SIGN), others]),
        DeletionPolicy="RetainExceptOnCreate",
        UpdateReplacePolicy="Retain",
        Metadata={"Permissions": {"AccountDelegates": REASONS["AccountDelegates"]}},
    )
    template.add_resource(key)
