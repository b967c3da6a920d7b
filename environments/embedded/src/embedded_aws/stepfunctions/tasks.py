"""Task states: one attempt after another, with time-outs, and the errors that AWS gives a failed call.

A workflow does what its role may, and nothing else: Step Functions takes the role on for every task.

A refusal has the base exception's name of the service that refused, as no service models IAM's refusals (Step
Functions developer guide, "Handling errors"; for Lambda, `Lambda.AWSLambdaException`, for an SDK integration
`Sfn.SfnException`).
"""

import contextvars
import json
import threading
from typing import Any

from ministack.services import lambda_svc, stepfunctions

from embedded_aws.iam.simulation import Question, allows, session
from embedded_aws.stepfunctions import evaluation, retries

_LIMIT_BYTES = 262_144
_Error = stepfunctions._ExecutionError


def install() -> None:
    """Take the place of MiniStack's Task states and of how it calls a function."""
    stepfunctions._execute_task = execute
    stepfunctions._call_lambda = call_function


def execute(
    state: dict[str, Any], value: Any, execution: dict[str, Any], ctx: dict[str, Any]
) -> tuple[Any, Any]:
    """Run a Task state under its Retry and Catch; returns its output and the next state."""
    attempts = retries.Retries(state)
    while True:
        ctx["State"]["RetryCount"] = attempts.total
        try:
            return _attempt(state, value, execution, ctx), stepfunctions._next_or_end(state)
        except _Error as error:
            kind = "TimedOut" if error.error == "States.Timeout" else "Failed"
            _event(execution, state, kind, error=error.error, cause=error.cause)
            if not attempts.wait(error.error):
                return retries.caught(state, value, ctx, error)
            if _over(execution, ctx):
                raise


def _over(execution: dict[str, Any], ctx: dict[str, Any]) -> bool:
    """Tell whether the execution was stopped while it waited to retry, or was taken over by a redrive."""
    redrives = ctx["Execution"].get("RedriveCount", 0)
    return bool(execution["status"] != "RUNNING" or execution.get("redriveCount", 0) != redrives)


def call_function(reference: str, event: Any) -> Any:
    """Invoke a Lambda function; its failure becomes the error name and cause that a state machine sees.

    Raises:
        ExecutionError: The function is not there, throttled, or failed.
    """
    function, config, name = lambda_svc._get_func_record_for_ref(reference)
    if not function or not config:
        raise _Error("Lambda.ResourceNotFoundException", f"Function not found: {name}")
    record = lambda_svc._execution_record_for_config(function, config)
    result = lambda_svc._execute_function_with_config_scope(record, event)
    body = result.get("body")
    if result.get("throttle"):
        raise _Error("Lambda.TooManyRequestsException", json.dumps(body))
    if result.get("error"):
        named = isinstance(body, dict) and body.get("errorType")
        raise _Error(named or "Lambda.Unknown", json.dumps(body))
    return body


def check_size(value: Any, state_name: str) -> str:
    """Return the value as JSON text, refusing what Step Functions does not carry from state to state.

    Raises:
        ExecutionError: It is larger than Step Functions allows.
    """
    text = evaluation.compact(value)
    if len(text.encode()) > _LIMIT_BYTES:
        message = f"The state/task '{state_name}' returned a result with a size exceeding the maximum"
        raise _Error("States.DataLimitExceeded", f"{message} number of bytes service limit.")
    return text


def _attempt(state: dict[str, Any], value: Any, execution: dict[str, Any], ctx: dict[str, Any]) -> Any:
    jsonata = stepfunctions._state_query_language(state, ctx) == "JSONata"
    if jsonata:
        arguments = stepfunctions._apply_jsonata_arguments(state, value, ctx)
    else:
        selected = stepfunctions._apply_input_path(state, value, ctx)
        arguments = stepfunctions._apply_parameters(state, selected, ctx)
    _event(
        execution,
        state,
        "Scheduled",
        parameters=evaluation.compact(arguments),
        region=stepfunctions.get_region(),
    )
    _event(execution, state, "Started")
    result = _call(state, value, arguments, ctx)
    text = check_size(result, _label(state["Resource"]))
    _event(execution, state, "Succeeded", output=text, outputDetails={"truncated": False})
    if jsonata:
        output = stepfunctions._apply_jsonata_output(state, value, ctx, result=result, default=result)
        stepfunctions._apply_state_assign(state, value, ctx, result=result)
        return output
    selected = stepfunctions._apply_result_selector(state, result)
    return stepfunctions._apply_output_path(
        state, stepfunctions._apply_result_path(state, value, selected), ctx
    )


def _call(state: dict[str, Any], value: Any, arguments: Any, ctx: dict[str, Any]) -> Any:
    resource = state["Resource"]
    require(resource, arguments, ctx)
    if resource.endswith(":states:::lambda:invoke"):
        return _invoked(state, value, {"Payload": {}, **arguments}, ctx)
    if ".waitForTaskToken" in resource:
        ctx["Task"] = {"Token": stepfunctions.new_uuid()}
        return stepfunctions._invoke_with_callback(resource, arguments, ctx["Task"]["Token"], state)
    return _timed(state, value, arguments, ctx)


def _invoked(state: dict[str, Any], value: Any, arguments: dict[str, Any], ctx: dict[str, Any]) -> Any:
    """Invoke a function; the result says which version ran."""
    result = _timed(state, value, arguments, ctx)
    _, config, _ = lambda_svc._get_func_record_for_ref(arguments.get("FunctionName", ""))
    return {"ExecutedVersion": (config or {}).get("Version", "$LATEST"), **result}


def _timed(state: dict[str, Any], value: Any, arguments: Any, ctx: dict[str, Any]) -> Any:
    resource = state["Resource"]
    if "TimeoutSecondsPath" in state:
        effective = stepfunctions._apply_input_path(state, value, ctx)
        seconds = stepfunctions._resolve_path_or_ctx(state["TimeoutSecondsPath"], effective, ctx)
        return _within(float(seconds), resource, arguments)
    if "TimeoutSeconds" not in state or ":activity:" in resource:
        return stepfunctions._invoke_resource(resource, arguments)
    seconds = stepfunctions._jsonata_state_field(state, "TimeoutSeconds", "number", value, ctx)
    return _within(seconds, resource, arguments)


def _within(seconds: float, resource: str, arguments: Any) -> Any:
    """Call with a time-out; a call that runs over goes on unheard, as the function does on AWS."""
    outcome: list[Any] = []

    def call() -> None:
        try:
            outcome.append((stepfunctions._invoke_resource(resource, arguments), None))
        except Exception as error:  # noqa: BLE001 - handed to the waiting thread whole
            outcome.append((None, error))

    thread = threading.Thread(target=contextvars.copy_context().run, args=(call,), daemon=True)
    thread.start()
    thread.join(seconds)
    if not outcome:
        raise _Error("States.Timeout", None)
    result, error = outcome[0]
    if error is not None:
        raise error
    return result


def _label(resource: str) -> str:
    """Return what Step Functions calls a task: its service, or the function itself."""
    service = resource.partition(":states:::")[2].partition(":")[0]
    return service or resource


def _event(execution: dict[str, Any], state: dict[str, Any], kind: str, **details: Any) -> None:
    if _is_function(state["Resource"]):
        _function_event(execution, state["Resource"], kind, details)
        return
    service, _, action = state["Resource"].partition(":states:::")[2].rpartition(":")
    if action.isdigit():  # startExecution.sync:2
        service, _, action = state["Resource"].partition(":states:::")[2].partition(":")
    named = {"resourceType": service or "lambda", "resource": action or state["Resource"]}
    details = {key: value for key, value in details.items() if value is not None}
    stepfunctions._add_event(execution, f"Task{kind}", {f"task{kind}EventDetails": {**named, **details}})


def _is_function(resource: str) -> bool:
    return ":lambda:" in resource and ":function:" in resource


def _function_event(execution: dict[str, Any], resource: str, kind: str, details: dict[str, Any]) -> None:
    """Note what became of a function that a state names as its resource, in events of their own kinds."""
    shown = {key: value for key, value in details.items() if key in {"error", "cause", "output"} and value}
    if kind == "Scheduled":
        shown = {"resource": resource, "input": details["parameters"], "inputDetails": {"truncated": False}}
    elif kind == "Succeeded":
        shown["outputDetails"] = {"truncated": False}
    named = {f"lambdaFunction{kind}EventDetails": shown} if shown else {}
    stepfunctions._add_event(execution, f"LambdaFunction{kind}", named)


_START = "arn:aws:states:::states:startExecution"


def require(resource: str, arguments: Any, ctx: dict[str, Any]) -> None:
    """Refuse a task that the workflow's role does not allow; only tasks that are listed here are known.

    Raises:
        stepfunctions._ExecutionError: IAM says no.
    """
    if "states:::lambda:invoke" in resource:
        _ask(
            ctx, "lambda:InvokeFunction", str(arguments.get("FunctionName", "")), "Lambda.AWSLambdaException"
        )
    elif ":lambda:" in resource and ":function:" in resource:
        _ask(ctx, "lambda:InvokeFunction", resource, "Lambda.AWSLambdaException")
    elif resource.startswith(_START):
        machine = str(arguments.get("StateMachineArn", ""))
        _ask(ctx, "states:StartExecution", machine, "StepFunctions.AWSStepFunctionsException")
    elif ":aws-sdk:codepipeline:" in resource:
        _, _, _, region, account, *_ = ctx["Execution"]["Id"].split(":")
        name = arguments.get("PipelineName") or arguments.get("Name", "")
        pipeline = f"arn:aws:codepipeline:{region}:{account}:{name}"
        action = resource.rpartition(":")[2]
        _ask(
            ctx,
            f"codepipeline:{action[:1].upper()}{action[1:]}",
            pipeline,
            "CodePipeline.CodePipelineException",
        )
    elif resource.endswith(":aws-sdk:sfn:describeExecution"):
        _ask(ctx, "states:DescribeExecution", str(arguments.get("ExecutionArn", "")), "Sfn.SfnException")


def _ask(ctx: dict[str, Any], action: str, resource: str, error: str) -> None:
    execution = ctx["Execution"]
    _, _, _, region, account, *_ = execution["Id"].split(":")
    role = execution["RoleArn"].rpartition("/")[2]
    question = Question(action, _whole(resource, region, account))
    if not allows(account, role, execution["Name"], question, region):
        raise _Error(
            error,
            f"User: {session(account, role, execution['Name'])} is not authorized to perform: {action} on "
            f"resource: {question.resource} because no identity-based policy allows the {action} action",
        )


def _whole(resource: str, region: str, account: str) -> str:
    """A function that is called by its bare name, as an ARN."""
    if resource.startswith("arn:"):
        return resource
    return f"arn:aws:lambda:{region}:{account}:function:{resource}"
