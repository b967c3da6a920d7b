"""A backup is restored that is older than captures: what was delivered is completed, the rest given back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import stripe

from embedded_aws.card_gateway import gateway
from pipelines.aws import executions
from pipelines.orders.reconciliation import stripe_account
from tests.waiting import wait_until

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from tests.drills.drill import Scene
    from tests.drills.system import System

PAID_BY_CARD: Final = True
_PAGE: Final = "disaster-recovery.md"
_SECTION: Final = "The cluster is lost, and restored from a backup"


def _place(system: System, order: str) -> datetime:
    arn = system.traffic.place(order)
    list(executions.follow(system.stack.aws, arn))
    assert system.stack.api.order(order)["state"] == "COMPLETED"
    return executions.started(system.stack.aws, arn)


def _refund(system: System, url: str, order: str, since: datetime) -> None:
    account = stripe_account.stripe_account(system.stack.aws, system.stack.name)
    intent = stripe_account.intent_of(account, system.stack.api.order(order), since)
    client = stripe.StripeClient(gateway.TEST_KEY, base_addresses={"api": url})
    client.v1.refunds.create({"payment_intent": intent})


def test_capture_restored(scene: Scene, card_gateway: str, tmp_path: Path) -> None:
    system, backup = scene.system, tmp_path / "backup"
    # Given two orders that a backup knows as new, and that cards paid after it
    system.traffic.wallet = {"card": "pm_card_visa"}
    delivered, stopped = system.traffic.prepare(2)
    system.back_up(backup)
    since = min(_place(system, order) for order in (delivered, stopped))
    # When that backup is restored
    scene.breaks("a backup is restored that is older than two captures", system.kill_database)
    scene.outside("the cluster is restored from the backup", lambda: system.restore(backup))
    # Then the sweeper parks both, whose executions succeeded, and refunds nothing
    scene.follow(_PAGE, _SECTION, only=2)
    wait_until(lambda: len(system.parked()) == 2, system.parked, seconds=120, every=0.5)
    # When the one that was delivered is completed by the page, with the money that Stripe took
    completed = scene.follow(_PAGE, _SECTION, only=3, DELIVERED=delivered, METHOD="card")
    assert delivered in completed.split()
    assert system.stack.api.order(delivered)["state"] == "COMPLETED"
    # And the parcel of the other one was stopped, so its money is given back
    scene.outside(
        "a parcel is stopped, and its money refunded in Stripe's dashboard",
        lambda: _refund(system, card_gateway, stopped, since),
    )
    scene.follow(_PAGE, _SECTION, only=4, ORDER=stopped)
    wait_until(lambda: not system.parked(), system.parked, seconds=120, every=0.5)
    # Then records, ledger and Stripe agree, and the system is well
    scene.follow(_PAGE, _SECTION, only=5)
    scene.well()
