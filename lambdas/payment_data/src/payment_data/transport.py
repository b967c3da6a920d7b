"""The signed HTTP transport to the data API: one connection pool, time-outs, and what a failure means.

Time-outs nest (database 2 s < API 3 s < HTTP 4 s < Lambda 8 s), so whoever waits longer learns the answer.
"""

import os
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

import urllib3
from urllib3 import exceptions

from payment_data.errors import ApiUnavailable, OutcomeUnknown
from payment_data.sigv4 import Credentials, sign

CONNECT_SECONDS = 1.0
TOTAL_SECONDS = 4.0
_IDLE_SECONDS = 50.0
_SERVICE = "execute-api"


class Response(NamedTuple):
    """What the data API answered."""

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
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, total=TOTAL_SECONDS)
        # Retries are the state machine's: it alone knows the budget.
        self._pool = urllib3.PoolManager(timeout=timeout, retries=False, maxsize=1)
        self._used_at = time.time()

    def __call__(self, method: str, path: str, body: bytes | None = None) -> Response:
        """Send one request; see `Transport`."""
        self._drop_idle_connections()
        url, content = self._url + path, body or b""
        headers = self._signed(method, url, content, {"Content-Type": "application/json"} if body else {})
        if trace := self._environ.get("_X_AMZN_TRACE_ID"):
            # Not signed: API Gateway adds its own part, and the data API's trace is then this one's.
            headers["X-Amzn-Trace-Id"] = trace
        try:
            answer = self._pool.request(method, url, body=body, headers=headers, redirect=False)
        except (exceptions.NewConnectionError, exceptions.ConnectTimeoutError) as error:
            raise ApiUnavailable(f"{method} {path}: no connection ({type(error).__name__})") from error
        except exceptions.HTTPError as error:
            # Anything else may come after the last byte was sent: a read time-out, a lost connection.
            raise OutcomeUnknown(f"{method} {path}: no answer ({type(error).__name__})") from error
        return Response(answer.status, answer.data)

    def _signed(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> dict[str, str]:
        environ = self._environ
        credentials = Credentials(
            environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"], environ.get("AWS_SESSION_TOKEN")
        )
        return sign(
            method,
            url,
            body,
            headers,
            credentials=credentials,
            region=environ["AWS_REGION"],
            service=_SERVICE,
            now=datetime.now(UTC),
        )

    def _drop_idle_connections(self) -> None:
        """Forget connections that slept while Lambda froze us: the far side may have dropped them."""
        now = time.time()
        if now - self._used_at > _IDLE_SECONDS:
            self._pool.clear()
        self._used_at = now
