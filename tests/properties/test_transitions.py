"""Every operation on an order in every state: what the drawn diagram lacks never happens."""

import contextlib
from collections.abc import Callable
from itertools import product
from typing import Any, Final

import pytest

from data_api.domain.order import TRANSITIONS, State
from data_api.storage import orders
from data_api.storage.database import Db
from payment_data.client import DataApi
from payment_data.errors import BY_NAME
from tests.integration.data_api.shop import EXECUTION, Shop, later
from tests.properties import guarantees
from tests.properties.diagram import LEGAL, OPEN, STATES

OPERATIONS: Final[dict[str, Callable[[Shop], Any]]] = {
    "create": lambda shop: shop.order(lines=shop.api.order("o1")["lines"]),
    "create another": lambda shop: shop.order(),
    "reserve": lambda shop: shop.reserve(),
    "reserve too late": lambda shop: shop.reserve(seconds=-1),
    "charge": lambda shop: shop.charge(),
    "charge again": lambda shop: shop.charge(attempt=2),
    "deliver": lambda shop: shop.deliver(),
    "refund": lambda shop: shop.refund(),
    "release": lambda shop: shop.release(),
    "fail": lambda shop: shop.fail(),
    "park": lambda shop: shop.fail(compensated=False),
    "record only": lambda shop: shop.fail(record_only=True),
    "delete": lambda shop: shop.api.delete_order("o1"),
    "open a payment": lambda shop: shop.api.open_payment(
        "o1", 1, execution=EXECUTION, deadline=later(), method="card"
    ),
    "capture": lambda shop: shop.api.follow_payment("o1", 1, "capture", {"execution": EXECUTION}),
    "complete": lambda shop: shop.api.complete_lost("o1", execution=EXECUTION, method="credit"),
    "settle": lambda shop: shop.api.settle(),
}
# State to operation to the state it leads to; whatever is not here changes nothing.
MOVES: Final = {
    "NEW": {"reserve": "RESERVED", "reserve too late": "CANCELLING", "fail": "FAILED"},
    "RESERVED": {"charge": "PAID", "charge again": "PAID", "fail": "FAILED"},
    "PAID": {"deliver": "COMPLETED", "fail": "FAILED"},
    "CANCELLING": {"fail": "FAILED", "park": "NEEDS_ATTENTION"},
    "NEEDS_ATTENTION": {"fail": "FAILED", "refund": "CANCELLING", "release": "CANCELLING"},
}
ANSWERS: Final = tuple(problem for problem in BY_NAME.values() if problem.status < 500)
_UNDO: Final = {"refund": "CANCELLING", "release": "CANCELLING"}
_UNDOABLE: Final = {state: _UNDO | {"park": "NEEDS_ATTENTION"} for state in OPEN}


@pytest.fixture
def shop(api: DataApi, quick_db: Db) -> Shop:
    return Shop(api, quick_db)


def bring(shop: Shop, state: str) -> None:
    """Bring a real order to a state, by real requests."""
    shop.open()
    forward = (shop.reserve, shop.charge, shop.deliver)
    for step in forward[: {"NEW": 0, "RESERVED": 1, "PAID": 2, "COMPLETED": 3}.get(state, 2)]:
        step()
    if state in ("CANCELLING", "FAILED", "NEEDS_ATTENTION"):
        shop.refund()
        shop.release()
    if state in ("FAILED", "NEEDS_ATTENTION"):
        shop.fail(compensated=state == "FAILED")
    assert shop.state() == state


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("state", STATES)
def test_an_operation_makes_the_changes_of_the_diagram_and_no_other(
    shop: Shop, state: str, operation: str
) -> None:
    # Given an order in that state
    bring(shop, state)
    before = shop.states()
    # When
    with contextlib.suppress(*ANSWERS):
        OPERATIONS[operation](shop)
    # Then it is where the diagram leads, by the changes that the diagram has
    moves = MOVES.get(state, {}) | _UNDOABLE.get(state, {})
    assert shop.state() == moves.get(operation, state)
    assert shop.states()[: len(before)] == before
    assert list(guarantees.violations(guarantees.read(shop.db))) == []


def test_the_code_has_the_diagram_that_was_drawn() -> None:
    drawn = {(source, target) for source, target in LEGAL if source}
    assert {(source, target) for source, targets in TRANSITIONS.items() for target in targets} == drawn


def test_a_change_that_is_not_drawn_cannot_be_asked_of_the_storage(quick_db: Db) -> None:
    for source, target in product(State, State):
        if (source, target) not in LEGAL:
            with pytest.raises(ValueError, match="no change from"):
                orders.advance_unread(quick_db, "o1", {source}, target, execution="e")
