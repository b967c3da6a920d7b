"""What a template says under its conditions: each combination that can hold is a world of its own.

Conditions are weighed by what they compare: a parameter has one value at a time, one of those that it allows.
Loops (AWS::LanguageExtensions) are unrolled, and mappings looked up, where the template says all of it.
"""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pipelines.lint.pipeline_linter.values import is_function, listed, literal, mapping

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipelines.lint.pipeline_linter.values import Json

_MOST_WORLDS: Final = 128
_LOOP: Final = "Fn::ForEach::"
_NO_VALUE: Final = {"Ref": "AWS::NoValue"}
_OTHER: Final = "any other value"
_DEEPEST: Final = 30


@dataclass(frozen=True)
class World:
    """A template under one combination of its conditions.

    Attributes:
        resources: Its resources by logical id; a function that nobody can follow is left as it is.
        truths: Whether each condition holds that the template asks for, by name.
    """

    resources: dict[str, Json]
    truths: Mapping[str, bool]


def unrolled(document: Json) -> Json:
    """Return a template's resources by logical id, with those loops unrolled that can be followed."""
    return mapping(_unrolled(mapping(document.get("Resources")), mapping(document.get("Parameters"))))


def of_template(document: Json, kind: str) -> list[World]:
    """Return the worlds of a template that differ; none where it has no resource of a type."""
    parameters = mapping(document.get("Parameters"))
    resources = _unrolled(mapping(document.get("Resources")), parameters)
    conditions = mapping(document.get("Conditions"))
    if not any(mapping(resource).get("Type") == kind for resource in resources.values()):
        return []
    asked = sorted(set(_asked(resources)))
    by_truths: dict[tuple[bool, ...], World] = {}
    for values in itertools.islice(_values(conditions, parameters), _MOST_WORLDS):
        truths = {name: _holds({"Condition": name}, conditions, values, 0) for name in asked}
        key = tuple(truths.values())
        if key not in by_truths:
            by_truths[key] = World(_under(resources, truths, mapping(document.get("Mappings"))), truths)
    return list(by_truths.values())


def _asked(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        match value.get("Fn::If"):
            case [str() as name, *_]:
                yield name
        if isinstance(value.get("Condition"), str) and "Type" in value:
            yield value["Condition"]
    if isinstance(value, (dict, list)):
        for inside in value.values() if isinstance(value, dict) else value:
            yield from _asked(inside)


def _values(conditions: Json, parameters: Json) -> Iterator[Mapping[str, str]]:
    """Yield what the compared parameters can be, and whether other comparisons hold."""
    compared: dict[str, list[str]] = {}
    for comparison in _comparisons(list(conditions.values())):
        match _parameter_and_literal(comparison):
            case (str() as parameter, str() as value):
                compared.setdefault(parameter, []).append(value)
            case _:
                compared[json.dumps(comparison)] = ["true", "false"]
    choices = []
    for name, values in compared.items():
        allowed = [str(value) for value in listed(mapping(parameters.get(name)).get("AllowedValues"))]
        choices.append(allowed or list(dict.fromkeys([*values, *([_OTHER] if name[:1] != "[" else [])])))
    for chosen in itertools.product(*choices):
        yield dict(zip(compared, chosen, strict=True))


def _comparisons(value: Any) -> Iterator[Any]:
    if isinstance(value, dict) and "Fn::Equals" in value:
        yield value["Fn::Equals"]
    elif isinstance(value, (dict, list)):
        for inside in value.values() if isinstance(value, dict) else value:
            yield from _comparisons(inside)


def _parameter_and_literal(comparison: Any) -> tuple[str, str] | None:
    match comparison:
        case [{"Ref": str() as parameter}, other] | [other, {"Ref": str() as parameter}]:
            value = literal(other)
            return None if value is None else (parameter, value)
    return None


def _holds(expression: Any, conditions: Json, values: Mapping[str, str], depth: int) -> bool:
    """Return whether a condition holds; what cannot be followed holds."""
    if not isinstance(expression, dict) or len(expression) != 1 or depth > _DEEPEST:
        return True
    [(function, argument)] = expression.items()
    if function == "Condition":
        return _holds(conditions.get(str(argument)), conditions, values, depth + 1)
    if function == "Fn::Equals":
        return _equal(argument, values)
    parts = [_holds(part, conditions, values, depth + 1) for part in listed(argument)]
    combined = {"Fn::Not": not all(parts), "Fn::And": all(parts), "Fn::Or": any(parts)}
    return combined.get(function, True)


def _equal(comparison: Any, values: Mapping[str, str]) -> bool:
    match _parameter_and_literal(comparison):
        case (parameter, value):
            return values.get(parameter) == value
    match comparison:
        case [first, second] if literal(first) is not None and literal(second) is not None:
            return literal(first) == literal(second)
    return values.get(json.dumps(comparison)) == "true"


def _under(resources: Json, truths: Mapping[str, bool], maps: Json) -> dict[str, Json]:
    chosen = {}
    for name, resource in resources.items():
        typed = isinstance(resource, dict) and isinstance(resource.get("Type"), str)
        if typed and truths.get(str(resource.get("Condition")), True):
            chosen[name] = _chosen(resource, truths, maps)
    return chosen


def _chosen(value: Any, truths: Mapping[str, bool], maps: Json) -> Any:
    """Return a value with every Fn::If answered and every mapping looked up."""
    if isinstance(value, list):
        answered = [_chosen(inside, truths, maps) for inside in value]
        return [inside for inside in answered if inside != _NO_VALUE]
    if not isinstance(value, dict):
        return value
    match value:
        case {"Fn::If": [str() as name, yes, no]} if len(value) == 1:
            return _chosen(yes if truths.get(name, True) else no, truths, maps)
        case {"Fn::FindInMap": [str() as first, str() as second, str() as third, *_]} if len(value) == 1:
            entry = mapping(mapping(maps.get(first)).get(second)).get(third)
            return value if entry is None else entry
    answered_by_key = {key: _chosen(inside, truths, maps) for key, inside in value.items()}
    return {key: inside for key, inside in answered_by_key.items() if inside != _NO_VALUE}


def _unrolled(value: Any, parameters: Json, depth: int = 0) -> Any:
    """Return a value with its loops unrolled; a loop that cannot be followed stays as it is."""
    if isinstance(value, list):
        return [_unrolled(inside, parameters, depth) for inside in value]
    if not isinstance(value, dict) or depth > _DEEPEST:
        return value
    result: Json = {}
    for key, inside in value.items():
        rounds = _rounds(inside, parameters) if key.startswith(_LOOP) else None
        if rounds is None:
            result[key] = _unrolled(inside, parameters, depth)
        else:
            for each in rounds:
                result |= _unrolled(each, parameters, depth + 1)
    return result


def _rounds(loop: Any, parameters: Json) -> list[Json] | None:
    match loop:
        case [str() as identifier, collection, dict() as body]:
            items = _items(collection, parameters)
            return None if items is None else [_with(body, identifier, item) for item in items]
    return None


def _items(collection: Any, parameters: Json) -> list[str] | None:
    if is_function(collection):
        default = mapping(parameters.get(str(collection.get("Ref")))).get("Default")
        return [item.strip() for item in default.split(",")] if isinstance(default, str) else None
    items = [literal(item) for item in listed(collection)]
    return None if None in items else [item for item in items if item is not None]


def _with(value: Any, identifier: str, item: str) -> Any:
    """Return a loop's body with its identifier replaced, in keys as in values."""
    if isinstance(value, list):
        return [_with(inside, identifier, item) for inside in value]
    if isinstance(value, dict):
        if value == {"Ref": identifier}:
            return item
        return {
            str(_with(key, identifier, item)): _with(inside, identifier, item)
            for key, inside in value.items()
        }
    if not isinstance(value, str):
        return value
    filled = value.replace(f"${{{identifier}}}", item)
    return filled.replace(f"&{{{identifier}}}", re.sub(r"[^A-Za-z0-9]", "", item))
