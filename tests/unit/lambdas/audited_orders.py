"""An order as auditors read it, of which each test says what matters to it."""

import dataclasses
from datetime import UTC, datetime
from typing import Any

from data_api.domain.order import Line, Order, State

AT = datetime(2026, 11, 23, tzinfo=UTC)


def audited_order(**fields: Any) -> Order:
    """Return an order that was paid by card as it was created, but for these fields."""
    order = Order(
        id="o1",
        user_id="ann",
        currency="EUR",
        total=500,
        lines=(Line("tea", "Tea", "food", 250, 2, "1 Row"),),
        synthetic=False,
        fingerprint="f",
        state=State.PAID,
        deadline=None,
        payment="card:1:500:EUR",
        decision=None,
        history=[],
        created_at=AT,
        updated_at=AT,
        paid_by="card",
    )
    return dataclasses.replace(order, **fields)
