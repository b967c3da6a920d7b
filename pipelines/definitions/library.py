"""Where the shared library is published: a CodeArtifact repository of its own, fed by releases alone.

It has no upstream and no external connection, so nobody can slip a package of the same name in between
(dependency confusion): whoever asks it gets ours or nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from awacs import codeartifact, sts
from awacs.aws import Condition, StringEquals
from troposphere import GetAtt, Ref, Select, Split, StackId, Sub
from troposphere.codeartifact import Domain, Repository

from templates.capabilities.permissions import Permission

if TYPE_CHECKING:
    from troposphere import Template

    from pipelines.definitions.zones import Zone

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


def add_library(template: Template, zone: Zone) -> Library:
    """Add the domain and the repository, named after the stack and its incarnation.

    CloudFormation cannot make up their names, and they outlive the stack: one that is made again must not
    find its names taken.
    """
    domain = Domain(
        "LibraryDomain",
        DomainName=Sub("${AWS::StackName}-${Incarnation}", Incarnation=incarnation()),
        EncryptionKey=zone.key_arn,
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
