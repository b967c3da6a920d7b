"""Orders page by page: by their last change, or by id; and where the last sweep along them stopped."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pymongo.client_session import ClientSession

from data_api.domain.order import Order, from_document
from data_api.domain.requests import Document
from data_api.storage import ledger
from data_api.storage.database import Db
from data_api.storage.settlement import Place, later

NOT_OF_SMOKE: Mapping[str, Any] = {"$nor": [{"_id": {"$regex": "^smoke-"}, "books": ledger.SYNTHETIC}]}
"""Whose id does not say that a smoke execution made it, though it is marked so, is audited as any other."""
_SWEEP = {"_id": "sweep"}


def count(db: Db, state: str, most: int) -> int:
    """Return how many orders are in a state; `most` stands for more."""
    condition = {"books": {"$in": ledger.EVERY}, "state": state}
    return db.orders.count_documents(condition, limit=most)


def by_change(db: Db, states: Collection[str], after: Place | None, limit: int) -> list[Order]:
    """Return orders in these states, longest unchanged first, by the index."""
    condition: dict[str, object] = {"books": {"$in": ledger.EVERY}, "state": {"$in": sorted(states)}}
    if after:
        condition |= later(after)
    documents = db.orders.find(condition).sort([("updated_at", 1), ("_id", 1)]).limit(limit)
    return [from_document(document) for document in documents]


def by_id(db: Db, after: str, limit: int, session: ClientSession) -> Iterator[Order]:
    """Yield orders by id, none that smoke executions made."""
    documents = db.orders.find({"_id": {"$gt": after}, **NOT_OF_SMOKE}, session=session)
    for document in documents.sort("_id").limit(limit):
        yield from_document(document)


def keep_sweep(db: Db, place: Document) -> None:
    """Keep a sweep's place {state?, after?, new_after?}, instead of the one before."""
    db.progress.replace_one(_SWEEP, _SWEEP | place, upsert=True)


def find_sweep(db: Db) -> Document:
    """Return the last sweep's place {state?, after?}, empty where there is none."""
    return db.progress.find_one(_SWEEP, {"_id": False}) or {}
