"""The queue of events that EventBridge could not deliver, so that none is lost unseen."""

from __future__ import annotations

from typing import Any

from awacs import sqs
from awacs.aws import Allow, ArnLike, Condition, PolicyDocument, Principal, Statement
from troposphere import GetAtt, Ref, Sub, Template
from troposphere.events import DeadLetterConfig, RetryPolicy
from troposphere.sqs import Queue, QueuePolicy

from templates.capabilities.lint_exceptions import Except, excepted
from templates.capabilities.metrics import Metric
from templates.capabilities.permissions import POLICY_VERSION

NAME = "UndeliveredEvents"
_DAYS = 14
_AGE_SECONDS = 600
"""How long EventBridge tries; a day by default, in which nobody would hear of it. The next turn of a schedule
has begun long before."""


def add_undelivered_events(template: Template) -> None:
    """Add the queue, which the rules of this stack may write to and nobody else.

    A message stays for two weeks, or until somebody who has read it removes it. SQS encrypts the queue with a
    key of its own: ours would have to let all of EventBridge in, and the events hold ids alone.
    """
    queue = add_queue(template, NAME)
    arn = GetAtt(queue, "Arn")
    rules = Sub("arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule/${AWS::StackName}-*")
    template.add_resource(
        QueuePolicy(
            f"{NAME}Policy",
            Queues=[Ref(queue)],
            PolicyDocument=PolicyDocument(
                Version=POLICY_VERSION,
                Statement=[
                    Statement(
                        Sid="RulesOfThisStack",
                        Effect=Allow,
                        Principal=Principal("Service", "events.amazonaws.com"),
                        Action=[sqs.SendMessage],
                        Resource=[arn],
                        Condition=Condition(ArnLike({"aws:SourceArn": rules})),
                    ),
                ],
            ),
        )
    )


def add_queue(template: Template, name: str) -> Queue:
    """Add a dead-letter queue of a stack's schedules, which keeps a message for two weeks."""
    queue = Queue(
        name,
        MessageRetentionPeriod=_DAYS * 24 * 3600,
        SqsManagedSseEnabled=True,
        # The events are of this stack's schedules alone, and tell nothing once it is gone.
        DeletionPolicy="Delete",
        UpdateReplacePolicy="Delete",
        Metadata=excepted(Except("CKV_AWS_27", "SQS encrypts it with a key of its own.")),
    )
    template.add_resource(queue)
    return queue


def kept_where_undelivered() -> dict[str, Any]:
    """Return a target's {DeadLetterConfig, RetryPolicy}: where an undeliverable event goes, and when."""
    return {
        "DeadLetterConfig": DeadLetterConfig(Arn=GetAtt(NAME, "Arn")),
        "RetryPolicy": RetryPolicy(MaximumEventAgeInSeconds=_AGE_SECONDS),
    }


def waiting(queue: str = NAME) -> Metric:
    """Return how many messages wait in the queue."""
    return Metric(
        "AWS/SQS",
        "ApproximateNumberOfMessagesVisible",
        {"QueueName": GetAtt(queue, "QueueName")},
        "Maximum",
    )
