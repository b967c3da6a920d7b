"""Users: a balance, and one payment operation per order in the user's own document.

`operations.<order>` is {amount, fingerprint, state: charged | declined | refunded | void, at, undone_at}. It
is the charge's idempotency record, and a refused or undone one stops a charge that arrives late. A settled
charge is counted in `spent` and its record goes; `opening` is the balance that the user began with. No write
lands later than its request's `last_write`, so a record that is gone is never missed.
"""

from datetime import UTC, datetime
from typing import NamedTuple

from bson.int64 import Int64
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from data_api.domain.order import Order
from data_api.domain.requests import Document, opening_mark
from data_api.storage import ledger
from data_api.storage.database import Db, confirmed
from payment_data.errors import Throttled

_UNDONE = ["refunded", "void", "declined"]


class Operation(NamedTuple):
    """What was done to a balance for an order.

    Attributes:
        state: charged, declined, refunded or void.
        amount: minor units; 0 for a void one.
        fingerprint: of the request; None for a void one.
        reason: why it was declined.
    """

    state: str
    amount: int
    fingerprint: str | None
    reason: str | None


class Payer(NamedTuple):
    """A user as an order sees them.

    Attributes:
        balance: minor units.
        currency: ISO 4217.
        synthetic: made by a smoke execution.
        operation: what was done to the balance for the order, if anything.
        late: the order's deadline has passed, by MongoDB's clock.
        wallet: what the user pays with at the gateway: ids of Stripe's, never numbers of cards or accounts.
    """

    balance: int
    currency: str
    synthetic: bool
    operation: Operation | None
    late: bool
    wallet: dict[str, str]

    def means(self, method: str) -> dict[str, str]:
        """Return {customer?, payment_method?}, the latter only if the wallet has one for this method."""
        named = {"customer": self.wallet.get("customer"), "payment_method": self.wallet.get(method)}
        return {name: value for name, value in named.items() if value is not None}


def create(db: Db, user_id: str, body: Document, fingerprint: str) -> bool:
    """Insert a user; False if the id is taken."""
    try:
        db.users.insert_one(
            {
                "_id": user_id,
                "username": body["username"],
                "balance": Int64(body["balance"]),
                "currency": body["currency"],
                "operations": {},
                "synthetic": body.get("synthetic", False),
                "wallet": body.get("wallet", {}),
                "fingerprint": fingerprint,
                "created_at": datetime.now(UTC),
                "opening": Int64(body["balance"]),
                "opened_with": opening_mark(user_id, body["balance"]),
                **ledger.at_creation(body),
            }
        )
    except DuplicateKeyError:
        return False
    return True


def find(db: Db, user_id: str) -> Document | None:
    """Return the user's document, as `collections` declares it, without the operations."""
    return db.users.find_one({"_id": user_id}, {"operations": False})


def payer(db: Db, order: Order) -> Payer | None:
    """Return the order's user and what was done for the order, or None if there is no such user."""
    projection = {
        **dict.fromkeys(("balance", "currency", "synthetic", "wallet"), True),
        "operation": f"$operations.{order.id}",
        "late": {"$gte": ["$$NOW", order.deadline]},
    }
    user = db.users.find_one({"_id": order.user_id}, projection)
    if user is None:
        return None
    record = user.get("operation", order.operation)
    operation = _operation(record) if record else None
    return Payer(
        user["balance"],
        user["currency"],
        user["synthetic"],
        operation,
        user["late"],
        user.get("wallet", {}),
    )


def charge(db: Db, order: Order, fingerprint: str, until: datetime) -> bool:
    """Take the order's total from the balance if it covers it, once, before `until`."""
    condition = {
        "balance": {"$gte": order.total},
        "currency": order.currency,
        "synthetic": order.synthetic,
        **_unrecorded(order, until),
    }
    record = {"state": "charged", "amount": Int64(order.total), "fingerprint": fingerprint}
    update = _recorded(order, record) | {"$inc": {"balance": Int64(-order.total)}}
    return db.users.update_one(condition, update).matched_count == 1


def decline(db: Db, order: Order, fingerprint: str, reason: str, until: datetime) -> bool:
    """Record that the balance does not cover the total, if that is so and nothing is recorded yet."""
    condition = {"balance": {"$lt": order.total}, **_unrecorded(order, until)}
    record = {"state": "declined", "amount": Int64(order.total), "fingerprint": fingerprint, "reason": reason}
    return db.users.update_one(condition, _recorded(order, record)).matched_count == 1


def refund(db: Db, order: Order, until: datetime) -> Operation | None:
    """Return what was charged; where nothing was, bar it for ever. None if there is no such user.

    Raises:
        Throttled: it is later than `until`, and it was not done.
    """
    if order.settled:
        return _operation(order.operation) if order.operation else None
    record = f"operations.{order.id}"
    charged = {"$eq": [f"${record}.state", "charged"]}
    tombstone = {
        "balance": {"$add": ["$balance", {"$cond": [charged, f"${record}.amount", Int64(0)]}]},
        f"{record}.amount": {"$ifNull": [f"${record}.amount", Int64(0)]},
        f"{record}.state": {"$cond": [charged, "refunded", "void"]},
        f"{record}.at": {"$ifNull": [f"${record}.at", "$$NOW"]},
        f"{record}.undone_at": "$$NOW",
    }
    user = db.users.find_one_and_update(
        {
            "_id": order.user_id,
            f"{record}.state": {"$nin": _UNDONE},
            "$expr": {"$lt": ["$$NOW", until]},
        },
        [{"$set": tombstone}],
        projection={record: True},
        return_document=ReturnDocument.AFTER,
    )
    user = user or confirmed(db.users).find_one({"_id": order.user_id}, {record: True})
    if user is None:
        return None
    operation = user["operations"].get(order.id)
    if operation is None or operation["state"] not in _UNDONE:
        raise Throttled("the request took too long to return the order's charge")
    return _operation(operation)


def delete_synthetic(db: Db, user_id: str) -> bool:
    """Delete the user if it is synthetic."""
    return db.users.delete_one({"_id": user_id, "synthetic": True}).deleted_count == 1


def _unrecorded(order: Order, until: datetime) -> Document:
    """Return the condition that nothing is recorded of the order, and that there is time."""
    path = f"operations.{order.id}"
    return {"_id": order.user_id, path: {"$exists": False}, "$expr": {"$lt": ["$$NOW", until]}}


def _recorded(order: Order, record: Document) -> Document:
    """Return the update that writes the order's operation."""
    path = f"operations.{order.id}"
    fields = {f"{path}.{field}": value for field, value in record.items()}
    return {"$set": fields, "$currentDate": {f"{path}.at": True}}


def _operation(record: Document) -> Operation:
    return Operation(record["state"], record["amount"], record.get("fingerprint"), record.get("reason"))
