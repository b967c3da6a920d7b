"""EventBridge Scheduler starts a pipeline with its own role."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from codepipeline_workbench import Workshop, commands, stage
from embedded_workbench import wait_until

pytestmark = pytest.mark.long


def test_a_schedule_starts_its_pipeline(workshop: Workshop) -> None:
    # https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-trigger-source-schedule.html
    # Given
    repository = workshop.repository()
    name = workshop.create(stage("Source", workshop.source(repository)), stage("Run", commands("true")))
    before = len(workshop.executions(name))
    arn = workshop.pipelines.get_pipeline(name=name)["metadata"]["pipelineArn"]
    role = workshop.role(
        "schedule", "scheduler.amazonaws.com", ["codepipeline:StartPipelineExecution"], resource=arn
    )
    moment = datetime.now(UTC) + timedelta(seconds=1)
    # When
    workshop.client("scheduler").create_schedule(
        Name=f"expiry-{uuid.uuid4().hex[:8]}",
        ScheduleExpression=f"at({moment:%Y-%m-%dT%H:%M:%S})",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": arn, "RoleArn": role},
    )
    # Then
    wait_until(lambda: len(workshop.executions(name)) > before, "the scheduled start")
    started = workshop.executions(name)[0]
    assert role.rpartition("/")[2] in started["trigger"]["triggerDetail"]
    workshop.succeeded(name, started["pipelineExecutionId"])


@pytest.fixture
def forbidden(workshop: Workshop) -> Callable[[list[str]], str]:
    """A schedule whose role may do these actions; it is due. Returns its dead-letter queue's URL."""

    def schedule(actions: list[str]) -> str:
        name = f"refused-{uuid.uuid4().hex[:8]}"
        sqs, repository = workshop.client("sqs"), workshop.repository()
        queue = sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        pipeline = workshop.create(
            stage("Source", workshop.source(repository)), stage("Run", commands("true"))
        )
        moment = datetime.now(UTC) + timedelta(seconds=1)
        workshop.client("scheduler").create_schedule(
            Name=name,
            ScheduleExpression=f"at({moment:%Y-%m-%dT%H:%M:%S})",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={
                "Arn": workshop.pipelines.get_pipeline(name=pipeline)["metadata"]["pipelineArn"],
                "RoleArn": workshop.role("schedule", "scheduler.amazonaws.com", actions),
                "DeadLetterConfig": {"Arn": arn},
            },
        )
        return str(queue)

    return schedule


def test_what_a_schedule_may_not_start_is_kept_by_its_role(
    workshop: Workshop, forbidden: Callable[[list[str]], str]
) -> None:
    # Given two schedules that may not start their pipeline; one of them may not write to its queue either
    deaf, kept = forbidden(["s3:ListAllMyBuckets"]), forbidden(["sqs:SendMessage"])
    sqs = workshop.client("sqs")
    # When they are due; Then one is kept, with the reason
    asked = {"QueueUrl": kept, "MessageAttributeNames": ["All"]}
    [message] = wait_until(lambda: sqs.receive_message(**asked).get("Messages"), "the message", seconds=30)
    assert message["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "AccessDeniedException"
    # And the other is not
    assert "Messages" not in sqs.receive_message(QueueUrl=deaf)
