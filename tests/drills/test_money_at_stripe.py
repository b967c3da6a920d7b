"""Money moves at Stripe after orders have ended: it is found, explained, and entered into the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import stripe

from embedded_aws.card_gateway import gateway
from pipelines.aws import executions
from pipelines.orders import payment_stack
from pipelines.orders.reconciliation import reconcile, stripe_account
from tests.waiting import wait_until

if TYPE_CHECKING:
    from tests.drills.drill import Scene
    from tests.drills.system import System

PAID_BY_CARD: Final = True
_PAGE: Final = "money-at-stripe.md"


def _order(system: System, card: str, *, address: str = "1 Row") -> str:
    """Place an order that is paid by a card, and return it once it has ended."""
    system.traffic.wallet = {"card": card}
    [order] = system.traffic.prepare(1, address=address)
    list(executions.follow(system.stack.aws, system.traffic.place(order)))
    return order


def _named(system: System) -> set[str | None]:
    """Return the orders that reconciliation names."""
    account = stripe_account.stripe_account(system.stack.aws, system.stack.name)
    return {each.order_id for each in reconcile.reconcile(system.stack.api, stripe=account).differences}


def _refund_elsewhere(system: System, url: str, order: str) -> None:
    client = stripe.StripeClient(gateway.TEST_KEY, base_addresses={"api": url})
    intent = system.stack.api.payment(order)["payment_intent"]
    client.v1.refunds.create({"payment_intent": intent, "amount": 100})


def test_money_at_stripe(scene: Scene, card_gateway: str) -> None:
    system = scene.system
    # Given an order that was delivered, one that is disputed since, and one that was refunded when it failed
    delivered = _order(system, "pm_card_visa")
    disputed = _order(system, "pm_card_createDispute")
    refunded = _order(system, "pm_card_refundFail", address=" ")
    assert system.stack.api.order(refunded)["state"] == "FAILED"
    payment_stack.settle(system.stack.api)
    # When somebody refunds a part of the first in the dashboard, and the refund of the last comes back
    scene.breaks(
        "a refund in the dashboard, a dispute, and a refund that failed days later",
        lambda: _refund_elsewhere(system, card_gateway, delivered),
    )
    moved = {delivered, disputed, refunded}
    wait_until(lambda: _named(system) == moved, lambda: _named(system), seconds=30, every=0.5)
    scene.rings_nothing()
    # Then the page says which orders it was, and enters what happened to each
    for order in sorted(moved):
        told = scene.follow(_PAGE, "Find out what happened", ORDER=order)
        assert all(name in told for name in moved)
        scene.follow(_PAGE, "Enter it into the ledger", ORDER=order)
        moved.remove(order)
    # And what is there fits together, and the system is well
    scene.follow(_PAGE, "See that it fits together")
    scene.well()
