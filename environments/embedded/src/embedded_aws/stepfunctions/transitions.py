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
from embedded_aws.stepfunctions import checks, evaluation, tasks

_Error = stepfunctions._ExecutionError
_counting = threading.Lock()
_buckets: dict[str, tuple[float, float]] = {}  # account to tokens, and when they were counted
_EVENTS = 25_000
"""https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html, the history's size."""
_CONTEXTUAL = ("Pass", "Choice", "Wait")


def install() -> None:
    """Take the place of what MiniStack's states get wrong."""
    evaluation.install()
    stepfunctions._execute_choice = _choice(stepfunctions._execute_choice)
    stepfunctions._run_parallel_branches = _parallel(stepfunctions._run_parallel_branches)
    stepfunctions._run_sub_machine = _sub_machine
    stepfunctions._run_distributed_map = _map_run(stepfunctions._run_distributed_map)
    stepfunctions._run_map_items = _map(stepfunctions._run_map_items)
    stepfunctions._execute_wait = _wait(stepfunctions._execute_wait)
    stepfunctions._evaluate_jsonata_choice_rule = checks.choice_holds
    stepfunctions._apply_catcher = _caught(stepfunctions._apply_catcher)
    stepfunctions._fail_state_error = fail_error
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
            raise _Error(*fail_error(state, value, ctx))
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
        return _succeed(state, value, ctx), None
    execute = getattr(stepfunctions, f"_execute_{kind.lower()}")
    after: tuple[Any, Any] = (
        execute(state, value, ctx) if kind in _CONTEXTUAL else execute(state, value, execution, ctx)
    )
    return after


def fail_error(state: dict[str, Any], value: Any, ctx: dict[str, Any] | None = None) -> tuple[Any, Any]:
    """Return the error and the cause of a Fail state; each is None where the state gives none."""
    error, cause = (
        stepfunctions._fail_state_field(state, name, None, value, ctx) for name in ("Error", "Cause")
    )
    return error, cause


def _succeed(state: dict[str, Any], value: Any, ctx: dict[str, Any]) -> Any:
    if stepfunctions._state_query_language(state, ctx) == "JSONata":
        return stepfunctions._apply_jsonata_output(state, value, ctx, default=value)
    selected = stepfunctions._apply_input_path(state, value, ctx)
    return stepfunctions._apply_output_path(state, selected, ctx)


def _choice(stock: Any) -> Any:
    """A Choice has an Output, in JSONata, and an Assign of its own where its Default is taken."""

    def execute(state: dict[str, Any], value: Any, ctx: dict[str, Any] | None = None) -> tuple[Any, Any]:
        output, following = stock(state, value, ctx)
        if stepfunctions._state_query_language(state, ctx) != "JSONata":
            effective = stepfunctions._apply_input_path(state, value, ctx)
            rules = (r for r in state["Choices"] if stepfunctions._evaluate_rule(r, effective, ctx))
            evaluation.assign_by_paths(next(rules, state), effective, ctx)
            return output, following
        default = following == state.get("Default") and not any(
            rule.get("Next") == following for rule in state["Choices"]
        )
        if default:
            output = stepfunctions._apply_jsonata_output(state, value, ctx, default=output)
        return output, following

    return execute


def _wait(stock: Any) -> Any:
    def execute(state: dict[str, Any], value: Any, ctx: dict[str, Any]) -> Any:
        if stepfunctions._state_query_language(state, ctx) != "JSONata":
            checks.check_wait(state, value, ctx)
            evaluation.assign_by_paths(state, stepfunctions._apply_input_path(state, value, ctx), ctx)
        return stock(state, value, ctx)

    return execute


def _caught(stock: Any) -> Any:
    """In JSONPath, a catcher's `$` is the error."""

    def apply(catcher: dict[str, Any], value: Any, ctx: dict[str, Any], language: str, error: Any) -> Any:
        if (
            language == "JSONata"
        ):  # a catcher speaks its state's language, which may be another than the machine's
            return stock({**catcher, "QueryLanguage": language}, value, ctx, language, error)
        evaluation.assign_by_paths(catcher, error, ctx)
        return stock(catcher, value, ctx, language, error)

    return apply


def _parallel(stock: Any) -> Any:
    """A JSONata Parallel has an Output and an Assign of its own; its history says when it began and ended."""

    def execute(state: dict[str, Any], value: Any, execution: dict[str, Any], ctx: dict[str, Any]) -> Any:
        stepfunctions._add_event(execution, "ParallelStateStarted")
        output, following = stock(state, value, execution, ctx)
        stepfunctions._add_event(execution, "ParallelStateSucceeded")
        if stepfunctions._state_query_language(state, ctx) == "JSONata":
            results = output
            output = stepfunctions._apply_jsonata_output(state, value, ctx, result=results, default=results)
            evaluation.assign(state, value, ctx, result=results)
        return output, following

    return execute


def _map(stock: Any) -> Any:
    """A Map's input is an array, and its history says when it and its iterations began and ended."""

    def execute(state: dict[str, Any], value: Any, execution: dict[str, Any], ctx: dict[str, Any]) -> Any:
        length = checks.count_items(state, value, ctx)
        details = {} if length is None else {"mapStateStartedEventDetails": {"length": length}}
        stepfunctions._add_event(execution, "MapStateStarted", details)
        checks.check_tolerances(state, value, ctx)
        ended = stock(state, value, execution, ctx)
        stepfunctions._add_event(execution, "MapStateSucceeded")
        return ended

    return execute


def _map_run(stock: Any) -> Any:
    """A distributed Map's history names its run."""

    def execute(state: dict[str, Any], value: Any, effective: Any, iterator: Any, *rest: Any) -> Any:
        execution = rest[0]
        before = set(stepfunctions._map_runs)

        def note(kind: str, details: dict[str, Any]) -> None:
            run = next((arn for arn in stepfunctions._map_runs if arn not in before), "")
            named = {"mapRunStartedEventDetails": {"mapRunArn": run}}
            stepfunctions._add_event(execution, "MapRunStarted", named)
            stepfunctions._add_event(execution, f"MapRun{kind}", details)

        try:
            ended = stock(state, value, effective, iterator, *rest)
        except _Error as error:
            failed = {"error": error.error, "cause": error.cause}
            note("Failed", {"mapRunFailedEventDetails": {k: v for k, v in failed.items() if v}})
            raise
        note("Succeeded", {})
        return ended

    return execute


def _sub_machine(
    states: dict[str, Any], name: str | None, value: Any, execution: dict[str, Any], ctx: dict[str, Any]
) -> Any:
    """Walk a branch or an item; its variables are its own, and it sees the outer ones."""
    inner = {**ctx, "variables": dict(ctx["variables"])}
    iteration = _iteration(states, ctx)
    if iteration is not None:
        _note_iteration(execution, "Started", iteration)
    try:
        while name:
            value, name = _state(states[name], name, value, execution, inner)
    except _Error:
        if iteration is not None:
            _note_iteration(execution, "Failed", iteration)
        raise
    if iteration is not None:
        _note_iteration(execution, "Succeeded", iteration)
    return value


def _iteration(states: dict[str, Any], ctx: dict[str, Any]) -> dict[str, Any] | None:
    """Return the details of the iteration that begins, if these are the states of the current inline Map."""
    place = evaluation.current()
    processor = (place.definition.get("ItemProcessor") or place.definition.get("Iterator")) if place else None
    if place is None or processor is None or processor.get("States") is not states:
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
