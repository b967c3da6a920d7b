"""The way of records into the ledger and out of their documents, many orders at once.

Every step is a conditional write on single documents that finds nothing to do the second time, so it may be
repeated, interrupted and run twice at once.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from bson.int64 import Int64
from pymongo import UpdateOne

from data_api.domain.order import Order, State, from_document
from data_api.domain.requests import Document
from data_api.storage import ledger
from data_api.storage.database import Db

_GONE = ["declined", "refunded", "void"]


class Place(NamedTuple):
    """Where a walk along orders by their last change has come."""

    updated_at: datetime
    order_id: str

    @classmethod
    def parse(cls, at: str, order_id: str) -> "Place":
        """Read a place. Raises `ValueError` if that is no time.

        Raises:
            ValueError: It is no place that this API gave.
        """
        try:
            return cls(datetime.fromisoformat(at).astimezone(UTC), order_id)
        except OverflowError as error:  # the first hours of the year 1 are in the year 0 elsewhere
            raise ValueError(at) from error


def waiting(
    db: Db,
    stage: str | None,
    state: State,
    limit: int,
    *,
    before: datetime | None = None,
    after: Place | None = None,
) -> list[Order]:
    """Return the orders of a stage and a state, longest unchanged first, by the index."""
    condition: Document = {"books": stage, "state": state}
    if before:
        condition["updated_at"] = {"$lte": before}
    if after:
        condition |= later(after)
    documents = db.orders.find(condition).sort([("updated_at", 1), ("_id", 1)]).limit(limit)
    return [from_document(document) for document in documents]


def later(place: Place) -> Document:
    """Return the query `{"$or": …}` for the orders that come after a place."""
    same = {"updated_at": place.updated_at, "_id": {"$gt": place.order_id}}
    return {"$or": [{"updated_at": {"$gt": place.updated_at}}, same]}


def unopened(db: Db, collection: str, limit: int) -> list[Document]:
    """Return users or products, as `find` does, whose opening the ledger does not have."""
    documents = db[collection].find(
        {"books": None, "opening": {"$exists": True}}, {"operations": 0, "holds": 0}
    )
    return list(documents.sort("_id").limit(limit))


def mark_opened(db: Db, collection: str, ids: Iterable[str]) -> None:
    """Note that the ledger has what these users or products began with."""
    db[collection].update_many(
        {"_id": {"$in": list(ids)}, "books": None}, {"$set": {"books": ledger.ENTERED}}
    )


def mark_entered(db: Db, names: Mapping[str, Sequence[str]]) -> None:
    """Note which transactions of each order the ledger has."""
    _move(
        db,
        None,
        {key: {"books": ledger.ENTERED, "ledger": list(transactions)} for key, transactions in names.items()},
    )


def begin(db: Db, orders: Mapping[str, tuple[Sequence[str], Mapping[str, Any] | None]]) -> None:
    """Close orders to every write: by id, the transactions there will be, and the user's record."""
    changes = {
        key: {"books": ledger.SETTLING, "ledger": list(names)}
        | ({"operation": dict(operation)} if operation else {})
        for key, (names, operation) in orders.items()
    }
    _move(db, ledger.ENTERED, changes)


def finish(db: Db, ids: Iterable[str]) -> None:
    """Note that the orders' records are gone."""
    _move(db, ledger.SETTLING, {key: {"books": ledger.SETTLED} for key in ids})


def prune(db: Db, orders: Sequence[Order]) -> None:
    """Count what completed orders took, and take every record out; each once, by the record itself."""
    products, users = [], []
    for order in orders:
        completed = order.state is State.COMPLETED
        hold, operation = f"holds.{order.id}", f"operations.{order.id}"
        for line in order.lines:
            change: Document = {"$unset": {hold: ""}}
            condition: Document = {"_id": line.product_id, f"{hold}.state": "held" if completed else "void"}
            if completed:
                condition[f"{hold}.quantity"] = line.quantity
                change["$inc"] = {"sold": Int64(line.quantity)}
            products.append(UpdateOne(condition, change))
        gone: Document = {"$unset": {operation: ""}}
        if completed:
            charged = {
                "_id": order.user_id,
                f"{operation}.state": "charged",
                f"{operation}.amount": order.total,
            }
            users.append(UpdateOne(charged, gone | {"$inc": {"spent": Int64(order.total)}}))
        else:
            users.append(UpdateOne({"_id": order.user_id, f"{operation}.state": {"$in": _GONE}}, gone))
    if products:
        db.products.bulk_write(products, ordered=False)
    if users:
        db.users.bulk_write(users, ordered=False)


def _move(db: Db, stage: str | None, changes: Mapping[str, Document]) -> None:
    updates = [UpdateOne({"_id": key, "books": stage}, {"$set": change}) for key, change in changes.items()]
    if updates:
        db.orders.bulk_write(updates, ordered=False)
