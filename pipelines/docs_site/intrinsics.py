"""Values of CloudFormation templates as a reader writes them: intrinsic functions in a few letters."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable


def shown(value: Any) -> str:
    """A property's value in one line; `${Name}` is what CloudFormation fills in."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and len(value) == 1:
        [(function, argument)] = value.items()
        if function in _FUNCTIONS:
            return _FUNCTIONS[function](argument)
    return json.dumps(value, sort_keys=True)


def _sub(argument: Any) -> str:
    if isinstance(argument, str):
        return argument
    text, given = argument
    for name, value in given.items():
        text = text.replace(f"${{{name}}}", shown(value))
    return str(text)


def _join(argument: Any) -> str:
    separator, parts = argument
    return str(separator).join(shown(part) for part in parts)


_FUNCTIONS: Final[dict[str, Callable[[Any], str]]] = {
    "Ref": lambda name: f"${{{name}}}",
    "Fn::GetAtt": lambda path: f"${{{'.'.join(path) if isinstance(path, list) else path}}}",
    "Fn::Sub": _sub,
    "Fn::Join": _join,
    "Fn::ImportValue": lambda name: f"imported {shown(name)}",
}
