"""Where an execution is, and the JSONata expressions of its states, as recorded of Step Functions.

What MiniStack's evaluation leaves out: which field of which state failed, and that there is no `$eval`.
https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from ministack.services import stepfunctions

_Error = stepfunctions._ExecutionError
_QUERY, RUNTIME = "States.QueryEvaluationError", "States.Runtime"
_NOTHING = "JSONata expression did not return a result"
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
