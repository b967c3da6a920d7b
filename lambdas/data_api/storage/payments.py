"""Payments through a gateway: one document per order and attempt, `_id` = order:attempt.

They move by compare-and-set (`state_changes`).
"""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime

from bson.int64 import Int64
from pymongo import ReturnDocument
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError

from data_api.domain.order import Order
from data_api.domain.payment import TRANSITIONS, UNSETTLED, Payment
from data_api.domain.requests import Document
from data_api.storage import state_changes
from data_api.storage.database import Db, confirmed
from payment_data.metrics import LOST

_SHOWN = dict.fromkeys((*Payment._fields[:-1],), True) | {
    "late": {"$cond": ["$deadline", {"$gte": ["$$NOW", "$deadline"]}, None]}
}


def find(db: Db, order_id: str, attempt: int) -> Payment | None:
    """Return this attempt, if there is one."""
    document = db.payments.find_one({"_id": _key(order_id, attempt)}, _SHOWN)
    return _payment(document) if document else None


def find_confirmed(db: Db, order_id: str, attempt: int) -> Payment | None:
    """Return this attempt as every change that was ever answered left it, if there is one."""
    document = confirmed(db.payments).find_one({"_id": _key(order_id, attempt)}, _SHOWN)
    return _payment(document) if document else None


def latest(db: Db, order_id: str) -> Payment | None:
    """Return the order's last attempt; a tombstone only where nothing was tried."""
    made_last = [("amount", -1), ("attempt", -1)]  # all attempts are over the same amount, a tombstone's is 0
    document = db.payments.find_one(_key_range(order_id), _SHOWN, sort=made_last)
    return _payment(document) if document else None


def strays(
    db: Db, after: str, last: str | None, ids: Collection[str], session: ClientSession
) -> list[Document]:
    """Return the attempts of orders after one and up to another that are none of `ids`, nor of smoke's."""
    bounds: Document = {"$gt": after, "$nin": list(ids)} | ({} if last is None else {"$lte": last})
    documents = db.payments.find({"order_id": bounds}, session=session)
    return [document for document in documents if not document["order_id"].startswith("smoke-")]


def insert(
    db: Db, order: Order, attempt: int, method: str, means: Mapping[str, str], *, execution: str
) -> bool:
    """Insert an attempt in the state intent; False if there is one, a tombstone included.

    Args:
        db: where.
        order: what is paid.
        attempt: which attempt.
        method: card or bank_account.
        means: {customer?, payment_method?}: ids at the gateway, which never change afterwards, because the
            same key must come with the same parameters there.
        execution: who asks, for the history.
    """
    terms = {"state": "intent", "amount": Int64(order.total), "deadline": order.deadline}
    return _insert(db, {**_attempt(order, attempt, method), **terms, **means}, execution, None)


def bar(db: Db, order: Order, attempt: int, method: str, *, execution: str, reason: str) -> bool:
    """Insert a tombstone, so that this attempt is never made; False if it was made or barred before."""
    tombstone = {"state": "void", "amount": Int64(0)}
    return _insert(db, _attempt(order, attempt, method) | tombstone, execution, reason)


def save_intent(db: Db, order_id: str, attempt: int, payment_intent: str) -> Payment | None:
    """Save the PaymentIntent's id if none is saved and money may still be taken; None if nothing was done."""
    key = {"_id": _key(order_id, attempt), "state": "intent", "payment_intent": {"$exists": False}}
    update = {"$set": {"payment_intent": payment_intent}, "$currentDate": {"updated_at": True}}
    document = db.payments.find_one_and_update(
        key, update, projection=_SHOWN, return_document=ReturnDocument.AFTER
    )
    return _payment(document) if document else None


def move(
    db: Db,
    order_id: str,
    attempt: int,
    sources: Collection[str],
    target: str,
    *,
    execution: str,
    reason: str | None = None,
    at_gateway: bool = False,
) -> Payment | None:
    """Move the attempt to `target` if it is in one of `sources`; None, and nothing done, if it is not.

    Args:
        db: where.
        order_id: whose.
        attempt: which.
        sources: states it may come from.
        target: the state it goes to.
        execution: who asks, for the history.
        reason: why, for the history; of a decline also for the shopper.
        at_gateway: only if its PaymentIntent is known.

    Raises:
        ValueError: the state diagram has no such change, which is a mistake in the code.
    """
    key = _key(order_id, attempt)
    condition, update = state_changes.change(
        key, sources, target, TRANSITIONS, execution=execution, reason=reason
    )
    if at_gateway:
        condition["payment_intent"] = {"$exists": True}
    if target == "declined":
        update["reason"] = {"$literal": reason}
    document = db.payments.find_one_and_update(
        condition, [{"$set": update}], projection=_SHOWN, return_document=ReturnDocument.AFTER
    )
    return _payment(document) if document else None


def recapture(
    db: Db, order: Order, attempt: int, method: str, payment_intent: str, *, execution: str
) -> Payment | None:
    """Record a capture that a restore took away; return the attempt, as it was if it is over.

    So it is if another PaymentIntent is saved, which alone may have been confirmed.
    """
    terms = {"state": "captured", "amount": Int64(order.total), "payment_intent": payment_intent}
    if not _insert(db, _attempt(order, attempt, method) | terms, execution, LOST):
        save_intent(db, order.id, attempt, payment_intent)
        payment = find(db, order.id, attempt)
        if payment and payment.payment_intent == payment_intent:  # what is saved is never changed
            move(
                db,
                order.id,
                attempt,
                UNSETTLED,
                "captured",
                execution=execution,
                reason=LOST,
                at_gateway=True,
            )
    return find_confirmed(db, order.id, attempt)


def close(db: Db, order_id: str, attempt: int, *, execution: str) -> Payment | None:
    """Note that the gateway took nothing for a void attempt, and never will; None if it is not void."""
    document = db.payments.find_one_and_update(
        {"_id": _key(order_id, attempt), "state": "void"},
        {"$set": {"closed": True, "closed_by": execution}},
        projection=_SHOWN,
        return_document=ReturnDocument.AFTER,
    )
    return _payment(document) if document else None


def adjust(db: Db, order_id: str, attempt: int, key: str, *, kind: str, amount: int) -> Document | None:
    """Record an adjustment unless one has this id; return the payment's document, None if never captured.

    The document is as `collections` declares it.
    """
    where = {"_id": _key(order_id, attempt), "state": {"$in": ["captured", "refunded"]}}
    entry = {"kind": kind, "amount": Int64(amount), "at": datetime.now(UTC)}
    db.payments.update_one(
        {**where, f"adjustments.{key}": {"$exists": False}}, {"$set": {f"adjustments.{key}": entry}}
    )
    document: Document | None = confirmed(db.payments).find_one(where)
    return document


def delete(db: Db, order_id: str) -> None:
    """Delete the order's payments."""
    db.payments.delete_many(_key_range(order_id))


def _insert(db: Db, document: Document, execution: str, reason: str | None) -> bool:
    now = datetime.now(UTC)
    entry = {"at": now, "from": None, "to": document["state"], "execution": execution, "reason": reason}
    times = {"history": [entry], "created_at": now, "updated_at": now}
    try:
        db.payments.insert_one({**document, **times, "execution": execution})
    except DuplicateKeyError:
        return False
    return True


def _attempt(order: Order, attempt: int, method: str) -> Document:
    return {
        "_id": _key(order.id, attempt),
        "order_id": order.id,
        "attempt": Int64(attempt),
        "method": method,
        "currency": order.currency,
    }


def _key(order_id: str, attempt: int) -> str:
    return f"{order_id}:{attempt}"


def _key_range(order_id: str) -> Document:
    """All keys that begin with `order_id:`, by the index on `_id`; `;` is the character after `:`."""
    return {"_id": {"$gte": f"{order_id}:", "$lt": f"{order_id};"}}


def _payment(document: Document) -> Payment:
    return Payment(**{field: document.get(field) for field in Payment._fields})  # type: ignore[arg-type]  # the validator holds the types
