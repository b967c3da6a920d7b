"""Deliveries: one document per order line, `_id` = order:line, arranged or void."""

from collections.abc import Sequence

from bson.int64 import Int64
from pymongo import UpdateOne
from pymongo.client_session import ClientSession
from pymongo.errors import BulkWriteError

from data_api.domain.order import Order
from data_api.domain.requests import Document
from data_api.storage.database import Db

_DUPLICATE_KEY = 11000


def arranged(order: Order) -> list[Document]:
    """Return the deliveries that a completed order has."""
    return [_key(order, n) | _what(order, n) | {"state": "arranged"} for n in range(len(order.lines))]


def arrange(db: Db, order: Order) -> None:
    """Insert one delivery per line; one that is there already, arranged or void, stays as it is."""
    try:
        db.deliveries.insert_many(arranged(order), ordered=False)
    except BulkWriteError as error:
        if any(e["code"] != _DUPLICATE_KEY for e in error.details["writeErrors"]):
            raise


def void(db: Db, order: Order) -> None:
    """Void every line's delivery; where there is none, bar it for ever."""
    updates = [
        UpdateOne(_key(order, n), {"$set": {"state": "void"}, "$setOnInsert": _what(order, n)}, upsert=True)
        for n in range(len(order.lines))
    ]
    db.deliveries.bulk_write(updates, ordered=False)


def of_order(db: Db, order: Order) -> list[Document]:
    """Return the order's deliveries by line."""
    keys = [_key(order, n)["_id"] for n in range(len(order.lines))]
    return list(db.deliveries.find({"_id": {"$in": keys}}).sort("line"))


def of_orders(db: Db, orders: Sequence[Order], session: ClientSession) -> dict[str, list[Document]]:
    """Return the deliveries of many orders, by order and line."""
    keys = [_key(order, n)["_id"] for order in orders for n in range(len(order.lines))]
    by_order: dict[str, list[Document]] = {}
    for document in db.deliveries.find({"_id": {"$in": keys}}, session=session).sort("line"):
        by_order.setdefault(document["order_id"], []).append(document)
    return by_order


def delete(db: Db, order: Order) -> None:
    """Delete the order's deliveries."""
    db.deliveries.delete_many({"_id": {"$in": [_key(order, n)["_id"] for n in range(len(order.lines))]}})


def _key(order: Order, line: int) -> Document:
    return {"_id": f"{order.id}:{line}"}


def _what(order: Order, number: int) -> Document:
    line = order.lines[number]
    return {
        "order_id": order.id,
        "line": Int64(number),
        "product_id": line.product_id,
        "quantity": Int64(line.quantity),
        "delivery_address": line.delivery_address,
    }
