"""The data API for people: called by invoking its function, because the API itself is private to the VPC."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote

from payment_data.client import DataApi, Response
from payment_data.errors import OutcomeUnknown

if TYPE_CHECKING:
    from pipelines.aws.accounts import Aws


def connect(aws: Aws, function: str) -> DataApi:
    """The data API of a stack.

    Args:
        aws: Where the stack is.
        function: The output `DataApiFunctionName` of the stack.
    """

    def invoke(method: str, path: str, body: bytes | None = None) -> Response:
        event = json.dumps(proxy_event(method, path, body)).encode()
        answer = aws.functions.invoke(FunctionName=function, Payload=event)
        payload = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise OutcomeUnknown(f"{method} {path}: the data API's function failed: {_reason(payload)}")
        text: str = payload.get("body") or ""
        content = base64.b64decode(text) if payload.get("isBase64Encoded") else text.encode()
        return Response(payload["statusCode"], content)

    return DataApi(invoke)


def proxy_event(method: str, path: str, body: bytes | None) -> dict[str, object]:
    """What API Gateway would send (Developer Guide, Lambda proxy integration, input format)."""
    path, _, query = path.partition("?")
    return {
        "resource": "/{proxy+}",
        "path": unquote(path),
        "httpMethod": method,
        "headers": {"Content-Type": "application/json"} if body else {},
        "multiValueHeaders": {"Content-Type": ["application/json"]} if body else {},
        "queryStringParameters": dict(parse_qsl(query)) or None,
        "multiValueQueryStringParameters": None,
        "pathParameters": {"proxy": unquote(path).lstrip("/")},
        "stageVariables": None,
        "requestContext": {
            "resourcePath": "/{proxy+}",
            "httpMethod": method,
            "path": f"/live{path}",
            "stage": "live",
        },
        "body": body.decode() if body else None,
        "isBase64Encoded": False,
    }


def _reason(payload: object) -> str:
    return str(payload.get("errorMessage")) if isinstance(payload, dict) else str(payload)
