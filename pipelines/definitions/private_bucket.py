"""A bucket of the tools account: versioned, encrypted, private, TLS alone, read by target accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from awacs import s3
from awacs.aws import Allow, ArnEquals, Condition, Deny, PolicyDocument, Principal, Statement
from troposphere import GetAtt, Ref, Sub
from troposphere import s3 as buckets

from templates.capabilities.lint_exceptions import Except, excepted
from templates.capabilities.permissions import POLICY_VERSION, only_tls

if TYPE_CHECKING:
    from collections.abc import Sequence

    from troposphere import AWSHelperFn, Template

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
