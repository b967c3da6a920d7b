"""Stripe cannot be reached: orders fail without a charge, or wait until it is back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest

from embedded_aws.card_gateway import gateway
from tests.drills import drill_aws

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.drills.drill import Scene


PAID_BY_CARD: Final = True
MINUTE_SECONDS: Final = 3 * drill_aws.ALARM_MINUTE_SECONDS
"""Orders fail after nine attempts, and twenty must do so in each minute."""


@dataclass(slots=True)
class Stripe:
    """A gateway that can be killed, and started again on what it knew."""

    root: Path
    running: gateway.RunningGateway

    def kill(self) -> None:
        self.running.kill()

    def start(self) -> None:
        self.running = gateway.start(self.root, int(self.running.url.rpartition(":")[2]))


@pytest.fixture(scope="module")
def stripe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stripe]:
    root = tmp_path_factory.mktemp("stripe")
    made = Stripe(root, gateway.start(root))
    yield made
    made.running.stop()


@pytest.fixture(scope="module")
def card_gateway(stripe: Stripe) -> str:
    return stripe.running.url


def test_card_gateway_down(scene: Scene, stripe: Stripe) -> None:
    system = scene.system
    # Given customers who pay by card
    system.traffic.wallet = {"card": "pm_card_visa"}
    system.traffic.prepare(300)
    with system.traffic.flowing(per_second=2.5):
        # When Stripe is gone; Then orders fail, and the runbook shows why
        scene.breaks("the card gateway is killed while orders come in", stripe.kill)
        scene.rings("OrdersFailing")
    told = scene.follow("runbooks/orders-failing.md", "How to see it")
    assert "ApiUnavailable" in told or "OutcomeUnknown" in told
    assert "available" in scene.follow("runbooks/orders-failing.md", "How to fix it", only=0)
    # And when Stripe is back
    scene.outside("Stripe is back", stripe.start)
    # Then retries finish what was open; what was parked meanwhile is redriven
    scene.redrive_parked()
    scene.follow("runbooks/orders-failing.md", "How to know it is fixed")
    scene.well()
