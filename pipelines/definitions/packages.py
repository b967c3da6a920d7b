"""Where what ships is kept: a versioned bucket of packages for each zone, and the library's repository.

A template names a package by key and version, so what an approval was about cannot change under its name; one
role writes a bucket. The library's CodeArtifact repository has no upstream and no external connection, so
nobody can slip a package of the same name in between (dependency confusion): whoever asks it gets ours or
nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from awacs import codeartifact, s3, sts
from awacs.aws import ArnLike, ArnNotEquals, Condition, Deny, Principal, Statement, StringEquals
from troposphere import GetAtt, Ref, Select, Split, StackId, Sub
from troposphere import s3 as buckets
from troposphere.codeartifact import Domain, Repository

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


PACKAGE = "payment-data"


@dataclass(frozen=True, slots=True)
class Library:
    """What others may use of the repository."""

    domain: GetAtt
    repository: GetAtt
    domain_arn: Ref
    repository_arn: Ref

    def permissions(self) -> list[Permission]:
        """Return what publishing the library, and building against what was published, needs.

        Source: CodeArtifact user guide, "AWS CodeArtifact permissions reference".
        """
        packages = "arn:${AWS::Partition}:codeartifact:${AWS::Region}:${AWS::AccountId}:package/"
        ours = Sub(packages + "${Domain}/${Name}/pypi//" + PACKAGE, Domain=self.domain, Name=self.repository)
        token = Condition(StringEquals({"sts:AWSServiceName": "codeartifact.amazonaws.com"}))
        return [
            Permission(
                "Login",
                "A token for this one domain.",
                [codeartifact.GetAuthorizationToken],
                [self.domain_arn],
            ),
            Permission(
                "Read",
                "Installs from the repository.",
                [codeartifact.GetRepositoryEndpoint, codeartifact.ReadFromRepository],
                [self.repository_arn],
            ),
            Permission(
                "Publish",
                "Publishes new versions of the library.",
                [codeartifact.PublishPackageVersion],
                [ours],
            ),
            Permission(
                "BearerToken",
                "CodeArtifact's tokens are bearer tokens of STS; the action knows no resource, so it is *, "
                "and only for CodeArtifact.",
                [sts.GetServiceBearerToken],
                ["*"],
                token,
            ),
        ]


def incarnation() -> Select:
    """Return twelve digits that are new for each stack, also for one that is made again under its name."""
    return Select(4, Split("-", Select(2, Split("/", StackId))))


def add_library(template: Template, key_arn: AWSHelperFn) -> Library:
    """Add the domain and the repository, named after the stack and its incarnation.

    CloudFormation cannot make up their names, and they outlive the stack: one that is made again must not
    find its names taken.
    """
    domain = Domain(
        "LibraryDomain",
        DomainName=Sub("${AWS::StackName}-${Incarnation}", Incarnation=incarnation()),
        EncryptionKey=key_arn,
        DeletionPolicy="RetainExceptOnCreate",
        UpdateReplacePolicy="Retain",
    )
    repository = Repository(
        "Library",
        DomainName=GetAtt(domain, "Name"),
        RepositoryName=Sub("${AWS::StackName}-library"),
        Description="The payment system's shared library, published by releases",
        DeletionPolicy="RetainExceptOnCreate",
        UpdateReplacePolicy="Retain",
    )
    template.add_resource(domain)
    template.add_resource(repository)
    return Library(GetAtt(domain, "Name"), GetAtt(repository, "Name"), Ref(domain), Ref(repository))
