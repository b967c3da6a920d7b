"""From state to state: what each does with its input, its variables and the history.

There is no quota of state transitions unless `SFN_TRANSITIONS_PER_SECOND` sets one, for all executions of an
account together; on AWS it is 800 or 5,000, by region.
https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
"""

import copy
import os
import threading
import time
from collections.abc import Callable
from typing import Any

from ministack.services import stepfunctions

from embedded_aws.cloudwatch import service_metrics
from embedded_aws.stepfunctions import evaluation, path_evaluation, states, tasks

_Error = stepfunctions._ExecutionError
_counting = threading.Lock()
_buckets: dict[str, tuple[float, float]] = {}  # account to tokens, and when they were counted
_EVENTS = 25_000
"""https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html, the history's size."""
_CONTEXTUAL = ("Pass", "Choice", "Wait")


def install() -> None:
    """Take the place of MiniStack's walk through states, and of what single states get wrong."""
    evaluation.install()
    path_evaluation.install()
    states.install()
    stepfunctions._run_sub_machine = _sub_machine
    stepfunctions._add_event = add_event


def add_event(execution: dict[str, Any], kind: str, details: dict[str, Any] | None = None) -> dict[str, Any]:
    """Append to the history, each event naming the one before it.

    Raises:
        ExecutionError: The history is as long as it may be.
    """
    number = len(execution["events"]) + 1
    if number > _EVENTS and not kind.startswith("Execution"):
        raise _Error(
            "States.Runtime", f"The execution reached the maximum number of history events ({_EVENTS})."
        )
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
    return evaluation.compact(value)


def _state(
    state: dict[str, Any], name: str, value: Any, execution: dict[str, Any], ctx: dict[str, Any]
) -> tuple[Any, Any]:
    kind = state["Type"]
    _await_quota(execution["stateMachineArn"])
    ctx["State"] = {"Name": name, "EnteredTime": stepfunctions.now_iso(), "RetryCount": 0}
    details = {"name": name, "input": evaluation.compact(value), "inputDetails": {"truncated": False}}
    event = stepfunctions._add_event(execution, f"{kind}StateEntered", {"stateEnteredEventDetails": details})
    place = evaluation.Place(execution, name, state, event["id"], ctx["variables"], ctx)
    with evaluation.entered(place):
        if kind == "Fail":
            raise _Error(*states.fail_error(state, value, ctx))
        output, following = _executed(kind, state, value, execution, ctx)
        text = tasks.check_size(output, name)
    exited: dict[str, Any] = {"name": name, "output": text, "outputDetails": {"truncated": False}}
    if place.assigned:
        variables = {key: evaluation.compact(each) for key, each in place.assigned.items()}
        exited |= {"assignedVariables": variables, "assignedVariablesDetails": {"truncated": False}}
    stepfunctions._add_event(execution, f"{kind}StateExited", {"stateExitedEventDetails": exited})
    return output, following


def _executed(
    kind: str, state: dict[str, Any], value: Any, execution: dict[str, Any], ctx: dict[str, Any]
) -> tuple[Any, Any]:
    if kind == "Succeed":
        return states.succeed(state, value, ctx), None
    execute = getattr(stepfunctions, f"_execute_{kind.lower()}")
    after: tuple[Any, Any] = (
        execute(state, value, ctx) if kind in _CONTEXTUAL else execute(state, value, execution, ctx)
    )
    return after


def _sub_machine(
    inner_states: dict[str, Any], name: str | None, value: Any, execution: dict[str, Any], ctx: dict[str, Any]
) -> Any:
    """Walk a branch or an item; its variables are its own, and it sees the outer ones."""
    inner = {**ctx, "variables": dict(ctx["variables"])}
    iteration = _iteration(inner_states, ctx)
    if iteration is not None:
        _note_iteration(execution, "Started", iteration)
    try:
        while name:
            value, name = _state(inner_states[name], name, value, execution, inner)
    except _Error:
        if iteration is not None:
            _note_iteration(execution, "Failed", iteration)
        raise
    if iteration is not None:
        _note_iteration(execution, "Succeeded", iteration)
    return value


def _iteration(inner_states: dict[str, Any], ctx: dict[str, Any]) -> dict[str, Any] | None:
    """Return the details of the iteration that begins, if these are the states of the current inline Map."""
    place = evaluation.current()
    processor = (place.definition.get("ItemProcessor") or place.definition.get("Iterator")) if place else None
    if place is None or processor is None or processor.get("States") is not inner_states:
        return None
    return {"name": place.state, "index": ctx["Map"]["Item"]["Index"]}


def _note_iteration(execution: dict[str, Any], kind: str, details: dict[str, Any]) -> None:
    named = {f"mapIteration{kind}EventDetails": dict(details)}
    stepfunctions._add_event(execution, f"MapIteration{kind}", named)


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
