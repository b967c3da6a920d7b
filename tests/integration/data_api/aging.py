"""Time that passes: what ended orders left behind is moved into the past, all of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from data_api.storage.database import Db

LONG: timedelta = timedelta(days=20)
_LEFT = {"orders": "_id", "payments": "order_id", "ledger": "order_id", "failures": "order_id"}


def age(db: Db, by: timedelta = LONG) -> None:
    """Let orders that are in the ledger be so much older, with every time in their documents and legs."""
    ended = [order["_id"] for order in db.orders.find({"books": "entered"}, {"_id": True})]
    for name, key in _LEFT.items():
        for document in list(db[name].find({key: {"$in": ended}})):
            db[name].replace_one({"_id": document["_id"]}, _earlier(document, by))


def _earlier(value: Any, by: timedelta) -> Any:
    match value:
        case datetime():
            return value - by
        case dict():
            return {key: _earlier(each, by) for key, each in value.items()}
        case list():
            return [_earlier(each, by) for each in value]
    return value
