"""What a task calls: functions, other executions, services by their SDK, and whoever reports back by a token.

A workflow does what its role may, and nothing else: Step Functions takes the role on for every task.
A refusal has the base exception's name of the service that refused, as no service models IAM's refusals
(Step Functions developer guide, "Handling errors"; for Lambda, `Lambda.AWSLambdaException`).

https://docs.aws.amazon.com/step-functions/latest/dg/integrate-services.html
"""

import asyncio
import json
import threading
from datetime import datetime
from typing import Any
from urllib.parse import quote

from ministack.services import lambda_svc

from embedded_aws.core import ministack_names as private
from embedded_aws.iam.decisions import Question, allows, session
from embedded_aws.stepfunctions import records, sdk

_OPTIMIZED = {
    "dynamodb:putItem": ("dynamodb", "DynamoDB"),
    "dynamodb:getItem": ("dynamodb", "DynamoDB"),
    "dynamodb:deleteItem": ("dynamodb", "DynamoDB"),
    "dynamodb:updateItem": ("dynamodb", "DynamoDB"),
    "events:putEvents": ("eventbridge", "EventBridge"),
    "sns:publish": ("sns", "SNS"),
    "sqs:sendMessage": ("sqs", "SQS"),
}
"""Optimized integrations that are calls of an SDK, and what comes before the names of their errors."""
_LAMBDA_ERROR = "Lambda.AWSLambdaException"
_LONGEST_SECONDS = 99_999_999


def supported(resource: str) -> bool:
    """Tell whether a task's resource is emulated."""
    if is_function(resource):
        return True
    called = resource.partition(":states:::")[2].removesuffix(".waitForTaskToken")
    if called.startswith("aws-sdk:"):
        return not called.endswith(".sync")
    starts = ("states:startExecution", "states:startExecution.sync", "states:startExecution.sync:2")
    return called in {"lambda:invoke", *starts, *_OPTIMIZED}


def call(resource: str, arguments: Any, ctx: dict[str, Any]) -> Any:
    """Call what a task's resource names, and return its result.

    Raises:
        ExecutionError: it failed, the role may not, or it is not emulated.
    """
    if is_function(resource):
        _ask(ctx, "lambda:InvokeFunction", resource, _LAMBDA_ERROR)
        return call_function(resource, arguments)[0]
    called = resource.partition(":states:::")[2]
    if called == "lambda:invoke":
        return _invoke(arguments, ctx)
    if called.startswith("states:startExecution"):
        return start_and_wait(called, arguments, ctx) if ".sync" in called else start(arguments, ctx)
    if called in _OPTIMIZED:
        module, prefix = _OPTIMIZED[called]
        return sdk.call(module, called.partition(":")[2], arguments, ctx, prefix)
    kind, _, rest = called.partition(":")
    module, _, action = rest.partition(":")
    if kind != "aws-sdk" or not action:
        raise records.Error("States.Runtime", f"The resource '{resource}' is not emulated here")
    return sdk.call(module, action, arguments, ctx)


def call_back(resource: str, arguments: Any, ctx: dict[str, Any], seconds: float | None) -> Any:
    """Call with the context's token, and wait until somebody reports with it what came of the task.

    Raises:
        ExecutionError: the call failed, somebody reported a failure, or nobody reported in time.
    """
    reported = threading.Event()
    report: dict[str, Any] = {"event": reported, "result": None, "error": None, "heartbeat": None}
    token = ctx["Task"]["Token"]
    private.stepfunctions.task_tokens[token] = report
    try:
        ctx["submitted"](call(resource.removesuffix(".waitForTaskToken"), arguments, ctx))
        if not reported.wait(_LONGEST_SECONDS if seconds is None else seconds):
            raise records.Error("States.Timeout", None)
    finally:
        private.stepfunctions.task_tokens.pop(token, None)
    if report["error"]:
        raise records.Error(report["error"].get("Error"), report["error"].get("Cause"))
    return json.loads(report["result"] or "{}")


def call_function(reference: str, event: Any) -> tuple[Any, str]:
    """Invoke a Lambda function, and return its answer and the version that ran.

    Raises:
        ExecutionError: The function is not there, throttled, or failed, under the name that a machine sees.
    """
    path = f"/2015-03-31/functions/{quote(reference, safe='')}/invocations"
    status, headers, body = asyncio.run(
        lambda_svc.handle_request("POST", path, {}, json.dumps(event).encode(), {})
    )
    answer = json.loads(body or b"null")
    if status >= 400:  # noqa: PLR2004 - HTTP's errors
        name = headers.get("x-amzn-errortype") or answer.get("__type") or "AWSLambdaException"
        raise records.Error(f"Lambda.{name}", answer.get("message") or json.dumps(answer))
    if "X-Amz-Function-Error" in headers:
        named = isinstance(answer, dict) and answer.get("errorType")
        raise records.Error(named or "Lambda.Unknown", json.dumps(answer))
    return answer, headers.get("X-Amz-Executed-Version", "$LATEST")


def is_function(resource: str) -> bool:
    """Tell whether a task's resource is a function itself."""
    return ":lambda:" in resource and ":function:" in resource


def _invoke(arguments: dict[str, Any], ctx: dict[str, Any]) -> dict[str, Any]:
    """Invoke a function; the result says which version ran."""
    reference = str(arguments.get("FunctionName", ""))
    _ask(ctx, "lambda:InvokeFunction", reference, _LAMBDA_ERROR)
    payload, version = call_function(reference, arguments.get("Payload", {}))
    return {"ExecutedVersion": version, "StatusCode": 200, "Payload": payload}


def start(arguments: dict[str, Any], ctx: dict[str, Any]) -> dict[str, Any]:
    """Start an execution, and return {ExecutionArn, StartDate}.

    Raises:
        ExecutionError: It was refused, under the name that AWS gives it.
    """
    started: dict[str, Any] = sdk.call("sfn", "startExecution", arguments, ctx, "StepFunctions")
    return started


def start_and_wait(called: str, arguments: dict[str, Any], ctx: dict[str, Any]) -> dict[str, Any]:
    """Wait for the child; if it fails the task fails with States.TaskFailed and the child's description.

    Raises:
        ExecutionError: The execution did not succeed.
    """
    ctx["submitted"](started := start(arguments, ctx))
    execution = private.stepfunctions.executions[started["ExecutionArn"]]
    with records.ended:
        records.ended.wait_for(lambda: execution["status"] != "RUNNING")
    described = _described(execution)
    if execution["status"] != "SUCCEEDED":
        raise records.Error("States.TaskFailed", json.dumps(described))
    if called.endswith(":2"):
        described["Output"] = json.loads(described["Output"])
    return described


def _described(execution: dict[str, Any]) -> dict[str, Any]:
    shown = {
        "ExecutionArn": execution["executionArn"],
        "Input": execution["input"],
        "InputDetails": {"Included": True},
        "Name": execution["name"],
        "Output": execution.get("output"),
        "OutputDetails": {"Included": True},
        "RedriveCount": execution.get("redriveCount", 0),
        "StartDate": _milliseconds(execution["startDate"]),
        "StateMachineArn": execution["stateMachineArn"],
        "StateMachineVersionArn": execution.get("stateMachineVersionArn"),
        "StateMachineAliasArn": execution.get("stateMachineAliasArn"),
        "Status": execution["status"],
        "StopDate": _milliseconds(execution["stopDate"]),
        "Error": execution.get("error"),
        "Cause": execution.get("cause"),
    }
    return {key: value for key, value in shown.items() if value is not None}


def _milliseconds(stamp: str) -> int:
    return int(datetime.fromisoformat(stamp).timestamp() * 1000)


def _ask(ctx: dict[str, Any], action: str, resource: str, error: str) -> None:
    """Refuse what the workflow's role does not allow."""
    execution = ctx["Execution"]
    _, _, _, region, account, *_ = execution["Id"].split(":")
    role = execution["RoleArn"].rpartition("/")[2]
    whole = (
        resource if resource.startswith("arn:") else f"arn:aws:lambda:{region}:{account}:function:{resource}"
    )
    if not allows(account, role, execution["Name"], Question(action, whole), region):
        raise records.Error(
            error,
            f"User: {session(account, role, execution['Name'])} is not authorized to perform: {action} on "
            f"resource: {whole} because no identity-based policy allows the {action} action",
        )
