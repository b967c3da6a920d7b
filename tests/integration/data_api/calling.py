"""Calls the data API as API Gateway does, and holds every answer to the OpenAPI document."""

import json
import re
import threading
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl

from data_api.handler import handler
from data_api.http.routes import ROUTES
from pipelines.docs_site import openapi

DOCUMENT = openapi.document()
_one_at_a_time = threading.RLock()  # as in a Lambda sandbox


def send(method: str, path: str, body: Any = None, **changes: Any) -> SimpleNamespace:
    text = body if isinstance(body, str) or body is None else json.dumps(body)
    with _one_at_a_time:
        result = handler(_event(method, path, text) | changes, SimpleNamespace(aws_request_id="r"))
    answer = SimpleNamespace(
        status=result["statusCode"],
        headers={key: values[0] for key, values in result["multiValueHeaders"].items()},
        body=json.loads(result["body"]) if result["body"] else None,
    )
    _check_documented(method, path, answer)
    return answer


def _event(method: str, path: str, body: str | None) -> dict[str, Any]:
    path, _, query = path.partition("?")
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": {"Content-Type": "application/json"} if body else {},
        "multiValueHeaders": {},
        "queryStringParameters": dict(parse_qsl(query)) or None,
        "requestContext": {"requestId": "r", "resourcePath": "/{proxy+}", "stage": "live"},
        "body": body,
        "isBase64Encoded": False,
    }


def _check_documented(method: str, path: str, answer: SimpleNamespace) -> None:
    """Hold every answer of every test to the OpenAPI document."""
    path = path.partition("?")[0]
    for route in ROUTES:
        if route.method == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]*", route.path), path):
            documented = DOCUMENT["paths"][route.path][method.lower()]["responses"]
            assert str(answer.status) in documented or answer.status == 500
            shape = route.answers.get(answer.status)
            assert shape is None or not list(shape.check(answer.body, "body"))
