"""Pay from a bank account through Stripe: SEPA Direct Debit, https://docs.stripe.com/payments/sepa-debit.

The bank answers days later: until then the PaymentIntent is `processing`, the order waits, and it can
neither be cancelled nor refunded.
"""

from collections.abc import Mapping

from payment_data.payment_methods.stripe_payment import Means, StripePayment
from payment_data.payment_methods.stripe_records import PaymentRecords

MEANS = Means(
    name="bank_account",
    type="sepa_debit",
    # The shop collected the mandate's acceptance before the order was placed.
    unsaved={"mandate_data": {"customer_acceptance": {"type": "offline"}}},
    currencies=frozenset({"EUR"}),
)


def bank_account(records: PaymentRecords, environ: Mapping[str, str]) -> StripePayment:
    """Return the payment method `bank_account`, with the gateway that the environment names."""
    from payment_data.payment_methods.stripe_gateway import StripeGateway  # noqa: PLC0415 - imports stripe: 180 ms

    return StripePayment(MEANS, records, StripeGateway.of(environ))
