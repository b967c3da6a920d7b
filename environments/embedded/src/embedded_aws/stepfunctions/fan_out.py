"""Parallel and Map: branches and items at the same time, each with variables of its own.

https://docs.aws.amazon.com/step-functions/latest/dg/state-map.html
"""

import contextvars
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from embedded_aws.stepfunctions import evaluation, map_runs, path_evaluation, records, states

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
    branches, together = state["Branches"], _Together(ctx["halted"])
    inner = {**ctx, "halted": together.halted}
    calls = [partial(walk, branch, given, execution, dict(inner)) for branch in branches]
    results = together.call(calls, len(branches))
    records.add_event(execution, "ParallelStateSucceeded")
    return _finished(state, value, results, ctx)


def run_map(
    state: dict[str, Any], value: Any, execution: dict[str, Any], ctx: dict[str, Any], walk: Walk
) -> Any:
    """Walk the processor on every item, and return the state's output."""
    limit = states.concurrency(state, value, ctx)
    processor = state.get("ItemProcessor") or state["Iterator"]
    distributed = (processor.get("ProcessorConfig") or {}).get("Mode") == "DISTRIBUTED"
    together = _Together(ctx["halted"])
    if "ItemReader" in state:
        records.add_event(execution, "MapStateStarted")
        states.check_tolerances(state, value, ctx)
        run: map_runs.MapRun | None = (reading := map_runs.MapRun(state, execution, limit))
        items = reading.read(value, ctx)
    else:
        items = states.items(state, value, ctx)
        details = {"mapStateStartedEventDetails": {"length": len(items)}}
        records.add_event(execution, "MapStateStarted", details)
        states.check_tolerances(state, value, ctx)
        run = map_runs.MapRun(state, execution, limit) if distributed else None
    contexts = [
        {**ctx, "halted": together.halted, "Map": {"Item": {"Index": i, "Value": item}}}
        for i, item in enumerate(items)
    ]
    inputs = [_item_input(state, value, inner) for inner in contexts]
    each = partial(_iteration, partial(walk, processor), execution)
    if run is not None:
        run.expect(len(items))
        each = partial(run.child, partial(walk, processor))
    calls = [partial(each, given, inner) for given, inner in zip(inputs, contexts, strict=True)]
    results = together.call(calls, limit or _MOST_AT_ONCE)
    if run is not None:
        results = run.ended(results)
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
    execution: dict[str, Any],
    given: Any,
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
    except records.Halted:
        if execution["status"] == "RUNNING":
            _note(execution, "Aborted", details)
        raise
    _note(execution, "Succeeded", details)
    return output


def _note(execution: dict[str, Any], kind: str, details: dict[str, Any]) -> None:
    named = {f"mapIteration{kind}EventDetails": dict(details)}
    records.add_event(execution, f"MapIteration{kind}", named)


class _Together:
    """What is done at the same time: the first failure ends it all, and what did not begin never does."""

    def __init__(self, stopped: Callable[[], bool]) -> None:
        self._stopped = stopped
        self._failures: list[Exception] = []

    def halted(self) -> bool:
        """Tell whether to leave off: something here failed, or this whole was left off."""
        return bool(self._failures) or self._stopped()

    def call(self, calls: Sequence[Callable[[], Any]], limit: int) -> list[Any]:
        """Make calls in threads of their own; return what they return, or raise the first failure's error."""
        with ThreadPoolExecutor(max_workers=max(1, min(limit, len(calls)))) as pool:
            # Each thread needs the account and the region of this one, in a context of its own.
            running = [pool.submit(contextvars.copy_context().run, self._made, call) for call in calls]
        if self._failures:
            raise self._failures[0]
        return [each.result() for each in running]

    def _made(self, call: Callable[[], Any]) -> Any:
        if self.halted():
            raise records.Halted
        try:
            return call()
        except records.Halted:
            raise
        except Exception as error:
            self._failures.append(error)
            raise


def _finished(state: dict[str, Any], value: Any, results: list[Any], ctx: dict[str, Any]) -> Any:
    if not evaluation.is_jsonata(state, ctx):
        return path_evaluation.finished(state, value, results, ctx)
    output = evaluation.output(state, value, ctx, result=results, default=results)
    evaluation.assign(state, value, ctx, result=results)
    return output
