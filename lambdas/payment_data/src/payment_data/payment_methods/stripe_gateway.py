"""Stripe through its official client: every answer about a PaymentIntent is an `Intent`.

Also where Stripe words it as an error: a decline, and a refusal because of its state, carry the
PaymentIntent as it is, and that decides. Importing this module imports `stripe` (180 ms of CPU), so it is
imported by the function whose payment method needs it, and by no other.
"""

import os
from collections.abc import Callable, Mapping
from typing import Any

import stripe

from payment_data.errors import (
    AccessDenied,
    IdempotencyMismatch,
    OutcomeUnknown,
    Problem,
    Throttled,
    UnexpectedResponse,
)
from payment_data.payment_methods.stripe_http import PooledHttp, StripeSecret
from payment_data.payment_methods.stripe_intents import (
    WITHDRAWING,
    Disputed,
    Intent,
    KeySpent,
    Refund,
    Refused,
)

API_BASE_VARIABLE = "STRIPE_API_BASE"
"""Environment variable that names another gateway, like the embedded one."""
_MOST_REFUNDS = 100
"""Stripe's largest page (https://docs.stripe.com/api/pagination); an order of ours has one refund, or few."""
_BY_STATUS: Mapping[int, type[Problem]] = {
    401: AccessDenied,
    403: AccessDenied,
    409: OutcomeUnknown,  # another request with the same key is under way: ask again
    429: Throttled,  # also the code `lock_timeout`: another request holds the PaymentIntent
}
_REFUSALS: Mapping[str, str] = {
    "amount_too_small": "amount_too_small",
    "amount_too_large": "amount_too_large",
    "resource_missing": "payment_method_unknown",
    "payment_method_unactivated": "payment_method_unactivated",
    "payment_method_currency_mismatch": "currency_not_supported",
    "payment_intent_incompatible_payment_method": "payment_method_unsuitable",
}
"""Codes of a 400 at creation that are an answer to the shopper, and the reason each is recorded as."""


class StripeGateway:
    """The `PaymentIntents` at `api_base`.

    The API key is read at the first call, and again if Stripe refuses it.

    Args:
        secret: returns the API key; with `fresh=True` it does not use what it remembers.
        api_base: where the API is.
    """

    def __init__(self, secret: Callable[..., str], api_base: str = stripe.DEFAULT_API_BASE) -> None:
        self._secret = secret
        self._api_base = api_base
        self._http = PooledHttp()

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> "StripeGateway":
        """Return the gateway that the environment names."""
        return cls(StripeSecret(environ), environ.get(API_BASE_VARIABLE) or stripe.DEFAULT_API_BASE)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def create(self, key: str, params: Mapping[str, Any]) -> Intent:
        """See `PaymentIntents`.

        Raises:
            Refused: The gateway takes no such amount or currency, or declined.
            Problem: It did not answer as it should, by the taxonomy.
        """
        try:
            created = self._ask(lambda v1: v1.payment_intents.create(dict(params), {"idempotency_key": key}))
        except stripe.InvalidRequestError as error:
            if reason := _REFUSALS.get(str(error.code)):
                raise Refused(reason) from None
            raise problem(error, "create a PaymentIntent") from None
        except stripe.StripeError as error:
            raise problem(error, "create a PaymentIntent") from None
        return _intent(created.to_dict())

    def confirm(self, intent_id: str, params: Mapping[str, Any]) -> Intent:
        """See `PaymentIntents`."""
        return self._about(
            "confirm a PaymentIntent", lambda v1: v1.payment_intents.confirm(intent_id, dict(params))
        )

    def cancel(self, intent_id: str) -> Intent:
        """See `PaymentIntents`."""
        return self._about("cancel a PaymentIntent", lambda v1: v1.payment_intents.cancel(intent_id))

    def retrieve(self, intent_id: str) -> Intent:
        """See `PaymentIntents`."""
        return self._about("retrieve a PaymentIntent", lambda v1: v1.payment_intents.retrieve(intent_id))

    def refunds(self, intent_id: str) -> list[Refund]:
        """See `PaymentIntents`.

        Raises:
            Problem: The gateway did not answer as it should, by the taxonomy.
        """
        try:
            page = self._ask(
                lambda v1: v1.refunds.list({"payment_intent": intent_id, "limit": _MOST_REFUNDS})
            )
        except stripe.StripeError as error:
            raise problem(error, "list refunds") from None
        return [_refund(refund) for refund in page.data]

    def refund(self, key: str, intent_id: str, amount: int) -> Refund | None:
        """See `PaymentIntents`.

        Raises:
            KeySpent: The key was used for another refund.
            Disputed: It is disputed.
            Problem: The gateway did not answer as it should, by the taxonomy.
        """
        params = {"payment_intent": intent_id, "amount": amount, "reason": "requested_by_customer"}
        try:
            return _refund(self._ask(lambda v1: v1.refunds.create(params, {"idempotency_key": key})))
        except stripe.StripeError as error:
            code = _error_of(error).get("code")
            if code == "charge_already_refunded":
                return None
            if code == "charge_disputed":
                raise Disputed(intent_id) from None
            if _is_spent(error):
                raise KeySpent(key) from None
            raise problem(error, "refund") from None

    def disputed(self, intent_id: str) -> int:
        """See `PaymentIntents`.

        Raises:
            Problem: The gateway did not answer as it should, by the taxonomy.
        """
        try:
            page = self._ask(
                lambda v1: v1.disputes.list({"payment_intent": intent_id, "limit": _MOST_REFUNDS})
            )
        except stripe.StripeError as error:
            raise problem(error, "list disputes") from None
        return sum(dispute.amount for dispute in page.data if dispute.status in WITHDRAWING)

    def _about(self, doing: str, ask: Callable[[Any], stripe.PaymentIntent]) -> Intent:
        try:
            return _intent(self._ask(ask).to_dict())
        except stripe.StripeError as error:
            document = _error_of(error).get("payment_intent")
            if document is None:
                raise problem(error, doing) from None
            return _intent(document)

    def _ask(self, ask: Callable[[Any], Any]) -> Any:
        """Ask with the remembered API key; if Stripe refuses it, read it again: it was rotated."""
        try:
            return ask(self._client(self._secret()))
        except stripe.AuthenticationError:
            return ask(self._client(self._secret(fresh=True)))

    def _client(self, key: str) -> Any:
        """Return a client, which never retries: the state machine does, it alone knows the budget."""
        client = stripe.StripeClient(
            key, base_addresses={"api": self._api_base}, http_client=self._http, max_network_retries=0
        )
        return client.v1


def _is_spent(error: stripe.StripeError) -> bool:
    """Return whether Stripe repeats a failure of its own, or the key came with another amount before."""
    replayed = (error.headers or {}).get("Idempotent-Replayed") == "true"
    failed_before = replayed and (error.http_status or 0) >= 500  # noqa: PLR2004 - server errors
    return failed_before or isinstance(error, stripe.IdempotencyError)


def _refund(refund: Any) -> Refund:
    return Refund(refund.id, refund.status, refund.amount)


def _intent(document: Mapping[str, Any]) -> Intent:
    error = document.get("last_payment_error") or {}
    return Intent(document["id"], document["status"], error.get("decline_code") or error.get("code"))


def _error_of(error: stripe.StripeError) -> Mapping[str, Any]:
    """Return the error object of a `stripe.StripeError`'s answer, empty where there is none."""
    document = error.json_body
    error_object = document.get("error") if isinstance(document, dict) else None
    return error_object if isinstance(error_object, dict) else {}


def problem(error: stripe.StripeError, doing: str) -> Problem:
    """Return our error for one that Stripe's client raised.

    Only types, codes and request ids are passed on: Stripe's messages quote what was sent, and no key and no
    token may reach a log.

    Args:
        error: what Stripe's client raised (https://docs.stripe.com/api/errors).
        doing: what was asked for, like `create a PaymentIntent`.
    """
    body = _error_of(error)
    code = body.get("code") or body.get("type")
    detail = f"{doing}: Stripe answered {error.http_status} {code} ({error.request_id})"
    if body.get("type") == "idempotency_error" and error.http_status == 400:  # noqa: PLR2004 - Bad Request
        return IdempotencyMismatch(detail)
    status = error.http_status
    if status is None or status >= 500:  # noqa: PLR2004 - server errors
        return OutcomeUnknown(detail)
    return _BY_STATUS.get(status, UnexpectedResponse)(detail)
