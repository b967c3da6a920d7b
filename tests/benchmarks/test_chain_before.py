"""The whole chain beside what it was before it was made cheaper, and beside one transaction an order.

What a chain of so many commands can reach at best is beside it, too: its commands alone, in one interpreter,
without conditions, records, requests and answers.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

import pymongo
import pytest

from pipelines.core.repository import ROOT
from tests.benchmarks import chain_worker, contest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from data_api.storage.database import Db
    from embedded_aws.mongod import Mongod

BEFORE: Final = "d7ff763"
_ROUNDS: Final = 11
_ORDERS: Final = {1: 40, 16: 160}
_PAIRS: Final = (("now", "before"), ("now", "transaction"), ("commands alone", "before"))
_CPU, _RATE = 0.6, 1.6
_LESS_STOCK: Final = {"$inc": {"available": -1}}


class Version:
    """One checkout's chain, in a process and a database of its own."""

    def __init__(self, root: Path, uri: str, database: str) -> None:
        path = os.pathsep.join(str(root / part) for part in ("", "lambdas", "lambdas/payment_data/src"))
        script = chain_worker.__file__
        self._process = subprocess.Popen(
            [sys.executable, "-P", script, uri, database],
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def place(self, orders: int, callers: int, server: int, *, hot: bool) -> dict[str, float]:
        """Place orders; return {seconds, client_seconds, server_seconds}."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(
            json.dumps({"orders": orders, "callers": callers, "hot": hot, "server": server}) + "\n"
        )
        self._process.stdin.flush()
        took: dict[str, float] = json.loads(self._process.stdout.readline())
        return took

    def close(self) -> None:
        """End it."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(30)


class Rival:
    """Takes orders all the way in this process, without an API, records or fences."""

    def __init__(self, uri: str, database: str, **options: Any) -> None:
        self._db: Any = pymongo.MongoClient(uri, w="majority", **options)[database]

    def place(self, orders: int, callers: int, server: int, *, hot: bool) -> dict[str, float]:
        """Place orders; return {seconds, client_seconds, server_seconds}."""
        keys = chain_worker.write(self._db, orders, owner=f"hot{time.time_ns()}" if hot else "")
        with ThreadPoolExecutor(callers) as pool, chain_worker.measured(server) as took:
            list(pool.map(self._place, keys))
        return took

    def close(self) -> None:
        """Close the connection."""
        self._db.client.close()

    def _place(self, key: str) -> None:
        raise NotImplementedError


class OneTransaction(Rival):
    """An order is one transaction of six commands."""

    def _place(self, key: str) -> None:
        with self._db.client.start_session() as session:
            session.with_transaction(lambda s: self._order(key, s))

    def _order(self, key: str, session: Any) -> None:
        order = self._db.orders.find_one({"_id": key}, session=session)
        holds = [
            pymongo.UpdateOne(
                {"_id": line["product_id"], "available": {"$gte": line["quantity"]}},
                {"$inc": {"available": -line["quantity"]}},
            )
            for line in order["lines"]
        ]
        assert self._db.products.bulk_write(holds, session=session).matched_count == len(holds)
        charge = {"_id": order["user_id"], "balance": {"$gte": order["total"]}}
        taken = {"$inc": {"balance": -order["total"]}}
        assert self._db.users.update_one(charge, taken, session=session).matched_count
        self._db.deliveries.insert_many(
            [{"_id": f"{key}:{n}", "order_id": key} for n in range(len(order["lines"]))], session=session
        )
        self._db.orders.update_one({"_id": key}, {"$set": {"state": "COMPLETED"}}, session=session)


class CommandsAlone(Rival):
    """As many commands as an order takes, each as small as it can be."""

    def __init__(self, uri: str, database: str) -> None:
        super().__init__(uri, database, retryWrites=False, readConcernLevel="majority")

    def _place(self, key: str) -> None:
        order = self._db.orders.find_one({"_id": key})
        held = [pymongo.UpdateOne({"_id": line["product_id"]}, _LESS_STOCK) for line in order["lines"]]
        self._db.products.bulk_write(held, ordered=False)
        self._db.orders.update_one({"_id": key}, {"$set": {"state": "RESERVED"}})
        assert self._db.orders.find_one({"_id": key})
        self._db.users.update_one({"_id": order["user_id"]}, {"$inc": {"balance": -order["total"]}})
        self._db.orders.update_one({"_id": key}, {"$set": {"state": "PAID"}})
        self._db.orders.find_one_and_update({"_id": key}, {"$set": {"state": "COMPLETED"}})


@pytest.fixture
def before(tmp_path: Path) -> Iterator[Path]:
    """A checkout of the commit before."""
    folder = tmp_path / "before"
    git = ["git", "-C", str(ROOT), "worktree"]
    subprocess.run([*git, "add", "--quiet", "--detach", str(folder), BEFORE], check=True)
    yield folder
    subprocess.run([*git, "remove", "--force", str(folder)], check=True)


@pytest.mark.parametrize("documents", ["distinct", "hot"])
def test_an_order_costs_less_than_before(db: Db, mongod: Mongod, before: Path, documents: str) -> None:
    # Given both versions, and a transaction
    hot = documents == "hot"
    assert mongod.pid
    with ExitStack() as stack:
        contestants: dict[str, Version | Rival] = {
            "now": Version(ROOT, mongod.uri, f"{db.name}-now"),
            "before": Version(before, mongod.uri, f"{db.name}-before"),
            "transaction": OneTransaction(mongod.uri, f"{db.name}-transaction"),
            "commands alone": CommandsAlone(mongod.uri, f"{db.name}-alone"),
        }
        for name, contestant in contestants.items():
            stack.callback(db.client.drop_database, f"{db.name}-{name.split()[-1]}")
            stack.callback(contestant.close)
        # When they take turns
        rows = [row for callers in _ORDERS for row in _compare(contestants, mongod.pid, callers, hot=hot)]
    # Then
    contest.report(f"chain-before-{documents}", {"before": BEFORE, "ratios": rows})
    assert all(row["measured"] > 0 for row in rows)


def _compare(
    contestants: dict[str, Any], server: int, callers: int, *, hot: bool
) -> Iterator[dict[str, Any]]:
    costs = _costs(contestants, server, callers, hot=hot)
    ratios: dict[str, Callable[[dict[str, float], dict[str, float]], float]] = {
        "client CPU an order": lambda now, other: now["client_seconds"] / other["client_seconds"],
        "MongoDB's CPU an order": lambda now, other: now["server_seconds"] / other["server_seconds"],
        "orders a second": lambda now, other: other["seconds"] / now["seconds"],
    }
    for what, ratio in ratios.items():
        for one, other in _PAIRS:
            pairs = zip(costs[one], costs[other], strict=True)
            measured = statistics.median(ratio(now, then) for now, then in pairs)
            key = {"client CPU an order": "client_seconds", "MongoDB's CPU an order": "server_seconds"}.get(
                what, "seconds"
            )
            shown = {name: statistics.median(cost[key] for cost in costs[name]) for name in (one, other)}
            figures = {
                name: f"{1 / value:.0f}/s" if key == "seconds" else f"{value * 1000:.2f} ms"
                for name, value in zip(("one", "other"), shown.values(), strict=True)
            }
            limit = _RATE if key == "seconds" else _CPU
            asked = (one, other) == _PAIRS[0]
            met = "-" if not asked else "yes" if _met(measured, limit, key) else "no"
            yield {
                "what": f"{what}, {one} / {other}",
                "callers": callers,
                **figures,
                "measured": round(measured, 2),
                "expected": limit if asked else "-",
                "met": met,
            }


def _met(measured: float, limit: float, key: str) -> bool:
    return measured >= limit if key == "seconds" else measured <= limit


def _costs(
    contestants: dict[str, Any], server: int, callers: int, *, hot: bool
) -> dict[str, list[dict[str, float]]]:
    """Return what `measured` says of each contestant, per order and round by round; the first warms up."""
    names = list(contestants)
    costs: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    count = _ORDERS[callers]
    for number in range(_ROUNDS + 1):
        for name in names:
            took = contestants[name].place(count, callers, server, hot=hot)
            if number:
                costs[name].append({what: spent / count for what, spent in took.items()})
        names = names[1:] + names[:1]
    return costs
