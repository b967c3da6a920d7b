"""`kill -9` of everything that can die, while a hundred orders are under way."""

from __future__ import annotations

import contextlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import psutil
import pytest

from embedded_aws import mongod
from pipelines.aws import embedded_stripe
from pipelines.orders import orders
from pipelines.orders.payment_stack import settle
from pipelines.orders.reconciliation import stripe_account
from pipelines.orders.reconciliation.reconcile import reconcile
from tests import processes
from tests.rehearsal.paying import paying_by
from tests.rehearsal.shop import Shop, ended

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from embedded_aws.instance import Instance
    from embedded_aws.mongod import Mongod
    from pipelines.aws.accounts import Aws
    from pipelines.orders.payment_stack import PaymentStack

_PRICE: Final = 250
_TERMINAL: Final = ("COMPLETED", "FAILED")
_REDRIVES: Final = 3


@dataclass
class Victims:
    """What may die: MongoDB, which is started again on its data, and processes of the embedded AWS."""

    server: Mongod
    data: Path
    embedded: Instance

    def kill_mongod(self) -> None:
        self.server.kill()
        self.server = mongod.start(self.data, port=self.server.port)

    def kill_sandboxes(self, stack: str) -> int:
        """Kill every process of the stack's functions; return how many there were."""
        return self._kill(lambda process: process.environ()["AWS_LAMBDA_FUNCTION_NAME"].startswith(stack))

    def kill_card_gateway(self) -> int:
        return self._kill(lambda process: "card_gateway.server" in " ".join(process.cmdline()))

    def _kill(self, chosen: Callable[[psutil.Process], bool]) -> int:
        victims = processes.below(self.embedded.pid, chosen)
        for process in victims:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        return len(victims)


@pytest.fixture
def victims(tmp_path: Path, embedded: Instance) -> Iterator[Victims]:
    found = Victims(mongod.start(tmp_path), tmp_path, embedded)
    yield found
    found.server.stop()


@pytest.fixture
def stack(here: Aws, deploy: Callable[[str, Aws], PaymentStack], victims: Victims) -> PaymentStack:
    """A stack that is paid by card, with a MongoDB of its own."""
    embedded_stripe.ensure_secret(here.client("secretsmanager"), "sk_test_killed")
    paid_by_card = paying_by("card", here.environment)
    return deploy("payments-killed", replace(here, environment=paid_by_card, mongodb_uri=victims.server.uri))


def _running(stack: PaymentStack) -> int:
    pages = stack.aws.stepfunctions.get_paginator("list_executions")
    found = pages.paginate(stateMachineArn=stack.workflow, statusFilter="RUNNING")
    return sum(len(page["executions"]) for page in found)


def _redriven(stack: PaymentStack, order: str) -> str:
    """Redrive an order that is not at its end, as a person does; return its state."""
    for _ in range(_REDRIVES):
        if (state := str(stack.api.order(order)["state"])) in _TERMINAL:
            return state
        list(orders.redrive(stack, order))
    return str(stack.api.order(order)["state"])


def test_every_order_ends_right_whatever_is_killed_under_it(stack: PaymentStack, victims: Victims) -> None:
    # Given a hundred orders of ten customers, for products of which there are too few for one in ten
    shop = Shop(stack)
    products = [shop.product(price=_PRICE, available=9) for _ in range(10)]
    first = shop.place(shop.order(shop.user(balance=0, card="pm_card_visa"), (products[0], _PRICE, 1)))
    assert first.status == "SUCCEEDED"  # the gateway is up, and so are sandboxes
    users = [shop.user(balance=0, card="pm_card_visa") for _ in range(10)]
    written = [shop.order(user, (product, _PRICE, 1)) for product in products for user in users]
    # When all are placed at once, and each part is killed while they run
    with ThreadPoolExecutor(max_workers=16) as pool:
        placed = list(pool.map(lambda order: orders.place(stack, order).arn, written))
        under_way = [_running(stack)]
        assert victims.kill_sandboxes(stack.name) > 0
        under_way.append(_running(stack))
        victims.kill_mongod()
        under_way.append(_running(stack))
        assert victims.kill_card_gateway() == 1
        list(pool.map(lambda execution: ended(stack, execution), placed))
    assert min(under_way) > 0, under_way
    # Then each order comes to its end, some by a redrive
    states = Counter(_redriven(stack, order) for order in written)
    assert set(states) <= set(_TERMINAL), states
    # And what is sold was paid and is delivered, once; the rest is as it was; the gateway says the same
    completed = [order for order in written if stack.api.order(order)["state"] == "COMPLETED"]
    assert sum(9 - shop.available(product) for product in products) == len(completed) + 1
    for order in completed:
        assert len(stack.api.deliveries(order)["deliveries"]) == 1
    assert settle(stack.api)["disputed"] == 0
    found = reconcile(stack.api, stripe=stripe_account.stripe_account(stack.aws, stack.name))
    assert (found.differences, found.pending) == ([], 0)
    assert found.looked_at["orders"] == len(written) + 1
