"""Happy orders, written beforehand, and what takes them from stock to delivery."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final
from unittest import mock

from bson.int64 import Int64
from pymongo import monitoring

from data_api.storage import connection
from tests.benchmarks import sandboxes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from data_api.storage.database import Db
    from tests.benchmarks.sandboxes import Sandboxes

_PRICE: Final = 250
_AHEAD: Final = 6_000
_BATCH: Final = 10_000
_WRITES: Final = {"insert", "update", "delete", "findAndModify"}
_READS: Final = {"find", "aggregate"}
_current = threading.local()


class _Count(monitoring.CommandListener):
    """The commands that a connection was handed."""

    def __init__(self) -> None:
        self.commands: Counter[str] = Counter()

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        self.commands[event.command_name] += 1

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None: ...

    def failed(self, event: monitoring.CommandFailedEvent) -> None: ...


class Chain:
    """Happy orders, written beforehand; `place` takes one of them all the way."""

    def __init__(self, db: Db, started: list[Sandboxes], place: Callable[[int], int]) -> None:
        self._db, self._numbers = db, itertools.count()
        self._free: SimpleQueue[Sandboxes] = SimpleQueue()
        for one in started:
            self._free.put(one)
        _write(db, place)

    def place(self, _: int) -> None:
        """Take one order from stock to delivery."""
        mine = self._free.get()
        _current.db = self._db
        try:
            assert mine.place(f"o{next(self._numbers)}") == "COMPLETED"
        finally:
            self._free.put(mine)


def _write(db: Db, place: Callable[[int], int]) -> None:
    """Write the orders as the data API would, through none of it."""
    for name in ("orders", "products", "users"):
        db[name].delete_many({"_id": {"$not": {"$regex": "^old"}}})
    shared = {"name": "tea", "type": "food", "price": Int64(_PRICE), "currency": "EUR", "synthetic": False}
    kept = sorted({place(n) for n in range(_AHEAD)})
    db.products.insert_many(
        [{"_id": f"p{n}", **shared, "available": Int64(10**9), "holds": {}} for n in kept]
    )
    user = {"username": "Ann", "currency": "EUR", "synthetic": False, "wallet": {}}
    db.users.insert_many([{"_id": f"u{n}", **user, "balance": Int64(10**12), "operations": {}} for n in kept])
    db.orders.insert_many([_order(f"o{n}", place(n)) for n in range(_AHEAD)])


def _order(key: str, number: int) -> dict[str, Any]:
    now = datetime.now(UTC)
    line = {"product_id": f"p{number}", "name": "tea", "type": "food", "delivery_address": "1 Row"}
    return {
        "_id": key,
        "user_id": f"u{number}",
        "currency": "EUR",
        "total": Int64(_PRICE),
        "lines": [line | {"price": Int64(_PRICE), "quantity": Int64(1)}],
        "synthetic": False,
        "fingerprint": "f",
        "state": "NEW",
        "history": [{"at": now, "from": None, "to": "NEW", "execution": None, "reason": None}],
        "created_at": now,
        "updated_at": now,
    }


@contextmanager
def chosen() -> Iterator[None]:
    """Let the chain that runs say which database the data API uses, thread by thread."""
    with mock.patch.object(connection, "database", _database):
        yield


def _database() -> Db:
    found: Db = _current.db
    return found


def commands(db: Db, uri: str, place: Callable[[int], int]) -> tuple[int, int]:
    """Return how many writes and reads one happy order takes."""
    count = _Count()
    with connection.connect(uri, count) as client, sandboxes.started(1) as started, chosen():
        chain = Chain(client[db.name], started, place)
        count.commands.clear()
        chain.place(0)
        sent = Counter(count.commands)
    assert set(sent) <= _WRITES | _READS
    return sum(sent[name] for name in _WRITES), sum(sent[name] for name in _READS)


def commands_alone(
    db: Db, place: Callable[[int], int], write: Callable[[int], object], writes: int, reads: int
) -> Callable[[int], None]:
    """Return what sends as many commands as an order does, and does nothing else."""

    def send(number: int) -> None:
        for _ in range(writes):
            write(number)
        for _ in range(reads):
            assert db.users.find_one({"_id": f"bare-{place(number)}"})

    return send


def grow_old(db: Db, number: int) -> None:
    """Write so many settled orders of long ago, with their legs in the ledger."""
    for start in range(0, number, _BATCH):
        keys = [f"old{n:07}" for n in range(start, start + _BATCH)]
        db.orders.insert_many([_settled(key, n) for n, key in enumerate(keys, start)])
        legs = {"transaction": "settle", "unit": "EUR", "amount": Int64(_PRICE), "at": datetime.now(UTC)}
        db.ledger.insert_many(
            [
                {"_id": f"{key}:settle:spent", "order_id": key, "account": f"user:u{n % 997}:spent", **legs}
                for n, key in enumerate(keys)
            ]
        )


def _settled(key: str, number: int) -> dict[str, Any]:
    order = _order(key, number % 997)
    path = ("NEW", "RESERVED", "PAID", "COMPLETED")
    history = [{**order["history"][0], "to": state, "execution": "arn:old"} for state in path]
    end = {"state": "COMPLETED", "books": "settled", "history": history, "payment": "credit:1:250:EUR"}
    delivery = {name: order["lines"][0][name] for name in ("product_id", "quantity", "delivery_address")}
    end |= {"paid_by": "credit", "deliveries": [delivery | {"state": "arranged"}]}
    return order | end | {"deadline": order["created_at"], "ledger": ["hold.tea", "charge", "settle"]}
