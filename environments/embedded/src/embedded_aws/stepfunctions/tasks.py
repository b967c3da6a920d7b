"""Task states: one attempt after another, with time-outs, and what the history says of each."""

import contextvars
import threading
from functools import partial
from typing import Any

from ministack.core.responses import new_uuid

from embedded_aws.stepfunctions import evaluation, integrations, path_evaluation, records, retries

_LIMIT_BYTES = 262_144


def execute(
    state: dict[str, Any], value: Any, execution: dict[str, Any], ctx: dict[str, Any]
) -> tuple[Any, Any]:
    """Run a Task state under its Retry and Catch; returns its output and the next state."""
    attempts = retries.Retries(state)
    while True:
        ctx["State"]["RetryCount"] = attempts.total
        try:
            return _attempt(state, value, execution, ctx), state.get("Next")
        except records.Error as error:
            if not attempts.wait(error.error):
                return retries.caught(state, value, ctx, error)
            if _over(execution, ctx):
                raise


def _over(execution: dict[str, Any], ctx: dict[str, Any]) -> bool:
    """Tell whether the execution was stopped while it waited to retry, or was taken over by a redrive."""
    redrives = ctx["Execution"].get("RedriveCount", 0)
    return bool(execution["status"] != "RUNNING" or execution.get("redriveCount", 0) != redrives)


def check_size(value: Any, state_name: str) -> str:
    """Return the value as JSON text, refusing what Step Functions does not carry from state to state.

    Raises:
        ExecutionError: It is larger than Step Functions allows.
    """
    text = evaluation.compact(value)
    if len(text.encode()) > _LIMIT_BYTES:
        message = f"The state/task '{state_name}' returned a result with a size exceeding the maximum"
        raise records.Error("States.DataLimitExceeded", f"{message} number of bytes service limit.")
    return text


def _attempt(state: dict[str, Any], value: Any, execution: dict[str, Any], ctx: dict[str, Any]) -> Any:
    jsonata = evaluation.is_jsonata(state, ctx)
    if ".waitForTaskToken" in state["Resource"]:
        ctx["Task"] = {"Token": new_uuid()}
    arguments = (evaluation.arguments if jsonata else path_evaluation.parameters)(state, value, ctx)
    text, region = evaluation.compact(arguments), execution["executionArn"].split(":")[3]
    _event(execution, state, "Scheduled", parameters=text, region=region)
    _event(execution, state, "Started")
    ctx["submitted"] = partial(_submitted, execution, state)
    try:
        result = _call(state, value, arguments, ctx)
        text = check_size(result, _label(state["Resource"]))
    except records.Error as error:  # of the call alone: what the state makes of it has no event of its own
        kind = "TimedOut" if error.error == "States.Timeout" else "Failed"
        _event(execution, state, kind, error=error.error, cause=error.cause)
        raise
    if ctx["halted"]():
        raise records.Halted
    _event(execution, state, "Succeeded", output=text, outputDetails={"truncated": False})
    if not jsonata:
        return path_evaluation.finished(state, value, result, ctx)
    output = evaluation.output(state, value, ctx, result=result, default=result)
    evaluation.assign(state, value, ctx, result=result)
    return output


def _call(state: dict[str, Any], value: Any, arguments: Any, ctx: dict[str, Any]) -> Any:
    resource, seconds = state["Resource"], _time_out(state, value, ctx)
    if ".waitForTaskToken" in resource:
        return integrations.call_back(resource, arguments, ctx, seconds)
    if seconds is None:
        return integrations.call(resource, arguments, ctx)
    return _within(seconds, resource, arguments, ctx)


def _time_out(state: dict[str, Any], value: Any, ctx: dict[str, Any]) -> float | None:
    if "TimeoutSecondsPath" in state:
        selected = path_evaluation.selected_input(state, value, ctx)
        return float(path_evaluation.lenient(state["TimeoutSecondsPath"], selected, ctx))
    if "TimeoutSeconds" not in state:
        return None
    seconds: float = evaluation.state_field(state, "TimeoutSeconds", "number", value, ctx)
    return seconds


def _within(seconds: float, resource: str, arguments: Any, ctx: dict[str, Any]) -> Any:
    """Call with a time-out; a call that runs over goes on unheard, as the function does on AWS."""
    outcome: list[Any] = []

    def call() -> None:
        try:
            outcome.append((integrations.call(resource, arguments, ctx), None))
        except Exception as error:  # noqa: BLE001 - handed to the waiting thread whole
            outcome.append((None, error))

    thread = threading.Thread(target=contextvars.copy_context().run, args=(call,), daemon=True)
    thread.start()
    thread.join(seconds)
    if not outcome:
        raise records.Error("States.Timeout", None)
    result, error = outcome[0]
    if error is not None:
        raise error
    return result


def _label(resource: str) -> str:
    """Return what Step Functions calls a task: its service, or the function itself."""
    service = resource.partition(":states:::")[2].partition(":")[0]
    return service or resource


def _submitted(execution: dict[str, Any], state: dict[str, Any], output: Any) -> None:
    text = evaluation.compact(output)
    _event(execution, state, "Submitted", output=text, outputDetails={"truncated": False})


def _event(execution: dict[str, Any], state: dict[str, Any], kind: str, **details: Any) -> None:
    if integrations.is_function(state["Resource"]):
        _function_event(execution, state["Resource"], kind, details)
        return
    service, _, action = state["Resource"].partition(":states:::")[2].rpartition(":")
    if action.isdigit():  # startExecution.sync:2
        service, _, action = state["Resource"].partition(":states:::")[2].partition(":")
    named = {"resourceType": service or "lambda", "resource": action or state["Resource"]}
    details = {key: value for key, value in details.items() if value is not None}
    records.add_event(execution, f"Task{kind}", {f"task{kind}EventDetails": {**named, **details}})


def _function_event(execution: dict[str, Any], resource: str, kind: str, details: dict[str, Any]) -> None:
    """Note what became of a function that a state names as its resource, in events of their own kinds."""
    shown = {key: value for key, value in details.items() if key in {"error", "cause", "output"} and value}
    if kind == "Scheduled":
        shown = {"resource": resource, "input": details["parameters"], "inputDetails": {"truncated": False}}
    elif kind == "Succeeded":
        shown["outputDetails"] = {"truncated": False}
    named = {f"lambdaFunction{kind}EventDetails": shown} if shown else {}
    records.add_event(execution, f"LambdaFunction{kind}", named)
