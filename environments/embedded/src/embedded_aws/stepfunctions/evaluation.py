"""Expressions of states: JSONata and JSONPath as recorded of Step Functions, with the variables of both.

What MiniStack's evaluation leaves out: which field of which state failed, variables in JSONPath states, paths
that lead nowhere (they end the execution, they are not null), and that there is no `$eval`.
https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html
"""

import copy
import json
import math
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from ministack.services import stepfunctions

from embedded_aws.stepfunctions import paths

_Error = stepfunctions._ExecutionError
_QUERY, _RUNTIME = "States.QueryEvaluationError", "States.Runtime"
_VARIABLE = re.compile(r"\$([A-Za-z_]\w*)(.*)", re.DOTALL)
_NOTHING = "JSONata expression did not return a result"
_CONTEXT = ("Execution", "Map", "State", "StateMachine", "Task")
_LONGEST_EVALUATION_MS = 20_000
"""MiniStack's own limit is a second by the clock, which a busy machine passes by itself."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an execution is.

    Attributes:
        execution: its record.
        state: the state's name.
        definition: the state's.
        event: id of the event with which the state was entered.
        variables: of the scope that the state is in.
        context: the context object.
        assigned: what the state has assigned so far.
    """

    execution: dict[str, Any]
    state: str
    definition: dict[str, Any]
    event: int
    variables: dict[str, Any]
    context: dict[str, Any]
    assigned: dict[str, Any] = field(default_factory=dict)


_place: ContextVar[Place | None] = ContextVar("place", default=None)


def install() -> None:
    """Take the place of MiniStack's evaluation."""
    library = stepfunctions.jsonata
    stepfunctions.jsonata = SimpleNamespace(
        Jsonata=SimpleNamespace(jsonata=_patient(library)), utils=library.utils
    )
    stepfunctions._register_sfn_jsonata_functions = _also(stepfunctions._register_sfn_jsonata_functions)
    stepfunctions._apply_jsonata_template = template
    stepfunctions._apply_jsonata_arguments = _arguments
    stepfunctions._apply_jsonata_output = _output
    stepfunctions._jsonata_state_field = state_field
    stepfunctions._resolve_path = _or_null
    stepfunctions._exec_intrinsic = _intrinsic(stepfunctions._exec_intrinsic)
    stepfunctions._apply_input_path = lambda state, data, _ctx=None: _path_of(state, "InputPath", data, _ctx)
    stepfunctions._apply_output_path = lambda state, data, _ctx=None: _path_of(
        state, "OutputPath", data, _ctx
    )
    stepfunctions._resolve_params_obj = resolved
    stepfunctions._apply_result_selector = _assigning(stepfunctions._apply_result_selector)
    stepfunctions._apply_state_assign = assign


@contextmanager
def entered(place: Place) -> Iterator[Place]:
    """Evaluate in a state until it is left."""
    token = _place.set(place)
    try:
        yield place
    finally:
        _place.reset(token)


def current() -> Place | None:
    """Return the state that is being executed, if any is."""
    return _place.get()


def failure(error: str, text: str, location: str | None = None) -> Exception:
    """Return the error of the state that is being executed, in Step Functions' words.

    Args:
        error: its name.
        text: what is wrong.
        location: the field whose evaluation failed, for which the history gets an event of its own.
    """
    place = current()
    if place is None:
        return _Error(error, text)  # type: ignore[no-any-return] # MiniStack is untyped
    cause = (
        f"An error occurred while executing the state '{place.state}' "
        f"(entered at the event id #{place.event}). {text}"
    )
    if location is not None:
        details = {"error": error, "cause": cause, "location": location, "state": place.state}
        stepfunctions._add_event(
            place.execution, "EvaluationFailed", {"evaluationFailedEventDetails": details}
        )
    return _Error(error, cause)  # type: ignore[no-any-return] # MiniStack is untyped


def compact(value: Any) -> str:
    """Return a value as the JSON text that Step Functions writes."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def template(  # noqa: PLR0917 - the order is MiniStack's
    value: Any,
    raw_input: Any,
    ctx: dict[str, Any] | None = None,
    result: Any = None,
    error_output: Any = None,
    location: str = "",
) -> Any:
    """Evaluate every expression of a field's value; a failure names the field, as `Output/name`."""
    if isinstance(value, str) and value.startswith("{%") and value.endswith("%}"):
        expression = value[2:-2].strip()
        return _evaluated(expression, raw_input, ctx, result, error_output, location=location)
    if isinstance(value, dict):
        return {
            key: template(member, raw_input, ctx, result, error_output, f"{location}/{key}")
            for key, member in value.items()
        }
    if isinstance(value, list):
        return [
            template(member, raw_input, ctx, result, error_output, f"{location}[{number}]")
            for number, member in enumerate(value)
        ]
    return value


def state_field(  # noqa: PLR0917 - the order is MiniStack's
    state: dict[str, Any], name: str, expected: str, raw_input: Any, ctx: dict[str, Any], location: str = ""
) -> Any:
    """Evaluate a field of a state, and hold it to the JSON type that it must have.

    Raises:
        ExecutionError: It is of another type than the field.
    """
    value = template(state[name], raw_input, ctx, location=location or name)
    kind = stepfunctions._json_type(value)
    if kind != expected:
        text = str(state[name])
        expression = text[2:-2].strip() if text.startswith("{%") else text
        raise failure(
            _QUERY,
            f"The JSONata expression '{expression}' specified for the field '{location or name}' returned an "
            f"unexpected result type. Expected '{expected}', but was '{kind}' for value: {compact(value)}",
            location or name,
        )
    return value


def assign(
    state: dict[str, Any], value: Any, ctx: dict[str, Any], result: Any = None, error_output: Any = None
) -> None:
    """Set a JSONata state's variables all at once: expressions see the values from before."""
    if "Assign" not in state or stepfunctions._state_query_language(state, ctx) != "JSONata":
        return
    values = template(state["Assign"], value, ctx, result, error_output, "Assign")
    ctx["variables"].update(values)
    if place := current():
        place.assigned.update(values)


def assign_by_paths(state: dict[str, Any], data: Any, ctx: dict[str, Any] | None = None) -> None:
    """Set a JSONPath state's variables: `$` is its result, or its input where it has none."""
    place = current()
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
            except paths.PathMissing:
                raise failure(
                    _RUNTIME,
                    f"The JSONPath '{member}' specified for the field '{key}' could not be found in "
                    f"the input '{compact(data)}'",
                ) from None
    return fields


def _evaluated(expression: str, *arguments: Any, location: str) -> Any:
    try:
        return stepfunctions._evaluate_jsonata(expression, *arguments)
    except _Error as error:
        if error.error != _QUERY:
            raise
        field_text = f"The JSONata expression '{expression}' specified for the field '{location}'"
        if str(error.cause).startswith(_NOTHING):
            raise failure(_QUERY, f"{field_text} returned nothing (undefined).", location) from None
        text = f"{field_text} threw an error during evaluation. {error.cause}"
        raise failure(_QUERY, text, location) from None


def _arguments(state: dict[str, Any], raw_input: Any, ctx: dict[str, Any] | None = None) -> Any:
    if "Arguments" not in state:
        return raw_input
    return template(state["Arguments"], raw_input, ctx, location="Arguments")


def _output(  # noqa: PLR0917 - the order is MiniStack's
    state: dict[str, Any],
    raw_input: Any,
    ctx: dict[str, Any] | None = None,
    result: Any = None,
    error_output: Any = None,
    default: Any = None,
) -> Any:
    if "Output" not in state:
        return default
    return template(state["Output"], raw_input, ctx, result, error_output, "Output")


def _patient(library: Any) -> Callable[..., Any]:
    make = library.Jsonata.jsonata

    def parsed(expression: str, timeout: int | None = None) -> Any:
        return make(expression) if timeout is None else make(expression, timeout=_LONGEST_EVALUATION_MS)

    return parsed


def _also(stock: Callable[[Any], None]) -> Callable[[Any], None]:
    def register(expression: Any) -> None:
        stock(expression)
        expression.register_lambda("eval", _no_function)
        expression.register_lambda("range", _range)

    return register


def _no_function(*_: Any) -> Any:
    raise ValueError("T1006: Attempted to invoke a non-function")


def _range(start: float, end: float, step: float) -> Any:
    """A sequence of one value is that value, as everywhere in JSONata."""
    values = stepfunctions._sfn_jsonata_range(start, end, step)
    return values[0] if len(values) == 1 else values


def _context() -> dict[str, Any]:
    place = current()
    return place.context if place else {}


def _public(ctx: dict[str, Any]) -> dict[str, Any]:
    """Return the context object as workflows see it, apart from what is still changing."""
    return {name: copy.deepcopy(ctx[name]) for name in _CONTEXT if name in ctx}


def _select(path: str, data: Any, ctx: dict[str, Any] | None = None) -> Any:
    """Follow a path into the data, into the context (`$$`) or into a variable (`$name`)."""
    named, place = _VARIABLE.fullmatch(path), current()
    try:
        if path.startswith("$$"):
            return paths.select(path[1:], _public(ctx or _context()))
        if named is None or place is None:
            return paths.select(path, data)
        if named[1] not in place.variables:
            raise failure(_RUNTIME, f"The variable '${named[1]}' is not assigned")
        return paths.select(f"${named[2]}", place.variables[named[1]])
    except paths.PathNotEmulated as error:
        raise failure(_RUNTIME, str(error)) from None


def _or_null(path: str, data: Any) -> Any:
    """Follow a path where a missing value counts as null, as in Choice rules."""
    try:
        return _select(path, data) if path else data
    except paths.PathMissing:
        return None


def _path_of(state: dict[str, Any], name: str, data: Any, ctx: dict[str, Any] | None) -> Any:
    path = state.get(name, "$")
    if path is None:
        return {}
    try:
        return _select(path, data, ctx)
    except paths.PathMissing as error:
        raise failure(_RUNTIME, f"Invalid path '{path}' : {error}") from None


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
