"""Where the packages that Lambda runs are kept: a versioned bucket for each zone, which one role writes.

A template names a package by key and version, so what an approval was about cannot change under its name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from awacs import s3
from awacs.aws import ArnLike, ArnNotEquals, Condition, Deny, Principal, Statement
from troposphere import GetAtt, Ref, Sub
from troposphere import s3 as buckets

from pipelines.definitions import roles
from pipelines.definitions.storage import add_private_bucket, add_private_bucket_policy
from templates.capabilities.permissions import Permission

if TYPE_CHECKING:
    from collections.abc import Sequence

    from troposphere import AWSHelperFn, Template
    from troposphere.iam import Role

PACKAGE_BUCKET: Final = "PAYMENTS_PACKAGE_BUCKET"
"""The variable that names the store to the builds that write or read it."""
_DAYS_KEPT: Final = 90
_KEYS: Final = "lambdas/*"


@dataclass(frozen=True, slots=True)
class PackageStore:
    """What others may use of a zone's package store.

    Attributes:
        bucket: Its name.
        bucket_arn: Its ARN.
        resource: The bucket itself, which gets its policy once its writer is known.
        readers: Roles of target accounts that read packages.
        strangers: Roles that must not.
    """

    bucket: Ref
    bucket_arn: GetAtt
    resource: buckets.Bucket
    readers: tuple[AWSHelperFn, ...]
    strangers: tuple[AWSHelperFn, ...]

    def write(self) -> list[Permission]:
        """Return what uploading packages needs; nothing that is there is ever deleted."""
        return [
            Permission(
                "UploadPackages",
                "Uploads packages under their digests, and reads back those that are there already.",
                [s3.GetObject, s3.PutObject],
                [self._objects()],
            ),
            self._list(),
        ]

    def read(self) -> list[Permission]:
        """Return what comparing packages with what was approved needs."""
        return [
            Permission(
                "ReadPackages",
                "Reads packages in the version that a template names.",
                [s3.GetObjectVersion],
                [self._objects()],
            )
        ]

    def _objects(self) -> Sub:
        return Sub(f"${{Arn}}/{_KEYS}", Arn=self.bucket_arn)

    def _list(self) -> Permission:
        return Permission(
            "ListPackages",
            "Without it a missing package looks like a forbidden one (S3 API reference, HeadObject).",
            [s3.ListBucket],
            [self.bucket_arn],
        )


def add_package_store(
    template: Template,
    name: str,
    key_arn: AWSHelperFn,
    readers: Sequence[AWSHelperFn],
    strangers: Sequence[AWSHelperFn],
    *,
    kept_for_ever: bool,
) -> PackageStore:
    """Add a zone's package store; `only_written_by` adds its policy once its writer is known.

    Args:
        template: Where it goes.
        name: Its logical id.
        key_arn: What encrypts it.
        readers: Roles of target accounts that read packages.
        strangers: Roles that must not.
        kept_for_ever: Whether a rollback may reach for any of them; a branch's go with time.
    """
    forgetting = buckets.LifecycleRule(
        Id="Packages",
        Status="Enabled",
        ExpirationInDays=_DAYS_KEPT,
        NoncurrentVersionExpiration=buckets.NoncurrentVersionExpiration(NoncurrentDays=1),
    )
    bucket = add_private_bucket(template, name, key_arn, [] if kept_for_ever else [forgetting])
    return PackageStore(Ref(bucket), GetAtt(bucket, "Arn"), bucket, tuple(readers), tuple(strangers))


def only_written_by(template: Template, store: PackageStore, writer: Role) -> None:
    """Add the store's policy: target accounts read; of the pipelines' roles, the writer alone writes."""
    pipelines = Sub(f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role{roles.PATH}*")
    others = Statement(
        Sid="NobodyElseWrites",
        Effect=Deny,
        Principal=Principal("AWS", "*"),
        Action=[s3.PutObject, s3.PutObjectAcl, s3.PutObjectTagging, s3.DeleteObject, s3.DeleteObjectVersion],
        Resource=[Sub("${Arn}/*", Arn=store.bucket_arn)],
        Condition=Condition(
            [
                ArnLike({"aws:PrincipalArn": pipelines}),
                ArnNotEquals({"aws:PrincipalArn": roles.arn(writer)}),
            ]
        ),
    )
    add_private_bucket_policy(template, store.resource, store.readers, store.strangers, [others])
