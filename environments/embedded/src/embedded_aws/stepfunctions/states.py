"""States that call nobody: Pass, Wait, Succeed and Fail.

https://docs.aws.amazon.com/step-functions/latest/dg/workflow-states.html
"""

import json
import os
import time
from datetime import UTC, datetime
from typing import Any

from embedded_aws.stepfunctions import checks, evaluation, path_evaluation, records


def sleep(seconds: float) -> None:
    """Wait as a workflow does: `SFN_WAIT_SCALE` shortens it."""
    time.sleep(max(0.0, seconds * wait_scale()))


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
    seconds = checks.wait_seconds(state, value, ctx)
    if seconds is None:
        seconds = (checks.wait_until(state, value, ctx) - datetime.now(UTC)).total_seconds()
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
