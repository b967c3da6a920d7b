"""Pay by card through Stripe: https://docs.stripe.com/payments/payment-intents."""

from collections.abc import Mapping

from payment_data.payment_methods.stripe_payment import Means, StripePayment
from payment_data.payment_methods.stripe_records import PaymentRecords

MEANS = Means(
    name="card",
    type="card",
    # Nobody is there to pass a 3-D Secure challenge: it is a decline, `authentication_required`.
    unsaved={"error_on_requires_action": True},
)


def card(records: PaymentRecords, environ: Mapping[str, str]) -> StripePayment:
    """Return the payment method `card`, with the gateway that the environment names."""
    from payment_data.payment_methods.stripe_gateway import StripeGateway  # noqa: PLC0415 - imports stripe: 180 ms

    return StripePayment(MEANS, records, StripeGateway.of(environ))
