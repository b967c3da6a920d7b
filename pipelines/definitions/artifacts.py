"""Where artifacts are kept: one bucket and one key, which the target accounts may read with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from awacs import kms, s3
from awacs.aws import Allow, PolicyDocument, Principal, Statement
from troposphere import GetAtt, Ref, Sub
from troposphere import s3 as buckets
from troposphere.codepipeline import ArtifactStore, EncryptionKey

from pipelines.definitions.keys import add_artifacts_key
from templates.capabilities.lint_exceptions import Except, excepted
from templates.capabilities.only_tls import only_tls
from templates.capabilities.permissions import POLICY_VERSION, Permission

if TYPE_CHECKING:
    from collections.abc import Sequence

    from troposphere import AWSHelperFn, Template

_DAYS_KEPT = 90
_NO_ACCESS_LOG = Except(
    "CKV_AWS_18",
    "The account's trail is where reads and writes of objects belong: CloudTrail's data events name the "
    "caller's role; S3's access log is best effort, and its bucket would need one again.",
)
_READ = [s3.GetObject, s3.GetObjectVersion]


@dataclass(frozen=True, slots=True)
class Artifacts:
    """What others may use of the artifact store."""

    bucket: Ref
    bucket_arn: GetAtt
    key_arn: GetAtt

    def store(self) -> ArtifactStore:
        """Return the store as a pipeline's property."""
        key = EncryptionKey(Id=self.key_arn, Type="KMS")
        return ArtifactStore(Type="S3", Location=self.bucket, EncryptionKey=key)

    def permissions(self) -> list[Permission]:
        """Return what a pipeline needs to read and write artifacts."""
        return [
            self._may(
                "Artifacts",
                "Reads what earlier actions made and writes what later ones need.",
                [*_READ, s3.PutObject],
                "*",
            ),
            Permission(
                "ArtifactBucket",
                "CodePipeline looks at the bucket before it uses it.",
                [s3.GetBucketVersioning, s3.GetBucketLocation, s3.GetBucketAcl],
                [self.bucket_arn],
            ),
            self._use_key(),
        ]

    def permissions_of_build(self, *, writes: bool) -> list[Permission]:
        """Return what a build needs: to read artifacts and its cache, and to write these or its cache."""
        return [
            self._may("Artifacts", "Reads what earlier actions made.", _READ, "*"),
            self._may(
                "Made" if writes else "Cache",
                "Writes what later actions need, and its cache." if writes else "Writes its cache.",
                [s3.PutObject],
                "*" if writes else "cache/*",
            ),
            Permission(
                "ArtifactBucket",
                "CodeBuild looks at the bucket before it uses it; listing tells it that a key is missing.",
                [s3.GetBucketLocation, s3.GetBucketAcl, s3.ListBucket],
                [self.bucket_arn],
            ),
            self._use_key(),
        ]

    def _may(self, sid: str, why: str, actions: Sequence[s3.Action], keys: str) -> Permission:
        return Permission(sid, why, actions, [Sub(f"${{Arn}}/{keys}", Arn=self.bucket_arn)])

    def _use_key(self) -> Permission:
        return Permission(
            "ArtifactKey",
            "Artifacts are encrypted with this one key.",
            [
                kms.Decrypt,
                kms.DescribeKey,
                kms.Encrypt,
                kms.GenerateDataKey,
                kms.ReEncryptFrom,
                kms.ReEncryptTo,
            ],
            [self.key_arn],
        )


def add_artifacts(template: Template, readers: Sequence[AWSHelperFn]) -> Artifacts:
    """Add the bucket and its key.

    Packages are never deleted by a stack: what production runs was read from here.

    Args:
        template: Where they go.
        readers: Roles of other accounts that read artifacts.
    """
    key = add_artifacts_key(template, readers)
    bucket = buckets.Bucket(
        "Artifacts",
        BucketEncryption=_encrypted_with(GetAtt(key, "Arn")),
        PublicAccessBlockConfiguration=buckets.PublicAccessBlockConfiguration(
            BlockPublicAcls=True, BlockPublicPolicy=True, IgnorePublicAcls=True, RestrictPublicBuckets=True
        ),
        OwnershipControls=buckets.OwnershipControls(
            Rules=[buckets.OwnershipControlsRule(ObjectOwnership="BucketOwnerEnforced")]
        ),
        # A source action and a package both name the version that they mean.
        VersioningConfiguration=buckets.VersioningConfiguration(Status="Enabled"),
        LifecycleConfiguration=_forgetting(),
        Metadata=excepted(_NO_ACCESS_LOG),
        DeletionPolicy="Retain",
        UpdateReplacePolicy="Retain",
    )
    template.add_resource(bucket)
    template.add_resource(_bucket_policy(bucket, readers))
    return Artifacts(Ref(bucket), GetAtt(bucket, "Arn"), GetAtt(key, "Arn"))


def _encrypted_with(key_arn: AWSHelperFn) -> buckets.BucketEncryption:
    by_default = buckets.ServerSideEncryptionByDefault(SSEAlgorithm="aws:kms", KMSMasterKeyID=key_arn)
    rule = buckets.ServerSideEncryptionRule(BucketKeyEnabled=True, ServerSideEncryptionByDefault=by_default)
    return buckets.BucketEncryption(ServerSideEncryptionConfiguration=[rule])


def _forgetting() -> buckets.LifecycleConfiguration:
    # Packages (lambdas/) are content-addressed and stay: a rollback may reach for any of them.
    old_versions = buckets.NoncurrentVersionExpiration(NoncurrentDays=_DAYS_KEPT)
    rules = [
        buckets.LifecycleRule(Id="OldVersions", Status="Enabled", NoncurrentVersionExpiration=old_versions),
        buckets.LifecycleRule(
            Id="Uploads",
            Status="Enabled",
            AbortIncompleteMultipartUpload=buckets.AbortIncompleteMultipartUpload(DaysAfterInitiation=1),
        ),
        buckets.LifecycleRule(Id="Cache", Status="Enabled", Prefix="cache/", ExpirationInDays=_DAYS_KEPT),
    ]
    return buckets.LifecycleConfiguration(Rules=rules)


def _bucket_policy(bucket: buckets.Bucket, readers: Sequence[AWSHelperFn]) -> buckets.BucketPolicy:
    objects = Sub("${Arn}/*", Arn=GetAtt(bucket, "Arn"))
    read = Statement(
        Sid="TargetAccountsRead",
        Effect=Allow,
        Principal=Principal("AWS", list(readers)),
        Action=_READ,
        Resource=[objects],
    )
    document = PolicyDocument(Version=POLICY_VERSION, Statement=[only_tls(bucket), read])
    return buckets.BucketPolicy("ArtifactsPolicy", Bucket=Ref(bucket), PolicyDocument=document)
