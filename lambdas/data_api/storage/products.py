"""Products: stock, and one hold per order in the product's own document.

`holds.<order>` is {quantity, state: held | void, at, undone_at}. It is the operation's idempotency record: a
second hold finds it and does nothing, and a void one also stops a hold that arrives after its release. The
hold of a settled order is counted in `sold` and its record goes; `opening` is what the product began with. No
write lands later than its request's `last_write`, so a record that is gone is never missed.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from bson.int64 import Int64
from pymongo import UpdateOne
from pymongo.errors import DuplicateKeyError

from data_api.domain.order import Line, Order, State
from data_api.domain.requests import Document, opening_mark
from data_api.storage import ledger
from data_api.storage.database import Db
from payment_data.errors import Throttled


class Stock(NamedTuple):
    """A product as an order sees it.

    Attributes:
        product_id: which.
        name: what it is called.
        price: of one, minor units.
        currency: of the price.
        synthetic: made by a smoke execution.
        available: how many may still be held.
        hold: state of this order's hold, None if it has none.
        late: the deadline has passed, by MongoDB's clock.
        repriced: earlier prices, and until when.
    """

    product_id: str
    name: str
    price: int
    currency: str
    synthetic: bool
    available: int
    hold: str | None
    late: bool
    repriced: list[dict[str, Any]]

    def had_price(self, price: int, at: datetime) -> bool:
        """Say whether the product has the price, or had it at a moment."""
        earlier = any(was["price"] == price and was["until"] >= at for was in self.repriced)
        return price == self.price or earlier


def create(db: Db, product_id: str, body: Document, fingerprint: str) -> bool:
    """Insert a product; False if the id is taken."""
    try:
        db.products.insert_one(
            {
                "_id": product_id,
                "name": body["name"],
                "type": body["type"],
                "price": Int64(body["price"]),
                "currency": body["currency"],
                "available": Int64(body["available"]),
                "holds": {},
                "synthetic": body.get("synthetic", False),
                "fingerprint": fingerprint,
                "created_at": datetime.now(UTC),
                "opening": Int64(body["available"]),
                "opened_with": opening_mark(product_id, body["available"]),
                **ledger.at_creation(body),
            }
        )
    except DuplicateKeyError:
        return False
    return True


def find(db: Db, product_id: str) -> Document | None:
    """Return the product's document, as `collections` declares it, without its holds."""
    return db.products.find_one({"_id": product_id}, {"holds": False})


def stock_of(db: Db, order: Order, deadline: datetime) -> dict[str, Stock]:
    """Return the order's products, those that exist, by id."""
    projection = {
        **dict.fromkeys(("name", "price", "currency", "synthetic", "available", "repriced"), True),
        "hold": f"$holds.{order.id}.state",
        "late": {"$gte": ["$$NOW", deadline]},
    }
    documents = db.products.find({"_id": {"$in": [line.product_id for line in order.lines]}}, projection)
    return {
        p["_id"]: Stock(p.pop("_id"), hold=p.pop("hold", None), repriced=p.pop("repriced", []), **p)
        for p in documents
    }


def hold(db: Db, order: Order, lines: Iterable[Line], until: datetime, *, repriced: bool = False) -> int:
    """Hold each line's quantity before `until`, where the product is as the line says and has enough.

    Args:
        db: where.
        order: for which.
        lines: which of its lines.
        until: not later than this, by MongoDB's clock.
        repriced: take also a price that was right when the order was created; asking that costs more.

    Returns:
        How many lines were held by this.
    """
    record = f"holds.{order.id}"
    updates = [
        UpdateOne(
            {
                "_id": line.product_id,
                "available": {"$gte": line.quantity},
                **(_was(line.price, order) if repriced else {"price": line.price}),
                "name": line.name,
                "currency": order.currency,
                "synthetic": order.synthetic,
                record: {"$exists": False},
                "$expr": {"$lt": ["$$NOW", until]},
            },
            {
                "$inc": {"available": Int64(-line.quantity)},
                "$set": {f"{record}.quantity": Int64(line.quantity), f"{record}.state": "held"},
                "$currentDate": {f"{record}.at": True},
            },
        )
        for line in lines
    ]
    return db.products.bulk_write(updates, ordered=False).matched_count


def _was(price: int, order: Order) -> Document:
    """Return the condition that the price is right, or was when the order was created."""
    earlier = {"repriced": {"$elemMatch": {"price": price, "until": {"$gte": order.created_at}}}}
    return {"$or": [{"price": price}, earlier]}


def void(db: Db, order: Order, until: datetime) -> None:
    """Return what the order holds of each product; where it holds nothing, bar it from ever doing so.

    Raises:
        Throttled: it is later than `until`, and not all of it was done.
    """
    if order.settled:
        return
    record = f"holds.{order.id}"
    held = {"$cond": [{"$eq": [f"${record}.state", "held"]}, f"${record}.quantity", Int64(0)]}
    tombstone = {
        "available": {"$add": ["$available", held]},
        f"{record}.quantity": {"$ifNull": [f"${record}.quantity", Int64(0)]},
        f"{record}.state": "void",
        f"{record}.at": {"$ifNull": [f"${record}.at", "$$NOW"]},
        f"{record}.undone_at": "$$NOW",
    }
    in_time = {"$expr": {"$lt": ["$$NOW", until]}}
    updates = [
        UpdateOne(
            {"_id": line.product_id, f"{record}.state": {"$ne": "void"}, **in_time}, [{"$set": tombstone}]
        )
        for line in order.lines
    ]
    done = db.products.bulk_write(updates, ordered=False).matched_count
    if done < len(updates) and any(state != "void" for state in _states(db, order).values()):
        raise Throttled("the request took too long to release the order's products")


def holds(db: Db, order: Order) -> dict[str, str]:
    """Return the states of the order's holds by product; a product without one is left out."""
    if order.settled:
        return dict.fromkeys((line.product_id for line in order.lines), settled_hold(order))
    return {product: state for product, state in _states(db, order).items() if state}


def _states(db: Db, order: Order) -> dict[str, str | None]:
    """Return the states of the order's holds by product that exists; None without a hold."""
    ids = [line.product_id for line in order.lines]
    products = db.products.find({"_id": {"$in": ids}}, {"hold": f"$holds.{order.id}.state"})
    return {product["_id"]: product.get("hold") for product in products}


def settled_hold(order: Order) -> str:
    """Return what became of the holds of an order whose records are gone."""
    return "committed" if order.state is State.COMPLETED else "void"


def delete_synthetic(db: Db, product_id: str) -> bool:
    """Delete the product if it is synthetic."""
    return db.products.delete_one({"_id": product_id, "synthetic": True}).deleted_count == 1
