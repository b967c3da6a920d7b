"""Enter what happened into the ledger, then settle and prune the records of orders that are over.

A terminal order is entered at once: its legs are inserted, then it is marked. One horizon after its end
nothing can reach its records any more (domain/requests.py), and it is settled: the rest of its legs are
inserted, it is closed to every write (`Order.settled`), and its records leave the documents of products and
users, counted in `sold` and `spent`. The ledger is always first. Every step finds nothing to do the second
time, so a crash anywhere is mended by the next run.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from data_api.domain import requests
from data_api.domain.order import Order, State
from data_api.domain.requests import Document
from data_api.domain.transactions import Leg, Records, closing_legs, legs_of, names_of, opening_legs
from data_api.schemas.views import Answer
from data_api.storage import ledger, order_pages, records, settlement
from data_api.storage.database import Db
from data_api.storage.settlement import Place
from payment_data import metrics
from payment_data.errors import FieldError, InvalidRequest

_MANY: Final = 1000
"""Parked orders that are counted one by one; an alarm rings at the first."""
_ENDS: Final = (State.COMPLETED, State.FAILED)
_ACCOUNTS: Final = {"users": "user", "products": "product"}


def settle(db: Db, request: Document) -> Answer:
    """Enter into the ledger and settle what is due, `limit` orders of a kind at a time; any number of times.

    Call it again with `after` = the answer's `next` until there is none. An order whose records or legs are
    not what they must be is left as it is, and counted as `disputed`: reconciliation says what is wrong.
    The first call of a run measures how many orders wait for a person, as the metric ParkedOrders.

    Raises:
        InvalidRequest: `after` is nothing that an earlier answer gave.
    """
    limit, after = request["limit"], _places(request.get("after", ""))
    if not after:
        metrics.level("ParkedOrders", order_pages.count(db, State.NEEDS_ATTENTION, _MANY))
    opened = sum(_open(db, collection, limit) for collection in _ACCOUNTS)
    entered = sum(_enter(db, state, limit) for state in _ENDS)
    resumed = [o for state in _ENDS for o in settlement.waiting(db, ledger.SETTLING, state, limit)]
    if resumed:
        _close(db, resumed)
    settled, disputed, places = len(resumed), 0, dict[State, Place]()
    before = datetime.now(UTC) - requests.HORIZON
    for state in _ENDS:
        due = settlement.waiting(db, ledger.ENTERED, state, limit, before=before, after=after.get(state))
        good = _settle(db, due) if due else 0
        settled, disputed = settled + good, disputed + len(due) - good
        if due:
            places[state] = Place(due[-1].updated_at, due[-1].id)
    answer: Document = {"opened": opened, "entered": entered, "settled": settled, "disputed": disputed}
    if opened or entered or places or resumed:
        answer["next"] = _text(after | places)
    return Answer(answer)


def _open(db: Db, collection: str, limit: int) -> int:
    documents = settlement.unopened(db, collection, limit)
    if documents:
        ledger.append(
            db, [leg for document in documents for leg in opening_legs(_ACCOUNTS[collection], document)]
        )
        settlement.mark_opened(db, collection, [document["_id"] for document in documents])
    return len(documents)


def _enter(db: Db, state: State, limit: int) -> int:
    orders = settlement.waiting(db, None, state, limit)
    if not orders:
        return 0
    recorded = records.by_order(db, orders)
    legs = {order.id: legs_of(order, recorded[order.id]) for order in orders}
    ledger.append(db, [leg for order in orders for leg in legs[order.id]])
    settlement.mark_entered(db, {order.id: names_of(legs[order.id]) for order in orders})
    return len(orders)


def _settle(db: Db, orders: Sequence[Order]) -> int:
    """Settle those whose records and legs are right; return how many."""
    recorded, ledger_keys = records.by_order(db, orders), ledger.keys_of(db, [order.id for order in orders])
    due = [order for order in orders if _right(order, recorded[order.id], ledger_keys)]
    names = {order.id: _names(order, recorded[order.id]) for order in due}
    if not due:
        return 0
    late = [leg for o in due for leg in legs_of(o, recorded[o.id]) if leg.transaction not in o.ledger]
    closing = [leg for order in due for leg in closing_legs(order, names[order.id])]
    settlement.begin(db, {o.id: (names[o.id] + _new(closing, o), recorded[o.id].operation) for o in due})
    _finish(db, due, [*late, *closing])
    return len(due)


def _close(db: Db, orders: Sequence[Order]) -> None:
    """Go on with what an earlier run began: what its records say, if they are still there, and its end."""
    recorded = records.by_order(db, orders)
    legs = [leg for o in orders for leg in (*legs_of(o, recorded[o.id]), *closing_legs(o, o.ledger))]
    _finish(db, orders, legs)


def _finish(db: Db, orders: Sequence[Order], legs: Sequence[Leg]) -> None:
    ledger.append(db, legs)
    settlement.prune(db, orders)
    settlement.finish(db, [order.id for order in orders])


def _names(order: Order, recorded: Records) -> tuple[str, ...]:
    """Return what was entered, and what another execution of the order did after that."""
    return tuple(dict.fromkeys([*order.ledger, *names_of(legs_of(order, recorded))]))


def _new(closing: Sequence[Leg], order: Order) -> tuple[str, ...]:
    return tuple(names_of([leg for leg in closing if leg.order_id == order.id]))


def _right(order: Order, recorded: Records, ledger_keys: set[str]) -> bool:
    """Say whether the records are as the order's end requires, and the ledger has what it is said to have."""
    legs = legs_of(order, recorded)
    if not set(order.ledger) <= set(names_of(legs)):
        return False
    if any(leg.key not in ledger_keys for leg in legs if leg.transaction in order.ledger):
        return False
    held = [h for line in order.lines if (h := recorded.holds.get(line.product_id)) and h["state"] == "held"]
    paid = [recorded.operation] if recorded.operation and recorded.operation["state"] == "charged" else []
    paid += [payment for payment in recorded.payments if payment["state"] == "captured"]
    if order.state is not State.COMPLETED:
        return not held and not paid
    all_held = [h["quantity"] for h in held] == [line.quantity for line in order.lines]
    return all_held and [p["amount"] for p in paid] == [order.total]


def _places(text: str) -> dict[State, Place]:
    """Read where an earlier call left off; `STATE~time~order` for each state."""
    parts = [part.split("~") for part in text.split(" ") if part]
    try:
        return {State(state): Place.parse(at, order_id) for state, at, order_id in parts}
    except ValueError as error:
        rule = "must be what an earlier answer gave as `next`"
        raise InvalidRequest("the request breaks a rule", [FieldError("after", rule)]) from error


def _text(places: dict[State, Place]) -> str:
    return " ".join(f"{state}~{at.isoformat()}~{order_id}" for state, (at, order_id) in places.items())
