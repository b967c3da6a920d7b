"""Many orders for little: one product that everybody wants, or one account that cannot pay for all of it."""

from __future__ import annotations

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final

from tests.benchmarks import sandboxes

if TYPE_CHECKING:
    from data_api.storage.database import Db
    from tests.benchmarks.sandboxes import Sandboxes

CALLERS: Final = 16
_PRICE: Final = 250
_USERS: Final = 40


@dataclass(frozen=True)
class Sale:
    """So many orders of a piece each; the stock, or the one account, is enough for `enough` of them."""

    orders: int
    enough: int
    one_account: bool = False


@dataclass(frozen=True)
class Result:
    """How each order ended, what the data API answered, and how long it took."""

    ends: Counter[str]
    statuses: Counter[int]
    seconds: float


def hold(sale: Sale) -> Result:
    """Place all orders, 16 at a time."""
    with sandboxes.started(CALLERS) as started, ThreadPoolExecutor(CALLERS) as pool:
        _open(started[0], sale)
        free: SimpleQueue[Sandboxes] = SimpleQueue()
        for one in started:
            free.put(one)

        def place(number: int) -> str:
            mine = free.get()
            try:
                _create(mine, sale, number)
                return mine.place(f"sale-{number}")
            finally:
                free.put(mine)

        began = time.perf_counter()
        ends = Counter(pool.map(place, range(sale.orders)))
        seconds = time.perf_counter() - began
    return Result(ends, Counter(status for one in started for status in one.statuses), seconds)


def _open(sandbox: Sandboxes, sale: Sale) -> None:
    stock = sale.orders if sale.one_account else sale.enough
    product = {"name": "console", "type": "game", "price": _PRICE, "currency": "EUR", "available": stock}
    _put(sandbox, "/products/console", product)
    balance = sale.enough * _PRICE if sale.one_account else sale.orders * _PRICE
    for number in range(1 if sale.one_account else _USERS):
        user = {"username": "Ann", "balance": balance, "currency": "EUR"}
        _put(sandbox, f"/users/user-{number}", user)


def _create(sandbox: Sandboxes, sale: Sale, number: int) -> None:
    line = {"product_id": "console", "name": "console", "type": "game", "price": _PRICE, "quantity": 1}
    user = f"user-{0 if sale.one_account else number % _USERS}"
    order = {"user_id": user, "currency": "EUR", "lines": [line | {"delivery_address": "1 Row"}]}
    _put(sandbox, f"/orders/sale-{number}", order)


def _put(sandbox: Sandboxes, path: str, body: dict[str, Any]) -> None:
    assert sandbox.ask("PUT", path, json.dumps(body).encode()).status == 201, path


def left(db: Db) -> dict[str, Any]:
    """Return what the database holds afterwards."""
    states = Counter(order["state"] for order in db.orders.find({}, {"state": True}))
    product = db.products.find_one({"_id": "console"}) or {}
    held = Counter(hold["state"] for hold in product["holds"].values())
    users = list(db.users.find())
    return {
        "states": dict(states),
        "available": product["available"],
        "held": held["held"],
        "charged": sum(
            o["amount"] for u in users for o in u["operations"].values() if o["state"] == "charged"
        ),
        "balance": sum(user["balance"] for user in users),
        "delivered": db.orders.count_documents({"deliveries.state": "arranged"}),
    }


def check(sale: Sale, result: Result, db: Db) -> None:
    """Hold the result to what was promised: exactly as many as there is enough for, none lost, no 5xx."""
    refused = "PaymentDeclined" if sale.one_account else "OutOfStock"
    short = sale.orders - sale.enough
    assert result.ends == {"COMPLETED": sale.enough, refused: short}
    assert [status for status in result.statuses if status >= 500] == []
    stock = sale.orders if sale.one_account else sale.enough
    money = sale.enough * _PRICE if sale.one_account else _USERS * sale.orders * _PRICE
    assert left(db) == {
        "states": {"COMPLETED": sale.enough, "FAILED": short},
        "available": stock - sale.enough,
        "held": sale.enough,
        "charged": sale.enough * _PRICE,
        "balance": money - sale.enough * _PRICE,
        "delivered": sale.enough,
    }
