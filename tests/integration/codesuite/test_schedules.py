"""EventBridge Scheduler starts a pipeline with its own role."""

import uuid
from datetime import UTC, datetime, timedelta

from tests.integration.codesuite.conftest import Workshop, commands, stage
from tests.waiting import wait_until


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
