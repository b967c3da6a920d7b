"""The records in the documents of users and products: by their orders, and by their accounts for auditors."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final, NamedTuple

from pymongo.client_session import ClientSession

from data_api.domain.order import Order
from data_api.domain.requests import Document
from data_api.domain.transactions import Records
from data_api.storage import ledger
from data_api.storage.database import Db
from data_api.storage.order_pages import NOT_OF_SMOKE

_FIELDS: Final = {
    "products": ("available", "sold", "holds", "quantity", "held"),
    "users": ("balance", "spent", "operations", "amount", "charged"),
}
_CREATED: Final = (
    *("opening", "opened_with", "fingerprint", "created_at", "synthetic"),
    *("name", "type", "price", "currency", "repriced"),
)


def by_order(db: Db, orders: Sequence[Order], session: ClientSession | None = None) -> dict[str, Records]:
    """Return each order's records, in three reads whatever the number of orders."""
    if not orders:
        return {}
    kept = [order for order in orders if order.books != ledger.SETTLED]
    operations, holds = _of_documents(db, kept, session) if kept else ({}, {})
    payments = _payments(db, orders, session)
    return {
        order.id: Records(
            operations.get(order.user_id, {}).get(order.id, order.operation),
            {
                line.product_id: holds[line.product_id][order.id]
                for line in order.lines
                if order.id in holds.get(line.product_id, {})
            },
            tuple(payments.get(order.id, ())),
        )
        for order in orders
    }


def named_by(db: Db, orders: Sequence[Order], session: ClientSession) -> dict[str, Document]:
    """Return {currency, price?, repriced?} of the payers and products of orders that exist; two reads.

    They are named by their accounts: `user:ada`, `product:tea`.
    """
    users = {order.user_id for order in orders}
    products = {line.product_id for order in orders for line in order.lines}
    return _shown(db, "users", users, ("currency",), session) | _shown(
        db, "products", products, ("currency", "price", "repriced.price"), session
    )


def _shown(
    db: Db, collection: str, ids: Collection[str], fields: Iterable[str], session: ClientSession
) -> dict[str, Document]:
    shown = dict.fromkeys(fields, True)
    found = db[collection].find({"_id": {"$in": list(ids)}}, shown, session=session)
    return {f"{collection[:-1]}:{each['_id']}": each for each in found}


def _of_documents(
    db: Db, orders: Sequence[Order], session: ClientSession | None
) -> tuple[dict[str, Document], dict[str, Document]]:
    """Return the users' and the products' records of these orders, by user and product, then order."""
    users = {order.user_id for order in orders}
    operations = {
        user["_id"]: user["operations"]
        for user in db.users.find(
            {"_id": {"$in": list(users)}}, _paths("operations", orders), session=session
        )
    }
    products = {line.product_id for order in orders for line in order.lines}
    holds = {
        product["_id"]: product["holds"]
        for product in db.products.find(
            {"_id": {"$in": list(products)}}, _paths("holds", orders), session=session
        )
    }
    return operations, holds


def _paths(field: str, orders: Sequence[Order]) -> dict[str, bool]:
    return {f"{field}.{order.id}": True for order in orders}


def _payments(db: Db, orders: Sequence[Order], session: ClientSession | None) -> dict[str, list[Document]]:
    by_order: dict[str, list[Document]] = {}
    ids = [order.id for order in orders]
    for payment in db.payments.find({"order_id": {"$in": ids}}, session=session).sort("_id"):
        by_order.setdefault(payment["order_id"], []).append(payment)
    return by_order


class AuditedAccount(NamedTuple):
    """A product or a user: what is free, what its records take, and what is gone.

    Attributes:
        id: which.
        opening: what it began with, None if nobody wrote that down.
        free: available, or the balance.
        gone: sold, or spent.
        books: whether the ledger has its opening.
        records: order, whether it takes something, and how much, of those that ever took anything.
        created: what it was created as, and the marks of that: the document's own fields.
    """

    id: str
    opening: int | None
    free: int
    gone: int
    books: str | None
    records: list[tuple[str, bool, int]]
    created: Document


def accounts(db: Db, collection: str, after: str, limit: int, session: ClientSession) -> list[AuditedAccount]:
    """Return at most `limit` accounts by id, none that smoke executions made."""
    free, gone, records, quantity, taking = _FIELDS[collection]
    pipeline: list[dict[str, Any]] = [
        {"$match": {"_id": {"$gt": after}, **NOT_OF_SMOKE}},
        {"$sort": {"_id": 1}},
        {"$limit": limit},
        {
            "$project": {
                **dict.fromkeys(_CREATED, 1),
                "free": f"${free}",
                "gone": {"$ifNull": [f"${gone}", 0]},
                "books": 1,
                "records": {
                    "$map": {
                        "input": {
                            "$filter": {
                                "input": {"$objectToArray": f"${records}"},
                                "cond": {"$gt": [f"$$this.v.{quantity}", 0]},
                            }
                        },
                        "in": ["$$this.k", {"$eq": ["$$this.v.state", taking]}, f"$$this.v.{quantity}"],
                    }
                },
            }
        },
    ]
    page = list[AuditedAccount]()
    for document in db[collection].aggregate(pipeline, batchSize=limit, session=session):
        rows = [(key, taken, amount) for key, taken, amount in document["records"]]
        page.append(
            AuditedAccount(
                document["_id"],
                document.get("opening"),
                document["free"],
                document["gone"],
                document.get("books"),
                rows,
                document,
            )
        )
    return page
