"""From state to state: what each does with its input, its variables and the history.

There is no quota of state transitions unless `SFN_TRANSITIONS_PER_SECOND` sets one, for all executions of an
account together; on AWS it is 800 or 5,000, by region.
https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
"""

import copy
import json
import os
import threading
import time
from collections.abc import Callable
from typing import Any

from ministack.services import stepfunctions

from embedded_aws.cloudwatch import service_metrics
from embedded_aws.stepfunctions import tasks

_Error = stepfunctions._ExecutionError
_counting = threading.Lock()
_buckets: dict[str, tuple[float, float]] = {}  # account to tokens, and when they were counted
_CONTEXTUAL = ("Pass", "Choice", "Wait")


def install() -> None:
    """Take the place of what MiniStack's states get wrong."""
    stepfunctions._apply_state_assign = assign
    stepfunctions._execute_choice = _choice(stepfunctions._execute_choice)
    stepfunctions._run_parallel_branches = _parallel(stepfunctions._run_parallel_branches)
    stepfunctions._run_sub_machine = _sub_machine
    stepfunctions._add_event = add_event


def assign(
    state: dict[str, Any], value: Any, ctx: dict[str, Any], result: Any = None, error_output: Any = None
) -> None:
    """Set variables all at once: expressions see the values from before.

    https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html
    """
    if stepfunctions._state_query_language(state, ctx) == "JSONata" and "Assign" in state:
        ctx["variables"].update(
            stepfunctions._apply_jsonata_template(
                state["Assign"], value, ctx, result=result, error_output=error_output
            )
        )


def add_event(execution: dict[str, Any], kind: str, details: dict[str, Any] | None = None) -> dict[str, Any]:
    """Append to the history, each event naming the one before it."""
    number = len(execution["events"]) + 1
    event = {"id": number, "previousEventId": number - 1, "type": kind, "timestamp": stepfunctions.now_iso()}
    event |= details or {}
    execution["events"].append(event)
    return event


def walk(
    execution: dict[str, Any], definition: dict[str, Any], ctx: dict[str, Any], current: Callable[[], bool]
) -> str:
    """Go from state to state while the execution is `current`; returns the output as JSON text.

    Where it stands is kept in the execution's record, so that a redrive can go on from there.
    """
    position = execution.get("position") or {
        "state": definition["StartAt"],
        "input": ctx["Execution"]["Input"],
        "variables": {},
    }
    name, value = position["state"], position["input"]
    ctx["variables"] = copy.deepcopy(position["variables"])
    while name and current():
        execution["position"] = {
            "state": name,
            "input": value,
            "variables": copy.deepcopy(ctx["variables"]),
        }
        value, name = _state(definition["States"][name], name, value, execution, ctx)
    return json.dumps(value)


def _state(
    state: dict[str, Any], name: str, value: Any, execution: dict[str, Any], ctx: dict[str, Any]
) -> tuple[Any, Any]:
    kind = state["Type"]
    _await_quota(execution["stateMachineArn"])
    ctx["State"] = {"Name": name, "EnteredTime": stepfunctions.now_iso(), "RetryCount": 0}
    entered = {"name": name, "input": json.dumps(value), "inputDetails": {"truncated": False}}
    stepfunctions._add_event(execution, f"{kind}StateEntered", {"stateEnteredEventDetails": entered})
    if kind == "Fail":
        raise _Error(*stepfunctions._fail_state_error(state, value, ctx))
    if kind == "Succeed":
        output, following = _succeed(state, value, ctx), None
    elif kind in _CONTEXTUAL:
        output, following = getattr(stepfunctions, f"_execute_{kind.lower()}")(state, value, ctx)
    else:
        output, following = getattr(stepfunctions, f"_execute_{kind.lower()}")(state, value, execution, ctx)
    text = tasks.check_size(output, name)
    exited = {"name": name, "output": text, "outputDetails": {"truncated": False}}
    stepfunctions._add_event(execution, f"{kind}StateExited", {"stateExitedEventDetails": exited})
    return output, following


def _succeed(state: dict[str, Any], value: Any, ctx: dict[str, Any]) -> Any:
    if stepfunctions._state_query_language(state, ctx) == "JSONata":
        return stepfunctions._apply_jsonata_output(state, value, ctx, default=value)
    selected = stepfunctions._apply_input_path(state, value, ctx)
    return stepfunctions._apply_output_path(state, selected, ctx)


def _choice(stock: Any) -> Any:
    """In a JSONata Choice the state's own Output applies when its Default is taken."""

    def execute(state: dict[str, Any], value: Any, ctx: dict[str, Any] | None = None) -> tuple[Any, Any]:
        output, following = stock(state, value, ctx)
        default = following == state.get("Default") and not any(
            rule.get("Next") == following for rule in state["Choices"]
        )
        if default and stepfunctions._state_query_language(state, ctx) == "JSONata":
            output = stepfunctions._apply_jsonata_output(state, value, ctx, default=output)
        return output, following

    return execute


def _parallel(stock: Any) -> Any:
    """A JSONata Parallel has an Output and an Assign of its own."""

    def execute(state: dict[str, Any], value: Any, execution: dict[str, Any], ctx: dict[str, Any]) -> Any:
        output, following = stock(state, value, execution, ctx)
        if stepfunctions._state_query_language(state, ctx) == "JSONata":
            results = output
            output = stepfunctions._apply_jsonata_output(state, value, ctx, result=results, default=results)
            assign(state, value, ctx, result=results)
        return output, following

    return execute


def _sub_machine(
    states: dict[str, Any], name: str | None, value: Any, execution: dict[str, Any], ctx: dict[str, Any]
) -> Any:
    """Walk a branch or an item; its variables are its own, and it sees the outer ones."""
    inner = {**ctx, "variables": dict(ctx["variables"])}
    while name:
        value, name = _state(states[name], name, value, execution, inner)
    return value


def _await_quota(state_machine_arn: str) -> None:
    """Wait until the account may make one more transition; that it had to wait is a metric of the machine."""
    rate = float(os.environ.get("SFN_TRANSITIONS_PER_SECOND", "0"))
    if not rate:
        return
    seconds = _take(stepfunctions.get_account_id(), rate)
    if seconds:
        service_metrics.count_throttled(state_machine_arn)
        time.sleep(seconds)


def _take(account: str, rate: float) -> float:
    """Take a token, and return for how many seconds it is not there yet."""
    with _counting:
        now = time.monotonic()
        tokens, counted = _buckets.get(account, (rate, now))
        left = min(rate, tokens + (now - counted) * rate) - 1
        _buckets[account] = (left, now)
        return max(0.0, -left / rate)
