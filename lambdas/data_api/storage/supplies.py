"""What comes in from outside: stock for a product, credit for a user; and a product's price, a user's means.

Stock and credit are rare, and must be in the document and in the ledger or in neither, so each is one
transaction; its legs are its idempotency record, for ever. `opening` grows with it: all that ever came in.
https://www.mongodb.com/docs/manual/core/transactions/
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from bson.int64 import Int64
from pymongo import ReturnDocument
from pymongo.client_session import ClientSession

from data_api.domain.requests import KEPT_PRICES, Document
from data_api.domain.transactions import Leg, opening_legs
from data_api.storage import ledger
from data_api.storage.database import Db

_SIDES: Final = {"products": ("product", "available"), "users": ("user", "balance")}


def supply(db: Db, collection: str, key: str, legs: list[Leg], limit: int) -> Document | None:
    """Add what `legs` bring to a document and to the ledger, unless the ledger has them.

    Args:
        db: where.
        collection: products or users.
        key: the document's `_id`.
        legs: out of `opening` and into `available` or `balance`.
        limit: what may be there afterwards at most.

    Returns:
        The document afterwards, without its records; None, and nothing done, if it would hold too much.

    Raises:
        DuplicateKeyError: the ledger has the legs, or somebody entered the document's opening just now.
    """
    kind, side = _SIDES[collection]
    amount = legs[1].amount

    def write(session: ClientSession) -> Document | None:
        document = db[collection].find_one_and_update(
            {"_id": key, side: {"$lte": limit - amount}},
            {
                "$inc": {side: Int64(amount), "opening": Int64(amount)},
                "$set": {"books": ledger.ENTERED},
            },
            projection={"holds": False, "operations": False},
            return_document=ReturnDocument.BEFORE,
            session=session,
        )
        if document is None:
            return None
        opened = [] if document.get("books") else opening_legs(kind, document)
        ledger.append_new(db, [*opened, *legs], session)
        return document | {side: document[side] + amount, "opening": document["opening"] + amount}

    with db.client.start_session() as session:
        return session.with_transaction(write)


def supply_legs(collection: str, key: str, unit: str, name: str, amount: int) -> list[Leg]:
    """Return the legs of what comes in; `name` is the transaction's, unique for the document."""
    kind, side = _SIDES[collection]
    account, at = f"{kind}:{key}", datetime.now(UTC)
    return [
        Leg(None, account, name, f"{account}:opening", unit, -amount, at),
        Leg(None, account, name, f"{account}:{side}", unit, amount, at),
    ]


def supplied(db: Db, legs: list[Leg]) -> int | None:
    """Return how much the ledger says came in by these legs; None if it has none."""
    leg = db.ledger.find_one({"_id": legs[1].key})
    return leg["amount"] if leg else None


def reprice(db: Db, product_id: str, price: int) -> None:
    """Set a product's price, and keep the one before for the orders that were created by then.

    Of each price it matters only until when it was one last.
    """
    before = [{"price": "$price", "until": "$$NOW"}]
    others = {
        "$filter": {"input": {"$ifNull": ["$repriced", []]}, "cond": {"$ne": ["$$this.price", "$price"]}}
    }
    prices = {"$concatArrays": [others, before]}
    change = {"price": Int64(price), "repriced": {"$slice": [prices, -KEPT_PRICES]}}
    db.products.update_one({"_id": product_id, "price": {"$ne": price}}, [{"$set": change}])


def change_wallet(db: Db, user_id: str, wallet: Mapping[str, str]) -> None:
    """Set what a user pays with at the gateway from now on; a payment that was opened keeps its means."""
    db.users.update_one({"_id": user_id}, {"$set": {"wallet": dict(wallet)}})
