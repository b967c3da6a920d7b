"""How Stripe is reached: its API key, and its client over the connection pool that the step ships anyway.

No `requests`, explicit time-outs. Only `stripe_gateway` imports it.
"""

import logging
import os
from collections.abc import Mapping
from typing import Any

import stripe

from payment_data.connections import ConnectionPool
from payment_data.stored_secret import StoredSecret
from payment_data.timeouts import STRIPE_SECONDS

VARIABLE = "STRIPE_SECRET_ARN"
"""Environment variable that names the secret, whose text is the API key and nothing else."""

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
        self._connections = ConnectionPool(STRIPE_SECONDS, stripe.ca_bundle_path)

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: Any = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        """Send one request and return (body, status, headers); the name and the shape are Stripe's.

        Raises:
            ApiUnavailable: the request certainly was not sent.
            OutcomeUnknown: it may have been sent.
        """
        answer = self._connections.request(method.upper(), url, post_data, headers, name="Stripe")
        return answer.data.decode(), answer.status, answer.headers

    def close(self) -> None:
        """Close the pool's connections."""
        self._connections.close()


class StripeSecret(StoredSecret):
    """The API key.

    Args:
        environ: Lambda's environment: the secret's ARN, and what reading it takes.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        super().__init__(environ[VARIABLE], environ)
