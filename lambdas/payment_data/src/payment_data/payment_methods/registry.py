"""Which payment method this function uses: the environment variable PAYMENT_METHOD decides.

Stripe carries two of them: a card, and a bank account by SEPA Direct Debit
(https://docs.stripe.com/payments/payment-intents, https://docs.stripe.com/payments/sepa-debit). A bank
answers days later: until then the PaymentIntent is `processing`, the order waits, and it can neither be
cancelled nor refunded.
"""

from collections.abc import Callable, Mapping
from typing import Any

from payment_data.client import DataApi
from payment_data.payment_methods.credit import Credit
from payment_data.payment_methods.names import NAMES, VARIABLE
from payment_data.payment_methods.protocol import PaymentMethod
from payment_data.payment_methods.stripe_payment import Means, StripePayment
from payment_data.payment_methods.stripe_records import PaymentRecords

_STACK = "POWERTOOLS_SERVICE_NAME"
"""Environment variable that holds the name of the payments stack."""
CARD = Means(
    name="card",
    type="card",
    # Nobody is there to pass a 3-D Secure challenge: it is a decline, `authentication_required`.
    unsaved={"error_on_requires_action": True},
)
BANK_ACCOUNT = Means(
    name="bank_account",
    type="sepa_debit",
    # The shop collected the mandate's acceptance before the order was placed.
    unsaved={"mandate_data": {"customer_acceptance": {"type": "offline"}}},
    currencies=frozenset({"EUR"}),
)

_METHODS: Mapping[str, Callable[[DataApi, Mapping[str, str]], PaymentMethod]] = {
    "credit": lambda api, _: Credit(api),
    "card": lambda api, environ: stripe_payment(CARD, api, environ),
    "bank_account": lambda api, environ: stripe_payment(BANK_ACCOUNT, api, environ),
}


class UnknownPaymentMethod(ValueError):  # noqa: N818 - the name operators see in Lambda's init error
    """PAYMENT_METHOD names no payment method; the message lists them."""


def select(environ: Mapping[str, str], api: DataApi) -> PaymentMethod:
    """Return the payment method that the environment names.

    Called when a function starts, so that a wrong name fails the deployment's first call, not an order.

    Raises:
        UnknownPaymentMethod: the variable is missing or names no method.
    """
    name = environ.get(VARIABLE, "")
    if name not in _METHODS:
        raise UnknownPaymentMethod(f"{VARIABLE} is {name!r}; choose one of {', '.join(NAMES)}")
    return _METHODS[name](api, environ)


def undo(
    configured: PaymentMethod,
    environ: Mapping[str, str],
    api: DataApi,
    order_id: str,
    *,
    execution: str,
    reason: str,
) -> dict[str, Any]:
    """Undo an order's payment by the method it is paid by on record, whatever is configured today.

    Returns:
        What `PaymentMethod.refund` returns.

    Raises:
        PaymentPending: the bank has not settled yet.
    """
    undone = configured.refund(order_id, execution=execution, reason=reason)
    recorded = undone.get("method", configured.name)
    if recorded == configured.name or recorded not in _METHODS:
        return undone
    return _METHODS[recorded](api, environ).refund(order_id, execution=execution, reason=reason)


def stripe_payment(means: Means, api: DataApi, environ: Mapping[str, str]) -> StripePayment:
    """Return the payment method for `means`, with the gateway that the environment names."""
    from payment_data.payment_methods.stripe_gateway import StripeGateway  # noqa: PLC0415 - imports stripe: 180 ms

    gateway, stack = StripeGateway.from_environment(environ), environ.get(_STACK, "")
    return StripePayment(means, PaymentRecords(api), gateway, stack=stack)
