"""What the pipelines share: artifacts, source, library, the approvals topic, docs site, and the builds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from awacs import codeconnections, codestar_connections, sns
from awacs.aws import Allow, Condition, PolicyDocument, Principal, Statement, StringEquals
from troposphere import AccountId, Ref, Sub
from troposphere.codeconnections import Connection
from troposphere.codestarnotifications import NotificationRule, Target
from troposphere.sns import Topic, TopicPolicy

from pipelines.core.zone import Trust
from pipelines.definitions.builds import BranchBuilds, ReleaseBuilds, add_branch_builds, add_release_builds
from pipelines.definitions.docs_access import DocsSites, add_docs_sites
from pipelines.definitions.images import add_images
from pipelines.definitions.packages import Library, add_library, incarnation
from pipelines.definitions.storage import NOTIFIERS
from pipelines.definitions.zones import Zone, add_zone
from templates.capabilities.lint_exceptions import Except, excepted
from templates.capabilities.permissions import POLICY_VERSION, Permission

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from troposphere import Template
    from troposphere.codepipeline import Pipeline

    from environments.tools import Tools
    from pipelines.definitions.roles import Targets


class Event(StrEnum):
    """The notifications (Developer Tools user guide, "Events for notification rules on pipelines")."""

    APPROVAL_NEEDED = "codepipeline-pipeline-manual-approval-needed"
    APPROVAL_GIVEN = "codepipeline-pipeline-manual-approval-succeeded"
    APPROVAL_REFUSED = "codepipeline-pipeline-manual-approval-failed"
    EXECUTION_FAILED = "codepipeline-pipeline-pipeline-execution-failed"
    EXECUTION_SUCCEEDED = "codepipeline-pipeline-pipeline-execution-succeeded"


@dataclass(frozen=True, slots=True)
class ApprovalsTopic:
    """What others may use of the topic."""

    topic_arn: Ref

    def permissions(self) -> list[Permission]:
        """Return what asking for an approval needs."""
        return [Permission("Ask", "Sends approvals to people.", [sns.Publish], [self.topic_arn])]


def add_approvals_topic(template: Template, zone: Zone) -> ApprovalsTopic:
    """Add the topic; who listens subscribes to it."""
    topic = Topic("Approvals", KmsMasterKeyId=zone.key_arn, DisplayName="Payments: releases")
    publish = Statement(
        Sid="Notifications",
        Effect=Allow,
        Principal=Principal("Service", list(NOTIFIERS)),
        Action=[sns.Publish],
        Resource=[Ref(topic)],
        Condition=Condition(StringEquals({"aws:SourceAccount": AccountId})),
    )
    policy = TopicPolicy(
        "ApprovalsPolicy",
        Topics=[Ref(topic)],
        PolicyDocument=PolicyDocument(Version=POLICY_VERSION, Statement=[publish]),
    )
    template.add_resource(topic)
    template.add_resource(policy)
    return ApprovalsTopic(Ref(topic))


def add_notifications(
    template: Template, pipeline: Pipeline, topic: ApprovalsTopic, events: Sequence[Event]
) -> None:
    """Add a rule that notifies people of these events; its name, which it must have, is the stack's."""
    rule = NotificationRule(
        f"{pipeline.title}Notifications",
        Name=Sub(f"${{AWS::StackName}}-{pipeline.title}"),
        DetailType="FULL",
        Resource=Sub(
            f"arn:${{AWS::Partition}}:codepipeline:${{AWS::Region}}:${{AWS::AccountId}}:${{{pipeline.title}}}"
        ),
        EventTypeIds=[event.value for event in events],
        Targets=[Target(TargetType="SNS", TargetAddress=topic.topic_arn)],
    )
    template.add_resource(rule)


@dataclass(frozen=True, slots=True)
class SharedResources:
    """What pipelines use of each other's."""

    tools: Tools
    releases: Zone
    branches: Zone
    connection_arn: Ref
    library: Library
    approvals: ApprovalsTopic
    sites: DocsSites
    builds: ReleaseBuilds
    branch_builds: BranchBuilds

    def source_permission(self) -> Permission:
        """Return what checking out needs.

        The action answers to the service's old prefix as well as to the new one (CodePipeline user guide,
        "CodeStarSourceConnection": service role permissions).
        """
        return Permission(
            "Source",
            "Takes commits through the connection.",
            [codeconnections.UseConnection, codestar_connections.UseConnection],
            [self.connection_arn],
        )


def add_shared_resources(
    template: Template, tools: Tools, targets: Targets, packaged_as_images: Collection[str]
) -> SharedResources:
    """Add everything that pipelines share."""
    sites = add_docs_sites(template)
    releases = add_zone(
        template, Trust.RELEASE, targets.readers(Trust.RELEASE), targets.strangers(Trust.RELEASE)
    )
    branches = add_zone(
        template, Trust.BRANCH, targets.readers(Trust.BRANCH), targets.strangers(Trust.BRANCH)
    )
    library = add_library(template, releases.key_arn)
    connection = Connection(
        "SourceConnection",
        ConnectionName=Sub("payments-${Incarnation}", Incarnation=incarnation()),
        ProviderType=tools.provider,
        DeletionPolicy="RetainExceptOnCreate",
        UpdateReplacePolicy="Retain",
        Metadata=excepted(
            Except(
                "E9001",
                "CloudFormation cannot make up this name, and a stack's is longer than its 32 characters.",
            )
        ),
    )
    template.add_resource(connection)
    images = add_images(template, branches, releases, targets, packaged_as_images)
    approvals = add_approvals_topic(template, releases)
    return SharedResources(
        tools=tools,
        releases=releases,
        branches=branches,
        connection_arn=Ref(connection),
        library=library,
        approvals=approvals,
        sites=sites,
        builds=add_release_builds(template, releases, targets, library, sites, image=images.releases),
        branch_builds=add_branch_builds(template, branches, targets, sites.previews, image=images.branches),
    )
