"""The records that orders have in the documents of their users and products, many orders at once."""

from collections.abc import Collection, Sequence

from pymongo.client_session import ClientSession

from data_api.domain.order import Order
from data_api.domain.requests import Document
from data_api.domain.transactions import Records
from data_api.storage import ledger_progress
from data_api.storage.database import Db


def by_order(db: Db, orders: Sequence[Order], session: ClientSession | None = None) -> dict[str, Records]:
    """Return each order's records, in three reads whatever the number of orders."""
    if not orders:
        return {}
    kept = [order for order in orders if order.books != ledger_progress.SETTLED]
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


def unknown(db: Db, orders: Sequence[Order], session: ClientSession) -> dict[str, list[str]]:
    """Return what each order names and does not exist, as `user:ada` or `product:tea`; two reads."""
    users = _known(db, "users", {order.user_id for order in orders}, session)
    products = _known(db, "products", {line.product_id for order in orders for line in order.lines}, session)
    return {
        order.id: [f"user:{order.user_id}"] * (order.user_id not in users)
        + [f"product:{line.product_id}" for line in order.lines if line.product_id not in products]
        for order in orders
    }


def _known(db: Db, collection: str, ids: Collection[str], session: ClientSession) -> set[str]:
    return {
        each["_id"]
        for each in db[collection].find({"_id": {"$in": list(ids)}}, {"_id": True}, session=session)
    }


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
