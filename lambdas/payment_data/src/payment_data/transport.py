"""The signed HTTP transport to the data API."""

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from payment_data.connections import ConnectionPool
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
