"""What a rehearsal says to a machine."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from pipelines.cli import rehearsal_summary
from pipelines.promotion.execution import Promotion


def test_for_a_machine_a_rehearsal_says_what_ran_and_how_orders_ended() -> None:
    # Given a rehearsal of one promotion and one order
    promotion = Promotion("release", "payments-Release", "run-1", "c" * 40)
    promotion.status = "Succeeded"
    order: Any = SimpleNamespace(order_id="order-2", ended="OutOfStock", right=True)
    # When it is told to a machine
    told = rehearsal_summary.plain([promotion], [order], "http://127.0.0.1:4566")
    # Then
    assert told["orders"] == [{"order_id": "order-2", "ended": "OutOfStock", "as_expected": True}]
    assert told["promotions"] == [
        {
            "pipeline": "release",
            "execution": "run-1",
            "commit": "c" * 40,
            "status": "Succeeded",
            "seconds": {},
        }
    ]
    assert (told["endpoint"], told["evidence"]) == ("http://127.0.0.1:4566", None)
