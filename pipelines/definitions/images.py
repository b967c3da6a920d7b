"""Where container images are kept, for environments that say `packaging: image`; with zips alone, nowhere.

Branches have a repository of their own: their builds run their code, which must not fill production's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from awacs import ecr
from awacs.aws import Allow, ArnLike, Condition, PolicyDocument, Principal, Statement
from troposphere import GetAtt, Sub
from troposphere import ecr as repositories

from environments import schema
from pipelines.core.refusals import Refused
from templates.capabilities.lint_exceptions import Except, excepted
from templates.capabilities.permissions import POLICY_VERSION, Permission

if TYPE_CHECKING:
    from collections.abc import Collection

    from troposphere import Template

    from pipelines.definitions.roles import Target, Targets
    from pipelines.definitions.zones import Zone

IMAGE_REPOSITORY: Final = "IMAGE_REPOSITORY"
"""The variable that names where a build pushes its image; a build without it makes none."""
BRANCHES: Final = ("branch",)
RELEASES: Final = ("staging", "prod")

_PULL = [ecr.BatchGetImage, ecr.GetDownloadUrlForLayer]
_UNTAGGED_DAYS, _BRANCH_DAYS = 14, 90


@dataclass(frozen=True, slots=True)
class Repository:
    """What others may use of a repository."""

    uri: GetAtt
    arn: GetAtt

    def push(self) -> list[Permission]:
        """Return what building and pushing an image needs.

        Source: ECR user guide, "IAM permissions for pushing an image to an Amazon ECR private repository".
        """
        return [
            Permission(
                "ImageLogin",
                "A password for the account's registry; the action knows no resource, so it is *.",
                [ecr.GetAuthorizationToken],
                ["*"],
            ),
            Permission(
                "Images",
                "Pushes images to this one repository, and sees which it has.",
                [
                    *_PULL,
                    ecr.BatchCheckLayerAvailability,
                    ecr.CompleteLayerUpload,
                    ecr.InitiateLayerUpload,
                    ecr.PutImage,
                    ecr.UploadLayerPart,
                ],
                [self.arn],
            ),
        ]


@dataclass(frozen=True, slots=True)
class Images:
    """The repositories that there are."""

    branches: Repository | None
    releases: Repository | None


def packaged_as_images() -> frozenset[str]:
    """The promoted environments whose files say `packaging: image`."""
    promoted = (*BRANCHES, *RELEASES)
    return frozenset(name for name in promoted if schema.load(name).functions.packaging == "image")


def add_images(
    template: Template, branches: Zone, releases: Zone, targets: Targets, environments: Collection[str]
) -> Images:
    """Add the repositories that these environments need.

    Raises:
        Refused: Staging is packaged otherwise than production, so it would prove nothing about it.
    """
    if len({name in environments for name in RELEASES}) > 1:
        raise Refused("staging and prod are packaged in two ways, so neither would prove the other.")
    by_environment = {"branch": targets.branch, "staging": targets.staging, "prod": targets.prod}
    kept = [
        _add(template, title, zone, {name: by_environment[name] for name in names}, what=what, days=days)
        if set(names) <= set(environments)
        else None
        for title, zone, names, what, days in (
            ("BranchImages", branches, BRANCHES, "any", _BRANCH_DAYS),
            # What production runs was pulled from here, and a rollback may reach for any of them.
            ("ReleaseImages", releases, RELEASES, "untagged", _UNTAGGED_DAYS),
        )
    ]
    return Images(*kept)


def _add(
    template: Template,
    title: str,
    zone: Zone,
    readers: dict[str, Target],
    *,
    what: str,
    days: int,
) -> Repository:
    repository = repositories.Repository(
        title,
        ImageTagMutability="IMMUTABLE",
        ImageScanningConfiguration=repositories.ImageScanningConfiguration(ScanOnPush=True),
        EncryptionConfiguration=repositories.EncryptionConfiguration(
            EncryptionType="KMS", KmsKey=zone.key_arn
        ),
        LifecyclePolicy=repositories.LifecyclePolicy(LifecyclePolicyText=_expiring(what, days)),
        RepositoryPolicyText=_policy(readers),
        Metadata=excepted(Except("E9009", "The accounts that pull are the environments', not this stack's.")),
        DeletionPolicy="RetainExceptOnCreate",
        UpdateReplacePolicy="Retain",
    )
    template.add_resource(repository)
    return Repository(GetAtt(repository, "RepositoryUri"), GetAtt(repository, "Arn"))


def _expiring(what: str, days: int) -> str:
    """Source: ECR user guide, "Lifecycle policies": a rule without tag patterns takes `any` or `untagged`."""
    selection = {"tagStatus": what, "countType": "sinceImagePushed", "countUnit": "days", "countNumber": days}
    rule = {"rulePriority": 1, "selection": selection, "action": {"type": "expire"}}
    return json.dumps({"rules": [rule]})


def _policy(readers: dict[str, Target]) -> PolicyDocument:
    """Let the environments' accounts pull.

    Source: Lambda developer guide, "Create a Lambda function using a container image", Amazon ECR
    permissions across accounts.
    """
    roles = [target.execution_role for target in readers.values()]
    functions = [_functions_of(schema.load(name)) for name in readers]
    return PolicyDocument(
        Version=POLICY_VERSION,
        Statement=[
            Statement(
                Sid="CloudFormationPulls", Effect=Allow, Principal=Principal("AWS", roles), Action=_PULL
            ),
            Statement(
                Sid="LambdaPulls",
                Effect=Allow,
                Principal=Principal("Service", "lambda.amazonaws.com"),
                Action=_PULL,
                Condition=Condition(ArnLike({"aws:SourceArn": functions})),
            ),
        ],
    )


def _functions_of(environment: schema.Environment) -> Sub:
    return Sub(f"arn:${{AWS::Partition}}:lambda:{environment.region}:{environment.account}:function:*")
