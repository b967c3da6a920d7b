"""Stacks whose orders are paid by card and from a bank account, at the embedded AWS's own Stripe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from payment_data.errors import InvalidRequest
from pipelines.orders import smoke
from tests import processes
from tests.rehearsal import logged_data
from tests.rehearsal.till import CUSTOMERS, KEY, POOR

if TYPE_CHECKING:
    from embedded_aws.instance import Instance
    from tests.rehearsal.till import Till

_NAME: Final = "Canary Nightingale"
_ADDRESS: Final = "17 Canary Wharf"
_CANARIES: Final = (
    KEY,
    "canary_4f1d",
    *CUSTOMERS.values(),
    *POOR.values(),
    _NAME,
    "Nightingale",
    _ADDRESS,
    "Wharf",
)


def test_an_order_is_paid_at_the_gateway_and_delivered(till: Till) -> None:
    # Given
    shop = till.shop
    tea, ada = shop.product(price=1999, available=5), till.customer()
    order = shop.order(ada, (tea, 1999, 2))
    # When
    end = shop.place(order)
    # Then
    assert (end.status, end.states[-1]) == ("SUCCEEDED", "Order placed")
    assert (till.kept(order), shop.available(tea), shop.balance(ada)) == (3998, 3, 10_000)
    assert shop.stack.api.payment(order)["state"] == "captured"


def test_a_declined_order_fails_with_the_gateways_reason_and_holds_nothing(till: Till) -> None:
    # Given
    shop = till.shop
    tea, ada = shop.product(price=1999, available=5), till.poor_customer()
    order = shop.order(ada, (tea, 1999, 2))
    # When
    end = shop.place(order)
    # Then
    assert (end.status, end.error, end.cause) == ("FAILED", "PaymentDeclined", "insufficient_funds")
    assert (till.kept(order), shop.available(tea)) == (0, 5)
    assert shop.stack.api.payment(order)["reason"] == "insufficient_funds"


def test_an_order_that_cannot_be_delivered_is_given_back_at_the_gateway(till: Till) -> None:
    # Given
    shop = till.shop
    tea, ada = shop.product(price=1999, available=5), till.customer()
    order = shop.order(ada, (tea, 1999, 2), address=" ")
    # When
    end = shop.place(order)
    # Then
    assert (end.status, end.error) == ("FAILED", "DeliveryRejected")
    assert (till.kept(order), shop.available(tea)) == (0, 5)
    assert shop.stack.api.payment(order)["state"] == "refunded"


def test_nothing_secret_or_personal_is_left_behind(till: Till, embedded: Instance) -> None:
    # Given a customer with a name, an address, and a token at the gateway
    shop = till.shop
    tea = shop.product(price=100, available=5)
    people = [
        shop.user(balance=10_000, username=_NAME, **{till.method: token[till.method]})
        for token in (CUSTOMERS, POOR)
    ]
    with logged_data.events(shop.stack.aws) as events:
        # When orders are paid, declined, given back after the charge, and asked for what they are not
        placed = [
            shop.order(people[0], (tea, 100, 1), address=_ADDRESS),
            shop.order(people[1], (tea, 100, 1), address=_ADDRESS),
            shop.order(people[0], (tea, 100, 9), address=_ADDRESS),
        ]
        ends = [shop.place(order).error for order in placed]
        assert ends == ["", "PaymentDeclined", "OutOfStock"]
        with pytest.raises(InvalidRequest):
            shop.stack.api.put_user(shop.id("user"), {"username": [_NAME], "balance": _ADDRESS})
        said = logged_data.everything(shop.stack.aws, embedded.root)
    said["events"] = "\n".join(events)
    # Then what they left behind tells of them, and not who they are, where they live and what they pay with
    for where in ("logs", "executions", "events"):
        assert all(order in said[where] for order in placed), where
    assert all(said.values())
    found = {where: [canary for canary in _CANARIES if canary in text] for where, text in said.items()}
    assert {where: canaries for where, canaries in found.items() if canaries} == {}


def test_smoke_passes(till: Till) -> None:
    report = smoke.run(till.shop.stack)
    assert [check for check in report.checks if not check.ok] == []
    assert report.passed


def test_an_order_is_paid_though_the_gateway_was_killed(till: Till, embedded: Instance) -> None:
    # Given a gateway that was used and dies
    shop = till.shop
    tea, ada = shop.product(price=1999, available=5), till.customer()
    shop.place(shop.order(ada, (tea, 1999, 1)))
    (gateway,) = processes.below(embedded.pid, lambda it: "card_gateway.server" in " ".join(it.cmdline()))
    gateway.kill()
    # When another order is placed
    order = shop.order(ada, (tea, 1999, 1))
    end = shop.place(order)
    # Then
    assert end.status == "SUCCEEDED"
    assert till.kept(order) == 1999
