"""Parallel and Map: branches and items at the same time, each with variables of its own.

https://docs.aws.amazon.com/step-functions/latest/dg/state-map.html
"""

import contextvars
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from embedded_aws.stepfunctions import checks, evaluation, map_runs, path_evaluation, records

Walk = Callable[[dict[str, Any], Any, dict[str, Any], dict[str, Any]], Any]
"""Walks a sub-machine: its definition, its input, the execution's record, the context."""
_MOST_AT_ONCE = 40
"""https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html, its concurrency."""


def run_parallel(
    state: dict[str, Any], value: Any, execution: dict[str, Any], ctx: dict[str, Any], walk: Walk
) -> Any:
    """Walk every branch on the state's input, and return its output."""
    records.add_event(execution, "ParallelStateStarted")
    jsonata = evaluation.is_jsonata(state, ctx)
    given = (evaluation.arguments if jsonata else path_evaluation.parameters)(state, value, ctx)
    branches = state["Branches"]
    calls = [partial(walk, branch, given, execution, dict(ctx)) for branch in branches]
    results = _at_once(calls, len(branches))
    records.add_event(execution, "ParallelStateSucceeded")
    return _finished(state, value, results, ctx)


def run_map(
    state: dict[str, Any], value: Any, execution: dict[str, Any], ctx: dict[str, Any], walk: Walk
) -> Any:
    """Walk the processor on every item, and return the state's output."""
    limit = checks.concurrency(state, value, ctx)
    items = map_runs.read(state, value, ctx) if "ItemReader" in state else checks.items(state, value, ctx)
    details = {} if "ItemReader" in state else {"mapStateStartedEventDetails": {"length": len(items)}}
    records.add_event(execution, "MapStateStarted", details)
    checks.check_tolerances(state, value, ctx)
    processor = state.get("ItemProcessor") or state["Iterator"]
    contexts = [{**ctx, "Map": {"Item": {"Index": i, "Value": item}}} for i, item in enumerate(items)]
    inputs = [_item_input(state, value, inner) for inner in contexts]
    if (processor.get("ProcessorConfig") or {}).get("Mode") == "DISTRIBUTED":
        run = map_runs.MapRun(state, execution, len(items), limit)
        calls = [
            partial(run.child, partial(walk, processor), given, inner)
            for given, inner in zip(inputs, contexts, strict=True)
        ]
        results = run.ended(_at_once(calls, limit or _MOST_AT_ONCE))
    else:
        calls = [
            partial(_iteration, partial(walk, processor), given, execution, inner)
            for given, inner in zip(inputs, contexts, strict=True)
        ]
        results = _at_once(calls, limit or _MOST_AT_ONCE)
    records.add_event(execution, "MapStateSucceeded")
    return _finished(state, value, results, ctx)


def _item_input(state: dict[str, Any], value: Any, ctx: dict[str, Any]) -> Any:
    selector = state.get("ItemSelector") or state.get("Parameters")
    if not selector:
        return ctx["Map"]["Item"]["Value"]
    if evaluation.is_jsonata(state, ctx):
        return evaluation.template(selector, value, ctx, location="ItemSelector")
    return path_evaluation.resolved(selector, path_evaluation.selected_input(state, value, ctx), ctx)


def _iteration(
    walk: Callable[[Any, dict[str, Any], dict[str, Any]], Any],
    given: Any,
    execution: dict[str, Any],
    ctx: dict[str, Any],
) -> Any:
    """Walk one item, of which the history says when it began and ended."""
    details = {"name": ctx["State"]["Name"], "index": ctx["Map"]["Item"]["Index"]}
    _note(execution, "Started", details)
    try:
        output = walk(given, execution, ctx)
    except records.Error:
        _note(execution, "Failed", details)
        raise
    _note(execution, "Succeeded", details)
    return output


def _note(execution: dict[str, Any], kind: str, details: dict[str, Any]) -> None:
    named = {f"mapIteration{kind}EventDetails": dict(details)}
    records.add_event(execution, f"MapIteration{kind}", named)


def _at_once(calls: Sequence[Callable[[], Any]], limit: int) -> list[Any]:
    """Make calls in threads of their own, and return what they return, or raise the first one's error."""
    with ThreadPoolExecutor(max_workers=max(1, min(limit, len(calls)))) as pool:
        # Each thread needs the account and the region of this one, in a context of its own.
        running = [pool.submit(contextvars.copy_context().run, call) for call in calls]
    return [each.result() for each in running]


def _finished(state: dict[str, Any], value: Any, results: list[Any], ctx: dict[str, Any]) -> Any:
    if not evaluation.is_jsonata(state, ctx):
        return path_evaluation.finished(state, value, results, ctx)
    output = evaluation.output(state, value, ctx, result=results, default=results)
    evaluation.assign(state, value, ctx, result=results)
    return output
