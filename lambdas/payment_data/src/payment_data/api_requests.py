"""Requests to the data API: how they are written, signed and sent, and what the answer means."""

import json
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from payment_data.connections import ConnectionPool
from payment_data.errors import (
    BY_NAME,
    AccessDenied,
    ContentTooLarge,
    FieldError,
    OutcomeUnknown,
    Problem,
    Throttled,
    UnexpectedResponse,
)
from payment_data.sigv4 import Credentials, sign
from payment_data.timeouts import DATA_API_SECONDS

_SERVICE = "execute-api"


class Response(NamedTuple):
    """The data API's answer to one request."""

    status: int
    body: bytes


Transport = Callable[[str, str, bytes | None], Response]
"""Sends (method, path, JSON body or None) and returns the answer, whatever its status.

It raises `ApiUnavailable` if the request certainly was not sent, `OutcomeUnknown` if it may have been.
"""


class SignedHttp:
    """A `Transport` over HTTPS, signed with the Lambda function's role.

    Args:
        url: the API's stage, like `https://<id>.execute-api.<region>.amazonaws.com/live`.
        environ: where the role's credentials and the region are; Lambda puts them into the environment
            (https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html).
    """

    def __init__(self, url: str, environ: Mapping[str, str] = os.environ) -> None:
        self._url = url.rstrip("/")
        self._environ = environ
        self._connections = ConnectionPool(DATA_API_SECONDS)

    def __call__(self, method: str, path: str, body: bytes | None = None) -> Response:
        """Send one request; see `Transport`.

        Raises:
            ApiUnavailable: the request certainly was not sent.
            OutcomeUnknown: it may have been sent.
        """
        url, content = self._url + path, body or b""
        headers = self._signed(method, url, content, {"Content-Type": "application/json"} if body else {})
        if trace := self._environ.get("_X_AMZN_TRACE_ID"):
            # Not signed: API Gateway adds its own part, and the data API's trace is then this one's.
            headers["X-Amzn-Trace-Id"] = trace
        answer = self._connections.request(method, url, body, headers, name=f"{method} {path}")
        return Response(answer.status, answer.data)

    def _signed(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> dict[str, str]:
        return sign(
            method,
            url,
            body,
            headers,
            credentials=Credentials.from_environment(self._environ),
            region=self._environ["AWS_REGION"],
            service=_SERVICE,
            now=datetime.now(UTC),
        )


Json = dict[str, Any]
# What API Gateway answers by itself, without our problem document. Its 403 has other causes than a missing
# permission, all of them the caller's; its 503 is no promise that nothing happened.
_BY_STATUS: Mapping[int, type[Problem]] = {403: AccessDenied, 413: ContentTooLarge, 429: Throttled}


class Requests:
    """Sends requests over a transport; the answers are JSON objects.

    Args:
        transport: sends (method, path, body) and returns the answer.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def _put(self, path: str, body: Mapping[str, Any]) -> Json:
        return self._send("PUT", path, encoded(body))

    def _send(self, method: str, path: str, body: bytes | None = None) -> Json:
        return document_of(f"{method} {path}", self._transport(method, path, body))


def encoded(body: Mapping[str, Any]) -> bytes:
    """Return the JSON of a request's body, in UTF-8: a letter of any script takes its own bytes, not six.

    Raises:
        ValueError: a number is not finite, which JSON does not have.
    """
    try:
        return _as_it_is(dict(body)).encode()
    except UnicodeEncodeError:  # half a surrogate pair: written so that the data API names the field
        return _in_ascii(dict(body)).encode()


_as_it_is, _in_ascii = (
    json.JSONEncoder(separators=(",", ":"), allow_nan=False, ensure_ascii=ascii_only).encode
    for ascii_only in (False, True)
)


def path_of(*segments: str) -> str:
    """Return a path of these segments; no id can leave its own."""
    return "".join("/" + quote(segment, safe="") for segment in segments)


def query_of(**fields: object) -> str:
    """Return a query string of what is given, empty where nothing is."""
    parameters = {key: value for key, value in fields.items() if value not in (None, "")}
    return "?" + urlencode(parameters) if parameters else ""


def document_of(request: str, response: Response) -> dict[str, Any]:
    """Return the JSON object that a response holds, whatever its keys, as {…}; {} without content.

    Args:
        request: what errors call the request, like `GET /orders/o1`.
        response: the answer to it.

    Raises:
        Problem: the class that the problem document names, or what the bare status means.
    """
    if response.status == 204:  # noqa: PLR2004 - No Content
        return {}
    document = _parsed(response.body)
    if response.status in (200, 201) and document is not None:
        return document
    raise _problem(request, response.status, document or {})


def _parsed(body: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(body)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _problem(request: str, status: int, document: Mapping[str, Any]) -> Problem:
    """Return the class that the problem document names, or what the bare status says."""
    problem = BY_NAME.get(str(document.get("name")))
    if problem and problem.status == status:
        return problem(str(document.get("detail", "")), list(_field_errors(document.get("errors"))))
    detail = f"{request}: {status} {document.get('message') or document.get('title') or 'without a reason'}"
    if status in _BY_STATUS:
        return _BY_STATUS[status](detail)
    return OutcomeUnknown(detail) if status >= 500 else UnexpectedResponse(detail)  # noqa: PLR2004 - server errors


def _field_errors(errors: object) -> list[FieldError]:
    entries = errors if isinstance(errors, list) else []
    return [FieldError(str(e.get("field")), str(e.get("rule"))) for e in entries if isinstance(e, dict)]
