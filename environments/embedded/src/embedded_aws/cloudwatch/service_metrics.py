"""The metrics that services publish by themselves and that alarms watch; MiniStack publishes few of them.

https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html
"""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from ministack.services import apigateway_v1, cloudwatch

from embedded_aws import sqs
from embedded_aws.core import ministack_names as private

_STATUSES = {
    "RUNNING": "ExecutionsStarted",
    "SUCCEEDED": "ExecutionsSucceeded",
    "FAILED": "ExecutionsFailed",
    "TIMED_OUT": "ExecutionsTimedOut",
    "ABORTED": "ExecutionsAborted",
}
_CLIENT_ERROR, _SERVER_ERROR = 400, 500


def install() -> None:
    """Count requests of REST APIs; functions and executions are counted by the modules that run them."""
    private.lambda_svc.emit_lambda_metrics = _throttles_only(private.lambda_svc.emit_lambda_metrics)
    apigateway_v1.handle_execute = _measured(apigateway_v1.handle_execute)


def count_execution(execution: dict[str, Any]) -> None:
    """Record an execution's new status, and its duration when it ended."""
    dimensions = {"StateMachineArn": execution["stateMachineArn"]}
    name = _STATUSES[execution["status"]]
    if execution["status"] == "RUNNING" and execution.get("redriveCount"):
        name = "ExecutionsRedriven"
    _record("AWS/States", name, 1, "Count", dimensions)
    if stop := execution.get("stopDate"):
        took = datetime.fromisoformat(stop) - datetime.fromisoformat(execution["startDate"])
        _record("AWS/States", "ExecutionTime", took.total_seconds() * 1000, "Milliseconds", dimensions)


def count_throttled(state_machine_arn: str) -> None:
    """Record that an execution had to wait for the account's quota of state transitions."""
    _record("AWS/States", "ExecutionThrottled", 1, "Count", {"StateMachineArn": state_machine_arn})


def count_failed_invocation(rule: str) -> None:
    """Record that EventBridge could not start a rule's target."""
    _record("AWS/Events", "FailedInvocations", 1, "Count", {"RuleName": rule})


def count_failed_dead_letter(rule: str) -> None:
    """Record that EventBridge could not send what it could not deliver to a rule's dead-letter queue."""
    _record("AWS/Events", "InvocationsFailedToBeSentToDlq", 1, "Count", {"RuleName": rule})


async def count_waiting_messages() -> None:
    """Record how many messages wait in each queue; SQS says it each minute, and here whenever it is asked."""
    for name, visible in (await sqs.waiting()).items():
        _record("AWS/SQS", "ApproximateNumberOfMessagesVisible", visible, "Count", {"QueueName": name})


def count_invocation(function_name: str, seconds: float, *, failed: bool) -> None:
    """Record a function's invocation, whoever called it."""
    dimensions = {"FunctionName": function_name}
    _record("AWS/Lambda", "Invocations", 1, "Count", dimensions)
    _record("AWS/Lambda", "Errors", int(failed), "Count", dimensions)
    _record("AWS/Lambda", "Duration", seconds * 1000, "Milliseconds", dimensions)


def _throttles_only(stock: Callable[..., None]) -> Callable[..., None]:
    """MiniStack counts the invocations that come by the API; those are counted where all of them pass."""

    def emit(function_name: str, *, duration_ms: float, error: bool, throttle: bool) -> None:  # noqa: ARG001 - MiniStack's signature
        if throttle:
            stock(function_name, duration_ms=0.0, error=False, throttle=True)

    return emit


def _measured(stock: Callable[..., Any]) -> Callable[..., Any]:
    async def handle(api_id: str, stage: str, *rest: Any) -> Any:
        began = time.monotonic()
        answer = await stock(api_id, stage, *rest)
        scope = apigateway_v1.find_api_scope(api_id)
        api = private.apigateway_v1.rest_apis.get_scoped(*scope, api_id) if scope else None
        if api:
            dimensions = {"ApiName": api["name"], "Stage": stage}
            _record("AWS/ApiGateway", "Count", 1, "Count", dimensions)
            _record("AWS/ApiGateway", "5XXError", int(answer[0] >= _SERVER_ERROR), "Count", dimensions)
            client_error = _CLIENT_ERROR <= answer[0] < _SERVER_ERROR
            _record("AWS/ApiGateway", "4XXError", int(client_error), "Count", dimensions)
            milliseconds = (time.monotonic() - began) * 1000
            _record("AWS/ApiGateway", "Latency", milliseconds, "Milliseconds", dimensions)
        return answer

    return handle


def _record(namespace: str, name: str, value: float, unit: str, dimensions: dict[str, str]) -> None:
    cloudwatch.record_metric(namespace, name, value, unit, dimensions)
