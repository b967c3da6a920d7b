"""API Gateway as a WSGI application: HTTP requests become proxy events for the data API's own handler.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

from data_api.handler import handler
from pipelines.docs_site import openapi

STAGE = "/live"
DOCUMENT = "/openapi.json"
StartResponse = Callable[[str, list[tuple[str, str]]], object]


def application(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    """Answer one request; the OpenAPI document beside the stage."""
    if environ["PATH_INFO"] == DOCUMENT:
        start_response("200 OK", [("Content-Type", "application/json")])
        return [openapi.text().encode()]
    answer = handler(_event(environ), SimpleNamespace(aws_request_id="r"))
    headers = [(name, value) for name, values in answer["multiValueHeaders"].items() for value in values]
    start_response(f"{answer['statusCode']} {HTTPStatus(answer['statusCode']).phrase}", headers)
    return [(answer["body"] or "").encode()]


def _event(environ: dict[str, Any]) -> dict[str, Any]:
    # WSGI hands over bytes as Latin-1 text (PEP 3333); API Gateway, UTF-8 text with the path decoded.
    path = _utf8(environ["PATH_INFO"]).removeprefix(STAGE)
    query = parse_qs(_utf8(environ.get("QUERY_STRING", "")), keep_blank_values=True)
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").title(): value
        for name, value in environ.items()
        if name.startswith("HTTP_") or name == "CONTENT_TYPE"
    }
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length).decode("utf-8", "replace") if length else None
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": environ["REQUEST_METHOD"],
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "requestContext": {"requestId": "r", "resourcePath": "/{proxy+}", "stage": STAGE[1:]},
        "body": body,
        "isBase64Encoded": False,
    }


def _utf8(text: str) -> str:
    return text.encode("latin-1").decode("utf-8", "replace")
