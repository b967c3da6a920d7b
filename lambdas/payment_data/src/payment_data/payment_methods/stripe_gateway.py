"""Stripe through its official client: every answer about a PaymentIntent is an `Intent`.

Also where Stripe words it as an error: a decline, and a refusal because of its state, carry the
PaymentIntent as it is, and that decides. Importing this module imports `stripe` (180 ms of CPU), so it is
imported by the function whose payment method needs it, and by no other.
"""

import os
from collections.abc import Callable, Mapping
from typing import Any

import stripe

from payment_data.errors import UnexpectedResponse
from payment_data.payment_methods.stripe_errors import REFUSALS, body_of, problem
from payment_data.payment_methods.stripe_http import PooledHttp
from payment_data.payment_methods.stripe_intents import Intent, Refused
from payment_data.payment_methods.stripe_secret import StripeSecret

API_BASE_VARIABLE = "STRIPE_API_BASE"
"""Environment variable that names another gateway, like the embedded one."""


class StripeGateway:
    """The `Gateway` at `api_base`; the API key is read at the first call, and again if Stripe refuses it.

    Args:
        secret: returns the API key; with `fresh=True` it does not use what it remembers.
        api_base: where the API is.
    """

    def __init__(self, secret: Callable[..., str], api_base: str = stripe.DEFAULT_API_BASE) -> None:
        self._secret = secret
        self._api_base = api_base
        self._http = PooledHttp()

    @classmethod
    def of(cls, environ: Mapping[str, str] = os.environ) -> "StripeGateway":
        """Return the gateway that the environment names."""
        return cls(StripeSecret(environ), environ.get(API_BASE_VARIABLE) or stripe.DEFAULT_API_BASE)

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def create(self, key: str, params: Mapping[str, Any]) -> Intent:
        """See `Gateway`."""
        try:
            made = self._ask(lambda v1: v1.payment_intents.create(dict(params), {"idempotency_key": key}))
        except stripe.InvalidRequestError as error:
            if reason := REFUSALS.get(str(error.code)):
                raise Refused(reason) from None
            raise problem(error, "create a PaymentIntent") from None
        except stripe.StripeError as error:
            raise problem(error, "create a PaymentIntent") from None
        return _intent(made.to_dict())

    def confirm(self, intent_id: str, params: Mapping[str, Any]) -> Intent:
        """See `Gateway`."""
        return self._about(
            "confirm a PaymentIntent", lambda v1: v1.payment_intents.confirm(intent_id, dict(params))
        )

    def cancel(self, intent_id: str) -> Intent:
        """See `Gateway`."""
        return self._about("cancel a PaymentIntent", lambda v1: v1.payment_intents.cancel(intent_id))

    def retrieve(self, intent_id: str) -> Intent:
        """See `Gateway`."""
        return self._about("retrieve a PaymentIntent", lambda v1: v1.payment_intents.retrieve(intent_id))

    def refund(self, key: str, intent_id: str, amount: int) -> None:
        """See `Gateway`."""
        try:
            made = self._ask(
                lambda v1: v1.refunds.create(
                    {"payment_intent": intent_id, "amount": amount, "reason": "requested_by_customer"},
                    {"idempotency_key": key},
                )
            )
        except stripe.StripeError as error:
            if body_of(error).get("code") == "charge_already_refunded":
                return
            raise problem(error, "refund") from None
        if made.status not in ("succeeded", "pending"):
            raise UnexpectedResponse(f"refund: Stripe made one that is {made.status}")

    def _about(self, doing: str, ask: Callable[[Any], stripe.PaymentIntent]) -> Intent:
        try:
            return _intent(self._ask(ask).to_dict())
        except stripe.StripeError as error:
            told = body_of(error).get("payment_intent")
            if told is None:
                raise problem(error, doing) from None
            return _intent(told)

    def _ask(self, ask: Callable[[Any], Any]) -> Any:
        """Ask with the key we know; if Stripe refuses the key it was rotated, or is wrong."""
        try:
            return ask(self._client(self._secret()))
        except stripe.AuthenticationError:
            return ask(self._client(self._secret(fresh=True)))

    def _client(self, key: str) -> Any:
        """Make the client, which never retries: the state machine does, it alone knows the budget."""
        client = stripe.StripeClient(
            key, base_addresses={"api": self._api_base}, http_client=self._http, max_network_retries=0
        )
        return client.v1


def _intent(told: Mapping[str, Any]) -> Intent:
    error = told.get("last_payment_error") or {}
    return Intent(told["id"], told["status"], error.get("decline_code") or error.get("code"))
