"""Indexes beside `_id`: what the ledger, its settlement, lists of orders and reconciliation go by.

https://www.mongodb.com/docs/manual/tutorial/equality-sort-range-guideline/
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from data_api.storage.database import Db

INDEXES: Mapping[str, Sequence[tuple[str, ...]]] = {
    "orders": [("books", "state", "updated_at", "_id")],
    "users": [("books", "_id")],
    "products": [("books", "_id")],
    "payments": [("order_id",)],
    "ledger": [("order_id", "_id"), ("account", "order_id", "amount")],
}
"""Collection to the keys of each index, all ascending."""


def ensure(db: "Db") -> None:
    """Make what is missing; MongoDB leaves alone what is there.

    https://www.mongodb.com/docs/manual/reference/command/createIndexes/
    """
    for name, keys in INDEXES.items():
        wanted = [{"key": dict.fromkeys(fields, 1), "name": "_".join(fields)} for fields in keys]
        db.command("createIndexes", name, indexes=wanted)
