"""An account at a gateway, and the few things that tests say again and again."""

import uuid
from typing import Any, NamedTuple

import stripe

from payment_data.payment_methods.stripe_http import PooledHttp
from tests.waiting import wait_until


class Account(NamedTuple):
    """Where to pay: Stripe's own client, and what it was made from."""

    client: stripe.StripeClient
    url: str
    key: str
    is_stripe: bool

    @property
    def patience(self) -> float:
        """Seconds in which a bank debit settles."""
        return 60.0 if self.is_stripe else 5.0


def connected(url: str, key: str, http: PooledHttp, *, is_stripe: bool) -> Account:
    client = stripe.StripeClient(key, base_addresses={"api": url}, http_client=http, max_network_retries=0)
    return Account(client, url, key, is_stripe)


def unique(prefix: str = "key") -> str:
    return f"{prefix}-{uuid.uuid4().hex}"


def create(account: Account, method: str = "pm_card_visa", **more: Any) -> stripe.PaymentIntent:
    key = more.pop("idempotency_key", None)
    params = {
        "amount": 1999,
        "currency": "eur",
        "payment_method": method,
        "payment_method_types": ["card"],
        **more,
    }
    return account.client.v1.payment_intents.create(params, {"idempotency_key": key} if key else {})  # type: ignore[arg-type]  # a plain dict on purpose: wrong parameters are tested too


def paid(account: Account, **more: Any) -> stripe.PaymentIntent:
    return account.client.v1.payment_intents.confirm(create(account, **more).id)


def debit(account: Account, method: str, **more: Any) -> stripe.PaymentIntent:
    """Confirm a debit of a bank account."""
    made = create(account, method, payment_method_types=["sepa_debit"], **more)
    return account.client.v1.payment_intents.confirm(
        made.id, {"mandate_data": {"customer_acceptance": {"type": "offline"}}}
    )


def settled(account: Account, intent: str) -> stripe.PaymentIntent:
    """Wait until a debit is answered, and return its PaymentIntent."""

    def answered() -> stripe.PaymentIntent | None:
        payment_intent = account.client.v1.payment_intents.retrieve(intent)
        return payment_intent if payment_intent.status != "processing" else None

    return wait_until(answered, f"the answer to {intent}", seconds=account.patience)


def headers(answer: Any) -> Any:
    """Return the HTTP headers an object of Stripe's client came with."""
    return answer.last_response.headers


def metadata(intent: stripe.PaymentIntent) -> dict[str, str]:
    return intent.metadata.to_dict() if intent.metadata else {}


def body(error: stripe.StripeError) -> dict[str, Any]:
    """Return Stripe's error object."""
    document: Any = error.json_body
    found: dict[str, Any] = document["error"]
    return found
