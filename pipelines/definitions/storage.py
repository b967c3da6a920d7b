"""Where the tools account keeps things: private buckets, the key of each zone, and the key that signs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from awacs import kms, s3
from awacs.aws import Allow, ArnEquals, ArnNotEquals, Condition, Deny, PolicyDocument, Principal, Statement
from troposphere import GetAtt, Ref, Sub
from troposphere import s3 as buckets
from troposphere.kms import Key

from pipelines.definitions import roles
from templates.capabilities.encryption_key import REASONS, account_delegates, cloudwatch_logs
from templates.capabilities.lint_exceptions import Except, excepted
from templates.capabilities.permissions import POLICY_VERSION, Permission, only_tls

if TYPE_CHECKING:
    from collections.abc import Sequence

    from troposphere import AWSHelperFn, Template
    from troposphere.iam import Role

PROVENANCE_KEY: Final = "PROVENANCE_KEY"
"""The variable that names the signing key to the builds that sign and verify."""
SIGNING_ALGORITHM: Final = "ECDSA_SHA_256"
"""What an ECC_NIST_P256 key signs with (KMS developer guide, "Key specs")."""

_SIGNING_KEY: Final = "SigningKey"
NOTIFIERS: Final = ("codestar-notifications.amazonaws.com", "cloudwatch.amazonaws.com")
"""The services that tell people: of pipelines, and of an alarm."""
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
        # A grant would let them give away what they may not have.
        Action=[kms.CreateGrant, kms.Decrypt, kms.GenerateDataKey],
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
        Principal=Principal("Service", list(NOTIFIERS)),
        Action=[kms.Decrypt, kms.GenerateDataKey],
        Resource=["*"],
    )
    reasons = {
        **REASONS,
        "TargetAccountsRead": "The roles that deploy in target accounts read artifacts. * is this key.",
        "OtherZoneStaysOut": "Roles of the other zone read nothing here, also where one account is "
        "both. * is this key.",
        "Notifications": "Publishes to the encrypted topic (Developer Tools user guide, notifications and "
        "encrypted topics; CloudWatch user guide, alarms and encrypted topics). * is this key.",
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


_NO_ACCESS_LOG: Final = Except(
    "CKV_AWS_18",
    "The account's trail is where reads and writes of objects belong: CloudTrail's data events name the "
    "caller's role; S3's access log is best effort, and its bucket would need one again.",
)


def add_private_bucket(
    template: Template, name: str, key_arn: AWSHelperFn, lifecycle: Sequence[buckets.LifecycleRule]
) -> buckets.Bucket:
    """Add a bucket that outlives the stack.

    Args:
        template: Where it goes.
        name: Its logical id.
        key_arn: What encrypts it.
        lifecycle: What goes by itself, beside uploads that were never finished.
    """
    uploads = buckets.LifecycleRule(
        Id="Uploads",
        Status="Enabled",
        AbortIncompleteMultipartUpload=buckets.AbortIncompleteMultipartUpload(DaysAfterInitiation=1),
    )
    bucket = buckets.Bucket(
        name,
        BucketEncryption=_encrypted_with(key_arn),
        PublicAccessBlockConfiguration=buckets.PublicAccessBlockConfiguration(
            BlockPublicAcls=True, BlockPublicPolicy=True, IgnorePublicAcls=True, RestrictPublicBuckets=True
        ),
        OwnershipControls=buckets.OwnershipControls(
            Rules=[buckets.OwnershipControlsRule(ObjectOwnership="BucketOwnerEnforced")]
        ),
        # A source action and a package both name the version that they mean.
        VersioningConfiguration=buckets.VersioningConfiguration(Status="Enabled"),
        LifecycleConfiguration=buckets.LifecycleConfiguration(Rules=[uploads, *lifecycle]),
        Metadata=excepted(_NO_ACCESS_LOG),
        DeletionPolicy="RetainExceptOnCreate",
        UpdateReplacePolicy="Retain",
    )
    template.add_resource(bucket)
    return bucket


def add_private_bucket_policy(
    template: Template,
    bucket: buckets.Bucket,
    readers: Sequence[AWSHelperFn],
    strangers: Sequence[AWSHelperFn],
    more: Sequence[Statement] = (),
) -> None:
    """Add the bucket's policy: TLS alone, target accounts read, the other zone's do not, and more.

    Args:
        template: Where it goes.
        bucket: The bucket.
        readers: Roles of target accounts.
        strangers: Roles that must not read, whatever their own policies say.
        more: Its other statements.
    """
    read = Statement(
        Sid="TargetAccountsRead",
        Effect=Allow,
        Principal=Principal("AWS", list(readers)),
        Action=[s3.GetObject, s3.GetObjectVersion],
        Resource=[Sub("${Arn}/*", Arn=GetAtt(bucket, "Arn"))],
    )
    keep_out = Statement(
        Sid="OtherZoneStaysOut",
        Effect=Deny,
        Principal=Principal("AWS", "*"),
        Action=[s3.GetObject, s3.GetObjectVersion],
        Resource=[Sub("${Arn}/*", Arn=GetAtt(bucket, "Arn"))],
        Condition=Condition(ArnEquals({"aws:PrincipalArn": list(strangers)})),
    )
    document = PolicyDocument(Version=POLICY_VERSION, Statement=[only_tls(bucket), read, keep_out, *more])
    template.add_resource(
        buckets.BucketPolicy(f"{bucket.title}Policy", Bucket=Ref(bucket), PolicyDocument=document)
    )


def _encrypted_with(key_arn: AWSHelperFn) -> buckets.BucketEncryption:
    by_default = buckets.ServerSideEncryptionByDefault(SSEAlgorithm="aws:kms", KMSMasterKeyID=key_arn)
    rule = buckets.ServerSideEncryptionRule(BucketKeyEnabled=True, ServerSideEncryptionByDefault=by_default)
    return buckets.BucketEncryption(ServerSideEncryptionConfiguration=[rule])
