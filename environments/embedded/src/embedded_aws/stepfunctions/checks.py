"""What Step Functions finds wrong with a state's fields once their values are known.

Recorded of Step Functions; each message is its own.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ministack.services import stepfunctions

from embedded_aws.stepfunctions import evaluation

_RUNTIME = "States.Runtime"
_QUERY = "States.QueryEvaluationError"
_PERCENT = 100


def count_items(state: dict[str, Any], value: Any, ctx: dict[str, Any]) -> int | None:
    """Return how many items a Map state has; None for one that reads them from S3.

    Raises:
        stepfunctions._ExecutionError: what it is to map over is no array, or its concurrency is no number.
    """
    with _before_items():
        _number(state, "MaxConcurrencyPath", value, ctx, int)
    return None if "ItemReader" in state else len(_items(state, value, ctx))


def check_tolerances(state: dict[str, Any], value: Any, ctx: dict[str, Any]) -> None:
    """Check how many failures a Map state tolerates, where paths say so.

    Raises:
        stepfunctions._ExecutionError: one is of the wrong kind, or out of its bounds.
    """
    with _before_items():
        count = _number(state, "ToleratedFailureCountPath", value, ctx, int)
        if count is not None and count < 0:
            raise evaluation.failure(_RUNTIME, "ToleratedFailureCount cannot be negative.")
        percentage = _number(state, "ToleratedFailurePercentagePath", value, ctx, float)
        if percentage is not None and not 0 <= percentage <= _PERCENT:
            raise evaluation.failure(_RUNTIME, "ToleratedFailurePercentage must be between 0 and 100.")


@contextmanager
def _before_items() -> Iterator[None]:
    """Mark an error as one of the state's own fields: its history has no event for the failed state."""
    try:
        yield
    except stepfunctions._ExecutionError as error:
        error.before_items = True
        raise


def _items(state: dict[str, Any], value: Any, ctx: dict[str, Any]) -> list[Any]:
    if stepfunctions._state_query_language(state, ctx) == "JSONata":
        if "Items" in state:
            items: list[Any] = evaluation.state_field(state, "Items", "array", value, ctx)
            return items
        if not isinstance(value, list):
            text = f"Map state input must be an array but was: {evaluation.compact(value)}"
            raise evaluation.failure(_QUERY, text, "Items")
        return value
    path = state.get("ItemsPath", "$")
    effective = stepfunctions._apply_input_path(state, value, ctx)
    selected = stepfunctions._resolve_path_or_ctx(path, effective, ctx)
    if not isinstance(selected, list):
        shown = path.removeprefix("$") if path.startswith("$$") else path
        raise stepfunctions._ExecutionError(_RUNTIME, f'Reference path "{shown}" must point to array.')
    return selected


def _number(
    state: dict[str, Any], name: str, value: Any, ctx: dict[str, Any], kind: Callable[[Any], Any]
) -> Any:
    if name not in state:
        return None
    effective = stepfunctions._apply_input_path(state, value, ctx)
    number = stepfunctions._resolve_path_or_ctx(state[name], effective, ctx)
    try:
        return kind(str(number) if isinstance(number, bool) else number)
    except (TypeError, ValueError):
        shown = number if isinstance(number, str) else evaluation.compact(number)
        word = "integer" if kind is int else "float"
        raise evaluation.failure(
            _RUNTIME, f'The {name} field refers to value "{shown}" which is not a valid {word}: {state[name]}'
        ) from None


def check_wait(state: dict[str, Any], value: Any, ctx: dict[str, Any]) -> None:
    """Check the paths of a Wait state in JSONPath.

    Raises:
        stepfunctions._ExecutionError: the value is missing or of the wrong kind.
    """
    effective = stepfunctions._apply_input_path(state, value, ctx)
    if path := state.get("SecondsPath"):
        seconds = stepfunctions._resolve_path_or_ctx(path, effective, ctx)
        if seconds is None:
            raise evaluation.failure(
                _RUNTIME, f"The SecondsPath parameter does not reference an input value: {path}"
            )
        shown = f"{path} == {seconds if isinstance(seconds, str) else json.dumps(seconds)}"
        if isinstance(seconds, bool) or not isinstance(seconds, int):
            raise evaluation.failure(
                _RUNTIME, f"The SecondsPath parameter cannot be parsed as a long value: {shown}"
            )
        if seconds < 0:
            raise evaluation.failure(
                _RUNTIME, f"The SecondsPath parameter references a negative value: {shown}"
            )
    if path := state.get("TimestampPath"):
        stamp = stepfunctions._resolve_path_or_ctx(path, effective, ctx)
        if not isinstance(stamp, str) or "T" not in stamp or not _offset(stamp):
            raise evaluation.failure(
                _RUNTIME,
                "The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time "
                f"format string: {path} == {stamp}",
            )


def _offset(stamp: str) -> bool:
    moment = stepfunctions._parse_ts(stamp)
    return moment is not None and (stamp.endswith("Z") or "+" in stamp[10:] or "-" in stamp[10:])


def choice_holds(rule: dict[str, Any], value: Any, ctx: dict[str, Any]) -> bool:
    """Evaluate a JSONata Choice rule's condition, which must be a boolean.

    Raises:
        stepfunctions._ExecutionError: it is something else.
    """
    place = evaluation.current()
    rules = (place.definition.get("Choices") or []) if place else []
    number = next((index for index, each in enumerate(rules) if each is rule), 0)
    location = f"Choices[{number}]/Condition"
    holds: bool = evaluation.state_field(rule, "Condition", "boolean", value, ctx, location)
    return holds
