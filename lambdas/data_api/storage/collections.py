"""Validators and indexes: what MongoDB itself refuses to store, and what it finds fast.

Validators are the last line of defence, whatever the code above does: amounts and counts are `long` and never
below zero. The maps of holds and operations are not looked into: every update validates the whole document,
and a hot product's map is long. https://www.mongodb.com/docs/manual/core/schema-validation/
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pymongo.errors import OperationFailure

from data_api.domain.order import State
from data_api.domain.payment import STATES as PAYMENT_STATES
from payment_data.money import MAX_AMOUNT, MAX_BALANCE

if TYPE_CHECKING:
    from data_api.storage.database import Db

_NAMESPACE_EXISTS = 48
_TEXT = {"bsonType": "string"}
_DATE = {"bsonType": "date"}


def _long(minimum: int, maximum: int | None = None) -> dict[str, Any]:
    bounds: dict[str, Any] = {"bsonType": "long", "minimum": minimum}
    return bounds if maximum is None else bounds | {"maximum": maximum}


def _document(optional: Mapping[str, Any] | None = None, **properties: Any) -> dict[str, Any]:
    every = properties | dict(optional or {})
    return {"bsonType": "object", "required": sorted(properties), "properties": every}


_LINE = _document(
    product_id=_TEXT,
    name=_TEXT,
    type=_TEXT,
    price=_long(1, MAX_AMOUNT),
    quantity=_long(1),
    delivery_address=_TEXT,
)
_DELIVERY = _document(
    product_id=_TEXT, quantity=_long(1), delivery_address=_TEXT, state={"enum": ["arranged"]}
)

VALIDATORS: Mapping[str, dict[str, Any]] = {
    "products": _document(
        _id=_TEXT,
        name=_TEXT,
        type=_TEXT,
        price=_long(1, MAX_AMOUNT),
        currency=_TEXT,
        available=_long(0),
        holds={"bsonType": "object"},
        optional={"opening": _long(0), "sold": _long(0)},
    ),
    "users": _document(
        _id=_TEXT,
        username=_TEXT,
        currency=_TEXT,
        balance=_long(0, MAX_BALANCE),
        operations={"bsonType": "object"},
        optional={"opening": _long(0, MAX_BALANCE), "spent": _long(0)},
    ),
    "orders": _document(
        _id=_TEXT,
        user_id=_TEXT,
        currency=_TEXT,
        total=_long(1, MAX_AMOUNT),
        state={"enum": [state.value for state in State]},
        lines={"bsonType": "array", "minItems": 1, "items": _LINE},
        history={"bsonType": "array", "minItems": 1},
        updated_at=_DATE,
        optional={"deliveries": {"bsonType": "array", "minItems": 1, "items": _DELIVERY}},
    ),
    "payments": _document(
        _id=_TEXT,
        order_id=_TEXT,
        attempt=_long(1),
        method=_TEXT,
        state={"enum": list(PAYMENT_STATES)},
        amount=_long(0, MAX_AMOUNT),
        currency=_TEXT,
        history={"bsonType": "array", "minItems": 1},
        updated_at=_DATE,
    ),
    "ledger": _document(
        _id=_TEXT,
        order_id={"bsonType": ["string", "null"]},
        transaction=_TEXT,
        account=_TEXT,
        unit=_TEXT,
        amount={"bsonType": "long"},
        at=_DATE,
    ),
    "progress": _document(_id=_TEXT, optional={"state": _TEXT, "after": _TEXT, "new_after": _TEXT}),
    "failures": _document(_id=_TEXT, order_id=_TEXT, step=_TEXT, error=_TEXT, cause=_TEXT, at=_DATE),
}
"""Collection to its `$jsonSchema`."""

INDEXES: Mapping[str, Sequence[tuple[str, ...]]] = {
    "orders": [("books", "state", "updated_at", "_id")],
    "users": [("books", "_id")],
    "products": [("books", "_id")],
    "payments": [("order_id",)],
    "ledger": [("order_id", "_id"), ("account", "order_id", "amount")],
}
"""Collection to the keys of each index beside `_id`, all ascending: what the ledger, its settlement, lists of
orders and reconciliation go by. https://www.mongodb.com/docs/manual/tutorial/equality-sort-range-guideline/"""


def ensure(db: "Db") -> None:
    """Give every collection its validator and its indexes, touching only those that lack them.

    Needs the actions createCollection, collMod and createIndex (roles readWrite and dbAdmin).
    https://www.mongodb.com/docs/manual/reference/command/createIndexes/
    """
    ensure_validators(db)
    for name, keys in INDEXES.items():
        wanted = [{"key": dict.fromkeys(fields, 1), "name": "_".join(fields)} for fields in keys]
        db.command("createIndexes", name, indexes=wanted)


def ensure_validators(db: "Db") -> None:
    """Give every collection its validator, touching only those that lack it."""
    validators = {c["name"]: c.get("options", {}).get("validator") for c in db.list_collections()}
    for name, schema in VALIDATORS.items():
        wanted = {"$jsonSchema": schema}
        if name not in validators:
            _create(db, name, wanted)
        elif validators[name] != wanted:
            db.command("collMod", name, validator=wanted)


def _create(db: "Db", name: str, validator: dict[str, Any]) -> None:
    try:
        db.create_collection(name, validator=validator, check_exists=False)
    except OperationFailure as error:
        if error.code != _NAMESPACE_EXISTS:  # another sandbox was first, with the same validator
            raise
