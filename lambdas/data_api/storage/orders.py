"""Orders: read, created once, and moved from state to state by compare-and-set (`state_changes`)."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bson.int64 import Int64
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from data_api.domain.order import (
    OPEN,
    TRANSITIONS,
    Decision,
    Order,
    State,
    count_end,
    from_document,
    undeliverable,
)
from data_api.domain.requests import Document
from data_api.storage import ledger, state_changes
from data_api.storage.database import Db, confirmed
from payment_data.errors import OrderNotFound


def find(db: Db, order_id: str) -> Order | None:
    """Return the order, if there is one."""
    document = db.orders.find_one({"_id": order_id})
    return from_document(document) if document else None


def get(db: Db, order_id: str) -> Order:
    """Return the order, perhaps as it was a moment before a failover: for who changes it by its state next.

    Raises:
        OrderNotFound: no such order.
    """
    return find(db, order_id) or get_confirmed(db, order_id)


def get_confirmed(db: Db, order_id: str) -> Order:
    """Return the order as every change that was ever answered left it.

    Raises:
        OrderNotFound: no such order.
    """
    if order := find_confirmed(db, order_id):
        return order
    raise OrderNotFound("no order has this id")


def find_confirmed(db: Db, order_id: str) -> Order | None:
    """Return the order as every change that was ever answered left it, if there is one."""
    document = confirmed(db.orders).find_one({"_id": order_id})
    return from_document(document) if document else None


def create(db: Db, order_id: str, body: Document, fingerprint: str) -> bool:
    """Insert a NEW order; False if the id is taken."""
    now = datetime.now(UTC)
    refused = undeliverable(body)
    lines = [line | {k: Int64(line[k]) for k in ("price", "quantity")} for line in body["lines"]]
    try:
        db.orders.insert_one(
            {
                "_id": order_id,
                "user_id": body["user_id"],
                "currency": body["currency"],
                "total": Int64(sum(line["price"] * line["quantity"] for line in lines)),
                "lines": lines,
                "synthetic": body.get("synthetic", False),
                "fingerprint": fingerprint,
                "state": State.NEW,
                "history": [{"at": now, "from": None, "to": State.NEW, "execution": None, "reason": None}],
                "created_at": now,
                "updated_at": now,
                **({"undeliverable": [Int64(number) for number in refused]} if refused else {}),
                **ledger.at_creation(body),
            }
        )
    except DuplicateKeyError:
        return False
    return True


def advance(
    db: Db,
    order: Order,
    sources: Collection[State],
    target: State,
    *,
    execution: str,
    reason: str | None = None,
    changes: Mapping[str, Any] | None = None,
) -> Order | None:
    """Move an order to `target` if it is in one of `sources`; None, and nothing done, if it is not.

    MongoDB sends no document back, which is a tenth of the cost of such a change.

    Args:
        db: where.
        order: which, as it was read.
        sources: states it may come from.
        target: the state it goes to.
        execution: who asks, for the history.
        reason: why, for the history.
        changes: fields to set in the same write.

    Returns:
        The order as it is then, but for the times of the change, which MongoDB's clock alone knows.

    Raises:
        ValueError: the state diagram has no such change, which is a mistake in the code.
    """
    changes = changes or {}
    condition, update = _change_of_read(order, sources, target, changes, execution=execution, reason=reason)
    if not db.orders.update_one(condition, update).matched_count:
        return None
    history = [*order.history, {"to": target}]
    moved = replace(order, state=target, history=history, **changes)
    count_end(moved, reason)
    return moved


def advance_unread(
    db: Db,
    order_id: str,
    sources: Collection[State],
    target: State,
    *,
    execution: str,
    reason: str | None = None,
    changes: Mapping[str, Any] | None = None,
    extend: timedelta | None = None,
) -> Order | None:
    """Move an order that nobody read, and read it in the same command; otherwise like `advance`.

    Args:
        db: where.
        order_id: which.
        sources: states it may come from.
        target: the state it goes to.
        execution: who asks, for the history.
        reason: why, for the history.
        changes: fields to set in the same write.
        extend: from now there is at least so long until the deadline.

    Raises:
        ValueError: the state diagram has no such change, which is a mistake in the code.
    """
    condition, update = _change(order_id, sources, target, changes or {}, execution=execution, reason=reason)
    if extend is not None:
        soonest = {"$add": ["$$NOW", int(extend.total_seconds() * 1000)]}
        update["deadline"] = {"$max": ["$deadline", soonest]}
    return _moved(db, condition, update, reason)


def complete(db: Db, order_id: str, *, execution: str) -> Order | None:
    """Deliver and complete a PAID order, before its deadline by MongoDB's clock, unless a line is refused.

    Its deliveries are in the same write, so there are some if and only if the order is COMPLETED.

    Returns:
        The order as it is then; None, and nothing done, if it may not be completed.
    """
    condition, update = _change(order_id, {State.PAID}, State.COMPLETED, {}, execution=execution, reason=None)
    condition |= {"undeliverable": {"$exists": False}, "$expr": {"$lt": ["$$NOW", "$deadline"]}}
    return _moved(db, condition, update | _arranged(), None)


def pay_parked_by(db: Db, order: Order, method: str) -> bool:
    """Record how a parked order is paid, for its undo; False if somebody changed the order meanwhile."""
    parked = {"_id": order.id, "state": State.NEEDS_ATTENTION, "history": {"$size": len(order.history)}}
    return db.orders.update_one(parked, {"$set": {"paid_by": method}}).matched_count == 1


def complete_parked(db: Db, order: Order, payment: str, *, execution: str) -> Order | None:
    """Deliver and complete an order that was parked, as it was read; its end is not counted twice.

    Returns:
        The order as it is then; None, and nothing done, if somebody changed it meanwhile.
    """
    condition, update = _change(
        order.id,
        {State.NEEDS_ATTENTION},
        State.COMPLETED,
        {"payment": payment},
        execution=execution,
        reason=None,
    )
    condition |= {"undeliverable": {"$exists": False}, "history": {"$size": len(order.history)}}
    document = db.orders.find_one_and_update(
        condition, [{"$set": update | _arranged()}], return_document=ReturnDocument.AFTER
    )
    return from_document(document) if document else None


def _arranged() -> Document:
    """Return the update that arranges one delivery for each line."""
    delivery = {name: f"$$line.{name}" for name in ("product_id", "quantity", "delivery_address")}
    return {"deliveries": {"$map": {"input": "$lines", "as": "line", "in": delivery | {"state": "arranged"}}}}


def _moved(db: Db, condition: Document, update: Document, reason: str | None) -> Order | None:
    document = db.orders.find_one_and_update(
        condition, [{"$set": update}], return_document=ReturnDocument.AFTER
    )
    if not document:
        return None
    moved = from_document(document)
    count_end(moved, reason)
    return moved


def _change_of_read(
    order: Order, sources: Collection[State], target: State, changes: Mapping[str, Any], **entry: Any
) -> tuple[Document, Document | list[Document]]:
    """Return condition and update; cheaper ones where the order is as it was read, or in no source at all."""
    if {order.state} != set(sources) or order.state not in OPEN:
        condition, update = _change(order.id, sources, target, changes, **entry)
        return condition, [{"$set": update}]
    condition, update = state_changes.change_of_read(
        order.id, order.state, target, TRANSITIONS, entries=len(order.history), **entry
    )
    update["$set"] |= {field: _plain(value) for field, value in changes.items()}
    return condition, update


def _change(
    order_id: str, sources: Collection[State], target: State, changes: Mapping[str, Any], **entry: Any
) -> tuple[Document, Document]:
    condition, update = state_changes.change(order_id, sources, target, TRANSITIONS, **entry)
    return condition, update | {field: {"$literal": _plain(value)} for field, value in changes.items()}


def _plain(value: Any) -> Any:
    return value._asdict() if isinstance(value, Decision) else value


def refuse(db: Db, order: Order, source: State, decision: Decision, execution: str) -> Order:
    """Close the order with a decision, unless another handler was quicker; return it as it is then.

    Raises:
        OrderNotFound: it was deleted meanwhile.
    """
    refused = advance(
        db,
        order,
        {source},
        State.CANCELLING,
        execution=execution,
        reason=decision.error,
        changes={"decision": decision},
    )
    return refused or get_confirmed(db, order.id)


def delete_synthetic(db: Db, order_id: str) -> bool:
    """Delete the order if it is synthetic."""
    return db.orders.delete_one({"_id": order_id, "synthetic": True}).deleted_count == 1
