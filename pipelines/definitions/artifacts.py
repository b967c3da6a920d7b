"""What pipelines hand on, and where: a zone's bucket, in which every role writes only what it makes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from awacs import kms, s3
from troposphere import GetAtt, Ref, Sub
from troposphere import s3 as buckets
from troposphere.codepipeline import ArtifactStore, EncryptionKey

from pipelines.definitions.storage import add_private_bucket, add_private_bucket_policy
from templates.capabilities.permissions import Permission

if TYPE_CHECKING:
    from collections.abc import Sequence

    from troposphere import AWSHelperFn, Template

SOURCE: Final = "Source"
"""The artifact and the namespace of the source action."""
BUILT: Final = "Built"
"""What `buildspec.yml` makes: templates, packages, reports, the docs site."""
PROVEN: Final = "Proven"
"""What `money-path.yml` makes: the report of the proof, and the record of what was proven."""
PACKAGES: Final = "Packages"
"""What `publish.yml` makes: the packages of this release and the settings of the stacks that run them."""
RECORDED: Final = "Recorded"
"""What the check after staging's deployment makes: the record of what staging ran."""
REVIEWED, REVIEWED_AGAIN = "Reviewed", "Reviewed2"
"""What `evidence.yml` makes: the record of what was reviewed, and the one of a second review."""
NAMED: Final = "Named"
"""What `name.yml` makes: the settings of the branch's stack."""
_DAYS_KEPT = 90
_READ = [s3.GetObject, s3.GetObjectVersion]


def template_path(environment: str, stack: str) -> str:
    """Return where `payments synth` puts a template."""
    return f"{BUILT}::dist/templates/{environment}/{stack}.json"


def template_configuration(artifact: str, environment: str, stack: str) -> str:
    """Return where a stack's parameters and tags are (a CodePipeline template configuration file)."""
    return f"{artifact}::dist/settings/{environment}/{stack}.json"


@dataclass(frozen=True, slots=True)
class Artifacts:
    """What others may use of a zone's artifact store."""

    bucket: Ref
    bucket_arn: GetAtt
    key_arn: AWSHelperFn

    def store(self) -> ArtifactStore:
        """Return the store as a pipeline's property."""
        key = EncryptionKey(Id=self.key_arn, Type="KMS")
        return ArtifactStore(Type="S3", Location=self.bucket, EncryptionKey=key)

    def cache(self, project: str) -> Sub:
        """Return where a project keeps its cache; no other project reads or writes it."""
        return Sub(f"${{Bucket}}/cache/{project}", Bucket=self.bucket)

    def permissions(self) -> list[Permission]:
        """Return what a pipeline needs to read artifacts and to write what its source action takes."""
        return [
            self._may("Artifacts", "Reads what earlier actions made.", _READ, "*"),
            self._may(
                "Checkouts",
                "Writes what the source action took, which it uploads with an ACL (aws-cdk issue 13557).",
                [s3.PutObject, s3.PutObjectAcl],
                f"*/{SOURCE}/*",
            ),
            Permission(
                "ArtifactBucket",
                "CodePipeline looks at the bucket before it uses it.",
                [s3.GetBucketVersioning, s3.GetBucketLocation, s3.GetBucketAcl],
                [self.bucket_arn],
            ),
            self._use_key(),
        ]

    def permissions_of_build(self, project: str, *, makes: str | None) -> list[Permission]:
        """Return what a build needs: to read artifacts, and to write its own and its own cache.

        Args:
            project: The project's logical id.
            makes: The artifact that it makes, which is the second part of its keys (CodePipeline names them
                `<pipeline>/<artifact>/<random>`); none for a build that makes none.
        """
        made = (
            []
            if makes is None
            else [self._may("Made", "Writes its artifact.", [s3.PutObject], f"*/{makes}/*")]
        )
        return [
            self._may("Artifacts", "Reads what earlier actions made.", _READ, "*"),
            *made,
            self._may("Cache", "Writes its own cache.", [s3.PutObject], f"cache/{project}/*"),
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
            "What its zone keeps is encrypted with this one key.",
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


def add_artifacts(
    template: Template,
    name: str,
    key_arn: AWSHelperFn,
    readers: Sequence[AWSHelperFn],
    strangers: Sequence[AWSHelperFn],
    *,
    kept_for_ever: bool,
) -> Artifacts:
    """Add a zone's artifact store.

    Args:
        template: Where it goes.
        name: Its logical id.
        key_arn: What encrypts it.
        readers: Roles of target accounts that read templates and settings.
        strangers: Roles that must not.
        kept_for_ever: Whether a rollback may reach for any of them; a branch's go with time, however many
            somebody makes.
    """
    old_versions = buckets.NoncurrentVersionExpiration(NoncurrentDays=_DAYS_KEPT)
    lifecycle = [
        buckets.LifecycleRule(Id="OldVersions", Status="Enabled", NoncurrentVersionExpiration=old_versions),
        buckets.LifecycleRule(
            Id="Cache" if kept_for_ever else "Everything",
            Status="Enabled",
            Prefix="cache/" if kept_for_ever else "",
            ExpirationInDays=_DAYS_KEPT,
        ),
    ]
    bucket = add_private_bucket(template, name, key_arn, lifecycle)
    add_private_bucket_policy(template, bucket, readers, strangers)
    return Artifacts(Ref(bucket), GetAtt(bucket, "Arn"), key_arn)
