"""The data API's operations and what they are held against: a bare conditional update, and a transaction.

The bare one moves the same amounts while there is enough, and keeps no record of having done so. The one in a
transaction is the same operation: it asks all that ours asks, the deadline too, and keeps its record in a
document of its own, which is what transactions are for.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from bson.int64 import Int64

from data_api.domain.order import Line, State, from_document
from data_api.storage import orders, products, users

if TYPE_CHECKING:
    from collections.abc import Callable

    from pymongo.client_session import ClientSession

    from data_api.storage.database import Db

PRICE: Final = 250
_PLENTY: Final = 10**9
_FAR: Final = datetime.now(UTC) + timedelta(hours=12)
_IN_TIME: Final = {"$expr": {"$lt": ["$$NOW", _FAR]}}
_KEPT: Final = 2_000
_WAYS: Final = ("ours", "bare", "transaction")


def distinct(number: int) -> int:
    """Everybody has a document of their own."""
    return number % _KEPT


def hot(number: int) -> int:
    """Everybody wants the same document, until it has a thousand records."""
    return number // 1_000 % _KEPT


def charge(db: Db, place: Callable[[int], int]) -> dict[str, Callable[[int], object]]:
    """Charge a balance."""
    fresh = {"username": "Ann", "currency": "EUR", "balance": Int64(_PLENTY)}
    fresh |= {"operations": {}, "synthetic": False}
    db.users.insert_many([{"_id": f"{way}-{n}", **fresh} for way in _WAYS for n in range(_KEPT)])

    order = from_document(_document("o") | {"state": "RESERVED"})

    def ours(number: int) -> None:
        this = replace(order, id=f"o{number}", user_id=f"ours-{place(number)}")
        assert users.charge(db, this, "credit:1", _FAR)

    def update(key: str, session: ClientSession | None = None) -> None:
        in_full = {"currency": "EUR"} | _IN_TIME if session else {}
        _one(db.users.update_one(*_take(key, "balance", PRICE, in_full), session=session).matched_count)

    return {"ours": ours, **_rivals(db, "charge", _keys(place), update)}


def hold(db: Db, place: Callable[[int], int]) -> dict[str, Callable[[int], object]]:
    """Hold one piece of a product."""
    fresh = {"name": "tea", "type": "food", "price": Int64(PRICE), "currency": "EUR"}
    fresh |= {"holds": {}, "synthetic": False}
    fresh |= {"available": Int64(_PLENTY)}
    db.products.insert_many([{"_id": f"{way}-{n}", **fresh} for way in _WAYS for n in range(_KEPT)])

    order = from_document(_document("o"))

    def ours(number: int) -> None:
        this = replace(order, id=f"o{number}")
        _one(products.hold(db, this, [_line(f"ours-{place(number)}")], _FAR))

    def update(key: str, session: ClientSession | None = None) -> None:
        in_full = {"price": PRICE} | _IN_TIME if session else {}
        _one(db.products.update_one(*_take(key, "available", 1, in_full), session=session).matched_count)

    return {"ours": ours, **_rivals(db, "hold", _keys(place), update)}


def advance(db: Db, place: Callable[[int], int]) -> dict[str, Callable[[int], object]]:
    """Change an order's state, with its entry in the history; at the next visit, back again.

    The orders are synthetic: what others count for the business in a line of the log is no part of the write.
    """
    db.orders.insert_many([_document(f"{way}-{n}") for way in _WAYS for n in range(_KEPT)])
    order = from_document(_document("o") | {"synthetic": True})
    ends = (State.CANCELLING, State.NEEDS_ATTENTION)
    visits = {way: itertools.count() for way in _WAYS}

    def aim(way: str, _: int) -> tuple[str, tuple[State, State]]:
        visit = next(visits[way])
        return f"{way}-{place(visit)}", ends[::-1] if visit // _KEPT % 2 else ends

    def ours(number: int) -> None:
        key, (source, target) = aim("ours", number)
        this = replace(order, id=key, state=source)
        assert orders.advance(db, this, {source}, target, execution="arn:e", reason="why")

    def update(to: tuple[str, tuple[State, State]], session: ClientSession | None = None) -> None:
        key, (source, target) = to
        there: dict[str, Any] = {"_id": key, "state": source}
        change: dict[str, Any] = {"$set": {"state": target}}
        if session:
            change["$currentDate"] = {"updated_at": True}
        _one(db.orders.update_one(there, change, session=session).matched_count)

    return {"ours": ours, **_rivals(db, "advance", aim, update)}


def _rivals(
    db: Db, what: str, aim: Callable[[str, int], Any], update: Callable[..., None]
) -> dict[str, Callable[[int], object]]:
    db.drop_collection("kept")
    db.create_collection("kept")

    def kept(session: ClientSession, to: Any, number: int) -> None:
        update(to, session)
        record = {"_id": f"{what}-{number}", "of": str(to), "amount": PRICE, "at": datetime.now(UTC)}
        db.kept.insert_one(record, session=session)

    def transaction(number: int) -> None:
        to = aim("transaction", number)
        with db.client.start_session() as session:
            session.with_transaction(lambda s: kept(s, to, number))

    return {"bare": lambda number: update(aim("bare", number)), "transaction": transaction}


def _keys(place: Callable[[int], int]) -> Callable[[str, int], str]:
    return lambda way, number: f"{way}-{place(number)}"


def _take(key: str, field: str, amount: int, also: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    return {"_id": key, field: {"$gte": amount}, **also}, {"$inc": {field: Int64(-amount)}}


def _one(matched: int) -> None:
    assert matched == 1, "there was not enough"


def _line(product: str) -> Line:
    return Line(product, "tea", "food", PRICE, 1, "1 Row")


def _document(key: str) -> dict[str, Any]:
    now = datetime.now(UTC)
    line = _line("tea")._asdict() | {"price": Int64(PRICE), "quantity": Int64(1)}
    return {
        "_id": key,
        "user_id": "ann",
        "currency": "EUR",
        "total": Int64(PRICE),
        "lines": [line],
        "synthetic": False,
        "fingerprint": "f",
        "state": "CANCELLING",
        "history": [{"at": now, "from": None, "to": "NEW", "execution": None, "reason": None}],
        "deadline": _FAR,
        "created_at": now,
        "updated_at": now,
    }
