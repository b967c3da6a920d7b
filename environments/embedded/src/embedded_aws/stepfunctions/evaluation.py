"""Where an execution is, and the JSONata expressions of its states, as recorded of Step Functions.

A failure names the field of the state whose expression failed.
https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from embedded_aws.stepfunctions import jsonata_functions
from embedded_aws.stepfunctions.records import Error, add_event

QUERY, RUNTIME = "States.QueryEvaluationError", "States.Runtime"
_CONTEXT = ("Execution", "Map", "State", "StateMachine", "Task")


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
        return Error(error, text)
    cause = (
        f"An error occurred while executing the state '{place.state}' "
        f"(entered at the event id #{place.event}). {text}"
    )
    if location is not None:
        details = {"error": error, "cause": cause, "location": location, "state": place.state}
        add_event(place.execution, "EvaluationFailed", {"evaluationFailedEventDetails": details})
    return Error(error, cause)


def compact(value: Any) -> str:
    """Return a value as the JSON text that Step Functions writes."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def is_jsonata(state: dict[str, Any], ctx: dict[str, Any]) -> bool:
    """Tell whether a state is written in JSONata, by itself or as its machine is."""
    return bool((state.get("QueryLanguage") or ctx.get("QueryLanguage")) == "JSONata")


def context_object(ctx: dict[str, Any]) -> dict[str, Any]:
    """Return the context object {Execution, State, StateMachine, …} as workflows see it."""
    return {name: ctx[name] for name in _CONTEXT if name in ctx}


def template(  # noqa: PLR0917 - what an expression may see, in the order of `$states`
    value: Any,
    raw_input: Any,
    ctx: dict[str, Any],
    result: Any = None,
    error_output: Any = None,
    location: str = "",
) -> Any:
    """Evaluate every expression of a field's value; a failure names the field, as `Output/name`."""
    if isinstance(value, str) and value.startswith("{%") and value.endswith("%}"):
        seen = {"input": raw_input, "result": result, "errorOutput": error_output}
        names = {**ctx["variables"], "states": {**seen, "context": context_object(ctx)}}
        return _evaluated(value[2:-2].strip(), names, location)
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


def state_field(  # noqa: PLR0917 - as above, then where it stands
    state: dict[str, Any], name: str, expected: str, raw_input: Any, ctx: dict[str, Any], location: str = ""
) -> Any:
    """Evaluate a field of a state, and hold it to the JSON type that it must have.

    Raises:
        ExecutionError: It is of another type than the field.
    """
    value = template(state[name], raw_input, ctx, location=location or name)
    kind = json_type(value)
    if kind != expected:
        text = str(state[name])
        expression = text[2:-2].strip() if text.startswith("{%") else text
        raise failure(
            QUERY,
            f"The JSONata expression '{expression}' specified for the field '{location or name}' returned an "
            f"unexpected result type. Expected '{expected}', but was '{kind}' for value: {compact(value)}",
            location or name,
        )
    return value


def assign(
    state: dict[str, Any], value: Any, ctx: dict[str, Any], result: Any = None, error_output: Any = None
) -> None:
    """Set a JSONata state's variables all at once: expressions see the values from before."""
    if "Assign" not in state:
        return
    values = template(state["Assign"], value, ctx, result, error_output, "Assign")
    ctx["variables"].update(values)
    if place := current():
        place.assigned.update(values)


def arguments(state: dict[str, Any], value: Any, ctx: dict[str, Any]) -> Any:
    """Return a JSONata state's Arguments; its input where it has none."""
    return template(state["Arguments"], value, ctx, location="Arguments") if "Arguments" in state else value


def output(  # noqa: PLR0917 - as `template`
    state: dict[str, Any],
    value: Any,
    ctx: dict[str, Any],
    result: Any = None,
    error_output: Any = None,
    default: Any = None,
) -> Any:
    """Return a JSONata state's Output; `default` where it has none."""
    if "Output" not in state:
        return default
    return template(state["Output"], value, ctx, result, error_output, "Output")


def json_type(value: Any) -> str:
    """Return what Step Functions calls the type of a JSON value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    kinds = {int: "number", float: "number", str: "string", list: "array"}
    return next((name for kind, name in kinds.items() if isinstance(value, kind)), "object")


def _evaluated(expression: str, names: dict[str, Any], location: str) -> Any:
    field_text = f"The JSONata expression '{expression}' specified for the field '{location}'"
    try:
        return jsonata_functions.evaluate(expression, names)
    except jsonata_functions.NoResult:
        raise failure(QUERY, f"{field_text} returned nothing (undefined).", location) from None
    except Exception as error:  # noqa: BLE001 - whatever the library raises is the expression's failure
        text = f"{field_text} threw an error during evaluation. {jsonata_functions.reason(error)}"
        raise failure(QUERY, text, location) from None
