"""Stripe's client over the connection pool that the step ships anyway: no `requests`, explicit time-outs.

Only `stripe_gateway` imports it.
"""

import logging
import time
from collections.abc import Mapping
from typing import Any

import stripe
import urllib3
from urllib3 import exceptions

from payment_data.errors import ApiUnavailable, OutcomeUnknown

CONNECT_SECONDS = 1.0
TOTAL_SECONDS = 3.0
"""One call; with those of the data API it nests inside the function's 8 s (`stripe_budget`)."""
_IDLE_SECONDS = 50.0
# It logs requests at INFO, and what is in them at DEBUG.
logging.getLogger("stripe").setLevel(logging.WARNING)


class PooledHttp(stripe.HTTPClient):
    """An HTTP client for `stripe.StripeClient`.

    It raises our errors, which pass through Stripe's client: `ApiUnavailable` if the request certainly was
    not sent, `OutcomeUnknown` if it may have been.
    """

    name = "urllib3"

    def __init__(self) -> None:
        super().__init__()
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, total=TOTAL_SECONDS)
        # Retries are the state machine's: it alone knows the budget.
        self._pool = urllib3.PoolManager(
            timeout=timeout, retries=False, maxsize=1, ca_certs=stripe.ca_bundle_path
        )
        self._used_at = time.time()

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: Any = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        """Send one request; the name and the shape are Stripe's."""
        self._drop_idle_connections()
        try:
            answer = self._pool.request(method.upper(), url, body=post_data, headers=headers, redirect=False)
        except (exceptions.NewConnectionError, exceptions.ConnectTimeoutError) as error:
            raise ApiUnavailable(f"Stripe: no connection ({type(error).__name__})") from None
        except exceptions.HTTPError as error:
            raise OutcomeUnknown(f"Stripe: no answer ({type(error).__name__})") from None
        return answer.data.decode(), answer.status, answer.headers

    def close(self) -> None:
        """Close the pool's connections."""
        self._pool.clear()

    def _drop_idle_connections(self) -> None:
        """Forget connections that slept while Lambda froze us: the far side may have dropped them."""
        now = time.time()
        if now - self._used_at > _IDLE_SECONDS:
            self._pool.clear()
        self._used_at = now
