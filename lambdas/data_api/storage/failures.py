"""Failures: what went wrong with an order, `_id` = order:step:execution; every one stays.

An undo is tried again when its execution is redriven, and may fail again for another reason: then the number
of redrives follows in its `_id`.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime

from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError

from data_api.domain.requests import Document
from data_api.storage.database import Db

_MOST = 1_000
_FIELDS = ("step", "error", "cause", "execution")


def record(db: Db, order_id: str, failure: Document, redrives: int = 0) -> None:
    """Insert the failure {step, error, cause, execution}, unless this drive of the execution recorded it."""
    name = f"{order_id}:{failure['step']}:{failure['execution']}" + (f":{redrives}" if redrives else "")
    key = {"_id": name, "order_id": order_id}
    fields = {field: failure[field] for field in _FIELDS}
    try:
        db.failures.insert_one(key | fields | {"at": datetime.now(UTC)})
    except DuplicateKeyError:
        return  # recorded by an earlier try


def of_order(db: Db, order_id: str) -> list[Document]:
    """Return the order's failures {step, error, cause, execution, at, …}, oldest first, the last 1,000."""
    newest = db.failures.find(_key_range(order_id)).sort([("at", -1), ("_id", -1)]).limit(_MOST)
    return list(newest)[::-1]


def by_order(db: Db, order_ids: Iterable[str], session: ClientSession) -> dict[str, list[Document]]:
    """Return every failure {order_id, step, error, execution} of these orders, by order; one read."""
    ranges = [_key_range(order_id) for order_id in order_ids]
    found = defaultdict[str, list[Document]](list)
    if ranges:
        shown = dict.fromkeys(("order_id", "step", "error", "execution"), True)
        for failure in db.failures.find({"$or": ranges}, shown, session=session):
            found[failure["order_id"]].append(failure)
    return found


def delete(db: Db, order_id: str) -> None:
    """Delete the order's failures."""
    db.failures.delete_many(_key_range(order_id))


def _key_range(order_id: str) -> Document:
    """All keys that begin with `order_id:`, by the index on `_id`; `;` is the character after `:`."""
    return {"_id": {"$gte": f"{order_id}:", "$lt": f"{order_id};"}}
