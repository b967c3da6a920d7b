"""Notification rules: what happens in a pipeline is told to the SNS topics of the rules that ask for it.

https://docs.aws.amazon.com/dtconsole/latest/userguide/concepts.html#events-ref-pipeline
"""

import json

from botocore.exceptions import ClientError

from embedded_aws.codepipeline.records import ActionRun, Execution
from embedded_aws.core import api, background, runtime, type_table
from embedded_aws.core.api import Json, Scope
from embedded_aws.core.type_table import Created
from embedded_aws.iam import role_sessions

_KIND = "notification-rule"
_EXECUTION = {
    "InProgress": "started",
    "Succeeded": "succeeded",
    "Failed": "failed",
    "Stopped": "canceled",
    "Superseded": "superseded",
}
_APPROVAL = {"InProgress": "needed", "Succeeded": "succeeded", "Failed": "failed"}


def _create(_logical_id: str, properties: Json, _stack: str) -> Created:
    arn = type_table.scope().arn("codestar-notifications", f"notificationrule/{api.new_id()}")
    return _put(arn, properties)


def _update(arn: str, _old: Json, new: Json, _stack: str) -> Created:
    return _put(arn, new)


def _put(arn: str, properties: Json) -> Created:
    scope = type_table.scope()
    body = {**properties, "Arn": arn}
    runtime.current().store.put(_KIND, scope.account, scope.region, arn, body=body)
    return arn, {"Arn": arn}


def _delete(arn: str, _properties: Json) -> None:
    scope = type_table.scope()
    runtime.current().store.delete(_KIND, scope.account, scope.region, arn)


def execution_changed(execution: Execution, before: str) -> None:
    """Tell of an execution whose status changed."""
    status = execution["status"]
    if status != before and status in _EXECUTION:
        detail = {
            "pipeline": execution["pipelineName"],
            "execution-id": execution["id"],
            "state": status.upper(),
        }
        _tell(execution, f"codepipeline-pipeline-pipeline-execution-{_EXECUTION[status]}", detail)


def action_changed(execution: Execution, run: ActionRun) -> None:
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


def _tell(execution: Execution, event: str, detail: Json) -> None:
    scope = Scope(execution["account"], execution["region"])
    source = scope.arn("codepipeline", execution["pipelineName"])
    rules = [
        rule
        for rule in runtime.current().store.all(_KIND, scope.account, scope.region)
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
            "time": api.now(),
            "resources": [source],
            "detail": detail,
        }
        runtime.current().store.after_commit(
            lambda: background.start("notification", lambda: _publish(scope, topics, json.dumps(message)))
        )


def _publish(scope: Scope, topics: list[str], message: str) -> None:
    sns = role_sessions.root_session(scope).client("sns")
    for topic in topics:
        try:
            sns.publish(TopicArn=topic, Message=message)
        except ClientError:  # a topic that is gone; AWS marks the target unreachable and goes on
            continue


TYPES = {"AWS::CodeStarNotifications::NotificationRule": type_table.handlers(_create, _update, _delete)}
