"""One version of the chain in a process of its own: places orders when told to, and says what they took.

Run with another checkout first in PYTHONPATH it places them by that one's functions and data API. It reads a
line of JSON, {callers, orders, hot, server}, and answers with one: {seconds, client_seconds, server_seconds}.
"""

import itertools
import json
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import psutil
from bson.int64 import Int64

from data_api.storage import connection
from tests.benchmarks import sandboxes

_PRICE = 250
_LINES = 3
_SHARED = {"name": "tea", "type": "food", "price": Int64(_PRICE)}
_numbers = itertools.count()


def _order(key: str, owner: str, quantity: int) -> dict[str, Any]:
    now = datetime.now(UTC)
    lines = [
        {**_SHARED, "product_id": f"{owner}p{n}", "quantity": Int64(quantity), "delivery_address": "1 Row"}
        for n in range(_LINES)
    ]
    return {
        "_id": key,
        "user_id": f"{owner}u",
        "currency": "EUR",
        "total": Int64(_PRICE * _LINES),
        "lines": lines,
        "synthetic": False,
        "fingerprint": "f",
        "state": "NEW",
        "history": [{"at": now, "from": None, "to": "NEW", "execution": None, "reason": None}],
        "created_at": now,
        "updated_at": now,
    }


def write(db: Any, count: int, *, owner: str = "", new: bool = True, quantity: int = 1) -> list[str]:
    """Write orders as the data API would; return their ids.

    Args:
        db: where.
        count: how many.
        owner: whose products and user all of them are about; each has its own if it is empty.
        new: write products and users, too.
        quantity: of each line.
    """
    keys = [f"o{next(_numbers):07}" for _ in range(count)]
    owners = [owner] * count if owner else keys
    if new:
        more = {"currency": "EUR", "synthetic": False, "holds": {}, "available": Int64(10**9)}
        user = {"username": "Ann", "currency": "EUR", "synthetic": False, "wallet": {}, "operations": {}}
        kept = dict.fromkeys(owners)
        products = [{"_id": f"{one}p{n}", **_SHARED, **more} for one in kept for n in range(_LINES)]
        db.products.insert_many(products)
        db.users.insert_many([{"_id": f"{one}u", **user, "balance": Int64(10**12)} for one in kept])
    orders = [_order(key, owner, quantity) for key, owner in zip(keys, owners, strict=True)]
    db.orders.insert_many(orders)
    return keys


def _place(free: "SimpleQueue[Any]", key: str) -> None:
    mine = free.get()
    try:
        assert mine.place(key) == "COMPLETED"
    finally:
        free.put(mine)


@contextmanager
def measured(server: int) -> Iterator[dict[str, float]]:
    """Fill in what passed meanwhile: {seconds, client_seconds, server_seconds}, the last two of processors.

    Writing the orders beforehand is in none of them. `server` is the process that serves.
    """
    took: dict[str, float] = {}
    began, client, served = time.perf_counter(), time.process_time(), _processor_seconds(server)
    yield took
    took["seconds"] = time.perf_counter() - began
    took["client_seconds"] = time.process_time() - client
    took["server_seconds"] = _processor_seconds(server) - served


def _processor_seconds(process: int) -> float:
    """Return what a process has used; on Linux to the nanosecond, since a round is not many of its ticks.

    https://docs.kernel.org/scheduler/sched-stats.html
    """
    threads = list(Path(f"/proc/{process}/task").glob("*/schedstat"))
    if not threads:
        return sum(psutil.Process(process).cpu_times()[:2])
    used = 0
    for thread in threads:
        with suppress(OSError):  # it has ended
            used += int(thread.read_text().split()[0])
    return used / 1e9


def main(uri: str, name: str) -> None:
    """Serve requests until the input ends."""
    os.environ |= {"MONGODB_URI": uri, "MONGODB_DATABASE": name}
    db = connection.database()  # with its validators and indexes, as it ships
    with sandboxes.started(16) as started:
        for line in sys.stdin:
            asked = json.loads(line)
            keys = write(db, asked["orders"], owner=f"hot{next(_numbers)}" if asked["hot"] else "")
            free: SimpleQueue[Any] = SimpleQueue()
            for sandbox in started[: asked["callers"]]:
                free.put(sandbox)
            with ThreadPoolExecutor(asked["callers"]) as pool, measured(asked["server"]) as took:
                list(pool.map(lambda key: _place(free, key), keys))  # noqa: B023 - used up in this round
            answers.write(json.dumps(took) + "\n")
            answers.flush()


if __name__ == "__main__":
    answers, sys.stdout = sys.stdout, sys.stderr  # what handlers log is no answer
    main(*sys.argv[1:])
