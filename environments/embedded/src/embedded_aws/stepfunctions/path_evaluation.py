"""Fields of JSONPath states: paths into the data, the context and variables, and templates of payloads.

A path that leads nowhere ends the execution (it is not null), and such states have variables, too.
https://docs.aws.amazon.com/step-functions/latest/dg/amazon-states-language-paths.html
"""

import copy
import re
from typing import Any

from embedded_aws.stepfunctions import evaluation, intrinsics, paths

_VARIABLE = re.compile(r"\$([A-Za-z_]\w*)(.*)", re.DOTALL)


def assign(state: dict[str, Any], data: Any, ctx: dict[str, Any]) -> None:
    """Set a JSONPath state's variables: `$` is its result, or its input where it has none."""
    place = evaluation.current()
    if place is not None and "Assign" in state:
        values = resolved(state["Assign"], data, ctx)
        place.variables.update(values)
        place.assigned.update(values)


def resolved(value: Any, data: Any, ctx: dict[str, Any]) -> Any:
    """Resolve the `name.$` fields of a payload template.

    Raises:
        ExecutionError: a path leads nowhere, or an intrinsic function fails.
    """
    if isinstance(value, list):
        return [resolved(member, data, ctx) for member in value]
    if not isinstance(value, dict):
        return value
    fields = {}
    for key, member in value.items():
        if not key.endswith(".$") or not isinstance(member, str):
            fields[key] = resolved(member, data, ctx)
            continue
        try:
            fields[key[:-2]] = expression(member, data, ctx)
        except paths.PathMissing:
            raise evaluation.failure(
                evaluation.RUNTIME,
                f"The JSONPath '{member}' specified for the field '{key}' could not be found in "
                f"the input '{evaluation.compact(data)}'",
            ) from None
    return fields


def expression(text: str, data: Any, ctx: dict[str, Any]) -> Any:
    """Return the value of a path or of a call of an intrinsic function.

    Raises:
        PathMissing: the path leads nowhere.
        ExecutionError: the function fails.
    """
    if not text.startswith("States."):
        return look_up(text, data, ctx)
    failed = f"The function '{text}' had the following error: "

    def resolve(path: str) -> Any:
        try:
            return look_up(path, data, ctx)
        except paths.PathMissing:
            missing = f"The JsonPath argument for the field '{path}' could not be found in the input"
            shown = f"{failed}{missing} '{evaluation.compact(data)}'"
            raise evaluation.failure(evaluation.RUNTIME, shown) from None

    try:
        return intrinsics.evaluate(text, resolve)
    except intrinsics.Malformed as error:
        raise evaluation.failure("States.IntrinsicFailure", f"{failed}{error}") from None


def look_up(path: str, data: Any, ctx: dict[str, Any]) -> Any:
    """Follow a path into the data, into the context (`$$`) or into a variable (`$name`).

    Raises:
        PathMissing: it leads nowhere.
        ExecutionError: the variable was never assigned, or the path is not emulated.
    """
    named = _VARIABLE.fullmatch(path)
    try:
        if path.startswith("$$"):
            return copy.deepcopy(paths.select(path[1:], evaluation.context_object(ctx)))
        if named is None:
            return paths.select(path, data)
        if named[1] not in ctx["variables"]:
            raise evaluation.failure(evaluation.RUNTIME, f"The variable '${named[1]}' is not assigned")
        return paths.select(f"${named[2]}", ctx["variables"][named[1]])
    except paths.PathNotEmulated as error:
        raise evaluation.failure(evaluation.RUNTIME, str(error)) from None


def lenient(path: str, data: Any, ctx: dict[str, Any]) -> Any:
    """Follow a path where a missing value counts as null."""
    try:
        return look_up(path, data, ctx)
    except paths.PathMissing:
        return None


def selected_input(state: dict[str, Any], value: Any, ctx: dict[str, Any]) -> Any:
    """Return what a state's InputPath selects."""
    return _selected(state, "InputPath", value, ctx)


def parameters(state: dict[str, Any], value: Any, ctx: dict[str, Any]) -> Any:
    """Return a state's Parameters on its selected input; that input where it has none."""
    selected = selected_input(state, value, ctx)
    return resolved(state["Parameters"], selected, ctx) if "Parameters" in state else selected


def finished(state: dict[str, Any], value: Any, result: Any, ctx: dict[str, Any]) -> Any:
    """Return a state's output: its result through Assign, ResultSelector, ResultPath and OutputPath."""
    assign(state, result, ctx)
    if "ResultSelector" in state:
        result = resolved(state["ResultSelector"], result, ctx)
    return _selected(state, "OutputPath", placed(state, value, result), ctx)


def placed(state: dict[str, Any], value: Any, result: Any) -> Any:
    """Put a result where the ResultPath of a state or a catcher says.

    Raises:
        ExecutionError: the path cannot be applied to the input.
    """
    path = state.get("ResultPath", "$")
    if path is None:
        return copy.deepcopy(value)
    try:
        return paths.placed(path, value, result)
    except paths.PathMissing as error:
        text = f"{error} {evaluation.compact(value)}"
        raise evaluation.failure("States.ResultPathMatchFailure", text) from None


def selected_output(state: dict[str, Any], value: Any, ctx: dict[str, Any]) -> Any:
    """Return what a state's OutputPath selects."""
    return _selected(state, "OutputPath", value, ctx)


def _selected(state: dict[str, Any], name: str, value: Any, ctx: dict[str, Any]) -> Any:
    path = state.get(name, "$")
    if path is None:
        return {}
    try:
        return look_up(path, value, ctx)
    except paths.PathMissing as error:
        raise evaluation.failure(evaluation.RUNTIME, f"Invalid path '{path}' : {error}") from None
