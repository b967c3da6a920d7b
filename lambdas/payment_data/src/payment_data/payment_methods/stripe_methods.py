"""The payment methods that Stripe carries: a card, and a bank account by SEPA Direct Debit.

https://docs.stripe.com/payments/payment-intents, https://docs.stripe.com/payments/sepa-debit. A bank answers
days later: until then the PaymentIntent is `processing`, the order waits, and it can neither be cancelled nor
refunded.
"""

from collections.abc import Mapping

from payment_data.client import DataApi
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


def stripe_payment(means: Means, api: DataApi, environ: Mapping[str, str]) -> StripePayment:
    """Return the payment method for `means`, with the gateway that the environment names."""
    from payment_data.payment_methods.stripe_gateway import StripeGateway  # noqa: PLC0415 - imports stripe: 180 ms

    gateway, stack = StripeGateway.from_environment(environ), environ.get(_STACK, "")
    return StripePayment(means, PaymentRecords(api), gateway, stack=stack)
