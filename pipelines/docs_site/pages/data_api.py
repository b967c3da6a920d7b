"""The data API, from its OpenAPI document; plain tables, so nothing is fetched to show it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
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
            if "requestBody" in operation:
                parts.append(f"For example:\n\n```text\n{example(document, method, path).shown}\n```\n")
    parts.append("## Shapes\n")
    for name, shape in document["components"]["schemas"].items():
        parts += [f"### {name}\n", *_shape(shape)]
    return page("The data API", [_SOURCE], *parts)


@dataclass(frozen=True, slots=True)
class Request:
    """An example of a request: its method, its path with values in it, and its JSON body."""

    method: str
    path: str
    body: Any

    @property
    def shown(self) -> str:
        """As it is sent, without the headers that a client adds."""
        return f"{self.method} {self.path}\n\n{json.dumps(self.body, indent=2)}"


def example(document: dict[str, Any], method: str, path: str) -> Request:
    """Return an example of a request with a body, made from the document's own schema."""
    [content] = document["paths"][path][method]["requestBody"]["content"].values()
    filled = re.sub(r"\{(\w+)\}", lambda name: str(_WORDS.get(name[1], 1)), path)
    return Request(method.upper(), filled, _value(document, content["schema"], ""))


_WORDS: Final = {
    "product_id": "teapot",
    "user_id": "ada",
    "order_id": "order-1",
    "restock_id": "delivery-note-17",
    "top_up_id": "transfer-4",
    "adjustment": "re_1",
    "execution": "arn:aws:states:eu-central-1:000000000000:execution:PaymentWorkflow:order-1",
    "deadline": "2026-12-01T10:00:00Z",
    "customer": "cus_ada",
    "card": "pm_card_visa",
    "bank_account": "pm_sepa_debit",
    "payment_intent": "pi_1",
    "state": "NEW",
    "after": "",
    "reason": "insufficient_funds",
    "name": "Teapot",
    "type": "kitchen",
    "currency": "EUR",
    "username": "Ada",
    "delivery_address": "Ada, 1 Main Street",
    "step": "Process order payment",
    "error": "PaymentDeclined",
    "cause": "The card was declined.",
}
"""Texts of an example by the name of their field; every other field has what its schema allows first."""
_NUMBERS: Final = {
    "available": 12,
    "quantity": 2,
    "price": 2500,
    "amount": 2500,
    "balance": 10000,
    "limit": 100,
}


def _value(document: dict[str, Any], rule: dict[str, Any], name: str) -> Any:
    if "$ref" in rule:
        return _value(document, document["components"]["schemas"][rule["$ref"].rpartition("/")[2]], name)
    if options := rule.get("oneOf") or rule.get("anyOf"):
        return _value(document, options[0], name)
    kind = rule["type"] if isinstance(rule["type"], str) else rule["type"][0]
    if kind == "object":
        fields = rule.get("required") or rule.get("properties", {})
        return {field: _value(document, rule["properties"][field], field) for field in fields}
    if kind == "array":
        return [_value(document, rule["items"], name)]
    if kind in ("integer", "boolean"):
        return _NUMBERS.get(name, rule.get("minimum", 1)) if kind == "integer" else True
    word = _WORDS.get(name, name)
    return word if word in rule.get("enum", [word]) else rule["enum"][0]


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
