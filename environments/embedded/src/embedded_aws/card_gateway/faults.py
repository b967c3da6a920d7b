"""Stripe's errors (https://docs.stripe.com/api/errors), as exceptions that know their HTTP answer."""

from collections.abc import Mapping
from typing import Any

from embedded_aws.card_gateway.test_payment_methods import Decline

Body = Mapping[str, Any]


class Fault(Exception):  # noqa: N818 - it is an answer; `Error` is the body's own word
    """A request that is answered with an error.

    Attributes:
        status: HTTP status code.
        body: the JSON body, one key `error`.
        executed: whether the request got past model. Only then is the answer kept under its idempotency
            key (https://docs.stripe.com/api/idempotent_requests).
    """

    def __init__(self, status: int, kind: str, message: str, *, executed: bool, **fields: object) -> None:
        super().__init__(message)
        self.status = status
        self.executed = executed
        details = {name: value for name, value in fields.items() if value is not None}
        self.body: dict[str, Any] = {"error": {"type": kind, "message": message, **details}}


def invalid(message: str, *, param: str | None = None, code: str | None = None) -> Fault:
    """Return the fault of a wrong parameter: nothing was executed."""
    return Fault(400, "invalid_request_error", message, executed=False, param=param, code=code)


def refused(message: str, *, code: str | None = None, payment_intent: Body | None = None) -> Fault:
    """Return the fault of a request that the object's state does not allow."""
    return Fault(
        400, "invalid_request_error", message, executed=True, code=code, payment_intent=payment_intent
    )


def missing(kind: str, object_id: str, param: str = "id", status: int = 404) -> Fault:
    """Return the fault of an object that does not exist."""
    return Fault(
        status,
        "invalid_request_error",
        f"No such {kind}: '{object_id}'",
        executed=True,
        code="resource_missing",
        param=param,
    )


def declined(decline: Decline, payment_intent: Body) -> Fault:
    """Return the fault of a refused card; the answer carries the PaymentIntent as it is now."""
    return Fault(
        402,
        "card_error",
        decline.message,
        executed=True,
        code=decline.code,
        decline_code=decline.decline_code,
        charge=payment_intent["latest_charge"],
        payment_intent=payment_intent,
    )


def unauthorized() -> Fault:
    """Return the fault of a request without a key that this gateway takes."""
    return Fault(
        401, "invalid_request_error", "Invalid API Key provided: it is not a test key.", executed=False
    )


def not_emulated(method: str, path: str) -> Fault:
    """Return the fault of a path that Stripe may well have and we do not use."""
    message = f"Unrecognized request URL ({method}: {path}): not emulated here"
    return Fault(404, "invalid_request_error", message, executed=False)


def key_reused(key: str, *, endpoint: tuple[str, str] | None = None) -> Fault:
    """Return the fault of an idempotency key that came with another request."""
    rule = "with the same parameters they were first used with"
    if endpoint:
        rule = f"for the same endpoint they were first used for ('{endpoint[0]}' vs '{endpoint[1]}')"
    message = (
        f"Keys for idempotent requests can only be used {rule}. Try using a key other than '{key}' if you"
        " meant to execute a different request."
    )
    return Fault(400, "idempotency_error", message, executed=False)


def key_in_use(key: str) -> Fault:
    """Return the fault of a key that is being executed at this moment."""
    message = (
        "There is currently another in-progress request using this Idempotent Key (that probably means you"
        " submitted twice, and the other request is still going through)."
        f" Key: {key}"
    )
    return Fault(409, "invalid_request_error", message, executed=False, code="idempotency_key_in_use")


def broken() -> Fault:
    """Return the fault of the gateway itself; Stripe keeps such an answer under the key too."""
    return Fault(
        500, "api_error", "An error occurred in the local card gateway; its log says more.", executed=True
    )
