"""Expressions of JSONPath states: paths into the data, the context and variables; intrinsic functions.

A path that leads nowhere ends the execution (it is not null), and such states have variables, too.
https://docs.aws.amazon.com/step-functions/latest/dg/amazon-states-language-paths.html

JSONPath as Step Functions reads it: fields, indices, slices and wildcards; what is missing is told apart.

Deep scans (`..`), filters and functions are not emulated, and refused where they are used.
"""

import copy
import json
import math
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from ministack.services import stepfunctions

from embedded_aws.stepfunctions import evaluation

_STEP = re.compile(
    r"""\.(?P<dotted>[^.\[\]*()]+) | \.(?P<dotted_star>\*) | \[\*\](?P<star>)
      | \[(?P<quote>['"])(?P<quoted>(?:\\.|(?!(?P=quote)).)*)(?P=quote)\]
      | \[(?P<index>-?\d+)\] | \[(?P<first>-?\d*):(?P<last>-?\d*)\]""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class PathNotEmulated(ValueError):  # noqa: N818 - it says what is the matter
    """The path uses something that is not emulated."""


class PathMissing(LookupError):  # noqa: N818 - it says what is the matter
    """The path leads nowhere; the message is Step Functions'."""


class _Step(NamedTuple):
    kind: str
    value: Any


def select(path: str, data: Any) -> Any:
    """Follow a path that begins with `$`.

    Raises:
        PathMissing: it leads nowhere; a path with a slice or a wildcard selects an empty list instead.
        PathNotEmulated: it cannot be followed here.
    """
    steps = _steps(path)
    if any(step.kind in {"slice", "star"} for step in steps):
        return _every(steps, [data])
    walked, value = "$", data
    for number, (kind, key) in enumerate(steps):
        walked += f"['{key}']" if kind == "field" else f"[{key}]"
        if not _has(kind, key, value):
            last = number + 1 == len(steps)
            raise PathMissing(
                f"No results for path: {walked}" if last else f"Missing property in path {walked}"
            )
        value = value[key]
    return value


def _every(steps: list[_Step], values: list[Any]) -> list[Any]:
    for kind, key in steps:
        if kind == "star":
            inner = [v.values() if isinstance(v, dict) else v for v in values if isinstance(v, dict | list)]
            values = [each for members in inner for each in members]
        elif kind == "slice":
            values = [each for value in values if isinstance(value, list) for each in value[key]]
        else:
            values = [value[key] for value in values if _has(kind, key, value)]
    return values


def _has(kind: str, key: Any, value: Any) -> bool:
    if kind == "field":
        return isinstance(value, dict) and key in value
    return isinstance(value, list) and -len(value) <= key < len(value)


def _steps(path: str) -> list[_Step]:
    place, steps = 1, []
    while place < len(path):
        step = _STEP.match(path, place)
        if step is None:
            raise PathNotEmulated(f"the JSONPath '{path}' is not emulated here")
        place = step.end()
        steps.append(_step(step))
    return steps


def _step(match: re.Match[str]) -> _Step:
    if match["dotted"] is not None:
        return _Step("field", match["dotted"])
    if match["quoted"] is not None:
        return _Step("field", _ESCAPED.sub(r"\1", match["quoted"]))
    if match["index"] is not None:
        return _Step("index", int(match["index"]))
    if match["first"] is not None:
        return _Step("slice", slice(int(match["first"] or 0), int(match["last"]) if match["last"] else None))
    return _Step("star", None)


_VARIABLE = re.compile(r"\$([A-Za-z_]\w*)(.*)", re.DOTALL)
_CONTEXT = ("Execution", "Map", "State", "StateMachine", "Task")


def install() -> None:
    """Take the place of MiniStack's paths and of intrinsic functions that follow Python."""
    stepfunctions._resolve_path = _or_null
    stepfunctions._exec_intrinsic = _intrinsic(stepfunctions._exec_intrinsic)
    stepfunctions._apply_input_path = lambda state, data, _ctx=None: _path_of(state, "InputPath", data, _ctx)
    stepfunctions._apply_output_path = lambda state, data, _ctx=None: _path_of(
        state, "OutputPath", data, _ctx
    )
    stepfunctions._resolve_params_obj = resolved
    stepfunctions._apply_result_selector = _assigning(stepfunctions._apply_result_selector)


def assign_by_paths(state: dict[str, Any], data: Any, ctx: dict[str, Any] | None = None) -> None:
    """Set a JSONPath state's variables: `$` is its result, or its input where it has none."""
    place = evaluation.current()
    if place is not None and "Assign" in state:
        values = resolved(state["Assign"], data, ctx)
        place.variables.update(values)
        place.assigned.update(values)


def resolved(value: Any, data: Any, ctx: dict[str, Any] | None = None) -> Any:
    """Resolve the `name.$` fields of a payload template.

    Raises:
        stepfunctions._ExecutionError: a path leads nowhere.
    """
    if isinstance(value, list):
        return [resolved(member, data, ctx) for member in value]
    if not isinstance(value, dict):
        return value
    fields = {}
    for key, member in value.items():
        if not key.endswith(".$") or not isinstance(member, str):
            fields[key] = resolved(member, data, ctx)
        elif member.startswith("States."):
            fields[key[:-2]] = stepfunctions._evaluate_intrinsic(member, data, ctx or _context())
        else:
            try:
                fields[key[:-2]] = _select(member, data, ctx)
            except PathMissing:
                raise evaluation.failure(
                    evaluation.RUNTIME,
                    f"The JSONPath '{member}' specified for the field '{key}' could not be found in "
                    f"the input '{evaluation.compact(data)}'",
                ) from None
    return fields


def _context() -> dict[str, Any]:
    place = evaluation.current()
    return place.context if place else {}


def _public(ctx: dict[str, Any]) -> dict[str, Any]:
    """Return the context object as workflows see it, apart from what is still changing."""
    return {name: copy.deepcopy(ctx[name]) for name in _CONTEXT if name in ctx}


def _select(path: str, data: Any, ctx: dict[str, Any] | None = None) -> Any:
    """Follow a path into the data, into the context (`$$`) or into a variable (`$name`)."""
    named, place = _VARIABLE.fullmatch(path), evaluation.current()
    try:
        if path.startswith("$$"):
            return select(path[1:], _public(ctx or _context()))
        if named is None or place is None:
            return select(path, data)
        if named[1] not in place.variables:
            raise evaluation.failure(evaluation.RUNTIME, f"The variable '${named[1]}' is not assigned")
        return select(f"${named[2]}", place.variables[named[1]])
    except PathNotEmulated as error:
        raise evaluation.failure(evaluation.RUNTIME, str(error)) from None


def _or_null(path: str, data: Any) -> Any:
    """Follow a path where a missing value counts as null, as in Choice rules."""
    try:
        return _select(path, data) if path else data
    except PathMissing:
        return None


def _path_of(state: dict[str, Any], name: str, data: Any, ctx: dict[str, Any] | None) -> Any:
    path = state.get(name, "$")
    if path is None:
        return {}
    try:
        return _select(path, data, ctx)
    except PathMissing as error:
        raise evaluation.failure(evaluation.RUNTIME, f"Invalid path '{path}' : {error}") from None


def _intrinsic(stock: Callable[..., Any]) -> Callable[..., Any]:
    """Intrinsic functions where MiniStack's follow Python instead of Step Functions."""

    def execute(node: Any, data: Any, ctx: Any) -> Any:
        _, name, raw = node
        if name not in {"States.StringToJson", "States.MathAdd", "States.Format"}:
            return stock(node, data, ctx)
        values = [stepfunctions._eval_intrinsic_arg(argument, data, ctx) for argument in raw]
        if name == "States.StringToJson" and not str(values[0]).strip():
            return None
        if name == "States.MathAdd":
            return sum(math.floor(value + 0.5) for value in values)
        if name == "States.Format":
            values = [values[0], *(v if isinstance(v, str) else _shown(v) for v in values[1:])]
        return stock((node[0], name, [("str", value) for value in values]), data, ctx)

    return execute


def _shown(value: Any) -> str:
    """Return a value as Java prints it, which is how it gets into a formatted text."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={_shown(member)}" for key, member in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_shown(member) for member in value) + "]"
    return value if isinstance(value, str) else json.dumps(value)


def _assigning(stock: Callable[..., Any]) -> Callable[..., Any]:
    """A JSONPath state's result passes here, before its ResultSelector."""

    def select(state: dict[str, Any], result: Any) -> Any:
        assign_by_paths(state, result)
        return stock(state, result)

    return select
