"""A shop that is paid at the embedded AWS's own Stripe, and the gateway's side of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from pipelines.aws import executions
from tests.rehearsal.sweeping import abandon, await_state

if TYPE_CHECKING:
    import stripe

    from tests.rehearsal.shop import Shop

KEY: Final = "sk_test_canary_4f1d"
CUSTOMERS: Final = {"card": "pm_card_visa", "bank_account": "pm_success_de"}
POOR: Final = {"card": "pm_card_chargeDeclinedInsufficientFunds", "bank_account": "pm_insufficientFunds_de"}


@dataclass(frozen=True)
class Till:
    """A shop, how it is paid, and the gateway's side of it."""

    shop: Shop
    method: str
    gateway: stripe.StripeClient

    def customer(self) -> str:
        return self.shop.user(balance=10_000, **{self.method: CUSTOMERS[self.method]})

    def poor_customer(self) -> str:
        return self.shop.user(balance=10_000, **{self.method: POOR[self.method]})

    def give_up(self, order_id: str) -> None:
        """Leave an order whose PaymentIntent was made and never confirmed, and see it undone."""
        api, arn = self.shop.stack.api, executions.arn_of(self.shop.stack.workflow, order_id)
        asked = {"execution": arn, "deadline": (datetime.now(UTC) + timedelta(minutes=15)).isoformat()}
        api.reserve(order_id, method=self.method, **asked)
        api.open_payment(order_id, 1, method=self.method, **asked)
        intent = self.gateway.v1.payment_intents.create(
            {"amount": 100, "currency": "eur", "metadata": {"order_id": order_id}}
        )
        api.follow_payment(order_id, 1, "intent", {"execution": arn, "payment_intent": intent.id})
        abandon(self.shop.stack, order_id, "NEW")
        await_state(self.shop.stack, order_id, "FAILED")
        assert self.gateway.v1.payment_intents.retrieve(intent.id).status == "canceled"

    def kept(self, order_id: str) -> int:
        """What the gateway took for an order and has not given back."""
        found = self.gateway.v1.payment_intents.list({"limit": 100}).data
        intents = [intent for intent in found if intent.metadata and intent.metadata["order_id"] == order_id]
        refunds = self.gateway.v1.refunds
        given_back = [
            refund.amount for one in intents for refund in refunds.list({"payment_intent": one.id}).data
        ]
        return sum(intent.amount_received for intent in intents) - sum(given_back)
