"""Stacks as branches use them: side by side, deployed again, deleted and made again."""

from __future__ import annotations

import hashlib
import zipfile
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pipelines.aws import stacks
from pipelines.aws.stacks import StackFailed
from pipelines.deploy import deployment
from pipelines.orders import orders
from tests import processes
from tests.rehearsal.shop import Shop, ended, physical

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from embedded_aws.instance import Instance
    from pipelines.aws.accounts import Aws
    from pipelines.build.package_manifest import Package
    from pipelines.orders.payment_stack import PaymentStack
    from tests.rehearsal.conftest import Built


_REJECTS = """
from payment_data.errors import DeliveryRejected


def handler(event, context):
    raise DeliveryRejected("no courier today")
"""


def test_two_branches_live_side_by_side_in_one_network(
    deployed: PaymentStack, deploy: Callable[[str], PaymentStack]
) -> None:
    # Given a second stack in the same network
    other = Shop(deploy("payments-other"))
    shop = Shop(deployed)
    # When an order with the same id is placed in each, of a product with the same id
    for here, price in ((shop, 100), (other, 999)):
        goods = {"name": "Tea", "type": "food", "price": price, "currency": "EUR", "available": 1}
        here.stack.api.put_product(f"tea-{shop.name}", goods)
    orders = [(here, here.user(balance=1000), price) for here, price in ((shop, 100), (other, 999))]
    for here, user, price in orders:
        order = here.order(user, (f"tea-{shop.name}", price, 1))
        assert here.place(order).status == "SUCCEEDED"
        # Then each sold its own
        assert here.balance(user) == 1000 - price
    stacks.delete(other.stack.aws, "payments-other")
    # And one is still there when the other is gone
    assert Shop(deployed).start(shop.id("order")).error == "OrderNotFound"


def test_a_stack_can_be_deleted_and_made_again(here: Aws, deploy: Callable[[str], PaymentStack]) -> None:
    # Given a stack with an order in it
    shop = Shop(deploy("payments-again"))
    tea, ada = shop.product(price=100, available=2), shop.user(balance=200)
    first, second = shop.order(ada, (tea, 100, 1)), shop.order(ada, (tea, 100, 1))
    assert shop.place(first).status == "SUCCEEDED"
    # When it is deleted
    assert stacks.delete(here, "payments-again")
    assert stacks.status(here, "payments-again") is None
    assert not stacks.delete(here, "payments-again")
    # And made again, then it works, on the data that it had
    again = Shop(deploy("payments-again"))
    assert again.place(second).status == "SUCCEEDED"
    assert again.balance(ada) == 0


def test_deploying_what_is_deployed_changes_nothing(
    deploy: Callable[[str], PaymentStack], built: Built
) -> None:
    # Given what was deployed just now: the network is shared, and another test may have changed it since
    deployed = deploy("payments-test")
    # When it is deployed again
    done = deployment.deploy(deployed.aws, built.manifest, stack=deployed.name, packages=built.folder)
    # Then
    assert set(done.changes.values()) == {"unchanged"}


def test_a_release_that_breaks_is_rolled_back_and_the_next_one_is_deployed(
    here: Aws, deploy: Callable[[str], PaymentStack], built: Built
) -> None:
    # Given a stack that works, and a release with a package that is none
    shop = Shop(deploy("payments-release"))
    (built.folder / "broken.zip").write_bytes(b"no archive")
    digest = hashlib.sha256(b"no archive").hexdigest()
    whole = built.manifest["record_failure"]
    broken = replace(whole, file="broken.zip", key=f"lambdas/record_failure/{digest}.zip", sha256=digest)
    # When it is deployed
    with pytest.raises(StackFailed, match=r"ended in UPDATE_ROLLBACK_COMPLETE.*First failure: RecordFailure"):
        deployment.deploy(
            here,
            {**built.manifest, "record_failure": broken},
            stack="payments-release",
            packages=built.folder,
        )
    # Then what was there serves on
    assert shop.start(shop.id("order")).error == "OrderNotFound"
    # And the release that worked can be deployed again, as another attempt: Lambda publishes no code twice
    again = Shop(deploy("payments-release"))
    parameters = stacks.described(here, "payments-release")["Parameters"]
    assert {"ParameterKey": "Attempt", "ParameterValue": "1"} not in parameters
    assert again.start(again.id("order")).error == "OrderNotFound"


def test_an_order_in_flight_finishes_on_the_code_that_it_started_with(
    here: Aws, deploy: Callable[[str], PaymentStack], built: Built, embedded: Instance
) -> None:
    # Given an order in its first step, whose sandbox does not get on
    shop = Shop(stack := deploy("payments-flight"))
    tea, ada = shop.product(price=100, available=3), shop.user(balance=300)
    first, early, late = (shop.order(ada, (tea, 100, 1)) for _ in range(3))
    assert shop.place(first).status == "SUCCEEDED"
    with _frozen(embedded, physical(stack, "ReserveProductsFunction")):
        placed = orders.place(stack, early)
        # When a release is deployed whose last step rejects every order
        rejecting = {**built.manifest, "arrange_delivery": _rejecting(built)}
        deployment.deploy(here, rejecting, stack=stack.name, packages=built.folder)
    # Then that order is delivered, by the code that it started with
    over = ended(stack, placed.arn)
    assert (over.status, over.error) == ("SUCCEEDED", "")
    # And the next one meets the new code
    assert shop.place(late).error == "DeliveryRejected"
    assert shop.balance(ada) == 100
    stacks.delete(here, stack.name)


@contextmanager
def _frozen(embedded: Instance, function: str) -> Iterator[None]:
    """Let a function's sandboxes stand still."""
    sandboxes = processes.below(
        embedded.pid, lambda process: process.environ().get("AWS_LAMBDA_FUNCTION_NAME") == function
    )
    assert sandboxes
    for sandbox in sandboxes:
        sandbox.suspend()
    try:
        yield
    finally:
        for sandbox in sandboxes:
            sandbox.resume()


def _rejecting(built: Built) -> Package:
    """The package of the last step, with a handler that rejects."""
    whole = built.manifest["arrange_delivery"]
    changed = built.folder / "rejecting.zip"
    with zipfile.ZipFile(built.folder / whole.file) as there, zipfile.ZipFile(changed, "w") as archive:
        for name in there.namelist():
            archive.writestr(name, _REJECTS if name == "arrange_delivery/handler.py" else there.read(name))
    digest = hashlib.sha256(changed.read_bytes()).hexdigest()
    return replace(whole, file=changed.name, key=f"lambdas/arrange_delivery/{digest}.zip", sha256=digest)
