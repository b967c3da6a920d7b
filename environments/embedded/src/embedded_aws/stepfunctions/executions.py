"""An execution from start to end, state to state: stoppable, timed, redrivable, by its own definition.

There is no quota of state transitions unless `SFN_TRANSITIONS_PER_SECOND` sets one, for all executions of an
account together; on AWS it is 800 or 5,000, by region.
https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
"""

import copy
import json
import logging
import os
import threading
import time
from collections.abc import Callable
from typing import Any

from ministack.core.responses import get_account_id, now_iso

from embedded_aws.cloudwatch import service_metrics
from embedded_aws.core import ministack_names as private
from embedded_aws.stepfunctions import choices, evaluation, fan_out, records, states, tasks

_log = logging.getLogger(__name__)


def run(arn: str) -> None:
    """Walk an execution's definition to its end, from the start or from where a redrive takes it up."""
    execution = private.stepfunctions.executions.get(arn)
    if execution is None:
        return
    redrives = execution.get("redriveCount", 0)

    def current() -> bool:  # not stopped, not timed out, not taken over by a redrive
        return bool(execution["status"] == "RUNNING" and execution.get("redriveCount", 0) == redrives)

    definition = json.loads(execution["definition"])
    timer = _timer(execution, definition, current)
    try:
        context = _context(execution, definition) | {"halted": lambda: not current()}
        output = walk(execution, definition, context, current)
        if current():
            _end(execution, "SUCCEEDED", output=output)
    except records.Error as error:
        if current():
            _end(execution, "FAILED", error=error.error, cause=error.cause)
    except records.Halted:
        pass
    except Exception as error:  # noqa: BLE001 - whatever a definition makes the emulator do must end the execution
        _log.exception("execution %s broke the emulator", arn)
        if current():
            _end(execution, "FAILED", error="States.Runtime", cause=str(error))
    finally:
        if timer:
            timer.cancel()


def _context(execution: dict[str, Any], definition: dict[str, Any]) -> dict[str, Any]:
    """Build the context object.

    https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html
    """
    about = {
        "Id": execution["executionArn"],
        "Input": json.loads(execution["input"]),
        "Name": execution["name"],
        "RoleArn": execution["roleArn"],
        "StartTime": execution["startDate"],
        "RedriveCount": execution.get("redriveCount", 0),
    }
    if execution.get("redriveDate"):
        about["RedriveTime"] = execution["redriveDate"]
    machine = execution["stateMachineArn"]
    return {
        "QueryLanguage": definition.get("QueryLanguage", "JSONPath"),
        "Execution": about,
        "StateMachine": {"Id": machine, "Name": machine.rsplit(":", 1)[-1]},
        "variables": {},
    }


def _timer(
    execution: dict[str, Any], definition: dict[str, Any], current: Callable[[], bool]
) -> threading.Timer | None:
    seconds = definition.get("TimeoutSeconds")
    if seconds is None:
        return None

    def time_out() -> None:
        if current():
            _end(execution, "TIMED_OUT", error="States.Timeout", cause=None)

    timer = threading.Timer(seconds, time_out)
    timer.daemon = True
    timer.start()
    return timer


def _end(execution: dict[str, Any], status: str, **outcome: Any) -> None:
    event = {"SUCCEEDED": "ExecutionSucceeded", "FAILED": "ExecutionFailed", "TIMED_OUT": "ExecutionTimedOut"}
    records.finish(execution, status, event[status], **outcome)


_counting = threading.Lock()
_buckets: dict[str, tuple[float, float]] = {}  # account to tokens, and when they were counted


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
    ctx["State"] = {"Name": name, "EnteredTime": now_iso(), "RetryCount": 0}
    details = {"name": name, "input": evaluation.compact(value), "inputDetails": {"truncated": False}}
    event = records.add_event(execution, f"{kind}StateEntered", {"stateEnteredEventDetails": details})
    place = evaluation.Place(execution, name, state, event["id"], ctx["variables"], ctx)
    with evaluation.entered(place):
        if kind == "Fail":
            raise records.Error(*states.fail_error(state, value, ctx))
        try:
            output, following = _executed(kind, state, value, execution, ctx)
        except (records.Error, records.Halted) as left:
            beside = isinstance(left, records.Halted) or "nested" in ctx
            if beside and kind in _ABORTED and execution["status"] == "RUNNING":
                records.add_event(execution, f"{kind}StateAborted")
            raise
        text = tasks.check_size(output, name)
    exited: dict[str, Any] = {"name": name, "output": text, "outputDetails": {"truncated": False}}
    if place.assigned:
        variables = {key: evaluation.compact(each) for key, each in place.assigned.items()}
        exited |= {"assignedVariables": variables, "assignedVariablesDetails": {"truncated": False}}
    records.add_event(execution, f"{kind}StateExited", {"stateExitedEventDetails": exited})
    return output, following


def _executed(
    kind: str, state: dict[str, Any], value: Any, execution: dict[str, Any], ctx: dict[str, Any]
) -> tuple[Any, Any]:
    if kind == "Task":
        return tasks.execute(state, value, execution, ctx)
    if kind == "Choice":
        return choices.execute(state, value, ctx)
    if kind in _SIMPLE:
        return _SIMPLE[kind](state, value, ctx), state.get("Next")
    run = fan_out.run_parallel if kind == "Parallel" else fan_out.run_map
    return tasks.retried(state, value, ctx, lambda: run(state, value, execution, ctx, _sub_machine))


_ABORTED = ("Task", "Wait", "Parallel", "Map")
"""States of which the history says that they were left, where something beside them failed or they did."""
_SIMPLE = {"Pass": states.run_pass, "Wait": states.run_wait, "Succeed": states.run_succeed}


def _sub_machine(machine: dict[str, Any], value: Any, execution: dict[str, Any], ctx: dict[str, Any]) -> Any:
    """Walk a branch or an item; its variables are its own, and it sees the outer ones."""
    inner = {**ctx, "variables": dict(ctx["variables"]), "nested": True}
    name = machine["StartAt"]
    while name:
        if ctx["halted"]():
            raise records.Halted
        value, name = _state(machine["States"][name], name, copy.deepcopy(value), execution, inner)
    return value


def _await_quota(state_machine_arn: str) -> None:
    """Wait until the account may make one more transition; that it had to wait is a metric of the machine."""
    rate = float(os.environ.get("SFN_TRANSITIONS_PER_SECOND", "0"))
    if not rate:
        return
    seconds = _take(get_account_id(), rate)
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
