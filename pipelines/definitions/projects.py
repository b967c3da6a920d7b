"""The CodeBuild projects: one for each purpose, each with a role that can do just that.

They run on arm64, as the Lambda functions do, but for the one that needs a MongoDB server, and call `make` or
`payments` alone; their buildspecs are files of the source (`buildspec.yml`,
`pipelines/definitions/buildspecs/`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from awacs import codebuild, logs
from troposphere import GetAtt, Ref, Sub
from troposphere import codebuild as cb
from troposphere.logs import LogGroup

from pipelines.core import zone as zones
from pipelines.definitions import roles
from templates.capabilities.permissions import Permission

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from troposphere import AWSHelperFn, Template
    from troposphere.iam import Role

    from pipelines.definitions.zones import Zone


@dataclass(frozen=True, slots=True)
class Platform:
    """A kind of machine, and the image that builds have on it."""

    type: str
    image: str


ARM: Final = Platform("ARM_CONTAINER", "aws/codebuild/amazonlinux-aarch64-standard:3.0")
X86: Final = Platform("LINUX_CONTAINER", "aws/codebuild/standard:7.0")
"""Ubuntu 22.04, which the MongoDB server among the Python packages is built for; there is none for arm64."""
COMPUTE_TYPES: Final = {
    zones.Trust.RELEASE: ("BUILD_GENERAL1_SMALL", "BUILD_GENERAL1_LARGE"),
    zones.Trust.BRANCH: ("BUILD_GENERAL1_MEDIUM", "BUILD_GENERAL1_MEDIUM"),
}
"""What a zone's small builds and its large one run on. The quota of concurrent builds is that of a platform
and compute type (CodeBuild user guide, "Builds in AWS CodeBuild"), so however many branches are pushed, no
release waits in their queue. A limit of a project, ConcurrentBuildLimit, would fail what a queue delays."""
_LOG_DAYS = 90
_MINUTES = 30


@dataclass(frozen=True, slots=True)
class Project:
    """What others may use of a project."""

    title: str
    name: Ref
    arn: GetAtt
    role: Role

    def start(self) -> Permission:
        """Return what a pipeline needs to run it (action reference, CodeBuild)."""
        return Permission(
            f"Run{self.title}",
            "Starts the build and follows it.",
            [codebuild.StartBuild, codebuild.BatchGetBuilds],
            [self.arn],
        )


def add_project(
    template: Template,
    name: str,
    zone: Zone,
    *,
    buildspec: str,
    purpose: str,
    permissions: Sequence[Permission] = (),
    variables: Mapping[str, str | AWSHelperFn] | None = None,
    large: bool = False,
    docker: bool = False,
    makes: str | None = None,
    platform: Platform = ARM,
) -> Project:
    """Add a project that takes its source from a pipeline.

    Args:
        template: Where it goes.
        name: Its logical id.
        zone: What it reads and writes.
        buildspec: A path in the source.
        purpose: What it is for, in a sentence.
        permissions: What it may do beyond logs, reports, cache and artifacts.
        variables: Environment variables that every build has.
        large: Whether it checks or proves the whole source.
        docker: Whether it builds images, for which its container has to be privileged (CodeBuild user guide,
            "Build Docker images").
        makes: The artifact that it makes; what it writes otherwise is its cache.
        platform: What it runs on.
    """
    group = LogGroup(
        f"{name}Logs",
        RetentionInDays=_LOG_DAYS,
        KmsKeyId=zone.key_arn,
        # Who built and published what is asked also when the pipelines are gone.
        DeletionPolicy="RetainExceptOnCreate",
        UpdateReplacePolicy="Retain",
    )
    template.add_resource(group)
    everything = [*zone.artifacts.permissions_of_build(name, makes=makes), _write_logs(group), *permissions]
    role = roles.add_service_role(template, name, "codebuild.amazonaws.com", everything, path=zone.role_path)
    project = cb.Project(
        name,
        Description=purpose,
        ServiceRole=roles.arn(role),
        EncryptionKey=zone.key_arn,
        Source=cb.Source(Type="CODEPIPELINE", BuildSpec=buildspec),
        Artifacts=cb.Artifacts(Type="CODEPIPELINE"),
        Environment=_environment(zone, variables or {}, platform, large=large, docker=docker),
        Cache=cb.ProjectCache(Type="S3", Location=zone.artifacts.cache(name)),
        LogsConfig=cb.LogsConfig(CloudWatchLogs=cb.CloudWatchLogs(Status="ENABLED", GroupName=Ref(group))),
        TimeoutInMinutes=_MINUTES,
        QueuedTimeoutInMinutes=_MINUTES,
    )
    template.add_resource(project)
    return Project(name, Ref(project), GetAtt(project, "Arn"), role)


def allow_reports(template: Template, name: str, project: Project, *, coverage: bool = False) -> None:
    """Let a project write its reports; CodeBuild names their groups after the project.

    Args:
        template: Where the policy goes.
        name: What it is for.
        project: The project.
        coverage: Whether one of them tells what tests cover.
    """
    groups = "arn:${AWS::Partition}:codebuild:${AWS::Region}:${AWS::AccountId}:report-group/${Project}-*"
    permission = Permission(
        "Reports",
        "Publishes test and coverage results to report groups of its own (CodeBuild user guide, "
        '"Test report permissions").',
        [
            codebuild.CreateReportGroup,
            codebuild.CreateReport,
            codebuild.UpdateReport,
            codebuild.BatchPutTestCases,
            *([codebuild.BatchPutCodeCoverages] if coverage else []),
        ],
        [Sub(groups, Project=project.name)],
    )
    roles.allow_later(template, f"{name}Reports", project.role, [permission])


def _write_logs(group: LogGroup) -> Permission:
    return Permission(
        "Logs", "Writes its log.", [logs.CreateLogStream, logs.PutLogEvents], [GetAtt(group, "Arn")]
    )


def _environment(
    zone: Zone,
    variables: Mapping[str, str | AWSHelperFn],
    platform: Platform,
    *,
    large: bool,
    docker: bool,
) -> cb.Environment:
    everywhere: dict[str, str | AWSHelperFn] = {zones.VARIABLE: zone.trust.value}
    listed = [
        cb.EnvironmentVariable(Name=key, Value=value, Type="PLAINTEXT")
        for key, value in (everywhere | dict(variables)).items()
    ]
    return cb.Environment(
        Type=platform.type,
        ComputeType=COMPUTE_TYPES[zone.trust][large],
        Image=platform.image,
        ImagePullCredentialsType="CODEBUILD",
        PrivilegedMode=docker,
        EnvironmentVariables=listed,
    )
