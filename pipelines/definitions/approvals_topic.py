"""The topic that notifies people of approvals and failures, and a notification rule for each pipeline."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from awacs import sns
from awacs.aws import Allow, Condition, PolicyDocument, Principal, Statement, StringEquals
from troposphere import AccountId, Ref, Sub
from troposphere.codestarnotifications import NotificationRule, Target
from troposphere.sns import Topic, TopicPolicy

from templates.capabilities.permissions import POLICY_VERSION, Permission

if TYPE_CHECKING:
    from collections.abc import Sequence

    from troposphere import Template
    from troposphere.codepipeline import Pipeline

    from pipelines.definitions.zones import Zone


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
        Principal=Principal("Service", "codestar-notifications.amazonaws.com"),
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
