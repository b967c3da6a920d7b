"""One pool of HTTP connections, and what a failed request means for the operation it carried."""

import time
from collections.abc import Mapping

import urllib3
from urllib3 import exceptions

from payment_data.errors import ApiUnavailable, OutcomeUnknown
from payment_data.timeouts import CONNECT_SECONDS

_IDLE_SECONDS = 50.0


class ConnectionPool:
    """Connections that are kept between invocations and forgotten after the sandbox was frozen for long.

    Args:
        seconds: how long one request may take, connecting included.
        ca_certs: file of the certificate authorities to trust; those of the system if None.
    """

    def __init__(self, seconds: float, ca_certs: str | None = None) -> None:
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, total=seconds)
        # Retries are the state machine's: it alone knows the budget.
        self._pool = urllib3.PoolManager(timeout=timeout, retries=False, maxsize=1, ca_certs=ca_certs)
        self._used_at = time.time()

    def request(
        self, method: str, url: str, body: bytes | str | None, headers: Mapping[str, str] | None, *, name: str
    ) -> urllib3.BaseHTTPResponse:
        """Send one request and return its answer, whatever the status.

        Args:
            method: HTTP method.
            url: absolute.
            body: what is sent.
            headers: all of them but those that the connection needs.
            name: what an error calls the request; it may be logged.

        Raises:
            ApiUnavailable: the request certainly was not sent.
            OutcomeUnknown: it may have been sent.
        """
        self._drop_idle_connections()
        try:
            return self._pool.request(method, url, body=body, headers=headers, redirect=False)
        except (exceptions.NewConnectionError, exceptions.ConnectTimeoutError) as error:
            raise ApiUnavailable(f"{name}: no connection ({type(error).__name__})") from None
        except exceptions.HTTPError as error:
            # Anything else may come after the last byte was sent: a read time-out, a lost connection.
            raise OutcomeUnknown(f"{name}: no answer ({type(error).__name__})") from None

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()

    def _drop_idle_connections(self) -> None:
        """Forget connections that slept while Lambda froze us: the far side may have dropped them."""
        now = time.time()
        if now - self._used_at > _IDLE_SECONDS:
            self._pool.clear()
        self._used_at = now
