"""A hundred orders at once: orders a second, how long each takes, and how much memory it needs."""

from __future__ import annotations

import json
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import repeat
from typing import TYPE_CHECKING, Final

import psutil

from pipelines.aws import executions
from pipelines.cli.terminal import table
from tests.benchmarks import contest
from tests.rehearsal.shop import Shop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from embedded_aws.instance import Instance
    from pipelines.orders.payment_stack import PaymentStack

_ORDERS: Final = 100
_RUNS: Final = 3
_SAMPLE_SECONDS: Final = 0.5


def test_a_hundred_orders_at_once(deployed: PaymentStack, embedded: Instance) -> None:
    rows = []
    for number in range(_RUNS):
        # Given a hundred orders that can all be paid
        shop = Shop(deployed)
        placed = _written(shop)
        # When they are started at once
        with _memory(embedded) as memory, ThreadPoolExecutor(max_workers=16) as pool:
            began = time.monotonic()
            arns = list(pool.map(_start, repeat(deployed), placed))
            took = [_seconds(shop.stack, arn) for arn in arns]
            elapsed = time.monotonic() - began
        p50, p99 = statistics.median(took), statistics.quantiles(took, n=100)[98]
        rate = _ORDERS / elapsed
        rows.append((number + 1, f"{rate:.1f}/s", f"{p50:.2f} s", f"{p99:.2f} s", f"{max(memory):.0f} MB"))
    columns = ("run", "orders", "p50", "p99", "peak memory of all processes")
    contest.show(table(f"{_ORDERS} orders at once; the first run starts cold", columns, rows))


def _written(shop: Shop) -> list[str]:
    products = [shop.product(price=100, available=_ORDERS) for _ in range(10)]
    users = [shop.user(balance=100_000) for _ in range(10)]
    with ThreadPoolExecutor(max_workers=4) as pool:
        pairs = [(user, product) for user in users for product in products]
        return list(pool.map(lambda pair: shop.order(pair[0], (pair[1], 100, 1)), pairs))


def _start(stack: PaymentStack, order_id: str) -> str:
    """Start an order and do nothing else, so that the client is not what is measured."""
    started = stack.aws.stepfunctions.start_execution(
        stateMachineArn=stack.live, name=order_id, input=json.dumps({"order_id": order_id})
    )
    return started["executionArn"]


def _seconds(stack: PaymentStack, execution: str) -> float:
    """Wait for an execution; it must succeed."""
    for moment in executions.follow(stack.aws, execution):
        assert moment.what != "ended" or moment.state == "SUCCEEDED", moment
    described = stack.aws.stepfunctions.describe_execution(executionArn=execution)
    return (described["stopDate"] - described["startDate"]).total_seconds()


@contextmanager
def _memory(embedded: Instance) -> Iterator[list[float]]:
    """Samples of the memory of the embedded AWS, its functions and MongoDB, in megabytes."""
    samples, done = [0.0], threading.Event()

    def watch() -> None:
        while not done.wait(_SAMPLE_SECONDS):
            samples.append(_megabytes(embedded.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield samples
    finally:
        done.set()
        watcher.join()


def _megabytes(pid: int) -> float:
    """Proportional memory: what processes share is counted once."""
    total = 0
    root = psutil.Process(pid)
    for process in [root, *root.children(recursive=True)]:
        try:
            total += process.memory_full_info().pss
        except (psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
    return total / 1e6
