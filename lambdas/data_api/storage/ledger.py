"""The ledger: double-entry legs, `_id` = order:transaction:leg, appended and never changed.

This module has no update and no delete, and MongoDB refuses a second leg of one `_id`; in production the data
API's database role should have only `find` and `insert` on this collection. A leg is {order_id, transaction,
account, unit, amount, at}: a signed `long` of minor units (unit: the currency) or of pieces (unit: the
product). The legs of a transaction sum to zero in each unit. Opening entries have the account's own name for
an order and no `order_id`.

How far a document has come on its way into the ledger is its field `books`. Absent: not there yet.
`entered`: what its records say is in the ledger. `settling`: also what they end as, and the records are on
their way out. `settled`: the records are gone. `synthetic`: made by a smoke execution, which removes it
again; the ledger never hears of it.
"""

from collections.abc import Collection, Iterable
from typing import Any, Final

from bson.int64 import Int64
from pymongo.client_session import ClientSession
from pymongo.errors import BulkWriteError

from data_api.domain.audited import Opening
from data_api.domain.requests import Document
from data_api.domain.transactions import Leg
from data_api.storage.database import Db

ENTERED: Final = "entered"
SETTLING: Final = "settling"
SETTLED: Final = "settled"
SYNTHETIC: Final = "synthetic"
EVERY: Final = [None, ENTERED, SETTLING, SETTLED, SYNTHETIC]
"""All values, None standing for a field that is absent, as it does in MongoDB's queries."""

_DUPLICATE_KEY = 11000


def at_creation(body: dict[str, Any]) -> dict[str, str]:
    """Return the fields that a document begins with."""
    return {"books": SYNTHETIC} if body.get("synthetic") else {}


def append(db: Db, legs: Iterable[Leg]) -> None:
    """Insert legs in order; one that is there already stays as it is."""
    documents = [_document(leg) for leg in legs]
    if not documents:
        return
    try:
        db.ledger.insert_many(documents, ordered=False)
    except BulkWriteError as error:
        if any(e["code"] != _DUPLICATE_KEY for e in error.details["writeErrors"]):
            raise


def append_new(db: Db, legs: Iterable[Leg], session: ClientSession) -> None:
    """Insert legs within a transaction.

    Raises:
        DuplicateKeyError: one of them is there already.
    """
    for leg in legs:
        db.ledger.insert_one(_document(leg), session=session)


def keys_of(db: Db, order_ids: Collection[str]) -> set[str]:
    """Return the `_id`s of the orders' legs."""
    legs = db.ledger.find({"order_id": {"$in": list(order_ids)}}, {"_id": True})
    return {leg["_id"] for leg in legs}


def between(db: Db, after: str, last: str | None, session: ClientSession) -> list[Document]:
    """Return the legs (`Leg`) of all orders after one and up to another, of orders that nobody knows too."""
    bounds = {"$gt": after} if last is None else {"$gt": after, "$lte": last}
    return list(db.ledger.find({"order_id": bounds}, session=session).sort([("order_id", 1), ("_id", 1)]))


def owners(db: Db, after: str, limit: int) -> list[str]:
    """Return at most `limit` owners of accounts, as `user:ada` or `card`, by name; each is one seek."""
    names: list[str] = []
    while len(names) < limit:
        beyond = f"{names[-1] if names else after}:\x7f" if names or after else ""
        leg = db.ledger.find_one(
            {"account": {"$gt": beyond}}, {"account": True, "_id": False}, sort=[("account", 1)]
        )
        if leg is None:
            break
        names.append(leg["account"].rpartition(":")[0])
    return names


def openings(db: Db, accounts: Collection[str], session: ClientSession) -> dict[str, Opening]:
    """Return what the ledger has of the openings of accounts, and of what came in since, by their owners."""
    parts = {"$split": ["$account", ":"]}
    owner = {"$concat": [{"$arrayElemAt": [parts, 0]}, ":", {"$arrayElemAt": [parts, 1]}]}
    key = {"$concat": ["$$owner", ":", "$transaction", ":", {"$arrayElemAt": [parts, 2]}]}
    leg = {name: f"${name}" for name in ("account", "unit", "amount", "at")}
    grouped = {
        "_id": "$owner",
        "units": {"$addToSet": "$unit"},
        "named": {"$min": "$named"},
        "legs": {"$push": {"$cond": [{"$eq": ["$transaction", "opening"]}, leg, "$$REMOVE"]}},
    }
    named = {"$let": {"vars": {"owner": owner}, "in": {"$eq": ["$_id", key]}}}
    pipeline: list[Document] = [
        {"$match": {"account": {"$in": list(accounts)}, "order_id": None}},
        {"$set": {"owner": owner, "named": named}},
        {"$group": grouped},
    ]
    return {
        found["_id"]: Opening({leg["account"]: leg for leg in found["legs"]}, found["units"], found["named"])
        for found in db.ledger.aggregate(pipeline, session=session)
    }


def sums(
    db: Db, accounts: Collection[str], session: ClientSession, *, of: Collection[str] | None = None
) -> dict[str, int]:
    """Return what is in accounts; `of` counts only the legs of these orders."""
    match: dict[str, Any] = {"account": {"$in": list(accounts)}}
    if of is not None:
        match["order_id"] = {"$in": list(of)}
    grouped = {"$group": {"_id": "$account", "sum": {"$sum": "$amount"}}}
    return {
        account["_id"]: account["sum"]
        for account in db.ledger.aggregate([{"$match": match}, grouped], session=session)
    }


def _document(leg: Leg) -> Document:
    return {
        "_id": leg.key,
        "order_id": leg.order_id,
        "transaction": leg.transaction,
        "account": leg.account,
        "unit": leg.unit,
        "amount": Int64(leg.amount),
        "at": leg.at,
    }
