"""Task states: one attempt after another, with time-outs; and Retry and Catch, as documented."""

import contextvars
import random
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from ministack.core.responses import new_uuid

from embedded_aws.stepfunctions import evaluation, integrations, path_evaluation, records, states

_LIMIT_BYTES = 262_144


def execute(
    state: dict[str, Any], value: Any, execution: dict[str, Any], ctx: dict[str, Any]
) -> tuple[Any, Any]:
    """Run a Task state under its Retry and Catch; returns its output and the next state."""
    attempts = Retries(state)
    while True:
        ctx["State"]["RetryCount"] = attempts.total
        try:
            return _attempt(state, value, execution, ctx), state.get("Next")
        except records.Error as error:
            if not attempts.wait(error.error):
                return caught(state, value, ctx, error)
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


_TERMINAL = {"States.Runtime"}


def backoff_seconds(retrier: dict[str, Any], count: int) -> float:
    """Return the seconds before retry number `count` (from 0) of a Retry entry, jitter included."""
    seconds = float(retrier.get("IntervalSeconds", 1)) * float(retrier.get("BackoffRate", 2.0)) ** count
    seconds = min(seconds, float(retrier.get("MaxDelaySeconds", seconds)))
    return random.uniform(0, seconds) if retrier.get("JitterStrategy") == "FULL" else seconds  # noqa: S311 - jitter


class Retries:
    """How often a state was retried, and how long to wait before the next time."""

    def __init__(self, state: dict[str, Any]) -> None:
        self._retriers = state.get("Retry", [])
        self._counts: dict[int, int] = {}

    @property
    def total(self) -> int:
        """All retries so far: the context's `State.RetryCount`."""
        return sum(self._counts.values())

    def wait(self, error: str | None) -> bool:
        """Wait as the matching retrier says, scaled by SFN_WAIT_SCALE; False when there is no retry left."""
        for index, retrier in enumerate(self._retriers):
            if not matches(retrier["ErrorEquals"], error):
                continue
            count = self._counts.get(index, 0)
            if count >= retrier.get("MaxAttempts", 3):
                return False
            self._counts[index] = count + 1
            states.sleep(backoff_seconds(retrier, count))
            return True
        return False


def matches(names: list[str], error: str | None) -> bool:
    """Tell whether an ErrorEquals list matches an error name."""
    if error in _TERMINAL:
        return False
    if error in names:
        return True
    return "States.ALL" in names or ("States.TaskFailed" in names and error != "States.Timeout")


def caught(state: dict[str, Any], value: Any, ctx: dict[str, Any], error: Any) -> tuple[Any, str]:
    """Return the output and the next state of the catcher that matches, or raise the error again.

    Raises:
        ExecutionError: No catcher names it; the very one that was given.
    """
    catchers = (each for each in state.get("Catch", []) if matches(each["ErrorEquals"], error.error))
    catcher = next(catchers, None)
    if catcher is None:
        raise error
    caught_error = {"Error": error.error or "", "Cause": error.cause or ""}
    if evaluation.is_jsonata(state, ctx):
        output = evaluation.output(catcher, value, ctx, error_output=caught_error, default=caught_error)
        evaluation.assign(catcher, value, ctx, error_output=caught_error)
    else:  # a catcher's `$` is the error
        path_evaluation.assign(catcher, caught_error, ctx)
        output = path_evaluation.placed(catcher, value, caught_error)
    return output, catcher["Next"]


def retried(
    state: dict[str, Any], value: Any, ctx: dict[str, Any], attempt: Callable[[], Any]
) -> tuple[Any, str | None]:
    """Run a Parallel or Map state under its Retry and Catch; returns its output and the next state."""
    entered, retries = ctx["State"], Retries(state)
    while True:
        ctx["State"] = {**entered, "RetryCount": retries.total}
        try:
            return attempt(), state.get("Next")
        except records.Error as error:
            if not retries.wait(error.error):
                place = evaluation.current()
                if place is not None and not error.before_items:
                    records.add_event(place.execution, f"{state['Type']}StateFailed")
                return caught(state, value, ctx, error)
