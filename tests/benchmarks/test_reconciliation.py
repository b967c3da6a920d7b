"""Orders a second that reconciliation and settlement look at: the same however many there are."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

import psutil
import pytest
from bson.int64 import Int64

from data_api.domain.requests import fingerprint, opening_mark
from payment_data.client import DataApi, Response
from pipelines.cli.terminal import table
from pipelines.orders.payment_stack import proxy_event, settle
from pipelines.orders.reconciliation.reconcile import reconcile
from tests.benchmarks import contest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from embedded_aws.mongod import Mongod

Document = dict[str, Any]
_SIZES: Final = (1_000, 10_000, 100_000)
_PER_PRODUCT: Final = 50
_PRICE: Final = 250
_BATCH: Final = 10_000


@pytest.fixture
def api(mongod: Mongod, mongo_client: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[DataApi]:
    """The data API in this process, on a database of its own."""
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "benchmark")
    monkeypatch.setenv("MONGODB_URI", mongod.uri)
    monkeypatch.setenv("MONGODB_DATABASE", f"reconciliation-{os.getpid()}")
    from data_api.handler import handler  # noqa: PLC0415 - reads its environment when it is imported
    from data_api.storage import connection  # noqa: PLC0415 - the same

    connection.database.cache_clear()

    def send(method: str, path: str, body: bytes | None = None) -> Response:
        result = handler(proxy_event(method, path, body), SimpleNamespace(aws_request_id="r"))
        return Response(result["statusCode"], result["body"].encode())

    yield DataApi(send)
    mongo_client.drop_database(os.environ["MONGODB_DATABASE"])
    connection.database().client.close()
    connection.database.cache_clear()
    connection._client.cache_clear()


def test_reconciliation_takes_as_long_for_each_order_however_many_there_are(
    api: DataApi, mongo_client: Any, mongod: Mongod
) -> None:
    rows, rates, spent, there = [], list[float](), list[float](), 0
    db = mongo_client[os.environ["MONGODB_DATABASE"]]
    api.audit()
    for size in _SIZES:
        # Given so many completed orders, half of them long over
        _seed(db, there, size)
        there = size
        # When they are settled, and all is reconciled
        began = time.perf_counter()
        settled = settle(api, limit=200)
        settling = time.perf_counter() - began
        began, before = time.perf_counter(), _cpu_seconds(mongod)
        found = reconcile(api)
        elapsed = time.perf_counter() - began
        spent.append((_cpu_seconds(mongod) - before) / size)
        assert found.differences == []
        assert found.looked_at["orders"] == size
        rates.append(size / elapsed)
        memory = psutil.Process().memory_info().rss / 1e6
        entered = settled["entered"] + settled["settled"]
        rows.append(
            (
                f"{size:,}",
                f"{rates[-1]:,.0f}/s",
                f"{elapsed:.1f} s",
                f"{spent[-1] * 1e3:.2f} ms",
                f"{entered / settling:,.0f}/s",
                f"{memory:.0f} MB",
            )
        )
    columns = ("orders", "reconciled", "in", "CPU an order", "entered and settled", "memory of this process")
    contest.show(table("Reconciliation, the data API in process", columns, rows))
    # Then each takes the same work, whatever else this machine does
    assert max(spent) < 2 * min(spent)


def _cpu_seconds(mongod: Mongod) -> float:
    """What this process and MongoDB have spent of the processors."""
    there = psutil.Process(mongod.pid).cpu_times()
    return time.process_time() + there.user + there.system


def _seed(db: Any, begin: int, end: int) -> None:
    """Write completed orders of one product and one user each fifty, as the data API leaves them."""
    for start in range(begin, end, _BATCH):
        numbers = range(start, min(start + _BATCH, end))
        keys = [f"o{number:07}" for number in numbers]
        db.orders.insert_many([_order(number, key) for number, key in zip(numbers, keys, strict=True)])
        groups = range(numbers[0] // _PER_PRODUCT, numbers[-1] // _PER_PRODUCT + 1)
        db.products.insert_many([_product(group) for group in groups])
        db.users.insert_many([_user(group) for group in groups])


def _records(group: int, **record: Any) -> dict[str, Document]:
    """Return the records of fifty orders, each of when it ended."""
    numbers = range(group * _PER_PRODUCT, (group + 1) * _PER_PRODUCT)
    return {f"o{number:07}": record | {"at": _ended_at(number)} for number in numbers}


def _ended_at(number: int) -> datetime:
    return datetime.now(UTC) - timedelta(days=30 if number % 2 else 0)


def _order(number: int, key: str) -> Document:
    at = _ended_at(number)
    line = {
        "product_id": f"p{number // _PER_PRODUCT:06}",
        "name": "Tea",
        "type": "food",
        "delivery_address": "1 Row",
    }
    moves = pairwise((None, "NEW", "RESERVED", "PAID", "COMPLETED"))
    history = [{"at": at, "from": was, "to": to, "execution": "e", "reason": None} for was, to in moves]
    ordered = [line | {"price": _PRICE, "quantity": 1}]
    user_id = f"u{number // _PER_PRODUCT:06}"
    delivery: Document = {"product_id": line["product_id"], "delivery_address": "1 Row", "state": "arranged"}
    delivery |= {"quantity": Int64(1)}
    return {
        "_id": key,
        "user_id": user_id,
        "currency": "EUR",
        "total": Int64(_PRICE),
        "lines": [line | {"price": Int64(_PRICE), "quantity": Int64(1)}],
        "synthetic": False,
        "fingerprint": fingerprint({"user_id": user_id, "currency": "EUR", "lines": ordered}),
        "state": "COMPLETED",
        "payment": "credit:1:250:EUR",
        "paid_by": "credit",
        "deliveries": [delivery],
        "history": history,
        "deadline": at,
        "created_at": at,
        "updated_at": at,
    }


def _product(group: int) -> Document:
    created: Document = {"name": "Tea", "type": "food", "price": _PRICE, "currency": "EUR"}
    return {
        "_id": f"p{group:06}",
        **created,
        "price": Int64(_PRICE),
        "available": Int64(0),
        "fingerprint": fingerprint(created | {"available": _PER_PRODUCT}),
        "opening": Int64(_PER_PRODUCT),
        "opened_with": opening_mark(f"p{group:06}", _PER_PRODUCT),
        "holds": _records(group, quantity=Int64(1), state="held"),
        "synthetic": False,
        "created_at": datetime.now(UTC),
    }


def _user(group: int) -> Document:
    charge = {"amount": Int64(_PRICE), "state": "charged", "fingerprint": f"credit:1:{_PRICE}:EUR"}
    return {
        "_id": f"u{group:06}",
        "username": "Ada",
        "currency": "EUR",
        "balance": Int64(0),
        "opening": Int64(_PER_PRODUCT * _PRICE),
        "opened_with": opening_mark(f"u{group:06}", _PER_PRODUCT * _PRICE),
        "operations": _records(group, **charge),
        "synthetic": False,
        "created_at": datetime.now(UTC),
    }
