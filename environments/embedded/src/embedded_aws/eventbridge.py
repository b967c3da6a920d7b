"""Lets EventBridge and its Scheduler start pipelines and workflows, with the role of the target.

https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-trigger-source-schedule.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-identity-based.html
"""

import json
import logging
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from botocore.exceptions import ClientError
from ministack.core.responses import request_scope

from embedded_aws import sqs
from embedded_aws.cloudwatch import service_metrics
from embedded_aws.core import background
from embedded_aws.core import ministack_names as private
from embedded_aws.core.api import Json, Scope
from embedded_aws.iam import role_sessions
from embedded_aws.iam.role_sessions import RoleSession

_PRINCIPALS = ("scheduler.amazonaws.com", "events.amazonaws.com")
_SCHEDULE = ":schedule/"
"""In the ARN of a schedule of EventBridge Scheduler, which is no rule."""
_TICK_SECONDS = 1
_log = logging.getLogger(__name__)
_Invoke = Callable[..., None]
_role: ContextVar[str | None] = ContextVar("role", default=None)
"""Of the target that is being invoked."""
_rule: ContextVar[Json] = ContextVar("rule", default={})  # noqa: B039 - never written into
"""Its name and ARN, its target's role and dead-letter queue, and the event; so of a schedule, too."""


def install() -> None:
    """Put pipelines among the targets that MiniStack knows, and start workflows as the target's role."""
    private.eventbridge.invoke_target = _with_roles(private.eventbridge.invoke_target)
    private.stepfunctions.start_execution = _start_workflow(private.stepfunctions.start_execution)
    # MiniStack looks every 10 s for what is due, for which whoever waits for a schedule waits.
    private.eventbridge.SCHEDULER_TICK_INTERVAL = private.scheduler.SCHEDULE_TICK_INTERVAL = _TICK_SECONDS


def _with_roles(original: _Invoke) -> _Invoke:
    def invoke(target: Json, event: Json, rule: Json, view: Any = None) -> None:
        role, queue = target.get("RoleArn", ""), (target.get("DeadLetterConfig") or {}).get("Arn", "")
        token = _role.set(role)
        named = _rule.set(
            {"arn": rule["Arn"], "name": rule["Name"], "role": role, "queue": queue, "event": event}
        )
        try:
            if ":codepipeline:" in target.get("Arn", ""):
                _start_pipeline(target)
            else:
                original(target, event, rule, view)
        finally:
            _role.reset(token)
            _rule.reset(named)

    return invoke


def _start_pipeline(target: Json) -> None:
    target_input = json.loads(target.get("Input") or "{}")
    more = {key: target_input[key] for key in ("variables", "sourceRevisions") if key in target_input}
    name = target["Arn"].rpartition(":")[2]
    _as_role(
        target["Arn"],
        target["RoleArn"],
        lambda session: session.client("codepipeline").start_pipeline_execution(name=name, **more),
    )


def _start_workflow(stock: Callable[[Json], Any]) -> Callable[[Json], Any]:
    """A target's workflow is started as the target's role; whatever else starts one, as before."""

    def start(data: Json) -> Any:
        if (role := _role.get()) is None:
            return stock(data)
        arn, payload = data["stateMachineArn"], data["input"]
        _as_role(
            arn,
            role,
            lambda session: session.client("stepfunctions").start_execution(
                stateMachineArn=arn, input=payload
            ),
        )
        return None

    return start


def _as_role(arn: str, role: str, start: Callable[[RoleSession], Any]) -> None:
    """Start a target in the background; a refusal is nobody's answer: it is logged, and counted by its rule.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html
    """
    _, _, _, region, account, _ = arn.split(":", 5)
    scope, rule = Scope(account, region), _rule.get()

    def task() -> None:
        principal = next((p for p in _PRINCIPALS if role_sessions.trusts(scope, role, p)), _PRINCIPALS[0])
        try:
            start(role_sessions.assume_for_service(scope, role, principal, "schedule"))
        except (role_sessions.NotAuthorized, ClientError) as error:
            _log.error("%s was not started: %s", arn, error)
            if rule and _SCHEDULE in rule["arn"]:
                _keep_of_schedule(rule, arn, error, scope)
            elif rule:
                with request_scope(account, region):
                    service_metrics.count_failed_invocation(rule["name"])
                    if rule["queue"]:
                        _keep(rule, arn, error)

    background.start("schedule", task)


def _keep(rule: Json, target: str, error: Exception) -> None:
    """Send an event to its rule's dead-letter queue, which has to let EventBridge in for this rule.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
    """
    url = sqs.url_of(rule["queue"])
    if url is None or not sqs.lets_in(url, "events.amazonaws.com", rule["arn"]):
        _log.error("%s may not be sent to %s", rule["name"], rule["queue"])
        service_metrics.count_failed_dead_letter(rule["name"])
        return
    sqs.send(url, json.dumps(_as_delivered(rule["event"])), _about("RULE_ARN", rule, target, error))


def _keep_of_schedule(schedule: Json, target: str, error: Exception, scope: Scope) -> None:
    """Send a schedule's input to its dead-letter queue, as its role, which has to be let do so.

    https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html
    """
    if not schedule["queue"]:
        return
    about = _about("SCHEDULE_ARN", schedule, target, error)
    typed = {name: {"DataType": "String", "StringValue": value} for name, value in about.items()}
    try:
        session = role_sessions.assume_for_service(scope, schedule["role"], _PRINCIPALS[0], "schedule")
        with request_scope(scope.account, scope.region):
            url = sqs.url_of(schedule["queue"])
        session.client("sqs").send_message(QueueUrl=url, MessageBody="{}", MessageAttributes=typed)
    except (role_sessions.NotAuthorized, ClientError) as refusal:
        _log.error("%s may not be sent to %s: %s", schedule["name"], schedule["queue"], refusal)


def _about(whose: str, rule: Json, target: str, error: Exception) -> dict[str, str]:
    """Return the attributes of an event that was not delivered."""
    code = error.response["Error"]["Code"] if isinstance(error, ClientError) else "NO_PERMISSIONS"
    return {whose: rule["arn"], "TARGET_ARN": target, "ERROR_CODE": code, "ERROR_MESSAGE": str(error)}


def _as_delivered(event: Json) -> Json:
    """Return an event as targets get it."""
    names = {"EventId": "id", "DetailType": "detail-type", "Source": "source", "Resources": "resources"}
    detail = event.get("Detail") or "{}"
    return {"detail": json.loads(detail) if isinstance(detail, str) else detail} | {
        name: event[key] for key, name in names.items() if key in event
    }
