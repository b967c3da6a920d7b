"""What MongoDB itself refuses to store, whoever asks it: the second belt behind the API's own checks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from bson.int64 import Int64
from pymongo.errors import WriteError

from payment_data.money import MAX_AMOUNT, MAX_BALANCE

if TYPE_CHECKING:
    from data_api.storage.database import Db

AT = datetime(2026, 11, 29, tzinfo=UTC)
NONE, ONE, MOST, MOST_CREDIT = Int64(0), Int64(1), Int64(MAX_AMOUNT), Int64(MAX_BALANCE)
LINE = {
    "product_id": "p",
    "name": "n",
    "type": "t",
    "price": MOST,
    "quantity": ONE,
    "delivery_address": "here",
}
DELIVERY = {"product_id": "p", "quantity": ONE, "delivery_address": "here", "state": "arranged"}
WHOLE: dict[str, dict[str, Any]] = {
    "products": {"name": "n", "type": "t", "price": MOST, "currency": "EUR", "available": NONE, "holds": {}},
    "users": {"username": "u", "currency": "EUR", "balance": MOST_CREDIT, "operations": {}},
    "orders": {
        "user_id": "u",
        "currency": "EUR",
        "total": MOST,
        "state": "NEW",
        "lines": [LINE],
        "history": [{}],
        "updated_at": AT,
    },
    "payments": {
        "order_id": "o",
        "attempt": ONE,
        "method": "card",
        "state": "intent",
        "amount": MOST,
        "currency": "EUR",
        "history": [{}],
        "updated_at": AT,
    },
    "ledger": {
        "order_id": "o",
        "transaction": "charge",
        "account": "user:u:balance",
        "unit": "EUR",
        "amount": Int64(-1),
        "at": AT,
    },
    "failures": {"order_id": "o", "step": "s", "error": "e", "cause": "c", "at": AT},
}
"""A document of each collection with all that it must have, each number at a bound."""
ALSO: dict[str, dict[str, Any]] = {
    "products": {"opening": NONE, "sold": NONE},
    "users": {"opening": MOST_CREDIT, "spent": NONE},
    "orders": {"deliveries": [DELIVERY]},
    "payments": {"amount": NONE},
    "ledger": {"order_id": None},
    "progress": {"state": "NEW", "after": "o"},
}
"""What it may have besides, or instead."""


def less(document: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != key}


def wrong() -> list[tuple[str, dict[str, Any]]]:
    """Each document that lacks something, or has something that must not be, in one place."""
    below = {"price": 0, "available": -1, "balance": -1, "total": 0, "attempt": 0, "opening": -1}
    below |= {"sold": -1, "spent": -1, "quantity": 0}
    above = {"price": MAX_AMOUNT, "total": MAX_AMOUNT, "balance": MAX_BALANCE}
    documents = []
    for name in WHOLE | ALSO:
        whole = WHOLE.get(name, {})
        documents += [(name, less(whole, key)) for key in whole]
        for key, value in (whole | ALSO.get(name, {})).items():
            documents.append((name, whole | {key: 7.5}))
            documents.append((name, whole | {key: 7}))  # 32 bits, where amounts are of 64
            if isinstance(value, Int64) and key in below:
                documents.append((name, whole | {key: Int64(below[key])}))
            if isinstance(value, Int64) and key in above:
                documents.append((name, whole | {key: Int64(above[key] + 1)}))
            if isinstance(value, list):
                documents.append((name, whole | {key: []}))
    documents += [("payments", WHOLE["payments"] | {"amount": Int64(number)}) for number in (-1, MOST + 1)]
    documents.append(("users", WHOLE["users"] | {"opening": Int64(MOST_CREDIT + 1)}))
    documents += [(name, WHOLE[name] | {"state": "ELSE"}) for name in ("orders", "payments")]
    for key, part in (("lines", LINE), ("deliveries", DELIVERY)):
        parts = [less(part, field) for field in part] + [part | {field: 7.5} for field in part]
        parts.append(part | {"quantity": NONE})
        parts += [part | {"price": Int64(number)} for number in (0, MOST + 1)] if key == "lines" else []
        documents += [("orders", WHOLE["orders"] | {key: [broken]}) for broken in parts]
    return documents


def test_what_is_whole_is_stored(db: Db) -> None:
    for name in WHOLE | ALSO:
        db[name].insert_one({"_id": "least", **WHOLE.get(name, {})})
        db[name].insert_one({"_id": "all", **WHOLE.get(name, {}), **ALSO.get(name, {})})


def test_what_is_not_whole_is_refused(db: Db) -> None:
    stored = []
    for name, document in wrong():
        try:
            db[name].insert_one({"_id": "wrong", **document})
        except WriteError as refused:
            assert refused.code == 121  # noqa: PT017 - DocumentValidationFailure
        else:
            stored.append((name, document))
            db[name].delete_one({"_id": "wrong"})
    assert stored == []


@pytest.mark.parametrize("name", sorted(WHOLE | ALSO))
def test_ids_are_text(db: Db, name: str) -> None:
    with pytest.raises(WriteError):
        db[name].insert_one({"_id": 7, **WHOLE.get(name, {})})
