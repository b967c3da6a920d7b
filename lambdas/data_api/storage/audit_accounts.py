"""Products and users as auditors see them: what is free, records of what is taken, and what is gone."""

from typing import Any, Final, NamedTuple

from pymongo.client_session import ClientSession

from data_api.storage.database import Db
from data_api.storage.order_pages import NOT_OF_SMOKE

_FIELDS: Final = {
    "products": ("available", "sold", "holds", "quantity", "held"),
    "users": ("balance", "spent", "operations", "amount", "charged"),
}


class AuditedAccount(NamedTuple):
    """A product or a user.

    Attributes:
        id: which.
        opening: what it began with, None if nobody wrote that down.
        free: available, or the balance.
        gone: sold, or spent.
        books: whether the ledger has its opening.
        records: order, whether it takes something, and how much, of those that ever took anything.
        opened_with: the mark of what it began with, None if nobody wrote that down.
    """

    id: str
    opening: int | None
    free: int
    gone: int
    books: str | None
    records: list[tuple[str, bool, int]]
    opened_with: str | None


def page(db: Db, collection: str, after: str, limit: int, session: ClientSession) -> list[AuditedAccount]:
    """Return at most `limit` accounts by id, none that smoke executions made."""
    free, gone, records, quantity, taking = _FIELDS[collection]
    pipeline: list[dict[str, Any]] = [
        {"$match": {"_id": {"$gt": after}, **NOT_OF_SMOKE}},
        {"$sort": {"_id": 1}},
        {"$limit": limit},
        {
            "$project": {
                "opening": 1,
                "opened_with": 1,
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
    accounts = list[AuditedAccount]()
    for document in db[collection].aggregate(pipeline, batchSize=limit, session=session):
        rows = [(key, taken, amount) for key, taken, amount in document["records"]]
        accounts.append(
            AuditedAccount(
                document["_id"],
                document.get("opening"),
                document["free"],
                document["gone"],
                document.get("books"),
                rows,
                document.get("opened_with"),
            )
        )
    return accounts
