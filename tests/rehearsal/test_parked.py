"""An order whose undo cannot be finished: parked, listed, reported, redriven, and right in the end."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from bson.int64 import Int64
from click.testing import CliRunner, Result

from pipelines.cli.main import main
from pipelines.core.refusals import Refused
from pipelines.deploy import payment_methods
from tests.rehearsal.shop import Shop, database_of, physical

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from embedded_aws.instance import Instance
    from pipelines.orders.payment_stack import PaymentStack

    Payments = Callable[..., Result]


@pytest.fixture(scope="module")
def stack(deploy: Callable[[str], PaymentStack]) -> PaymentStack:
    """A stack of this module's own: it takes a permission away from it."""
    return deploy("payments-parked")


@pytest.fixture
def payments(stack: PaymentStack, embedded: Instance) -> Payments:
    settings = {
        "AWS_ENDPOINT_URL": embedded.endpoint,
        "MONGODB_URI": embedded.mongodb_uri,
        "PAYMENTS_ENVIRONMENT": stack.aws.environment.name,
        "PAYMENTS_STACK": stack.name,
    }
    return lambda *arguments: CliRunner(env=settings).invoke(main, [str(each) for each in arguments])


@contextmanager
def _refunds_are_denied(stack: PaymentStack) -> Iterator[None]:
    """Take the refund function's permissions away for a while."""
    iam = stack.aws.session.client("iam", endpoint_url=stack.aws.endpoint)
    role = physical(stack, "RefundPaymentRole")
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    kept = {name: iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names}
    for name in names:
        iam.delete_role_policy(RoleName=role, PolicyName=name)
    try:
        yield
    finally:
        for name, document in kept.items():
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))


def _rejected_order(shop: Shop, *, price: int = 100) -> tuple[str, str, str]:
    """Write an order that is charged, and then cannot be delivered; return user, product and order."""
    tea, ada, order = shop.product(price=price, available=5), shop.user(balance=1000), shop.id("order")
    line = {"product_id": tea, "name": "Tea", "type": "food", "price": price, "quantity": 2}
    lines = [line | {"delivery_address": " "}]
    shop.stack.api.put_order(order, {"user_id": ada, "currency": "EUR", "lines": lines})
    return ada, tea, order


def _json(result: Result) -> Any:
    return json.loads(result.stdout)


def test_a_parked_order_is_listed_reported_mended_and_redriven(
    stack: PaymentStack, payments: Payments
) -> None:
    shop = Shop(stack)
    ada, tea, order = _rejected_order(shop)
    # Given an order whose refund is denied, so that its undo cannot be finished
    with _refunds_are_denied(stack):
        end = shop.place(order)
        assert (end.error, end.states[-1]) == ("NeedsAttention", "Needs attention")
        # Then one failed undo did not skip the other, and nothing is lost
        assert (shop.balance(ada), shop.available(tea)) == (800, 5)
        # And it is listed as parked, and reconciliation reports it
        listed = _json(payments("order", "list", "--parked", "--json"))["orders"]
        assert [(each["order_id"], each["state"]) for each in listed] == [(order, "NEEDS_ATTENTION")]
        assert order in payments("order", "list", "--parked").stdout
        payments("settle")
        reported = payments("reconcile", "--json")
        assert reported.exit_code == 1
        assert {difference["order_id"] for difference in _json(reported)["differences"]} == {order}
        # And it says which undo failed, and why
        record = _json(payments("order", "show", order, "--json"))
        assert record["history"][-1]["reason"] == "Refund payment: AccessDenied"
        refund = next(each for each in record["failures"] if each["step"] == "Refund payment")
        assert refund["error"] == "AccessDenied"
        assert "403" in refund["cause"]
        # And no environment is deployed that could not undo it
        changed = stack.aws.environment.model_copy(update={"payment_method": "card"})
        with pytest.raises(Refused, match=f"Unfinished orders of {stack.name} are paid by .*: 1 by credit"):
            payment_methods.check_deployment(replace(stack.aws, environment=changed), stack.name)
        with pytest.raises(Refused, match=r"are paid by .*: 1 by credit"):
            payment_methods.check_release(replace(stack.aws, environment=changed), stack.name)
        # When it is redriven too early
        again = payments("order", "redrive", order)
        # Then it is parked once more
        assert again.exit_code == 1
        assert f"Order {order} is NEEDS_ATTENTION after the redrive: NeedsAttention" in again.stderr
        steps = [each["step"] for each in stack.api.failures(order)["failures"]]
        assert steps == ["Arrange delivery", "Refund payment", "Refund payment"]
    # When the permission is back, and it is redriven
    redriven = payments("order", "redrive", order)
    # Then everything is undone, and what happened was told live
    assert redriven.exit_code == 0, redriven.stderr
    assert "→ Refund payment" in redriven.stderr
    assert f"Order {order} is FAILED, everything undone (DeliveryRejected)" in redriven.stderr
    assert (shop.balance(ada), shop.available(tea)) == (1000, 5)
    assert shop.stack.api.payment(order)["state"] == "refunded"
    history = [entry["to"] for entry in stack.api.history(order)["history"]]
    assert history[-2:] == ["CANCELLING", "FAILED"]
    # And nothing is parked, and everything agrees with the ledger
    assert _json(payments("order", "list", "--parked", "--json"))["orders"] == []
    assert payments("settle").exit_code == 0
    agreed = payments("reconcile", stack.aws.environment.name)
    assert agreed.exit_code == 0, agreed.stderr
    assert "agree with the ledger" in agreed.stderr


def test_what_is_not_parked_cannot_be_redriven(stack: PaymentStack, payments: Payments) -> None:
    # Given an order that was placed and one that was not
    shop = Shop(stack)
    tea, ada = shop.product(price=100, available=5), shop.user(balance=1000)
    placed, loaded = shop.order(ada, (tea, 100, 1)), shop.order(ada, (tea, 100, 1))
    shop.place(placed)
    # When, then
    for order, said in (
        (placed, "is COMPLETED: there is nothing to redrive"),
        (loaded, "is NEW: only a parked order is redriven"),
    ):
        refused = payments("order", "redrive", order)
        assert (refused.exit_code, said in refused.stderr) == (1, True), refused.stderr


def test_orders_are_listed_by_state(stack: PaymentStack, payments: Payments) -> None:
    shop = Shop(stack)
    tea, ada = shop.product(price=100, available=5), shop.user(balance=1000)
    written = [shop.order(ada, (tea, 100, 1)) for _ in range(3)]
    new = [
        each["order_id"] for each in _json(payments("order", "list", "--state", "new", "--json"))["orders"]
    ]
    assert set(written) <= set(new)
    assert written[0] in payments("order", "list").stdout
    assert len(_json(payments("order", "list", "--limit", "2", "--json"))["orders"]) == 2
    assert payments("order", "list", "--parked", "--state", "NEW").exit_code == 2


def test_a_broken_balance_is_named_and_not_repaired(stack: PaymentStack, payments: Payments) -> None:
    # Given a completed order in the ledger
    shop = Shop(stack)
    tea, ada = shop.product(price=100, available=5), shop.user(balance=1000)
    assert shop.place(shop.order(ada, (tea, 100, 1))).status == "SUCCEEDED"
    assert payments("settle").exit_code == 0
    assert payments("reconcile").exit_code == 0
    # When somebody edits a balance in the database
    with database_of(stack) as database:
        users = database.users
        users.update_one({"_id": ada}, {"$inc": {"balance": Int64(7)}})
        # Then it is named, as often as one looks, until it is put right
        for _ in range(2):
            told = payments("reconcile")
            assert (told.exit_code, f"user:{ada}" in told.stdout) == (1, True)
        users.update_one({"_id": ada}, {"$inc": {"balance": Int64(-7)}})
    assert payments("reconcile").exit_code == 0
