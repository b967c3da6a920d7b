"""Stripe, looked at by the command line: with the API key that the environment's secret holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.orders.reconciliation.gateway import Seen

if TYPE_CHECKING:
    from pipelines.aws.accounts import Aws


class StripeGateway:
    """A `Gateway` that asks Stripe, or what stands for it in an environment."""

    def __init__(self, key: str, api_base: str | None) -> None:
        import stripe  # noqa: PLC0415 - a second to import, and few environments have it

        self._unknown = stripe.InvalidRequestError
        bases: Any = {"api": api_base} if api_base else {}
        self._v1: Any = stripe.StripeClient(key, base_addresses=bases, max_network_retries=3).v1

    def look(self, payment_intent: str) -> Seen | None:
        """See `Gateway`."""
        try:
            found = self._v1.payment_intents.retrieve(payment_intent)
        except self._unknown:
            return None
        refunds = self._v1.refunds.list({"payment_intent": payment_intent, "limit": 100}).data
        given = sum(refund.amount for refund in refunds if refund.status in ("succeeded", "pending"))
        return Seen(found.status, found.amount_received if found.status == "succeeded" else 0, given)


def of(aws: Aws) -> StripeGateway | None:
    """Return the gateway of an environment, or none where nothing is paid through one."""
    from pipelines.aws.embedded_stripe import with_stripe  # noqa: PLC0415 - looks for the card gateway beside an embedded AWS

    stripe = with_stripe(aws, aws.environment).stripe
    if stripe is None:
        return None
    secrets = aws.client("secretsmanager")
    key = secrets.get_secret_value(SecretId=stripe.secret_arn)["SecretString"]
    return StripeGateway(key, stripe.api_base)
