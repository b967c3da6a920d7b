"""Values as templates write them: literal, or with CloudFormation's functions in them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]
_PAIR: Final = 2
_VARIABLE: Final = re.compile(r"#\{([^}]*)\}")


def text(value: object) -> str | None:
    """The value as text; what CloudFormation fills in stays as `${Name}`. None where nobody can say."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (str, int, float)):
        return str(value)
    if isinstance(value, dict) and len(value) == 1:
        (function, inside), *_ = value.items()
        return _function_text(function, inside)
    return None


def _function_text(function: str, inside: Any) -> str | None:
    if function == "Ref":
        return f"${{{inside}}}"
    if function == "Fn::GetAtt":
        return f"${{{inside if isinstance(inside, str) else '.'.join(map(str, inside))}}}"
    if function == "Fn::Sub":
        return inside if isinstance(inside, str) else text(inside[0])
    if function == "Fn::Join" and isinstance(inside, list) and len(inside) == _PAIR:
        parts = [text(part) for part in inside[1]] if isinstance(inside[1], list) else [None]
        return None if None in parts else str(inside[0]).join(filter(None, parts))
    return None


def literal(value: object) -> str | None:
    """The value as text if neither CloudFormation nor CodePipeline fills in any of it."""
    said = text(value)
    return None if said is None or "${" in said or "#{" in said else said


def variables(value: object) -> Iterator[str]:
    """Every `#{…}` inside a value, at any depth, without its braces."""
    yield from _VARIABLE.findall(json.dumps(value, default=str))


def logical_id(value: object) -> str | None:
    """The resource or parameter that a Ref or GetAtt names."""
    if not isinstance(value, dict):
        return None
    if isinstance(value.get("Ref"), str):
        return str(value["Ref"])
    attribute = value.get("Fn::GetAtt")
    if isinstance(attribute, list) and attribute:
        return str(attribute[0])
    return attribute.partition(".")[0] if isinstance(attribute, str) else None


def listed(value: object) -> list[Any]:
    """The value as a list: itself, or with itself inside, or empty."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
