"""An order that moved is handed on without being read again: it must be what a read says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from data_api.domain.order import Decision, Order, State
from data_api.storage import orders
from payment_data.errors import FieldError, OutOfStock

if TYPE_CHECKING:
    from data_api.storage.database import Db
    from tests.integration.data_api.shop import Shop

_REFUSED = Decision.from_problem(
    "reservation", OutOfStock("one line", [FieldError("lines[0].quantity", "must be less")])
)
_NOON = datetime(2031, 2, 3, 12, 0, 0, 123_000, tzinfo=UTC)


def _untimed(order: Order) -> Order:
    """An order without the times of its changes, and with their names alone."""
    return replace(order, updated_at=_NOON, history=[{"to": entry["to"]} for entry in order.history])


@pytest.mark.parametrize(
    ("target", "changes"),
    [
        (State.RESERVED, {"deadline": _NOON}),
        (State.RESERVED, {"deadline": _NOON, "payment": "$state"}),
        (State.CANCELLING, {"decision": _REFUSED}),
        (State.CANCELLING, None),
    ],
)
def test_an_order_that_moved_is_what_a_read_says(
    db: Db, shop: Shop, target: State, changes: dict[str, Any] | None
) -> None:
    # Given an order that was read
    shop.open()
    before = orders.get(db, "o1")
    # When it moves
    moved = orders.advance(db, before, {State.NEW}, target, execution="e", reason="$why", changes=changes)
    # Then it is what a read finds, with the entry in the history as it was told
    assert moved is not None
    after = orders.get(db, "o1")
    assert _untimed(moved) == _untimed(after)
    entry = {"from": "NEW", "to": target.value, "execution": "e", "reason": "$why"}
    assert after.history[-1].items() >= entry.items()
    assert before.created_at <= after.history[-1]["at"] <= after.updated_at


def test_an_order_that_is_elsewhere_does_not_move(db: Db, shop: Shop) -> None:
    # Given an order that was read and has moved since
    shop.open()
    before = orders.get(db, "o1")
    shop.reserve()
    after = orders.get(db, "o1")
    # When somebody who read it as NEW moves it; Then nothing is done
    assert orders.advance(db, before, {State.NEW}, State.CANCELLING, execution="e") is None
    assert orders.get(db, "o1") == after
