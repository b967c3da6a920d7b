"""A shop that sold, declined, undid and refunded, and a Stripe that holds what it says."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from data_api.storage.collections import VALIDATORS
from payment_data.errors import OutOfStock, PaymentDeclined
from pipelines.orders.payment_stack import settle
from pipelines.orders.reconciliation.reconcile import reconcile
from pipelines.orders.reconciliation.stripe import StripePayment
from tests.integration.data_api.aging import age

if TYPE_CHECKING:
    from collections.abc import Iterator

    from data_api.storage.database import Db
    from payment_data.client import DataApi
    from pipelines.orders.reconciliation.order_legs import Difference

PRICE: Final = 500
EARLIER: Final = {"tea": PRICE, "cup": 450}
"""What a product cost when it was created."""
EXECUTION: Final = "arn:aws:states:eu-central-1:111111111111:execution:payments:x"


@dataclass
class StripeInMemory:
    """A `StripeReader` whose PaymentIntents a test may change."""

    held: dict[str, StripePayment] = field(default_factory=dict)

    def payments(self, since: datetime) -> Iterator[StripePayment]:
        yield from self.held.values()

    def payment(self, intent_id: str) -> StripePayment | None:
        return self.held.get(intent_id)

    def take(self, intent_id: str, order_id: str, amount: int) -> None:
        self.held[intent_id] = StripePayment(intent_id, order_id, "succeeded", amount, 0, 0, "EUR")

    def change(self, intent_id: str, **changes: Any) -> None:
        self.held[intent_id] = self.held[intent_id]._replace(**changes)


class World:
    """Orders by their ends: paid by credit and by card, delivered, undone, declined, and one under way."""

    class Snapshot(NamedTuple):
        """Every document by its collection, and what Stripe holds."""

        documents: dict[str, list[dict[str, Any]]]
        held: dict[str, StripePayment]

    def __init__(self, api: DataApi, db: Db) -> None:
        self.api, self.db, self.stripe = api, db, StripeInMemory()

    def snapshot(self) -> World.Snapshot:
        documents = {name: list(self.db[name].find()) for name in VALIDATORS}
        return World.Snapshot(documents, dict(self.stripe.held))

    def empty(self) -> None:
        """Take every document out."""
        for name in VALIDATORS:
            self.db[name].delete_many({})

    def restore(self, snapshot: World.Snapshot) -> None:
        """Put every collection back that is not as it was."""
        for name, documents in snapshot.documents.items():
            collection = self.db[name]
            if list(collection.find()) != documents:
                collection.delete_many({})
                if documents:
                    collection.insert_many(documents)
        self.stripe.held = dict(snapshot.held)

    def open(self) -> World:
        """Let everything happen; nothing of it is in the ledger."""
        api = self.api
        for product in ("tea", "cup"):
            goods = {"name": product, "type": "kitchen", "currency": "EUR", "available": 50}
            api.put_product(product, goods | {"price": EARLIER[product]})
        api.reprice("cup", price=PRICE)
        api.restock("tea", "delivery-1", quantity=5)
        for user, balance in (("ada", 100_000), ("bob", 0), ("poor", 1), ("rich", 7)):
            wallet = {"wallet": {"card": "pm_card_visa"}} if user == "bob" else {}
            api.put_user(user, {"username": user, "balance": balance, "currency": "EUR", **wallet})
        api.top_up("ada", "gift-1", amount=1_000, currency="EUR")
        api.change_wallet("bob", {"card": "pm_card_mastercard"})
        for order, user in (
            *(("done", "ada"), ("undone", "ada"), ("declined", "poor"), ("open", "ada"), ("new", "ada")),
            *(("card", "bob"), ("carded", "bob"), ("returned", "bob"), ("refused", "bob"), ("barred", "bob")),
        ):
            self._order(order, user)
        self._sold_out()
        self._credit()
        self._card()
        return self

    def _order(self, order_id: str, user: str) -> None:
        lines = [
            {
                "product_id": product,
                "name": product,
                "type": "kitchen",
                "price": PRICE,
                "quantity": quantity,
                "delivery_address": f"{quantity} Main Street",
            }
            for product, quantity in (("tea", 2), ("cup", 1))
        ]
        self.api.put_order(order_id, {"user_id": user, "currency": "EUR", "lines": lines})
        if order_id != "new":
            self._reserve(order_id, "card" if user == "bob" else "credit")

    def _reserve(self, order_id: str, method: str) -> None:
        self.api.reserve(order_id, execution=EXECUTION, deadline=_later(), method=method)

    def _sold_out(self) -> None:
        """Refuse an order of more than there is, by a decision of its own."""
        line = {"product_id": "tea", "name": "tea", "type": "kitchen", "price": PRICE, "quantity": 99}
        line |= {"delivery_address": "1 Main Street"}
        self.api.put_order("soldout", {"user_id": "ada", "currency": "EUR", "lines": [line]})
        with suppress(OutOfStock):
            self._reserve("soldout", "credit")
        self._undo("soldout", "OutOfStock")

    def _credit(self) -> None:
        for order_id in ("done", "undone", "declined", "open"):
            with suppress(PaymentDeclined):
                self.api.charge(order_id, execution=EXECUTION, deadline=_later(), method="credit", attempt=1)
        self._deliver("done")
        for order_id in ("undone", "declined"):
            self._undo(order_id)

    def _card(self) -> None:
        """Complete two orders by card, one of them after a declined attempt; undo one, and refuse one."""
        for order_id in ("card", "carded", "returned"):
            self._capture(order_id, 1)
        self._deliver("card")
        self._deliver("carded")
        self._undo("returned", at_stripe="refund")
        self.stripe.change("pi_returned", refunded=3 * PRICE)
        self._open("refused", 1)
        self.stripe.take("pi_refused", "refused", 0)
        self.api.follow_payment("refused", 1, "decline", {"execution": EXECUTION, "reason": "lost_card"})
        self._undo("refused")
        self._open("barred", 1)
        self.stripe.take("pi_barred", "barred", 0)
        self._undo("barred", at_stripe="closure")

    def _open(self, order_id: str, attempt: int) -> None:
        self.api.open_payment(order_id, attempt, execution=EXECUTION, deadline=_later(), method="card")
        saved = {"execution": EXECUTION, "payment_intent": f"pi_{order_id}"}
        self.api.follow_payment(order_id, attempt, "intent", saved)

    def _capture(self, order_id: str, attempt: int) -> None:
        self._open(order_id, attempt)
        self.stripe.take(f"pi_{order_id}", order_id, 3 * PRICE)
        self.api.follow_payment(order_id, attempt, "capture", {"execution": EXECUTION})

    def _deliver(self, order_id: str) -> None:
        self.api.deliver(order_id, execution=EXECUTION, deadline=_later())

    def _undo(self, order_id: str, error: str = "E", *, at_stripe: str = "") -> None:
        self.api.refund(order_id, execution=EXECUTION, reason=error)
        if at_stripe:
            self.api.follow_payment(order_id, 1, at_stripe, {"execution": EXECUTION})
        self.api.release(order_id, execution=EXECUTION, reason=error)
        failure = {"execution": EXECUTION, "step": "Arrange delivery", "error": error, "cause": "because"}
        self.api.record_failure(order_id, failure | {"compensated": True})

    def enter(self) -> World:
        """Enter everything that has ended into the ledger."""
        settle(self.api)
        return self

    def settle(self) -> World:
        """Settle everything that has ended, and take its records out."""
        self.enter()
        age(self.db)
        settle(self.api)
        return self

    def at(self, stage: str) -> World:
        """Take the world to a stage: fresh, entered or settled."""
        return {"fresh": lambda: self, "entered": self.enter, "settled": self.settle}[stage]()

    def differences(self) -> list[Difference]:
        return reconcile(self.api, stripe=self.stripe).differences


def _later() -> str:
    return (datetime.now(UTC) + timedelta(minutes=10)).isoformat(timespec="milliseconds")
