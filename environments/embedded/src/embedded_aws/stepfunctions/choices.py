"""Choice states: their rules in JSONPath, and their conditions in JSONata.

https://docs.aws.amazon.com/step-functions/latest/dg/state-choice.html
"""

import operator
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from embedded_aws.stepfunctions import evaluation, path_evaluation, paths

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "LessThan": operator.lt,
    "LessThanEquals": operator.le,
    "GreaterThan": operator.gt,
    "GreaterThanEquals": operator.ge,
}
_RULE = re.compile(rf"(String|Numeric|Boolean|Timestamp)({'|'.join(COMPARISONS)})(Path)?")


def execute(state: dict[str, Any], value: Any, ctx: dict[str, Any]) -> tuple[Any, str]:
    """Return a Choice state's output and the next state.

    Raises:
        ExecutionError: no rule holds and there is no Default, or a rule cannot be judged.
    """
    if evaluation.is_jsonata(state, ctx):
        chosen = _chosen(state, lambda rule, number: _condition(rule, number, value, ctx))
        result = evaluation.output(chosen, value, ctx, default=value)
        evaluation.assign(chosen, value, ctx)
        return result, chosen.get("Next") or state["Default"]
    selected = path_evaluation.selected_input(state, value, ctx)
    chosen = _chosen(state, lambda rule, _: holds(rule, selected, ctx))
    path_evaluation.assign(chosen, selected, ctx)
    output = path_evaluation.selected_output(state, selected, ctx)
    return output, chosen.get("Next") or state["Default"]


def _chosen(state: dict[str, Any], judge: Callable[[dict[str, Any], int], bool]) -> dict[str, Any]:
    """Return the first rule that holds, or the state itself, whose Default is next."""
    for number, rule in enumerate(state.get("Choices", [])):
        if judge(rule, number):
            matched: dict[str, Any] = rule
            return matched
    if not state.get("Default"):
        raise evaluation.failure("States.NoChoiceMatched", "No choice rule matched and no Default")
    return state


def _condition(rule: dict[str, Any], number: int, value: Any, ctx: dict[str, Any]) -> bool:
    location = f"Choices[{number}]/Condition"
    true: bool = evaluation.state_field(rule, "Condition", "boolean", value, ctx, location)
    return true


def holds(rule: dict[str, Any], data: Any, ctx: dict[str, Any]) -> bool:
    """Judge a rule in JSONPath.

    Raises:
        ExecutionError: its variable is not there, and it does not ask for just that.
    """
    if "And" in rule:
        return all(holds(each, data, ctx) for each in rule["And"])
    if "Or" in rule:
        return any(holds(each, data, ctx) for each in rule["Or"])
    if "Not" in rule:
        return not holds(rule["Not"], data, ctx)
    path = rule["Variable"]
    try:
        value = path_evaluation.look_up(path, data, ctx)
    except paths.PathMissing:
        if "IsPresent" in rule:
            return not rule["IsPresent"]
        text = f"Invalid path '{path}': The choice state's condition path references an invalid value."
        raise evaluation.failure(evaluation.RUNTIME, text) from None
    return _matches(rule, value, data, ctx)


def _matches(rule: dict[str, Any], value: Any, data: Any, ctx: dict[str, Any]) -> bool:
    for name, wanted in rule.items():
        if name in _KINDS:
            return bool(_KINDS[name](value) == wanted)
        if name == "StringMatches":
            return isinstance(value, str) and bool(_wildcards(wanted).fullmatch(value))
        if parts := _RULE.fullmatch(name):
            other = path_evaluation.lenient(wanted, data, ctx) if parts[3] else wanted
            return _compared(parts[1], parts[2], value, other)
    return False


def _compared(kind: str, comparison: str, value: Any, other: Any) -> bool:
    if kind == "Timestamp":
        value, other = moment(value), moment(other)
        if value is None or other is None:
            return False
    elif not (_OF_KIND[kind](value) and _OF_KIND[kind](other)):
        return False
    return COMPARISONS[comparison](value, other)


def moment(text: Any) -> datetime | None:
    """Return the moment that an ISO 8601 text names; None for anything else."""
    try:
        stamp = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return stamp if stamp.tzinfo and "T" in text else None


def _wildcards(pattern: str) -> "re.Pattern[str]":
    """A star stands for anything; one after a backslash, for itself."""
    parts = re.findall(r"\\.|\*|[^\\*]+|\\", pattern, re.DOTALL)
    words = (".*" if part == "*" else re.escape(part[-1] if part[0] == "\\" else part) for part in parts)
    return re.compile("".join(words), re.DOTALL)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_OF_KIND: dict[str, Callable[[Any], bool]] = {
    "String": lambda value: isinstance(value, str),
    "Numeric": _number,
    "Boolean": lambda value: isinstance(value, bool),
}
_KINDS: dict[str, Callable[[Any], bool]] = {
    "IsPresent": lambda _: True,
    "IsNull": lambda value: value is None,
    "IsNumeric": _number,
    "IsString": _OF_KIND["String"],
    "IsBoolean": _OF_KIND["Boolean"],
    "IsTimestamp": lambda value: moment(value) is not None,
}
