"""Everything that a run leaves behind, where somebody without the right to its data may read it."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipelines.aws.accounts import Aws

_ZIP: Final = b"PK\x03\x04"
_NOT_TEXT: Final = (".zip", ".png", ".woff2")
_LOGS_OF_AN_INSTANCE: Final = ("*.log", "state/*.jsonl", "card-gateway/*.log")


@contextmanager
def events(aws: Aws) -> Iterator[list[str]]:
    """Listen to every event of the default bus; what was heard is in the list once the block has ended."""
    bus, queues = aws.client("events"), aws.client("sqs")
    heard: list[str] = []
    url = queues.create_queue(QueueName="every-event")["QueueUrl"]
    arn = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    bus.put_rule(Name="every-event", EventPattern=json.dumps({"source": [{"prefix": ""}]}))
    bus.put_targets(Rule="every-event", Targets=[{"Id": "queue", "Arn": arn}])
    try:
        yield heard
        while messages := queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                heard.append(message["Body"])
                queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    finally:
        bus.remove_targets(Rule="every-event", Ids=["queue"])
        bus.delete_rule(Name="every-event")
        queues.delete_queue(QueueUrl=url)


def everything(aws: Aws, root: Path) -> dict[str, str]:
    """What an account and the instance in `root` hold, by place: logs, histories, metrics, stacks, pages.

    Documents in MongoDB and the secret in Secrets Manager are where such things belong; they are not in it.
    """
    return {
        "logs": "\n".join(_logs(aws)),
        "executions": "\n".join(_executions(aws)),
        "metrics and alarms": str(_metrics(aws)),
        "functions": str(list(_functions(aws))),
        "stacks": "\n".join(_stacks(aws)),
        "objects": "\n".join(_objects(aws)),
        "parameters": str(aws.client("ssm").describe_parameters()),
        "files": "\n".join(_files(root)),
    }


def of_pipelines(aws: Aws) -> str:
    """What an account's pipelines and builds tell of themselves, beside the logs that `everything` has."""
    return "\n".join([*_promotions(aws), *_builds(aws)])


def _promotions(aws: Aws) -> Iterator[str]:
    client = aws.client("codepipeline")
    for pipeline in client.list_pipelines()["pipelines"]:
        name = {"pipelineName": pipeline["name"]}
        yield str(client.get_pipeline(name=pipeline["name"]))
        yield str(client.get_pipeline_state(name=pipeline["name"]))
        for page in client.get_paginator("list_pipeline_executions").paginate(**name):
            for one in page["pipelineExecutionSummaries"]:
                which = {**name, "pipelineExecutionId": one["pipelineExecutionId"]}
                yield str(client.get_pipeline_execution(**which))
        for page in client.get_paginator("list_action_executions").paginate(**name):
            yield str(page["actionExecutionDetails"])


def _builds(aws: Aws) -> Iterator[str]:
    client = aws.client("codebuild")
    for project in client.list_projects()["projects"]:
        yield str(client.batch_get_projects(names=[project]))
        if builds := client.list_builds_for_project(projectName=project)["ids"]:
            yield str(client.batch_get_builds(ids=builds))


def _logs(aws: Aws) -> Iterator[str]:
    logs = aws.client("logs")
    for page in logs.get_paginator("describe_log_groups").paginate():
        for group in page["logGroups"]:
            yield str(group)
            for events in logs.get_paginator("filter_log_events").paginate(
                logGroupName=group["logGroupName"]
            ):
                yield from (event["message"] for event in events["events"])


def _executions(aws: Aws) -> Iterator[str]:
    stepfunctions: Any = aws.stepfunctions
    for machine in stepfunctions.list_state_machines()["stateMachines"]:
        arn = machine["stateMachineArn"]
        for page in stepfunctions.get_paginator("list_executions").paginate(stateMachineArn=arn):
            for execution in page["executions"]:
                named = {"executionArn": execution["executionArn"]}
                yield str(stepfunctions.describe_execution(**named))
                histories = stepfunctions.get_paginator("get_execution_history").paginate(
                    **named, includeExecutionData=True
                )
                yield from (str(history["events"]) for history in histories)


def _metrics(aws: Aws) -> list[Any]:
    cloudwatch = aws.client("cloudwatch")
    metrics = [page["Metrics"] for page in cloudwatch.get_paginator("list_metrics").paginate()]
    return [metrics, cloudwatch.describe_alarms(), cloudwatch.describe_alarm_history()]


def _functions(aws: Aws) -> Iterator[Any]:
    for page in aws.functions.get_paginator("list_functions").paginate(FunctionVersion="ALL"):
        yield from page["Functions"]


def _stacks(aws: Aws) -> Iterator[str]:
    for stack in aws.cloudformation.describe_stacks()["Stacks"]:
        yield str(stack)
        yield str(aws.cloudformation.get_template(StackName=stack["StackName"])["TemplateBody"])
        yield str(aws.cloudformation.describe_stack_events(StackName=stack["StackName"])["StackEvents"])


def _objects(aws: Aws) -> Iterator[str]:
    """Evidence pages, reports, docs and templates; packages and artifacts are what was built."""
    for bucket in aws.s3.list_buckets()["Buckets"]:
        for page in aws.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket["Name"]):
            for found in page.get("Contents", []):
                if not found["Key"].endswith(_NOT_TEXT):
                    body = aws.s3.get_object(Bucket=bucket["Name"], Key=found["Key"])["Body"].read()
                    if not body.startswith(_ZIP):
                        yield body.decode(errors="replace")


def _files(root: Path) -> Iterator[str]:
    """What the embedded AWS, its MongoDB and its card gateway wrote down about themselves."""
    for pattern in (*_LOGS_OF_AN_INSTANCE, "mongod/*.log"):
        for path in root.glob(pattern):
            yield path.read_text(encoding="utf-8", errors="replace")
