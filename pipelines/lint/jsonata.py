"""What a JSONata expression uses, and of which type its value is, as far as its text tells.

Functions and their types: https://docs.jsonata.org/overview and, for those of Step Functions, its developer
guide, "Transforming data with JSONata in Step Functions".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from jsonata.jsonata import Jsonata

if TYPE_CHECKING:
    from collections.abc import Iterator

_BY_TYPE: Final = {
    "string": "string substring substringBefore substringAfter uppercase lowercase trim pad join replace now "
    "base64encode base64decode encodeUrlComponent encodeUrl decodeUrlComponent decodeUrl fromMillis hash "
    "formatNumber formatBase formatInteger type uuid",
    "number": "number length abs floor ceil round power sqrt random parseInteger sum max min average count "
    "millis toMillis",
    "boolean": "contains boolean not exists",
    "array": "split append sort reverse shuffle distinct zip keys range partition",
    "object": "merge",
    "": "match map filter single reduce lookup spread each sift error assert parse",
}
_TYPES: Final = {name: kind for kind, names in _BY_TYPE.items() for name in names.split()}
FUNCTIONS: Final = frozenset(_TYPES)
"""Every function that an expression may call. `$eval` is none: Step Functions refuses it."""
_OPERATORS: Final = {
    **dict.fromkeys(("=", "!=", "<", "<=", ">", ">=", "in", "and", "or"), "boolean"),
    **dict.fromkeys("+-*/%", "number"),
    "&": "string",
    "..": "array",
}


_UNARY: Final = {"-": "number", "[": "array", "{": "object"}
_CALLS: Final = {"function", "partial"}


@dataclass(frozen=True, slots=True)
class Usage:
    """What an expression uses.

    Attributes:
        variables: Names of variables that it reads and does not bind itself, without `$`; empty for `$$`'s.
        functions: Names of functions that it calls and does not bind itself.
        states: What it reads of `$states`, by its first key.
        root: Whether it reads `$$`, the whole input of the expression.
        kind: Its value's type: string, number, boolean, null, array, object or function; empty if unknown.
    """

    variables: set[str] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)
    states: set[str] = field(default_factory=set)
    root: bool = False
    kind: str = ""


def usage(expression: str) -> Usage:
    """Return what an expression, without its `{%` and `%}`, uses.

    Raises:
        JException: It is no JSONata.
    """
    tree: Any = Jsonata(expression).ast
    nodes = list(_nodes(tree))
    bound = {str(node.lhs.value) for node in nodes if node.type == "bind" and node.lhs is not None}
    bound |= {str(name.value) for node in nodes if node.type == "lambda" for name in node.arguments or []}
    calls = [node for node in nodes if node.type in _CALLS and node.procedure is not None]
    called = {id(call.procedure) for call in calls}
    functions = {str(call.procedure.value) for call in calls if call.procedure.type == "variable"}
    read = {str(node.value) for node in nodes if node.type == "variable" and id(node) not in called}
    return Usage(
        variables=read - bound - FUNCTIONS - {"", "$", "states", "None"},
        functions=functions - bound,
        states=set(_states(nodes)),
        root="$" in read,
        kind=kind_of(tree),
    )


def kind_of(node: Any) -> str:
    """Return the type of a node's value; empty where only the data tells."""
    if node is None or getattr(node, "predicate", None) or getattr(node, "group", None):
        return ""
    value, kind = str(node.value), str(node.type)
    by_type = {
        "binary": _OPERATORS.get(value, ""),
        "unary": _UNARY.get(value, ""),
        "value": "null" if node.value is None else "boolean",
        **dict.fromkeys(("string", "number"), kind),
        **dict.fromkeys(("lambda", "transform", "regex", "partial"), "function"),
    }
    return by_type[kind] if kind in by_type else _kind_of_parts(node)


def _kind_of_parts(node: Any) -> str:
    """Return the type of a node that is what one of its parts is."""
    if node.type == "function" and node.procedure is not None and node.procedure.type == "variable":
        return _TYPES.get(str(node.procedure.value), "")
    parts: list[Any] = [None]
    if node.type == "bind":
        parts = [node.rhs]
    elif node.type == "block" and node.expressions:
        parts = node.expressions[-1:]
    elif node.type == "condition":
        parts = [node.then, node._else]
    elif node.type == "path" and len(node.steps) == 1:
        parts = node.steps
    kinds = {kind_of(part) for part in parts}
    return kinds.pop() if len(kinds) == 1 else ""


def _states(nodes: list[Any]) -> Iterator[str]:
    for node in nodes:
        steps = node.steps if node.type == "path" else []
        read = [(step.type, step.value) for step in (steps or [])[:2]]
        if read[:1] == [("variable", "states")] and len(read) > 1 and read[1][0] == "name":
            yield str(read[1][1])


def _nodes(node: Any) -> Iterator[Any]:
    """Yield a node and every one below it, whatever it is below it as."""
    if isinstance(node, (list, tuple)):
        for inside in node:
            yield from _nodes(inside)
    elif hasattr(node, "type") and hasattr(node, "value"):
        yield node
        for name, inside in vars(node).items():
            if name not in {"parent_instance", "_outer_instance", "outer_instance"}:
                yield from _nodes(inside)
