"""Notification rules: what happens in a pipeline is told to the SNS topics of the rules that ask for it.

https://docs.aws.amazon.com/dtconsole/latest/userguide/concepts.html#events-ref-pipeline
"""

import json

from botocore.exceptions import ClientError

from embedded_aws.codesuite import clock, roles, runtime, threads
from embedded_aws.codesuite.scope import Json, Scope

KIND = "notification-rule"
_EXECUTION = {
    "InProgress": "started",
    "Succeeded": "succeeded",
    "Failed": "failed",
    "Stopped": "canceled",
    "Superseded": "superseded",
}
_APPROVAL = {"InProgress": "needed", "Succeeded": "succeeded", "Failed": "failed"}


def execution_changed(execution: Json, before: str) -> None:
    """Tell of an execution whose status changed."""
    status = execution["status"]
    if status != before and status in _EXECUTION:
        detail = {
            "pipeline": execution["pipelineName"],
            "execution-id": execution["id"],
            "state": status.upper(),
        }
        _tell(execution, f"codepipeline-pipeline-pipeline-execution-{_EXECUTION[status]}", detail)


def action_changed(execution: Json, run: Json) -> None:
    """Tell of an approval that is needed or was answered, and of an action that failed."""
    detail = {
        "pipeline": execution["pipelineName"],
        "execution-id": execution["id"],
        "stage": run["stageName"],
        "action": run["actionName"],
        "state": run["status"].upper(),
        "summary": run.get("summary", ""),
    }
    if run["declaration"]["actionTypeId"]["category"] == "Approval":
        _tell(
            execution,
            f"codepipeline-pipeline-manual-approval-{_APPROVAL.get(run['status'], 'failed')}",
            detail,
        )
    elif run["status"] == "Failed":
        _tell(execution, "codepipeline-pipeline-action-execution-failed", detail)


def _tell(execution: Json, event: str, detail: Json) -> None:
    scope = Scope(execution["account"], execution["region"])
    source = scope.arn("codepipeline", execution["pipelineName"])
    rules = [
        rule
        for rule in runtime.current().store.all(KIND, scope.account, scope.region)
        if rule["Resource"] == source
        and rule.get("Status", "ENABLED") == "ENABLED"
        and event in rule["EventTypeIds"]
    ]
    topics = [t["TargetAddress"] for rule in rules for t in rule["Targets"] if t["TargetType"] == "SNS"]
    if topics:
        message = {
            "account": scope.account,
            "region": scope.region,
            "source": "aws.codepipeline",
            "notificationRuleArn": rules[0]["Arn"],
            "eventTypeId": event,
            "time": clock.now(),
            "resources": [source],
            "detail": detail,
        }
        runtime.current().store.after_commit(
            lambda: threads.start("notification", lambda: _publish(scope, topics, json.dumps(message)))
        )


def _publish(scope: Scope, topics: list[str], message: str) -> None:
    sns = roles.root_of(scope).client("sns")
    for topic in topics:
        try:
            sns.publish(TopicArn=topic, Message=message)
        except ClientError:  # a topic that is gone; AWS marks the target unreachable and goes on
            continue
