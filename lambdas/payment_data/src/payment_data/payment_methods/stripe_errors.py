"""Stripe's errors as ours (https://docs.stripe.com/api/errors).

Only types, codes and request ids are passed on: Stripe's messages quote what was sent, and no key and no
token may reach a log.
"""

from collections.abc import Mapping
from typing import Any

from payment_data.errors import (
    AccessDenied,
    IdempotencyMismatch,
    OutcomeUnknown,
    Problem,
    Throttled,
    UnexpectedResponse,
)

_BY_STATUS: Mapping[int, type[Problem]] = {
    401: AccessDenied,
    403: AccessDenied,
    409: OutcomeUnknown,  # another request with the same key is under way: ask again
    429: Throttled,  # also the code `lock_timeout`: another request holds the PaymentIntent
}
REFUSALS: Mapping[str, str] = {
    "amount_too_small": "amount_too_small",
    "amount_too_large": "amount_too_large",
    "resource_missing": "payment_method_unknown",
    "payment_method_unactivated": "payment_method_unactivated",
    "payment_method_currency_mismatch": "currency_not_supported",
    "payment_intent_incompatible_payment_method": "payment_method_unsuitable",
}
"""Codes of a 400 at creation that are an answer to the shopper, and the reason each is recorded as."""


def body_of(error: Any) -> Mapping[str, Any]:
    """Return the error object of a `stripe.StripeError`'s answer, empty where there is none."""
    document = error.json_body
    found = document.get("error") if isinstance(document, dict) else None
    return found if isinstance(found, dict) else {}


def problem(error: Any, doing: str) -> Problem:
    """Translate a `stripe.StripeError` raised while `doing` something."""
    body = body_of(error)
    what = body.get("code") or body.get("type")
    said = f"{doing}: Stripe answered {error.http_status} {what} ({error.request_id})"
    if body.get("type") == "idempotency_error" and error.http_status == 400:  # noqa: PLR2004 - Bad Request
        return IdempotencyMismatch(said)
    if error.http_status in _BY_STATUS:
        return _BY_STATUS[error.http_status](said)
    if error.http_status is None or error.http_status >= 500:  # noqa: PLR2004 - server errors
        return OutcomeUnknown(said)
    return UnexpectedResponse(said)
