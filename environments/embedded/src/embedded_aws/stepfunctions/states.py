"""States that call nobody, Pass, Wait, Succeed and Fail; and what is wrong with a state's fields once known.

https://docs.aws.amazon.com/step-functions/latest/dg/workflow-states.html
What is refused is recorded of Step Functions; each message is its own.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from embedded_aws.stepfunctions import choices, evaluation, path_evaluation, records

_RUNTIME = "States.Runtime"
_QUERY = "States.QueryEvaluationError"
_PERCENT = 100


def concurrency(state: dict[str, Any], value: Any, ctx: dict[str, Any]) -> int:
    """Return how many items a Map state takes at once; 0 says nothing.

    Raises:
        ExecutionError: it is no number.
    """
    with _before_items():
        if "MaxConcurrencyPath" in state:
            return int(_number(state, "MaxConcurrencyPath", value, ctx, int))
        if "MaxConcurrency" in state and evaluation.is_jsonata(state, ctx):
            return int(evaluation.state_field(state, "MaxConcurrency", "number", value, ctx))
    return int(state.get("MaxConcurrency", 0))


def check_tolerances(state: dict[str, Any], value: Any, ctx: dict[str, Any]) -> None:
    """Check how many failures a Map state tolerates, where paths say so.

    Raises:
        ExecutionError: one is of the wrong kind, or out of its bounds.
    """
    with _before_items():
        count = _number(state, "ToleratedFailureCountPath", value, ctx, int)
        if count is not None and count < 0:
            raise evaluation.failure(_RUNTIME, "ToleratedFailureCount cannot be negative.")
        percentage = _number(state, "ToleratedFailurePercentagePath", value, ctx, float)
        if percentage is not None and not 0 <= percentage <= _PERCENT:
            raise evaluation.failure(_RUNTIME, "ToleratedFailurePercentage must be between 0 and 100.")


@contextmanager
def _before_items() -> Iterator[None]:
    """Mark an error as one of the state's own fields: its history has no event for the failed state."""
    try:
        yield
    except records.Error as error:
        error.before_items = True
        raise


def items(state: dict[str, Any], value: Any, ctx: dict[str, Any]) -> list[Any]:
    """Return the items of a Map state that are in its input.

    Raises:
        ExecutionError: they are no array.
    """
    if evaluation.is_jsonata(state, ctx):
        if "Items" in state:
            named: list[Any] = evaluation.state_field(state, "Items", "array", value, ctx)
            return named
        if not isinstance(value, list):
            text = f"Map state input must be an array but was: {evaluation.compact(value)}"
            raise evaluation.failure(_QUERY, text, "Items")
        return value
    path = state.get("ItemsPath", "$")
    selected = path_evaluation.lenient(path, path_evaluation.selected_input(state, value, ctx), ctx)
    if not isinstance(selected, list):
        shown = path.removeprefix("$") if path.startswith("$$") else path
        raise records.Error(_RUNTIME, f'Reference path "{shown}" must point to array.')
    return selected


def _number(
    state: dict[str, Any], name: str, value: Any, ctx: dict[str, Any], kind: Callable[[Any], Any]
) -> Any:
    if name not in state:
        return None
    effective = path_evaluation.selected_input(state, value, ctx)
    number = path_evaluation.lenient(state[name], effective, ctx)
    try:
        return kind(str(number) if isinstance(number, bool) else number)
    except (TypeError, ValueError):
        shown = number if isinstance(number, str) else evaluation.compact(number)
        word = "integer" if kind is int else "float"
        raise evaluation.failure(
            _RUNTIME, f'The {name} field refers to value "{shown}" which is not a valid {word}: {state[name]}'
        ) from None


def wait_seconds(state: dict[str, Any], value: Any, ctx: dict[str, Any]) -> float | None:
    """Return for how many seconds a Wait state waits; None where it waits until a moment.

    Raises:
        ExecutionError: the value is missing or of the wrong kind.
    """
    if "Seconds" in state and evaluation.is_jsonata(state, ctx):
        seconds: float = evaluation.state_field(state, "Seconds", "number", value, ctx)
        if not float(seconds).is_integer():
            text = f"The Seconds field cannot be parsed as an integer: {json.dumps(seconds)}"
            raise records.Error(_QUERY, text)
        if seconds < 0:
            raise records.Error(_QUERY, f"Seconds cannot be negative but was: {json.dumps(seconds)}")
        return seconds
    path = state.get("SecondsPath")
    if path is None:
        return state.get("Seconds")
    seconds = path_evaluation.lenient(path, path_evaluation.selected_input(state, value, ctx), ctx)
    if seconds is None:
        raise evaluation.failure(
            _RUNTIME, f"The SecondsPath parameter does not reference an input value: {path}"
        )
    shown = f"{path} == {seconds if isinstance(seconds, str) else json.dumps(seconds)}"
    if isinstance(seconds, bool) or not isinstance(seconds, int):
        raise evaluation.failure(
            _RUNTIME, f"The SecondsPath parameter cannot be parsed as a long value: {shown}"
        )
    if seconds < 0:
        raise evaluation.failure(_RUNTIME, f"The SecondsPath parameter references a negative value: {shown}")
    return seconds


def wait_until(state: dict[str, Any], value: Any, ctx: dict[str, Any]) -> datetime:
    """Return the moment until which a Wait state waits.

    Raises:
        ExecutionError: the value is missing or no such moment.
    """
    form = "ISO-8601 extended offset date-time format string"
    if path := state.get("TimestampPath"):
        stamp = path_evaluation.lenient(path, path_evaluation.selected_input(state, value, ctx), ctx)
        if (moment := choices.moment(stamp)) is None:
            text = f"The TimestampPath parameter does not reference a valid {form}: {path} == {stamp}"
            raise evaluation.failure(_RUNTIME, text)
        return moment
    stamp = state["Timestamp"]
    if evaluation.is_jsonata(state, ctx):
        stamp = evaluation.state_field(state, "Timestamp", "string", value, ctx)
    if (moment := choices.moment(stamp)) is None:
        raise records.Error(_QUERY, f"The Timestamp field cannot be parsed as an {form}: {stamp}")
    return moment


_LISTENS_SECONDS = 0.05


def sleep(seconds: float) -> None:
    """Wait as a workflow does: `SFN_WAIT_SCALE` shortens it.

    Raises:
        Halted: the execution was stopped, or something beside failed.
    """
    place, deadline = evaluation.current(), time.monotonic() + seconds * wait_scale()
    while (left := deadline - time.monotonic()) > 0:
        time.sleep(min(left, _LISTENS_SECONDS))
        if place is not None and place.context["halted"]():
            raise records.Halted


def wait_scale() -> float:
    """Return how long a second of a workflow's waits is, in seconds."""
    return float(os.environ.get("SFN_WAIT_SCALE", "1"))


def run_pass(state: dict[str, Any], value: Any, ctx: dict[str, Any]) -> Any:
    """Return the output of a Pass state."""
    if evaluation.is_jsonata(state, ctx):
        output = evaluation.output(state, value, ctx, default=value)
        evaluation.assign(state, value, ctx, result=output)
        return output
    given = path_evaluation.parameters(state, value, ctx)
    return path_evaluation.finished(state, value, state.get("Result", given), ctx)


def run_wait(state: dict[str, Any], value: Any, ctx: dict[str, Any]) -> Any:
    """Wait, and return the output of a Wait state."""
    seconds = wait_seconds(state, value, ctx)
    if seconds is None:
        seconds = (wait_until(state, value, ctx) - datetime.now(UTC)).total_seconds()
    sleep(seconds)
    if evaluation.is_jsonata(state, ctx):
        output = evaluation.output(state, value, ctx, default=value)
        evaluation.assign(state, value, ctx)
        return output
    selected = path_evaluation.selected_input(state, value, ctx)
    path_evaluation.assign(state, selected, ctx)
    return path_evaluation.selected_output(state, selected, ctx)


def run_succeed(state: dict[str, Any], value: Any, ctx: dict[str, Any]) -> Any:
    """Return the output of a Succeed state."""
    if evaluation.is_jsonata(state, ctx):
        return evaluation.output(state, value, ctx, default=value)
    selected = path_evaluation.selected_input(state, value, ctx)
    return path_evaluation.selected_output(state, selected, ctx)


def fail_error(state: dict[str, Any], value: Any, ctx: dict[str, Any]) -> tuple[Any, Any]:
    """Return the error and the cause of a Fail state; each is None where the state gives none.

    Raises:
        ExecutionError: one of them is no string.
    """
    error, cause = (_fail_field(state, name, value, ctx) for name in ("Error", "Cause"))
    return error, cause


def _fail_field(state: dict[str, Any], name: str, value: Any, ctx: dict[str, Any]) -> Any:
    if name in state and evaluation.is_jsonata(state, ctx):
        return evaluation.state_field(state, name, "string", value, ctx)
    path = state.get(f"{name}Path")
    if path is None:
        return state.get(name)
    try:
        text = path_evaluation.expression(path, value, ctx)
    except LookupError:
        text = None
    if not isinstance(text, str):
        raise records.Error(
            evaluation.RUNTIME,
            f"The value referenced by {name}Path must be a string, but the value was: {json.dumps(text)}",
        )
    return text
