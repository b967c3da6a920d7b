"""The data API, from its OpenAPI document; plain tables, so nothing is fetched to show it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from pipelines.docs_site.markdown import code, codes, lines, page, prose, table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SOURCE: Final = "docs/data/openapi.json"
_MANY: Final = 12
"""A longer list of allowed values is told by its length."""


def data_api_page(root: Path) -> str:
    """Return the page of the data API: every request, then every shape."""
    document = json.loads((root / _SOURCE).read_text(encoding="utf-8"))
    parts = [
        f"{prose(document['info']['description'])}\n",
        "## Requests\n",
        table(["Request", "What it does"], _index(document)),
    ]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            parts += [f"### {_title(method, path)}\n", *_operation(operation)]
    parts.append("## Shapes\n")
    for name, shape in document["components"]["schemas"].items():
        parts += [f"### {name}\n", *_shape(shape)]
    return page("The data API", [_SOURCE], *parts)


def _title(method: str, path: str) -> str:
    return f"{method.upper()} {path.replace('_', '&#95;')}"


def _index(document: dict[str, Any]) -> Iterator[list[str]]:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield [code(f"{method.upper()} {path}"), prose(operation["summary"])]


def _operation(operation: dict[str, Any]) -> Iterator[str]:
    yield f"{prose(operation['summary'])}\n"
    if rows := [
        [code(parameter["name"]), parameter["in"], _type(parameter["schema"])]
        for parameter in operation.get("parameters", [])
    ]:
        yield table(["Parameter", "In", "Type"], rows)
    if "requestBody" in operation:
        [content] = operation["requestBody"]["content"].values()
        yield f"Body: {_type(content['schema'])}\n"
        if "properties" in content["schema"]:
            yield table(["Field", "Type"], _fields(content["schema"]))
    yield table(
        ["Answer", "When", "Body"], [_answer(*response) for response in operation["responses"].items()]
    )


def _answer(status: str, answer: dict[str, Any]) -> list[str]:
    bodies = [_type(content["schema"]) for content in answer.get("content", {}).values()]
    return [status, prose(answer["description"]), lines(bodies)]


def _shape(shape: dict[str, Any]) -> Iterator[str]:
    if "description" in shape:
        yield f"{prose(shape['description'])}\n"
    if "properties" in shape:
        yield table(["Field", "Type"], _fields(shape))
    else:
        yield f"{_type(shape)}\n"


def _fields(shape: dict[str, Any]) -> list[list[str]]:
    required = shape.get("required", [])
    return [
        [code(name) + ("" if name in required else " (optional)"), _type(rule)]
        for name, rule in shape["properties"].items()
    ]


def _type(rule: dict[str, Any]) -> str:
    """Return a schema in a line: its type and the rules a caller must know."""
    if "$ref" in rule:
        name = rule["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if options := rule.get("oneOf") or rule.get("anyOf"):
        return " or ".join(_type(option) for option in options)
    if "enum" in rule:
        values = rule["enum"]
        return (
            codes(values) if len(values) <= _MANY else f"one of {len(values)} words, as {codes(values[:3])}"
        )
    if rule.get("type") == "array":
        return f"list of {_type(rule['items'])}"
    if rule.get("type") == "object" and "properties" in rule:
        return "object of " + ", ".join(
            f"{code(key)}: {_type(value)}" for key, value in rule["properties"].items()
        )
    return _plain(rule)


def _plain(rule: dict[str, Any]) -> str:
    kind = rule.get("type", "anything")
    types = [
        "null" if type_name == "null" else str(type_name)
        for type_name in (kind if isinstance(kind, list) else [kind])
    ]
    limits = [
        f"{words} {rule[key]:,}"
        for key, words in (("minimum", "from"), ("maximum", "to"), ("maxLength", "at most"))
        if key in rule
    ]
    meaning = f": {prose(rule['description'])}" if "description" in rule else ""
    return " or ".join(types) + (f" ({', '.join(limits)})" if limits else "") + meaning
