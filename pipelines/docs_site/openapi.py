"""The OpenAPI 3.1 document, made of the same declarations that serve requests.

`python -m pipelines.docs_site.openapi` writes it to docs/data; a test compares.
"""

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from data_api.http.routes import IDS, ROUTES, Route
from data_api.schemas import bodies, views
from payment_data import errors as e
from payment_data.fields import Array, Field, Object, Text
from pipelines.core.repository import ROOT

FILE = ROOT / "docs" / "data" / "openapi.json"

_SHARED: Mapping[str, Field] = {
    "Currency": bodies.CURRENCY,
    "Line": bodies.LINE,
    "NewOrder": bodies.ORDER,
    "NewProduct": bodies.PRODUCT,
    "NewUser": bodies.USER,
    "Order": views.ORDER,
    "Product": views.PRODUCT,
    "User": views.USER,
    "Reservation": views.RESERVATION,
    "Payment": views.PAYMENT,
    "Deliveries": views.DELIVERIES,
    "Forward": bodies.STEP,
    "Undo": bodies.CANCEL,
}
_EVERY: tuple[type[e.Problem], ...] = (e.InvalidRequest, e.ApiUnavailable, e.OutcomeUnknown, e.Throttled)
_WITH_BODY: tuple[type[e.Problem], ...] = (e.MalformedRequest, e.ContentTooLarge, e.UnsupportedMediaType)


def document() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document: {openapi, info, paths, components, …}."""
    paths: dict[str, dict[str, Any]] = defaultdict(dict)
    for route in ROUTES:
        paths[route.path][route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Payment data API",
            "version": "1",
            "description": "Private: reached from inside the VPC, signed with AWS Signature Version 4."
            " Writes are idempotent; amounts are integers of minor units.",
        },
        "servers": [{"url": "/live"}],
        "security": [{"sigv4": []}],
        "paths": dict(paths),
        "components": {
            "schemas": {"Problem": _problem()}
            | {name: _inside(kind.schema()) for name, kind in _SHARED.items()},
            "securitySchemes": {"sigv4": _sigv4()},
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.operation_id,
        "summary": route.summary,
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": IDS[name].schema()}
            for name in re.findall(r"\{(\w+)\}", route.path)
        ]
        + [
            {"name": name, "in": "query", "required": False, "schema": kind.schema()}
            for name, kind in (route.query.properties if route.query else {}).items()
        ],
        "responses": _responses(route),
    }
    if route.body:
        operation["requestBody"] = {"required": True, "content": _json(route.body.schema())}
    return operation


def _responses(route: Route) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    for status, shape in route.answers.items():
        responses[str(status)] = {"description": _ANSWERED[status]}
        if shape:
            responses[str(status)]["content"] = _json(shape.schema())
    problems: dict[int, list[str]] = defaultdict(list)
    for problem in dict.fromkeys((*route.problems, *_EVERY, *(_WITH_BODY if route.body else ()))):
        problems[problem.status].append(f"{problem.__name__}: {problem.title}.")
    for status, titles in sorted(problems.items()):
        content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        responses[str(status)] = {"description": " ".join(titles), "content": content}
    return responses


_ANSWERED = {200: "Done, now or before.", 201: "Created.", 204: "Gone."}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": _referred(schema)}}


def _referred(schema: Any) -> Any:
    """Write a schema that is shared as a reference to it."""
    for name, kind in _SHARED.items():
        if schema == kind.schema():
            return {"$ref": f"#/components/schemas/{name}"}
    return _inside(schema)


def _inside(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {key: _referred(value) for key, value in schema.items()}
    return schema


def _problem() -> dict[str, Any]:
    """Return RFC 9457's problem document with our extensions `name` and `errors`."""
    shape = Object(
        {
            "title": Text(200),
            "detail": Text(10_000),
            "instance": Text(10_000),
            "errors": Array(Object({"field": Text(1_000), "rule": Text(10_000)}), 1, 100),
        },
        ("detail", "instance", "errors"),
        "RFC 9457",
    ).schema()
    shape["properties"] |= {
        "type": {"type": "string", "enum": ["about:blank", *(c.type_uri() for c in e.BY_NAME.values())]},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "name": {"type": "string", "enum": list(e.BY_NAME), "description": "Step Functions error name."},
    }
    shape["required"] += ["type", "status"]
    return shape


def _sigv4() -> dict[str, Any]:
    return {
        "type": "apiKey",
        "name": "Authorization",
        "in": "header",
        "x-amazon-apigateway-authtype": "awsSigv4",
    }


def text() -> str:
    """Return the document as it is committed."""
    return json.dumps(document(), indent=2) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
